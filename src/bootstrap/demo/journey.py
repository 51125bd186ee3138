"""`hairtryon demo`: one customer's way from the first form to four pictures, on a stack of its own."""

import difflib
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urljoin

import msgspec

from bootstrap.demo.customer import TERMINAL, Customer, Event, Image, JourneyError, Style
from bootstrap.demo.screen import Screen, Step
from bootstrap.settings import Settings
from bootstrap.stack import Stack, StackError, StackFolder, end_on_signals

VIEWS = ("front", "right", "left", "back")
DEFAULT_STYLE = "Copper Curls"
PICTURES = Path("var/demo")
STACK = Path("var/demo-stack")

_EMAIL = "ada@example.org"
_NAME = "Ada"


class NoSuchStyleError(JourneyError):
    """The catalogue has no such hairstyle; the message names some that it has."""


def run_demo(environ: Mapping[str, str], *, photo: Path | None, style: str | None) -> int:
    """Play the journey and show it; returns the exit code.

    Of the settings only those of the image model count, so that a demo never works on somebody's database.
    """
    screen = Screen()
    try:
        folder = StackFolder(STACK)
        folder.reset()
        stack = Stack(folder, settings_of_the_demo(environ), port=0, tell=screen.remark)
        end_on_signals(stack.crew)
        _Demo(screen, stack).play(photo or _astronaut(), style or DEFAULT_STYLE)
    except NoSuchStyleError as error:
        screen.failure(str(error))
        return 1
    except (StackError, JourneyError) as error:
        screen.failure(str(error), f"The logs are in {STACK}.")
        return 1
    return 0


class _Demo:
    def __init__(self, screen: Screen, stack: Stack) -> None:
        self._screen = screen
        self._stack = stack

    def play(self, photo: Path, wanted_style: str) -> None:
        began = time.perf_counter()
        screen = self._screen
        screen.title("Hair Try-On", "A portrait and a hairstyle in, the same person with that hair out.")
        with ExitStack() as rooms:
            with screen.step("Starting PostgreSQL, Valkey, the sandbox, the API and the worker") as step:
                rooms.enter_context(self._stack.running())
                step.note("PostgreSQL, Valkey, the sandbox, the API and the worker")
                step.done = f"Everything runs at {self._stack.url}"
            customer = rooms.enter_context(Customer(self._stack.url, self._outbox, before_each_call=self._require_life))
            self._sign_up(customer)
            pictures = self._try_on(customer, photo, wanted_style)
            with screen.step("Stopping everything") as step:
                rooms.close()
                step.done = "Everything stopped"
        screen.summary(f"Done in {time.perf_counter() - began:.1f} s. The pictures:", pictures, self._who_drew())

    def _sign_up(self, customer: Customer) -> None:
        password = secrets.token_urlsafe(16)
        with self._screen.step("Registering") as step:
            customer.register(_EMAIL, password, _NAME)
            step.done = f"{_NAME} registered as {_EMAIL}"
        with self._screen.step("Waiting for the verification mail") as step:
            mail = customer.wait_for_mail(_EMAIL)
            step.done = f"Mail came: {mail.subject}"
        with self._screen.step("Following the link in the mail") as step:
            customer.follow(mail.links[0])
            step.done = "The link in it was followed: the address is verified"
        with self._screen.step("Logging in") as step:
            customer.log_in(_EMAIL, password)
            step.done = f"{_NAME} logged in and has {customer.profile().credits} free credits"

    def _try_on(self, customer: Customer, photo: Path, wanted_style: str) -> list[Path]:
        with self._screen.step("Looking through the catalogue") as step:
            styles = customer.styles()
            style = pick_style(styles, wanted_style)
            step.note(style.description)
            step.done = f"{style.name} picked out of {len(styles)} hairstyles"
        with self._screen.step(f"Uploading {photo}") as step:
            upload = customer.upload(photo)
            step.done = f"{photo.name} uploaded, stored at {upload.width} x {upload.height} pixels"
        with self._screen.step("Asking for four views") as step:
            accepted = customer.generate(style, upload, list(VIEWS))
            step.done = f"Four views ordered, {customer.profile().credits_held} credits held for them"
        with self._screen.step("Watching the renders") as step:
            image = customer.watch(accepted.image_id, _Progress(step))
            _require_all(image)
            step.done = "Four views rendered, the side views from the finished front"
        with self._screen.step("Downloading") as step:
            pictures = _download(customer, image)
            step.done = f"{len(pictures)} pictures downloaded"
        with self._screen.step("Looking at the credits") as step:
            profile = customer.profile()
            if profile.credits_held:
                raise JourneyError(f"{profile.credits_held} credits are still held, though nothing is being rendered.")
            step.done = f"{accepted.credits_held} credits spent, {profile.credits} left, none held"
        return pictures

    @property
    def _outbox(self) -> str:
        return urljoin(self._stack.environ["BREVO_BASE_URL"], "/brevo/mails")

    def _require_life(self) -> None:
        if self._stack.crew.ended.is_set():
            raise StackError(self._stack.crew.failure or "The demo was interrupted.")

    def _who_drew(self) -> str:
        environ = self._stack.environ
        if self._stack.is_played("REPLICATE_BASE_URL"):
            return (
                "These pictures were drawn, not rendered: the sandbox stands in for Replicate's image model and draws "
                "hair on the photo, so that the demo needs no account and no key. README.md says how to use the model."
            )
        return f"These pictures were rendered by the model at {environ['REPLICATE_BASE_URL']}."


