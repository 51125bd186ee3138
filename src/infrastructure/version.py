"""Which version this is."""

from importlib.metadata import version

VERSION = version("hair-tryon")
"""As the installed package has it: `pyproject.toml` says it, and nothing else does."""
