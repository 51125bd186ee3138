"""The prediction as it stands on the wire. https://replicate.com/docs/topics/predictions/lifecycle"""

import base64
import secrets
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

UNFINISHED = frozenset({"starting", "processing"})


class PredictionUrls(Struct, frozen=True):
    get: str
    cancel: str
    web: str


class Prediction(Struct, kw_only=True):
    id: str
    model: str
    version: str
    input: dict[str, Any]
    urls: PredictionUrls
    created_at: str
    logs: str = ""
    output: Any = None
    error: str | None = None
    status: str = "starting"
    source: str = "api"
    data_removed: bool = False
    started_at: str | None = None
    completed_at: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    deadline: str | UnsetType = UNSET

    @property
    def finished(self) -> bool:
        return self.status not in UNFINISHED

    def forget(self) -> None:
        """Erase what Replicate erases an hour after an API prediction."""
        self.input = {}
        self.logs = ""
        self.output = None
        self.data_removed = True


def make_id() -> str:
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def timestamp(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
