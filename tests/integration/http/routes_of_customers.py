"""How visitors, customers and those who report to us ask each route."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import to_builtins

from application.auth.register import Register
from tests.factories import RegisterFactory, photo
from tests.integration.http.mailbox import mailed_token, mails_to, register, token_in, verified
from tests.integration.http.shop import order
from tests.integration.http.test_google import at_google, consent, person
from tests.integration.http.test_provider_webhook import news
from tests.integration.http.test_provider_webhook import signed as signed_by_provider
from tests.integration.http.visits import Ask, Cast
from tests.selling import payment_event, signed

_ANOTHER = "a heron on a wire"


class Visits:
    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._service = cast.service
        self._ada = cast.ada

    # Signing up, in and out

    async def register(self) -> Ask:
        return Ask(self._cast.visitor, json=to_builtins(RegisterFactory.build()))

    async def verify_email_by_link(self) -> Ask:
        return Ask(self._cast.visitor, params={"token": await mailed_token(self._service, RegisterFactory.build())})

    async def verify_email(self) -> Ask:
        return Ask(self._cast.visitor, json={"token": await mailed_token(self._service, RegisterFactory.build())})

    async def resend_verification(self) -> Ask:
        wanted = RegisterFactory.build()
        await register(self._service, wanted)
        return Ask(self._cast.visitor, json={"email": wanted.email})

    async def log_in(self) -> Ask:
        wanted = await self._somebody()
        return Ask(self._cast.visitor, json={"email": wanted.email, "password": wanted.password})

    async def refresh(self) -> Ask:
        return Ask(self._cast.visitor, json={"refresh_token": (await self._tokens())["refresh_token"]})

    async def log_out(self) -> Ask:
        tokens = await self._tokens()
        browser = self._service.browser(Authorization=f"Bearer {tokens['access_token']}")
        return Ask(browser, json={"refresh_token": tokens["refresh_token"]})

    async def forgot_password(self) -> Ask:
        return Ask(self._cast.visitor, json={"email": (await self._somebody()).email})

    async def reset_password(self) -> Ask:
        wanted = await self._somebody()
        await self._cast.visitor.post("/auth/forgot-password", json={"email": wanted.email})
        await self._service.work()
        token = token_in(mails_to(self._service, wanted.email)[-1])
        return Ask(self._cast.visitor, json={"token": token, "new_password": _ANOTHER})

    async def change_password(self) -> Ask:
        wanted = RegisterFactory.build()
        browser = await verified(self._service, wanted)
        return Ask(browser, json={"current_password": wanted.password, "new_password": _ANOTHER})

    async def begin_google_sign_in(self) -> Ask:
        return Ask(self._cast.visitor)

    async def finish_google_sign_in(self) -> Ask:
        browser = self._cast.visitor
        back = await consent(await at_google(browser), person())
        return Ask(browser, params=dict(parse_qsl(urlsplit(back).query)))

    async def list_sessions(self) -> Ask:
        return Ask(self._ada.api)

    async def revoke_session(self) -> Ask:
        wanted = RegisterFactory.build()
        browser = await verified(self._service, wanted)
        await self._cast.visitor.post("/auth/login", json={"email": wanted.email, "password": wanted.password})
        sessions = (await browser.get("/auth/sessions")).json()["items"]
        return Ask(browser, {"session_id": next(one["id"] for one in sessions if not one["current"])})

    # One's own account

    async def get_profile(self) -> Ask:
        return Ask(self._ada.api)

    async def update_profile(self) -> Ask:
        return Ask(self._ada.api, json={"name": "Countess"})

    async def change_picture(self) -> Ask:
        return Ask(self._ada.api, files={"file": ("me.jpg", photo())})

    async def remove_picture(self) -> Ask:
        await self._ada.api.put("/user/me/picture", files={"file": ("me.jpg", photo())})
        return Ask(self._ada.api)

    async def export_user(self) -> Ask:
        return Ask(self._ada.api)

    async def delete_user(self) -> Ask:
        wanted = RegisterFactory.build()
        return Ask(await verified(self._service, wanted), json={"password": wanted.password})

    async def get_balance(self) -> Ask:
        return Ask(self._ada.api)

    async def list_history(self) -> Ask:
        return Ask(self._ada.api)

    async def list_images(self) -> Ask:
        return Ask(self._ada.api)

    async def list_uploads(self) -> Ask:
        return Ask(self._ada.api)

    # Try-ons

    async def list_styles(self) -> Ask:
        return Ask(self._cast.visitor)

    async def upload_photo(self) -> Ask:
        return Ask(self._ada.api, files={"file": ("me.jpg", photo())})

    async def begin_upload(self) -> Ask:
        return Ask(self._ada.api)

    async def complete_upload(self) -> Ask:
        form = (await self._ada.api.post("/image/upload-url")).json()
        self._service.storage.pictures[form["key"]] = photo()
        return Ask(self._ada.api, json={"key": form["key"]})

    async def generate_image(self) -> Ask:
        return Ask(self._ada.api, json=await self._ada.order(["front", "left"], style=self._cast.style))

    async def get_status(self) -> Ask:
        """While it waits: a place in the queue and a guess take asking, too."""
        return Ask(self._ada.api, {"image_id": await self._waiting()})

    async def watch_image(self) -> Ask:
        return Ask(self._ada.api, {"image_id": self._cast.image})

    async def add_views(self) -> Ask:
        image = await self._waiting()
        await self._service.work()
        return Ask(self._ada.api, {"image_id": image}, json={"views": ["right", "left"]})

    async def retry_image(self) -> Ask:
        image = await self._waiting()
        await self._cast.grace.api.post(f"/admin/images/{image}/fail", json={"reason": "for a test"})
        return Ask(self._ada.api, {"image_id": image})

    async def cancel_image(self) -> Ask:
        return Ask(self._ada.api, {"image_id": await self._waiting()})

    async def add_favourite(self) -> Ask:
        return Ask(self._ada.api, {"image_id": self._cast.image})

    async def remove_favourite(self) -> Ask:
        await self._ada.api.put(f"/image/{self._cast.image}/favourite")
        return Ask(self._ada.api, {"image_id": self._cast.image})

    async def delete_image(self) -> Ask:
        image = await self._waiting()
        await self._service.work()
        return Ask(self._ada.api, {"image_id": image})

    async def receive_prediction(self) -> Ask:
        await self._waiting()
        await self._service.worker.drain()
        address = self._service.model.orders[-1].webhook
        assert address is not None
        body = news(list(self._service.model.predictions)[-1])
        query = dict(parse_qsl(urlsplit(address).query))
        headers = signed_by_provider(self._service, body)
        return Ask(self._cast.visitor, content=body, headers=headers, params=query)

    # Buying

    async def create_checkout(self) -> Ask:
        return Ask(self._ada.api, json={"credits_amount": 10})

    async def list_transactions(self) -> Ask:
        return Ask(self._ada.api)

    async def get_transaction(self) -> Ask:
        return Ask(self._ada.api, {"transaction_id": self._cast.purchase})

    async def receive_payment_event(self) -> Ask:
        payment = self._service.seller.pay((await order(self._ada))["session_id"])
        event = payment_event(self._service.seller.payments[payment].payment)
        secret = self._service.settings.dodo_payments_webhook_secret.split()[0]
        body, headers = signed(secret, "evt_of_this_test", event)
        return Ask(self._cast.visitor, content=body, headers=headers)

    # The service itself

    async def is_alive(self) -> Ask:
        return Ask(self._cast.visitor)

    async def is_ready(self) -> Ask:
        return Ask(self._cast.visitor)

    async def get_metrics(self) -> Ask:
        return Ask(self._cast.visitor)

    async def _waiting(self) -> int:
        """A try-on that no worker has begun."""
        return await self._ada.generate(style=self._cast.style)

    async def _somebody(self) -> Register:
        """Somebody with an account and a password."""
        wanted = RegisterFactory.build()
        await verified(self._service, wanted)
        return wanted

    async def _tokens(self) -> Any:
        wanted = await self._somebody()
        password = {"email": wanted.email, "password": wanted.password}
        return (await self._cast.visitor.post("/auth/login", json=password)).json()
