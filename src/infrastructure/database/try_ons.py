"""Try-ons as rows: two statements load one, and only what a decision changed is written back."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from application.images.ports import ImageRepository
from domain.images import GeneratedImage
from domain.renders import ViewRender
from domain.views import Status, View, ViewError
from infrastructure.database.transaction import Row, Transaction
from infrastructure.database.words import ERRORS, STATUSES, VIEWS
from infrastructure.origins import Origin, Origins, read_origin

OF_IMAGE = ("user_id", "style_id", "prompt_version", "upload_id", "folder", "created_at")
"""What a try-on is and stays; deleting its photo is what else changes `upload_id`."""
IMAGE_CHANGES = ("status", "is_favourite", "deleted_at")
VIEW_CHANGES = (
    *("status", "round", "attempt", "attempts_before", "claim", "stumbles", "accepted_at", "deadline_at", "due_at"),
    *("lease_until", "prediction_id", "prediction", "expires_at", "poll_at"),
    *("output_key", "output_width", "output_height", "error", "finished_at"),
)
Values = tuple[Any, ...]


_PREDICTION = VIEW_CHANGES.index("prediction")


def _places(first: int, count: int) -> str:
    return ", ".join(f"${place}" for place in range(first, first + count))


def _view_places(first: int) -> str:
    """A document goes and comes as text, whatever a connection would make of it by itself."""
    places = [f"${first + column}" for column in range(len(VIEW_CHANGES))]
    places[_PREDICTION] += "::text::jsonb"
    return ", ".join(places)


# Its columns are named above.
_CHANGE_IMAGE = f"""
UPDATE images SET ({", ".join(IMAGE_CHANGES)}) = ({_places(2, len(IMAGE_CHANGES))}) WHERE id = $1
"""  # noqa: S608
_CHANGE_VIEW = f"""
UPDATE views SET origin = coalesce($2::text::jsonb, origin), ({", ".join(VIEW_CHANGES)}) = ({_view_places(3)})
WHERE id = $1
"""  # noqa: S608
# The views are read when the lock is there: a statement that waited for it would show them as they were before.
_LOAD = f"SELECT id, {', '.join(OF_IMAGE + IMAGE_CHANGES)} FROM images WHERE"  # noqa: S608
_VIEWS = f"""
SELECT id, view, {", ".join(VIEW_CHANGES)}, prediction::text AS document, origin::text AS origin
FROM views WHERE image_id = $1 ORDER BY id
"""  # noqa: S608
_OF_VIEW = "id = (SELECT image_id FROM views WHERE views.id = $1) FOR UPDATE"
_BY_ID = "id = $1 FOR UPDATE"
_OWN = "id = $1 AND user_id = $2 AND deleted_at IS NULL FOR UPDATE"

_SHOWN = """
SELECT views.output_key FROM images JOIN views ON views.image_id = images.id
WHERE images.user_id = $1 AND images.deleted_at IS NULL AND views.output_key = ANY($2::text[])
"""
# By the log, for a view that is asked for once more knows nothing of its former end. All events of one cancellation
# have the same moment, the transaction's own, and so has the audit log's entry about one that was an operator's.
_CANCELLATIONS = """
SELECT count(DISTINCT (ended.image_id, ended.at)) AS number
FROM image_events AS ended JOIN images ON images.id = ended.image_id
WHERE images.user_id = $1 AND ended.status = 'CANCELLED' AND ended.at > $2 AND (
    SELECT before.status FROM image_events AS before
    WHERE before.image_id = ended.image_id AND before.view = ended.view AND before.id < ended.id
    ORDER BY before.id DESC LIMIT 1
) = 'PROCESSING' AND NOT EXISTS (
    SELECT FROM audit_entries AS noted
    WHERE noted.subject = 'image:' || ended.image_id AND noted.action = 'image.cancel' AND noted.at = ended.at
)
"""
_KEEP_OWNER = "SELECT id FROM users WHERE id = $1 FOR NO KEY UPDATE"


class StatusChange(Struct, frozen=True):
    """A status as it was written: a view's, or, without one, the try-on's own."""

    image_id: int
    view: View | None
    status: Status
    error: ViewError | None
    seconds: float | None = None
    """From accepted to stored, of a view that was rendered."""


class _Loaded(Struct):
    """A try-on, and how its rows stand."""

    image: GeneratedImage
    row: Values
    rows: dict[ViewRender, Values]
    origins: dict[int, Origin]
    """Of its views, by their ids."""


class SqlTryOns(ImageRepository):
    """Keeps what it has handed out until the transaction ends, and notes every status that changes.

    Who claims a view goes on with the work of whoever asked for it: what is written then keeps where that came from.
    """

    def __init__(self, transaction: Transaction, origins: Origins) -> None:
        self._transaction = transaction
        self._origins = origins
        self._before = Origin()
        self._loaded: dict[int, _Loaded] = {}
        self._changes: list[StatusChange] = []

    async def claim(self, view_id: int) -> tuple[GeneratedImage, ViewRender] | None:
        image = await self._load(_OF_VIEW, view_id)
        if image is None:
            return None
        render = image.by_id(view_id)
        self._before = self._loaded[image.id].origins[view_id]
        self._origins.works_on(self._before, image_id=image.id, view=render.view, attempt=render.attempt)
        return image, render

    async def by_id(self, image_id: int) -> GeneratedImage | None:
        return await self._load(_BY_ID, image_id)

    async def own(self, image_id: int, *, owner: int) -> GeneratedImage | None:
        return await self._load(_OWN, image_id, owner)

    async def shown_outputs(self, keys: Collection[str], *, owner: int) -> set[str]:
        return {row["output_key"] for row in await self._transaction.fetch(_SHOWN, owner, list(keys))}

    async def cancellations(self, owner: int, *, since: datetime) -> int:
        await self._transaction.fetch(_KEEP_OWNER, owner)
        (counted,) = await self._transaction.fetch(_CANCELLATIONS, owner, since)
        return int(counted["number"])

    async def flush(self) -> None:
        """Write what has changed since it was loaded or last written."""
        for loaded in self._loaded.values():
            await self._write(loaded)

    def origin(self) -> str | None:
        """Where what is written now comes from."""
        return self._origins.here(self._before)

    def take_changes(self) -> list[StatusChange]:
        """Those written since the last call."""
        changes, self._changes = self._changes, []
        return changes

    def forget(self) -> None:
        """The transaction has ended: what it handed out must be loaded again."""
        self._loaded.clear()
        self._changes.clear()
        self._before = Origin()

    async def _load(self, condition: str, *args: object) -> GeneratedImage | None:
        await self.flush()  # what was decided so far is written first, so that reading the rows anew does not undo it
        found = await self._transaction.fetch(f"{_LOAD} {condition}", *args)
        if not found:
            return None
        views = await self._transaction.fetch(_VIEWS, found[0]["id"])
        image = _image_of(found[0], [_view_of(row, found[0]["id"]) for row in views])
        rows = {render: _view_values(render) for render in image.views}
        origins = {row["id"]: read_origin(row["origin"]) for row in views}
        self._loaded[image.id] = _Loaded(image, _image_values(image), rows, origins)
        return image

    async def _write(self, loaded: _Loaded) -> None:
        image = loaded.image
        for render in image.views:
            known = loaded.rows.get(render)
            if known is None or (values := _view_values(render)) == known:
                continue
            await self._transaction.fetch(_CHANGE_VIEW, render.id, self.origin(), *values)
            loaded.rows[render] = values
            if values[0] != known[0]:
                self._changes.append(_change_of(image, render))
        await self._add_views(loaded, [render for render in image.views if render not in loaded.rows])
        row = _image_values(image)
        if row != loaded.row:
            await self._transaction.fetch(_CHANGE_IMAGE, image.id, *row)
            if row[0] != loaded.row[0]:
                self._changes.append(_own_change(image))
            loaded.row = row

    async def _add_views(self, loaded: _Loaded, renders: Sequence[ViewRender]) -> None:
        if not renders:
            return
        image = loaded.image
        rows = [_view_values(render) for render in renders]
        args = [(image.id, render.view, self.origin(), *row) for render, row in zip(renders, rows, strict=True)]
        added = await self._transaction.fetch(_add_views(len(renders)), *(value for row in args for value in row))
        ids = {row["view"]: row["id"] for row in added}
        for render, row in zip(renders, rows, strict=True):
            render.id, render.image_id = ids[render.view], image.id
            loaded.rows[render] = row
            self._changes.append(_change_of(image, render))


def _add_views(count: int) -> str:
    firsts = range(1, 1 + (len(VIEW_CHANGES) + 3) * count, len(VIEW_CHANGES) + 3)
    rows = ", ".join(f"({_places(first, 2)}, ${first + 2}::text::jsonb, {_view_places(first + 3)})" for first in firsts)
    columns = ", ".join(VIEW_CHANGES)
    return f"INSERT INTO views (image_id, view, origin, {columns}) VALUES {rows} RETURNING id, view"  # noqa: S608 - named above


def _image_of(row: Row, views: Iterable[ViewRender]) -> GeneratedImage:
    image = GeneratedImage(
        **{column: row[column] for column in OF_IMAGE},
        status=STATUSES[row["status"]],
        is_favourite=row["is_favourite"],
        deleted_at=row["deleted_at"],
        views=list(views),
    )
    image.id = row["id"]
    return image


def _view_of(row: Row, image_id: int) -> ViewRender:
    columns = {column: row[column] for column in VIEW_CHANGES}
    columns["status"] = STATUSES[row["status"]]
    columns["prediction"] = None if row["document"] is None else msgspec.json.decode(row["document"])
    columns["error"] = None if row["error"] is None else ERRORS[row["error"]]
    render = ViewRender(view=VIEWS[row["view"]], **columns)
    render.id, render.image_id = row["id"], image_id
    return render


def _image_values(image: GeneratedImage) -> Values:
    return image.status, image.is_favourite, image.deleted_at


def _view_values(render: ViewRender) -> Values:
    values = [getattr(render, column) for column in VIEW_CHANGES]
    if render.prediction is not None:
        values[_PREDICTION] = msgspec.json.encode(render.prediction).decode()
    return tuple(values)


def _change_of(image: GeneratedImage, render: ViewRender) -> StatusChange:
    error = render.error if render.status is Status.FAILED else None
    return StatusChange(image.id, render.view, render.status, error, _seconds_of(render))


def _seconds_of(render: ViewRender) -> float | None:
    if render.status is not Status.COMPLETED or render.finished_at is None:
        return None
    return (render.finished_at - render.accepted_at).total_seconds()


def _own_change(image: GeneratedImage) -> StatusChange:
    return StatusChange(image.id, None, image.status, image.front.error if image.status is Status.FAILED else None)
