"""Replicate's routes for predictions and models. https://replicate.com/docs/reference/http"""

import asyncio
import contextlib
from datetime import datetime
from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from sandbox.replicate.account import Account
from sandbox.replicate.creation import Refused, read_creation
from sandbox.replicate.errors import error, invalid
from sandbox.replicate.prediction import Prediction
from sandbox.replicate.predictions import Run
from sandbox.replicate.seedream import MODEL, SCHEMA, VERSION
from sandbox.script import Outcome, Rule, WebhookBehaviour
from sandbox.wire import OPERATION, RULE

PAGE = 100
Caller = Request[Any, Any, Any]


class PredictionController(Controller):
    path = "/v1"

    @post("/models/{owner:str}/{name:str}/predictions", opt={OPERATION: "create"})
    async def create_for_model(
        self, owner: FromPath[str], name: FromPath[str], request: Caller, account: NamedDependency[Account]
    ) -> Response[Any]:
        if f"{owner}/{name}" != MODEL:
            return error(404)
        return await create(request, account, versioned=False)

    @post("/predictions", opt={OPERATION: "create"})
    async def create_for_version(self, request: Caller, account: NamedDependency[Account]) -> Response[Any]:
        return await create(request, account, versioned=True)

    @get("/predictions/{prediction_id:str}", opt={OPERATION: "get"})
    async def read(self, prediction_id: FromPath[str], account: NamedDependency[Account]) -> Response[Any]:
        run = account.predictions.find(prediction_id)
        return error(404) if run is None else Response(run.prediction)

    @post("/predictions/{prediction_id:str}/cancel", opt={OPERATION: "cancel"}, status_code=200)
    async def cancel(self, prediction_id: FromPath[str], account: NamedDependency[Account]) -> Response[Any]:
        run = account.predictions.find(prediction_id)
        if run is None:
            return error(404)
        account.predictions.cancel(run)
        return Response(run.prediction)

    @get("/predictions", opt={OPERATION: "list"})
    async def page(
        self,
        account: NamedDependency[Account],
        cursor: FromQuery[str | None] = None,
        created_after: FromQuery[datetime | None] = None,
        created_before: FromQuery[datetime | None] = None,
    ) -> dict[str, Any]:
        found = [
            prediction
            for prediction in account.predictions.newest_first()
            if (created_after is None or created_at(prediction) > created_after)
            and (created_before is None or created_at(prediction) < created_before)
        ]
        ids = [prediction.id for prediction in found]
        start = ids.index(cursor) if cursor in ids else 0
        url = f"{account.root}/v1/predictions?cursor="
        return {
            "previous": url + ids[max(0, start - PAGE)] if start else None,
            "next": url + ids[start + PAGE] if start + PAGE < len(ids) else None,
            "results": found[start : start + PAGE],
        }

    @get("/models/{owner:str}/{name:str}", opt={OPERATION: "model"})
    async def model(
        self, owner: FromPath[str], name: FromPath[str], account: NamedDependency[Account]
    ) -> Response[Any]:
        return error(404) if f"{owner}/{name}" != MODEL else Response(described(account.root, owner, name))

    @get("/webhooks/default/secret", opt={OPERATION: "secret"})
    async def secret(self, account: NamedDependency[Account]) -> dict[str, str]:
        return {"key": account.webhook_secret}


async def create(request: Caller, account: Account, *, versioned: bool) -> Response[Any]:
    try:
        creation = await read_creation(request, versioned=versioned)
    except Refused as refused:
        return invalid(refused.fields)
    rule: Rule | None = request.scope["state"].get(RULE)
    behaviour = WebhookBehaviour()
    if creation.webhook is not None:
        taken = account.wire.script.take("webhook", creation.webhook, (await request.body()).decode("latin-1"))
        behaviour = (taken and taken.webhook) or behaviour
    run = account.predictions.create(creation, (rule and rule.outcome) or Outcome(), behaviour, account.settings)
    answer = msgspec.json.encode(run.prediction)
    if behaviour.mode == "before_reply":
        await run.announcer.settled.wait()
    elif creation.wait_seconds:
        answer = await waited(run, creation.wait_seconds)
    late = creation.wait_seconds and not run.prediction.finished
    return Response(answer, status_code=202 if late else 201, media_type="application/json")


async def waited(run: Run, seconds: float) -> bytes:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await run.finished.wait()
    return msgspec.json.encode(run.prediction)


def created_at(prediction: Prediction) -> datetime:
    return datetime.fromisoformat(prediction.created_at)


def described(root: str, owner: str, name: str) -> dict[str, Any]:
    return {
        "url": f"{root}/{owner}/{name}",
        "owner": owner,
        "name": name,
        "description": "A sandbox that draws hair on the photo; not the real model.",
        "visibility": "public",
        "is_official": True,
        "run_count": 0,
        "latest_version": {
            "id": VERSION,
            "created_at": "2025-09-01T00:00:00.000Z",
            "openapi_schema": {
                "openapi": "3.0.2",
                "info": {"title": name, "version": "sandbox"},
                "components": {
                    "schemas": {
                        "Input": SCHEMA,
                        "Output": {"type": "array", "items": {"type": "string", "format": "uri"}},
                    }
                },
            },
        },
    }
