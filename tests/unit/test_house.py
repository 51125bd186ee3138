"""The rules of the house that no linter knows: who may call whom is checked by import-linter, the rest here."""

import ast
import base64
import dataclasses
import importlib
import inspect
import pkgutil
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from dishka import AsyncContainer, Scope

import application
import domain
from application.actor import Actor
from application.events import Event
from bootstrap.container import create_container
from bootstrap.settings import load_settings
from domain.images import GeneratedImage
from domain.renders import ViewRender
from infrastructure.database.mapping import map_entities, mapper_registry
from infrastructure.database.tables import images, metadata, views
from infrastructure.database.try_ons import IMAGE_CHANGES, OF_IMAGE, VIEW_CHANGES
from presentation.worker.jobs import CONSUMERS

SOURCE = Path(domain.__file__).parents[1]
LONGEST_FILE = 300
LONGER_FOR_A_REASON: dict[str, str] = {}


def classes_of(package: Any) -> list[type]:
    """Every class that a package's modules define."""
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    found = []
    for module in (importlib.import_module(found.name) for found in modules):
        found += [kind for _, kind in inspect.getmembers(module, inspect.isclass) if kind.__module__ == module.__name__]
    return found


def handlers() -> list[type]:
    return [kind for kind in classes_of(application) if kind.__name__.endswith("Handler")]


def events() -> list[type[Event]]:
    return [kind for kind in classes_of(application) if issubclass(kind, Event) and kind is not Event]


@pytest.fixture
async def container() -> AsyncIterator[AsyncContainer]:
    """Everything tied together, for servers that are not there: nothing is called before it is needed."""
    environ = {
        "HAIRTRYON_ENV": "test",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "PUBLIC_URL": "https://api.example.com",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "PSEUDONYM_KEY": secrets.token_urlsafe(48),
        "REPLICATE_WEBHOOK_SECRET": f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}",
    }
    made = create_container(load_settings(environ))
    yield made
    await made.close()


@pytest.mark.parametrize("handler", handlers(), ids=lambda handler: handler.__name__)
async def test_every_use_case_can_be_asked_for(handler: type, container: AsyncContainer) -> None:
    """The container makes it, with everything it needs."""
    async with container(scope=Scope.REQUEST) as scope:
        assert isinstance(await scope.get(handler), handler)


@pytest.mark.parametrize("handler", handlers(), ids=lambda handler: handler.__name__)
def test_every_use_case_is_called_with_a_message_and_who_asks(handler: type) -> None:
    """It is a frozen, slotted dataclass of ports; the message is a frozen Struct; no handler has another inside."""
    assert handler.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(handler)
    assert all(port.kw_only for port in dataclasses.fields(handler))
    assert inspect.iscoroutinefunction(handler.__call__) or inspect.isasyncgenfunction(handler.__call__)
    hints = get_type_hints(handler.__call__)
    message, asked_by = list(inspect.signature(handler.__call__).parameters)[1:3]
    assert hints[asked_by] is Actor
    assert issubclass(hints[message], msgspec.Struct)
    assert hints[message].__struct_config__.frozen
    assert {kind for kind in get_type_hints(handler).values() if kind in handlers()} == set()


@pytest.mark.parametrize("event", events(), ids=lambda event: event.__name__)
def test_every_event_has_one_consumer(event: type[Event]) -> None:
    """A handler that takes just this event, under a name of its own."""
    handle = CONSUMERS[event].__call__
    assert next(iter(get_type_hints(handle).values())) is event
    assert [other for other in events() if other.job == event.job] == [event]


@pytest.mark.parametrize("event", events(), ids=lambda event: event.__name__)
def test_events_carry_ids_only(event: type[Event]) -> None:
    """They are kept until they are done: no address, name or link shall outlive what it is about."""
    personal = {"email", "name", "address", "token", "link", "password"}
    names = {field.name for field in msgspec.structs.fields(event)}
    assert names
    assert not names & personal


def test_every_entity_has_a_table() -> None:
    """What the domain calls a record with an id is mapped, and nothing else, but for try-ons, written by hand."""
    map_entities()
    entities = {
        kind
        for kind in classes_of(domain)
        if dataclasses.is_dataclass(kind)
        and any(field.name == "id" or not field.init for field in dataclasses.fields(kind))
    }
    assert {mapper.class_ for mapper in mapper_registry.mappers} == entities - {GeneratedImage, ViewRender}
    assert {mapper.local_table for mapper in mapper_registry.mappers} <= set(metadata.tables.values())


def test_try_ons_are_written_with_all_that_they_have() -> None:
    """A field that nobody writes would be read back as its default, and nobody would see."""
    of_views = {field.name for field in dataclasses.fields(ViewRender)} - {"id", "image_id", "view"}
    assert set(VIEW_CHANGES) == of_views <= set(views.c.keys())
    of_images = {field.name for field in dataclasses.fields(GeneratedImage)} - {"id", "views"}
    assert {*OF_IMAGE, *IMAGE_CHANGES} == of_images <= set(images.c.keys())


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCE)))
def test_a_file_is_a_room(file: Path) -> None:
    """300 lines at most, no import that only type checkers see, and a word of what it is for where it is not plain."""
    name = str(file.relative_to(SOURCE))
    text = file.read_text()
    assert (len(text.splitlines()) > LONGEST_FILE) == (name in LONGER_FOR_A_REASON)
    assert "TYPE_CHECKING" not in text, "annotations are read at run time"
    imported = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    assert "__future__" not in imported, "annotations are read at run time"
    assert not {"utils", "helpers", "common", "base", "misc"} & {*file.parts, file.stem}
