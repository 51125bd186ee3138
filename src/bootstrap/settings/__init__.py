"""What the environment says, read once and checked as a whole."""

from bootstrap.settings.loading import SettingsError, load_settings
from bootstrap.settings.variables import Settings

__all__ = ["Settings", "SettingsError", "load_settings"]
