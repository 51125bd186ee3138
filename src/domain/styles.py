"""The catalogue: hairstyles and the prompts that ask for them."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from domain.errors import Conflict, Invalid
from domain.texts import one_line, prose

THUMBNAIL_SIDES = (256, 512)
"""Pixels: the short side that is sent at least, and the square that is kept at most."""
_SLUG = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_SLUG = 80
_LONGEST_NAME = 70
_LONGEST_DESCRIPTION = 300
_LONGEST_PROMPT = 8_000


class Category(StrEnum):
    STANDARD = "standard"
    CELEBRITY = "celebrity"


@dataclass(kw_only=True, eq=False)
class StylePrompts:
    """One version of a style's prompts, one per view. A generation keeps the version it was accepted with."""

    version: int
    front: str
    right: str
    left: str
    back: str
    style_id: int = field(init=False, repr=False)

    def asks_the_same_as(self, other: "StylePrompts") -> bool:
        return (self.front, self.right, self.left, self.back) == (other.front, other.right, other.left, other.back)


@dataclass(kw_only=True, eq=False)
class Style:
    """A hairstyle that customers can pick. Its prompts are never shown to them."""

    slug: str
    name: str
    description: str
    category: Category
    thumbnail: str
    """Its key in storage; empty for a style that has none yet."""
    position: int
    is_active: bool = True
    prompt_version: int = 0
    prompts: list[StylePrompts] = field(default_factory=list)
    id: int = field(init=False, repr=False)

    @property
    def current_prompts(self) -> StylePrompts | None:
        return next((prompts for prompts in self.prompts if prompts.version == self.prompt_version), None)

    def activate(self) -> None:
        """Show it to customers, who pick by the picture; `Conflict` while it has none."""
        if self.is_active:
            raise Conflict("conflict", "This style is active already.")
        if not self.thumbnail:
            raise Conflict("conflict", "Give this style a thumbnail first: customers pick by it.")
        self.is_active = True

    def deactivate(self) -> None:
        """Let nobody pick it any more; what was accepted with it is still rendered."""
        if not self.is_active:
            raise Conflict("conflict", "This style is not active.")
        self.is_active = False

    def edit_prompts(self, front: str, right: str, left: str, back: str) -> bool:
        """Make a new version current, unless it says the same as the current one. Tells whether it did."""
        edited = StylePrompts(version=self.prompt_version + 1, front=front, right=right, left=left, back=back)
        current = self.current_prompts
        if current is not None and current.asks_the_same_as(edited):
            return False
        self.prompts.append(edited)
        self.prompt_version = edited.version
        return True


def style_slug(text: str) -> str:
    """Kebab-case with a letter in it, so that no slug looks like an id; or `Invalid`."""
    if len(text) > _LONGEST_SLUG or not _SLUG.fullmatch(text):
        raise Invalid(
            "validation_failed", "A slug is of a-z, 0-9 and single dashes between, such as long-bob.", field="slug"
        )
    return text


def style_name(text: str) -> str:
    return prose(one_line(text), field="name", longest=_LONGEST_NAME)


def style_description(text: str) -> str:
    return prose(one_line(text), field="description", longest=_LONGEST_DESCRIPTION)


def style_prompt(text: str, *, field: str) -> str:
    return prose(text, field=field, longest=_LONGEST_PROMPT)
