"""Records and bodies made of random data: a test names only what it is about."""

from datetime import UTC, datetime
from io import BytesIO
from itertools import count

from PIL import Image
from polyfactory import Use
from polyfactory.factories import DataclassFactory
from polyfactory.factories.msgspec_factory import MsgspecFactory

from application.auth.register import Register
from domain.styles import Category, Style, StylePrompts
from domain.users import Role, User

_numbers = count(1)


def new_email() -> str:
    return f"customer{next(_numbers)}@example.com"


class UserFactory(DataclassFactory[User]):
    """A verified customer without a password."""

    email = Use(new_email)
    name = Use(lambda: UserFactory.__faker__.name()[:70])
    password_hash = None
    profile_picture = None
    role = Role.CUSTOMER
    is_verified = True
    is_disabled = False
    created_at = Use(lambda: datetime.now(UTC))
    deleted_at = None


class RegisterFactory(MsgspecFactory[Register]):
    """A sign-up that is accepted."""

    email = Use(new_email)
    password = Use(lambda: RegisterFactory.__faker__.password(length=16))
    name = Use(lambda: RegisterFactory.__faker__.name()[:70])


class StylePromptsFactory(DataclassFactory[StylePrompts]):
    """Prompts that name their view, so that an order tells which view it is for."""

    version = 1
    front = Use(lambda: f"front: {StylePromptsFactory.__faker__.sentence()}")
    right = Use(lambda: f"right: {StylePromptsFactory.__faker__.sentence()}")
    left = Use(lambda: f"left: {StylePromptsFactory.__faker__.sentence()}")
    back = Use(lambda: f"back: {StylePromptsFactory.__faker__.sentence()}")


class StyleFactory(DataclassFactory[Style]):
    """A style that customers can pick."""

    slug = Use(lambda: f"style-{next(_numbers)}")
    name = Use(lambda: StyleFactory.__faker__.word().title())
    description = Use(lambda: StyleFactory.__faker__.sentence(nb_words=8))
    category = Category.STANDARD
    thumbnail = Use(lambda: f"styles/style-{next(_numbers)}.png")
    position = Use(lambda: next(_numbers))
    is_active = True
    prompt_version = 1
    prompts = Use(lambda: [StylePromptsFactory.build()])


def photo(width: int = 300, height: int = 400, *, kind: str = "JPEG") -> bytes:
    """A picture file of this size, in one random colour."""
    colour = tuple(UserFactory.__random__.randrange(256) for _ in range(3))
    file = BytesIO()
    Image.new("RGB", (width, height), colour).save(file, kind)
    return file.getvalue()
