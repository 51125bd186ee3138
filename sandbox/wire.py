"""What every service shares on the wire: each call is logged, then answered as the script says."""

import asyncio
import base64
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.calls import Call, CallLog, Stopwatch
from sandbox.script import Reply, Rule, Script, Signal
from sandbox.server import CONNECTION, Connection

OPERATION = "operation"
"""The `opt` key that names a route's operation; a route without one is neither logged nor scripted."""

RULE = "rule"
"""Where in the request's state a handler finds the rule that was taken for its call."""


class Wire:
    """One service's log and script.

    `error_body` is what the service answers with a bare status; `context` tells of a path's parameters what else a
    rule's `contains` may look at, such as the input of the prediction that is asked for. `webhook_modes` are the ways
    in which the service's webhooks can behave.
    """

    def __init__(
        self,
        operations: frozenset[str],
        error_body: Callable[[int], Any],
        context: Callable[[Mapping[str, Any]], str] = lambda _: "",
        webhook_modes: frozenset[str] = frozenset(),
    ) -> None:
        self.operations = operations
        self.error_body = error_body
        self.context = context
        self.webhook_modes = webhook_modes
        self.script = Script()
        self.calls = CallLog()
        self.on_reset: Callable[[], None] = lambda: None

    def reset(self) -> None:
        self.script.clear()
        self.calls.clear()
        self.on_reset()


def wire_middleware(wire: Wire) -> Callable[[ASGIApp], ASGIApp]:
    """Put a service's routes behind its log and script. A closure, because Litestar deep-copies what routers hold."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            operation = scope["route_handler"].opt.get(OPERATION)
            if operation is None:
                await app(scope, receive, send)
            else:
                await exchange(wire, operation, app, scope, receive, send)

        return handle

    return middleware


async def exchange(wire: Wire, operation: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    watch = Stopwatch()
    body = await read_body(receive)
    call = wire.calls.add(
        operation,
        str(scope.get("method")),
        scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body=body,
    )
    rule = None
    if wire.script.rules_for(operation):
        rule = wire.script.take(operation, scope["path"], body.decode("latin-1"), wire.context(scope["path_params"]))
    answer = Exchange(wire, scope, receive, send, body, call)
    try:
        if rule is None:
            await answer.truly(app)
        else:
            await answer.as_scripted(rule, app)
    finally:
        call.seconds = watch.seconds()


class Exchange:
    """One call and its answer, true or scripted."""

    def __init__(self, wire: Wire, scope: Scope, receive: Receive, send: Send, body: bytes, call: Call) -> None:
        self._wire = wire
        self._scope = scope
        self._receive = receive
        self._send = send
        self._body = body
        self._call = call

    async def truly(self, app: ASGIApp) -> None:
        await app(self._scope, self._replay(), self._noting_status(self._send))

    async def as_scripted(self, rule: Rule, app: ASGIApp) -> None:
        self._scope.setdefault("state", {})[RULE] = rule
        await send_signals(rule, "received")
        await asyncio.sleep(rule.delay)
        if rule.processed:
            await app(self._scope, self._replay(), discard)
        await send_signals(rule, "processed")
        if rule.hang is not None:
            await self._hang(rule.hang)
        elif rule.reset:
            await self._cut("reset")
        else:
            send = self._noting_status(self._send)
            if rule.truncate is not None:
                send = self._truncating(send, rule.truncate)
            if rule.reply is not None:
                await reply(rule.reply, self._wire.error_body, send)
            else:
                await app(self._scope, self._replay(), send)
        await send_signals(rule, "replied")

    def _replay(self) -> Receive:
        sent = False

        async def receive() -> Any:
            nonlocal sent
            if sent:
                return await self._receive()
            sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}

        return receive

    def _noting_status(self, send: Send) -> Send:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._call.status = message["status"]
            await send(message)

        return noting

    def _truncating(self, send: Send, limit: int) -> Send:
        left = limit
        cut = False

        async def truncating(message: Message) -> None:
            nonlocal left, cut
            if message["type"] != "http.response.body":
                await send(message)
                return
            if cut:
                return
            body = message.get("body", b"")
            kept = body[:left]
            left -= len(kept)
            if len(kept) == len(body) and message.get("more_body"):
                await send(message)
                return
            cut = True
            await send({"type": "http.response.body", "body": kept, "more_body": True})
            await self._cut("truncated")

        return truncating

    async def _hang(self, seconds: float) -> None:
        self._call.fault = "silence"
        try:
            async with asyncio.timeout(seconds):
                await self._until_gone()
        except TimeoutError:
            await self._cut("silence")

    async def _cut(self, fault: str) -> None:
        self._call.fault = fault
        connection = cast("Connection | None", (self._scope.get("extensions") or {}).get(CONNECTION))
        if connection is None:
            raise RuntimeError("this script cuts the connection: it needs the real server, python -m sandbox")
        if fault == "reset":
            connection.reset()
        else:
            connection.close()
        await self._until_gone()

    async def _until_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass


async def reply(scripted: Reply, error_body: Callable[[int], Any], send: Send) -> None:
    content_type = "application/json"
    if scripted.text is not None:
        body, content_type = scripted.text.encode(), "text/plain; charset=utf-8"
    elif scripted.base64 is not None:
        body, content_type = base64.b64decode(scripted.base64), "application/octet-stream"
    elif scripted.json is not msgspec.UNSET:
        body = msgspec.json.encode(scripted.json)
    else:
        body = msgspec.json.encode(error_body(scripted.status))
    if scripted.status in {204, 304}:
        body = b""
    headers = {"content-type": content_type, "content-length": str(len(body))}
    headers |= {name.lower(): value for name, value in scripted.headers.items()}
    await send(
        {
            "type": "http.response.start",
            "status": scripted.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_signals(rule: Rule, at: str) -> None:
    for scripted in rule.signals:
        if scripted.at == at:
            await send_signal(scripted)


async def send_signal(scripted: Signal) -> None:
    await asyncio.sleep(scripted.delay)
    try:
        os.kill(scripted.pid, signal.Signals[scripted.signal])
    except ProcessLookupError:
        # Gone already: what the test wanted is the case.
        return


async def discard(_message: Message) -> None:
    """Let the service work without anybody hearing its answer."""


async def read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
