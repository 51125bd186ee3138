"""How the API is put together."""

from pathlib import Path

from bootstrap.http import create_app
from presentation.http.styles import StyleController
from tests.unit.bootstrap.environments import load


def test_an_app_leaves_nothing_behind_for_the_next(tmp_path: Path) -> None:
    """Else each one took longer to make than the one before, by as much again."""
    settings = load(MEDIA_DIR=str(tmp_path))
    create_app(settings)
    before = dict(vars(StyleController))
    create_app(settings)
    assert dict(vars(StyleController)) == before
