"""The catalogue: hairstyles and the prompts that ask for them."""

from dataclasses import dataclass, field
from enum import StrEnum


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
    position: int
    is_active: bool = True
    prompt_version: int = 0
    prompts: list[StylePrompts] = field(default_factory=list)
    id: int = field(init=False, repr=False)

    def edit_prompts(self, front: str, right: str, left: str, back: str) -> bool:
        """Make a new version current, unless it says the same as the current one. Tells whether it did."""
        edited = StylePrompts(version=self.prompt_version + 1, front=front, right=right, left=left, back=back)
        current = next((prompts for prompts in self.prompts if prompts.version == self.prompt_version), None)
        if current is not None and current.asks_the_same_as(edited):
            return False
        self.prompts.append(edited)
        self.prompt_version = edited.version
        return True
