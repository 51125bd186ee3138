"""How a try-on is accepted: one statement, so that everything it means happens, or nothing."""

from collections.abc import Sequence

from application.events import ViewSubmittable
from application.images.acceptances import Acceptances, ImageAccepted
from application.ports import IdempotentRequest
from domain.credits import VIEW_PRICE, InsufficientCredits
from domain.images import GeneratedImage
from domain.renders import ViewRender
from infrastructure.database.holds import RESERVE
from infrastructure.database.idempotency import SqlIdempotencyKeys
from infrastructure.database.outbox import Doorbell
from infrastructure.database.progress_log import LogGrown, ProgressBell
from infrastructure.database.transaction import Row, WritePool
from infrastructure.metrics.work import HELD, WorkMetrics
from infrastructure.origins import Origins

# Each step takes what the one before brought: where nothing was reserved, nothing is added. Photo and lender are kept
# from whoever would remove them, or waited for; one that went meanwhile brings no row.
_ACCEPT = f"""
WITH photo AS (
    SELECT id FROM uploads WHERE id = $3 AND user_id = $1 FOR KEY SHARE
), lender AS (
    SELECT id FROM images WHERE id = $4 AND deleted_at IS NULL FOR SHARE
), made_of AS MATERIALIZED (
    SELECT WHERE EXISTS (SELECT FROM photo) AND ($4::bigint IS NULL OR EXISTS (SELECT FROM lender))
), reserved AS (
    {RESERVE} AND EXISTS (SELECT FROM made_of)
    RETURNING id
), image AS (
    INSERT INTO images (user_id, style_id, prompt_version, upload_id, folder, status, is_favourite, created_at)
    SELECT id, $5, $6, $3, $7, $8::text, false, $9::timestamptz FROM reserved
    RETURNING id
), added AS (
    INSERT INTO views (image_id, view, status, round, attempt, claim, stumbles, accepted_at, deadline_at, due_at,
        output_key, output_width, output_height, finished_at, origin)
    SELECT image.id, made.view, made.status, 1, 0, 0, 0, $9::timestamptz, $10, $9,
        made.key, made.width, made.height, CASE WHEN made.key IS NOT NULL THEN $9 END, $20::text::jsonb
    FROM image, unnest($11::text[], $12::text[], $13::text[], $14::integer[], $15::integer[])
        WITH ORDINALITY AS made(view, status, key, width, height, place)
    ORDER BY made.place
    RETURNING id, view, status
), held AS (
    INSERT INTO holds (view_id, round, user_id, amount, status, created_at)
    SELECT id, 1, $1, $16, 'PENDING', $9::timestamptz FROM added WHERE view = ANY($17::text[])
), logged AS (
    INSERT INTO image_events (image_id, id, view, status)
    SELECT image.id, told.place, told.view, told.status
    FROM image, unnest($11::text[] || NULL::text, $12::text[] || $8::text) WITH ORDINALITY AS told(view, status, place)
), announced AS (
    INSERT INTO outbox (job, payload, due_at, origin)
    SELECT $18::text, jsonb_build_object('view_id', id), now(), $20::text::jsonb
    FROM added WHERE view = ANY($19::text[])
)
SELECT EXISTS (SELECT FROM made_of) AS is_made_of, (SELECT id FROM image) AS image_id,
    ARRAY(SELECT id FROM added ORDER BY id) AS view_ids
"""  # noqa: S608 - the guard


class SqlAcceptances(Acceptances):
    def __init__(
        self, pool: WritePool, doorbell: Doorbell, progress: ProgressBell, metrics: WorkMetrics, origins: Origins
    ) -> None:
        self._pool = pool
        self._doorbell = doorbell
        self._progress = progress
        self._metrics = metrics
        self._origins = origins

    async def replay(self, request: IdempotentRequest | None) -> ImageAccepted | None:
        if request is None:
            return None
        async with self._pool.transaction() as transaction:
            return await SqlIdempotencyKeys(transaction).replay(request, ImageAccepted)

    async def accept(
        self,
        image: GeneratedImage,
        *,
        held: Sequence[ViewRender],
        announced: Sequence[ViewRender],
        lender: int | None,
        request: IdempotentRequest | None,
    ) -> ImageAccepted | None:
        args = (*_arguments(image, held, announced, lender), self._origins.here())
        if request is None:
            (row,) = await self._pool.fetch(_ACCEPT, *args)
            accepted = _outcome(row, image, held)
        else:
            async with self._pool.transaction() as transaction:
                keys = SqlIdempotencyKeys(transaction)
                if kept := await keys.replay(request, ImageAccepted):
                    return kept
                (row,) = await transaction.fetch(_ACCEPT, *args)
                accepted = _outcome(row, image, held)
                if accepted is not None:
                    await keys.keep(request, accepted)
                    await transaction.commit()
        if accepted is not None:
            self._count(held)
            self._progress.ring([LogGrown(image.user_id, image.id)])
            if announced:
                self._doorbell.ring()
        return accepted

    def _count(self, held: Sequence[ViewRender]) -> None:
        for view in held:
            self._metrics.accepted[view.view].inc()
        self._metrics.credits[HELD].inc(VIEW_PRICE * len(held))


def _arguments(
    image: GeneratedImage, held: Sequence[ViewRender], announced: Sequence[ViewRender], lender: int | None
) -> tuple[object, ...]:
    views = image.views
    return (
        image.user_id,
        VIEW_PRICE * len(held),
        image.upload_id,
        lender,
        image.style_id,
        image.prompt_version,
        image.folder,
        image.status,
        image.created_at,
        views[0].deadline_at,
        [view.view for view in views],
        [view.status for view in views],
        [view.output_key for view in views],
        [view.output_width for view in views],
        [view.output_height for view in views],
        VIEW_PRICE,
        [view.view for view in held],
        ViewSubmittable.job,
        [view.view for view in announced],
    )


def _outcome(row: Row, image: GeneratedImage, held: Sequence[ViewRender]) -> ImageAccepted | None:
    if not row["is_made_of"]:
        return None
    if row["image_id"] is None:
        raise InsufficientCredits(VIEW_PRICE * len(held))
    image.id = row["image_id"]
    for view, view_id in zip(image.views, row["view_ids"], strict=True):
        view.id, view.image_id = view_id, image.id
    return ImageAccepted(image.id, credits_held=VIEW_PRICE * len(held))
