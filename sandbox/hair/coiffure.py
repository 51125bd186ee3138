"""A hairstyle as a solid: what is painted from any side."""

from dataclasses import dataclass, field

import numpy as np

from sandbox.hair.growth import Strands
from sandbox.hair.head import Field


@dataclass(slots=True, kw_only=True)
class Coiffure:
    strands: list[Strands] = field(default_factory=list)
    scalp: float = 0.92
    """How far the hair's colour hides the skin of the scalp, 0 to 1."""
    fade: tuple[float, float] | None = None
    """Between these heights the sides go from the scalp's full tint to none."""
    flowers: Field = field(default_factory=lambda: np.zeros((0, 3), np.float32))
