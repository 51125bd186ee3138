"""What `bytedance/seedream-4` takes. https://replicate.com/bytedance/seedream-4/api/schema"""

import hashlib
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

MODEL = "bytedance/seedream-4"
VERSION = hashlib.sha256(f"{MODEL} as drawn by the sandbox".encode()).hexdigest()
"""No version of the real model: this one draws."""

RATIOS = ("match_input_image", "1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9")
IMAGES_LIMIT = 15

SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Input",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string", "title": "Prompt", "x-order": 0},
        "image_input": {
            "type": "array",
            "items": {"type": "string", "format": "uri"},
            "default": [],
            "maxItems": 10,
            "title": "Image Input",
            "x-order": 1,
        },
        "size": {"enum": ["1K", "2K", "4K", "custom"], "type": "string", "default": "2K", "x-order": 2},
        "aspect_ratio": {"enum": list(RATIOS), "type": "string", "default": "match_input_image", "x-order": 3},
        "width": {"type": "integer", "default": 2048, "minimum": 1024, "maximum": 4096, "x-order": 4},
        "height": {"type": "integer", "default": 2048, "minimum": 1024, "maximum": 4096, "x-order": 5},
        "sequential_image_generation": {
            "enum": ["disabled", "auto"],
            "type": "string",
            "default": "disabled",
            "x-order": 6,
        },
        "max_images": {"type": "integer", "default": 1, "minimum": 1, "maximum": IMAGES_LIMIT, "x-order": 7},
        "enhance_prompt": {"type": "boolean", "default": True, "x-order": 8},
    },
}


class InvalidField(Struct, frozen=True):
    type: str
    field: str
    description: str


def invalid_fields(given: dict[str, Any]) -> list[InvalidField]:
    """Everything about the input that the model's schema refuses; fields it does not know are let pass."""
    found = [
        InvalidField("required", "input", f"{name} is required") for name in SCHEMA["required"] if name not in given
    ]
    for name, rule in SCHEMA["properties"].items():
        if name in given:
            found += [InvalidField(kind, f"input.{name}", words) for kind, words in complaints(given[name], rule)]
    images = given.get("image_input")
    outputs = given.get("max_images", 1)
    if not found and given.get("sequential_image_generation") == "auto" and len(images or []) + outputs > IMAGES_LIMIT:
        found.append(InvalidField("number_range", "input.max_images", f"inputs and outputs are {IMAGES_LIMIT} at most"))
    return found


def complaints(value: Any, rule: dict[str, Any]) -> list[tuple[str, str]]:
    if not is_of(value, rule["type"]):
        return [("invalid_type", f"Invalid type. Expected: {rule['type']}, given: {type(value).__name__}")]
    if "enum" in rule and value not in rule["enum"]:
        return [("enum", "must be one of the following: " + ", ".join(f'"{word}"' for word in rule["enum"]))]
    if "minimum" in rule and not rule["minimum"] <= value <= rule["maximum"]:
        return [("number_range", f"Must be from {rule['minimum']} to {rule['maximum']}")]
    if "maxItems" in rule:
        if len(value) > rule["maxItems"]:
            return [("array_max_items", f"Array must have at most {rule['maxItems']} items")]
        return [("format", f"{position}: Does not match format 'uri'") for position in not_uris(value)]
    return []


def is_of(value: Any, kind: str) -> bool:
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, {"string": str, "array": list, "boolean": bool}[kind])


def not_uris(values: list[Any]) -> list[int]:
    return [position for position, value in enumerate(values) if not (isinstance(value, str) and is_uri(value))]


def is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "data" or (parts.scheme in {"http", "https"} and bool(parts.netloc))
