"""From the environment to the settings, or to everything that is wrong with it."""

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import FieldInfo, fields

from bootstrap.settings.rules import mistakes_in
from bootstrap.settings.values import is_plain, kind_of, read_value, wanted
from bootstrap.settings.variables import Settings

_LONGEST_SHOWN = 60


class SettingsError(Exception):
    """Every mistake at once, one line each, naming the variable and what it should be."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Build the settings, or raise `SettingsError`. An empty variable is as good as none; other names are not ours."""
    values: dict[str, Any] = {}
    misread: dict[str, str] = {}
    for variable in fields(Settings):
        text = environ.get(variable.encode_name, "").strip()
        if text or variable.required:
            try:
                values[variable.name] = read_value(text, variable.type)
            except ValueError:
                misread[variable.encode_name] = _mistake(variable, text)
                values[variable.name] = "" if variable.required else variable.default
    settings = Settings(**values)
    mistakes = [*misread.values(), *(rule for rule in mistakes_in(settings) if misread.keys().isdisjoint(_names(rule)))]
    if mistakes:
        raise SettingsError(mistakes)
    return settings


def _mistake(variable: FieldInfo, text: str) -> str:
    if not text:
        return f"{variable.encode_name} is missing; it should be {wanted(variable.type)}."
    if not is_plain(text):
        return f"{variable.encode_name} should be one line of visible text, without quotation marks around it."
    found = f", not {text!a}" if _may_be_shown(variable, text) else ""
    return f"{variable.encode_name} should be {wanted(variable.type)}{found}."


def _may_be_shown(variable: FieldInfo, text: str) -> bool:
    kind = kind_of(variable.type)
    may_hold_credentials = "@" in text or "?" in text
    return not (may_hold_credentials or len(text) > _LONGEST_SHOWN or (kind is not None and kind.is_secret))


def _names(rule: str) -> list[str]:
    """The variables that a rule speaks of: it has nothing to say while one of them cannot be read."""
    return re.findall(r"\b[A-Z][A-Z0-9_]+\b", rule)
