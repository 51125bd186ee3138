"""Somebody who reads a try-on's stream of progress."""

import json
from typing import Any

import httpx


class Watcher:
    """Reads as a browser does: after a loss it connects again, and says what it saw last."""

    def __init__(self, image: int) -> None:
        self._path = f"/image/{image}/events"
        self.seen: list[Any] = []
        self.status = 0
        """Of the last answer; 204: everything is told."""

    @property
    def ids(self) -> list[int]:
        return [event["id"] for event in self.seen]

    @property
    def last(self) -> Any:
        """The data of the last event."""
        return self.seen[-1]["data"]

    async def read(self, http: httpx.AsyncClient) -> None:
        """Until the stream has ended; raises `httpx.HTTPError` when it broke off."""
        headers = {"Last-Event-ID": str(self.ids[-1])} if self.seen else {}
        async with http.stream("GET", self._path, headers=headers) as stream:
            self.status = stream.status_code
            fields: dict[str, str] = {}
            async for line in stream.aiter_lines():
                name, _, value = line.partition(": ")
                fields[name] = value
                if not line and "data" in fields:
                    self.seen.append({"id": int(fields["id"]), "data": json.loads(fields["data"])})
                    fields = {}
