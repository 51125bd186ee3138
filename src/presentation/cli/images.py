"""Operators' commands about try-ons."""

import click

from application.images.cancel_any_image import CancelAnyImage, CancelAnyImageHandler
from application.images.fail_image import FailImage, FailImageHandler
from application.images.image_records import ImageDetails, ViewEntry
from application.images.list_all_images import ListAllImages, ListAllImagesHandler
from application.images.retry_any_image import RetryAnyImage, RetryAnyImageHandler
from application.images.show_image import ShowImage, ShowImageHandler
from domain.identifiers import LARGEST_ID
from domain.views import Status, View, ViewError
from presentation.cli.operations import (
    OneOf,
    Operation,
    confirm,
    destructive,
    moment,
    operation,
    paged,
    reasoned,
)

_ID = click.IntRange(1, LARGEST_ID)


@click.group("image")
def image_commands() -> None:
    """Customers' try-ons."""


@image_commands.command("list")
@click.option("--user", metavar="EMAIL_OR_ID", help="Only those of this customer.")
@click.option("--status", type=OneOf(Status), help="Only these.")
@click.option("--style", "style_id", type=_ID, help="Only those with this style, by its id.")
@click.option("--deleted", "is_deleted", is_flag=True, help="Those that their owners deleted instead.")
@paged
@operation
def list_(
    operate: Operation,
    user: str | None,
    status: Status | None,
    style_id: int | None,
    is_deleted: bool,
    limit: int,
    cursor: str | None,
) -> None:
    """Show try-ons, newest first.

    Example: hairtryon image list --user ada@example.com --status FAILED
    """
    query = ListAllImages(limit, cursor, user, style_id, status, is_deleted)
    page = operate.run(ListAllImagesHandler, query)
    rows = [
        (
            image.id,
            image.user_id,
            image.email,
            image.style_name,
            image.status,
            ", ".join(_told(view) for view in image.views),
            image.created_at,
        )
        for image in page.items
    ]
    operate.show_page(page, ["id", "user", "email", "style", "status", "views", "since"], rows)


@image_commands.command()
@click.argument("image_id", type=_ID)
@operation
def show(operate: Operation, image_id: int) -> None:
    """Show how a try-on stands and how it came there: attempts, holds, predictions, deadlines, its log.

    Example: hairtryon image show 41
    """
    _show(operate, operate.run(ShowImageHandler, ShowImage(image_id)))


@image_commands.command()
@click.argument("image_id", type=_ID)
@reasoned
@operation
def retry(operate: Operation, image_id: int, reason: str) -> None:
    """Render the failed views again, at the customer's price: `credits grant` them first if they shall not pay.

    Example: hairtryon image retry 41 --reason "the provider is back"
    """
    _show(operate, operate.run(RetryAnyImageHandler, RetryAnyImage(image_id, reason)))


@image_commands.command()
@click.argument("image_id", type=_ID)
@reasoned
@operation
def cancel(operate: Operation, image_id: int, reason: str) -> None:
    """Stop what is in progress and give its credits back, however often the customer has done so today.

    Example: hairtryon image cancel 41 --reason "asked for it by mail"
    """
    _show(operate, operate.run(CancelAnyImageHandler, CancelAnyImage(image_id, reason)))


@image_commands.command()
@click.argument("image_id", type=_ID)
@click.option("--view", type=OneOf(View), help="Only this one; the front takes waiting side views along.")
@click.option(
    "--error",
    type=OneOf(ViewError),
    default=ViewError.INTERNAL_ERROR,
    show_default=True,
    help="What the customer reads.",
)
@reasoned
@destructive
@operation
def fail(operate: Operation, image_id: int, view: View | None, error: ViewError, reason: str, yes: bool) -> None:
    """End what is in progress as failed, and give its credits back. The customer can retry it.

    What the provider still brings for it is thrown away, and may be billed.

    Example: hairtryon image fail 41 --reason "stuck since the provider's outage" --yes
    """
    confirm(f"Fail what is in progress of try-on {image_id}?", yes=yes)
    _show(operate, operate.run(FailImageHandler, FailImage(image_id, reason, view, error)))


def _show(operate: Operation, image: ImageDetails) -> None:
    views = {
        view.view: ", ".join(
            [
                f"{view.status}{_why(view.error)}",
                f"round {view.round}, attempt {view.attempt}",
                f"hold {view.hold}" if view.hold else "no hold",
                *([f"prediction {view.prediction_id}"] if view.prediction_id else []),
                *([f"with a worker until {moment(view.lease_until)}"] if view.lease_until else []),
                f"finished {moment(view.finished_at)}" if view.finished_at else f"deadline {moment(view.deadline_at)}",
            ]
        )
        for view in image.views
    }
    log = "\n".join(f"{moment(line.at)} {line.view or 'try-on'} {line.status}{_why(line.error)}" for line in image.log)
    operate.show_one(image, views=None, **views, log=log)


def _told(view: ViewEntry) -> str:
    return f"{view.view} {view.status}{_why(view.error)}"


def _why(error: ViewError | None) -> str:
    return f" ({error})" if error else ""