class _Progress:
    """Tells how each view stands while it is rendered, and when it is there."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._statuses: dict[str, str] = {}
        self._accepted_at: dict[str, datetime] = {}

    def __call__(self, event: Event) -> None:
        if event.view is None:
            return
        self._statuses[event.view] = event.status
        accepted_at = self._accepted_at.setdefault(event.view, event.at)
        if event.status in TERMINAL:
            seconds = (event.at - accepted_at).total_seconds()
            self._step.note(f"{event.view:<6} {event.status.lower()} after {seconds:.1f} s")
        self._step.say(", ".join(f"{view} {status.lower()}" for view, status in self._statuses.items()))


def settings_of_the_demo(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what configures a deployment, but with what chooses the image model."""
    settings = {field.encode_name for field in msgspec.structs.fields(Settings)}
    kept = {name: value for name, value in environ.items() if name not in settings or name.startswith("REPLICATE_")}
    return {**kept, "FREE_USER_CREDITS": str(len(VIEWS))}


def _astronaut() -> Path:
    sandbox = find_spec("sandbox")
    if sandbox is None or sandbox.origin is None:
        raise JourneyError("There is no default photo here: name one, as in `hairtryon demo me.jpg`.")
    return Path(sandbox.origin).with_name("photos") / "astronaut.jpg"


def pick_style(styles: list[Style], wanted: str) -> Style:
    """By name, by the name as in an address (`copper-curls`), or by id."""
    by_key = {key: style for style in styles for key in (style.name.casefold(), _slug(style.name), str(style.id))}
    if found := by_key.get(wanted.strip().casefold()):
        return found
    near = difflib.get_close_matches(wanted.casefold(), [style.name.casefold() for style in styles], n=3, cutoff=0.5)
    meant = [by_key[name].name for name in near] or [style.name for style in styles]
    raise NoSuchStyleError(
        f"There is no hairstyle {wanted!r}. {'Did you mean' if near else 'There are'}: {', '.join(meant)}"
    )


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def _require_all(image: Image) -> None:
    if missing := [view for view in image.views if view.url is None]:
        causes = ", ".join(f"{view.view} is {view.status} ({view.error})" for view in missing)
        raise JourneyError(f"Not every view was rendered: {causes}.")


def _download(customer: Customer, image: Image) -> list[Path]:
    PICTURES.mkdir(parents=True, exist_ok=True)
    addresses = {"input": image.input_image_url} | {view.view: view.url for view in image.views if view.url}
    pictures = []
    for name, url in addresses.items():
        picture = PICTURES / f"{name}.jpg"
        customer.download(url, picture)
        pictures.append(picture)
    return pictures
