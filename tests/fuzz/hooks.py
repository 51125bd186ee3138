"""What Schemathesis cannot know: how to be signed in, and what a portrait is. It loads this file.

A session that it has ended (by logging out, say) is replaced by a new one.
"""

import asyncio
import os
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis import AuthContext, Case, HookContext

from application.actor import Client
from application.auth.ports import UserRepository
from application.auth.sign_in import SignIn
from application.ports import UnitOfWork
from bootstrap.container import create_container
from bootstrap.settings import load_settings
from domain.sessions import SignInMethod
from tests.faults.rig import portrait

EMAIL = "FUZZ_EMAIL"
"""Names the customer; without it, nobody is signed in."""


async def new_access_token(email: str) -> str:
    container = create_container(load_settings(os.environ))
    try:
        async with container() as scope:
            uow = await scope.get(UnitOfWork)
            user = await (await scope.get(UserRepository)).by_email(email)
            assert user is not None
            pair = await (await scope.get(SignIn)).begin(user, Client(), SignInMethod.PASSWORD, await uow.now())
            await uow.commit()
            return pair.access_token
    finally:
        await container.close()


for picture_type in ("image/jpeg", "image/png", "image/gif"):
    schemathesis.openapi.media_type(picture_type, st.one_of(st.just(portrait()), st.binary(max_size=1000)))

if os.environ.get(EMAIL):

    @schemathesis.auth()
    class Customer:
        def get(self, _case: Case[Any], _context: AuthContext) -> str:
            return asyncio.run(new_access_token(os.environ[EMAIL]))

        def set(self, case: Case[Any], token: str, _context: AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {token}"

    class Order:
        """A body for `generateImage` that is accepted: made once, by uploading a portrait."""

        body: dict[str, Any] | None = None

        @classmethod
        def of(cls, case: Case[Any]) -> dict[str, Any]:
            if cls.body is None:
                api = f"{str(case.operation.base_url).rstrip('/')}/api/v1/image"
                headers = {"Authorization": str(case.headers["Authorization"])}
                with httpx.Client(headers=headers, trust_env=False) as client:
                    style = client.get(f"{api}/styles").json()["items"][0]["id"]
                    photo = client.post(f"{api}/upload", files={"file": ("me.jpg", portrait())}).json()
                cls.body = {"style_id": style, "image_input_url": photo["image_input_url"], "views": ["front"]}
            return cls.body

    @schemathesis.hook
    def before_call(_context: HookContext, case: Case[Any], _kwargs: dict[str, Any]) -> None:
        """Make the valid calls succeed for which one needs what cannot be guessed."""
        if case.meta is None or not case.meta.generation.mode.is_positive or "Authorization" not in case.headers:
            return
        if case.operation.definition.raw.get("operationId") == "generateImage":
            case.body = Order.of(case)
