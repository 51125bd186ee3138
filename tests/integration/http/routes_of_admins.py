"""How an admin asks each route below `/admin`."""

from typing import Any

from tests.factories import RegisterFactory, new_email, photo
from tests.integration.http.mailbox import register
from tests.integration.http.shop import buy, order, told
from tests.integration.http.visits import Ask, Cast
from tests.selling import payment_event

_WHY = {"reason": "for a test"}
_PROMPTS = {"front": "front", "right": "right", "left": "left", "back": "back"}


class AdminVisits:
    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._service = cast.service
        self._ada = cast.ada
        self._api = cast.grace.api

    # Accounts

    async def list_users(self) -> Ask:
        return Ask(self._api)

    async def create_user(self) -> Ask:
        return Ask(self._api, json={"email": new_email(), "name": "Ada", "password": "plum-velvet-otter"})

    async def verify_user(self) -> Ask:
        somebody = RegisterFactory.build()
        await register(self._service, somebody)
        return Ask(self._api, json=_WHY | {"email": somebody.email})

    async def show_user(self) -> Ask:
        return self._about(self._ada.id)

    async def disable_user(self) -> Ask:
        return self._about((await self._service.customer()).id, json=_WHY)

    async def enable_user(self) -> Ask:
        user = (await self._service.customer()).id
        await self._api.post(f"/admin/users/{user}/disable", json=_WHY)
        return self._about(user, json=_WHY)

    async def change_role(self) -> Ask:
        return self._about((await self._service.customer()).id, json=_WHY | {"role": "admin"})

    async def export_named_user(self) -> Ask:
        return self._about(self._ada.id, json=_WHY)

    async def erase_user(self) -> Ask:
        return self._about((await self._service.customer()).id, json=_WHY)

    async def grant_credits(self) -> Ask:
        return self._about(self._ada.id, json=_WHY | {"amount": 2})

    async def revoke_credits(self) -> Ask:
        return self._about(self._ada.id, json=_WHY | {"amount": 1})

    async def list_history_of_user(self) -> Ask:
        return self._about(self._ada.id)

    async def audit_ledger(self) -> Ask:
        return Ask(self._api)

    # The catalogue

    async def list_all_styles(self) -> Ask:
        return Ask(self._api)

    async def add_style(self) -> Ask:
        style = {"slug": "wolf-cut", "name": "Wolf Cut", "description": "Shaggy.", "category": "standard"}
        return Ask(self._api, json=style | _PROMPTS)

    async def show_style(self) -> Ask:
        return Ask(self._api, {"style_id": self._cast.style})

    async def edit_style(self) -> Ask:
        return Ask(self._api, {"style_id": await self._service.style()}, json={"front": "other words"})

    async def change_thumbnail(self) -> Ask:
        return Ask(self._api, {"style_id": await self._service.style()}, files={"file": ("x.jpg", photo(600, 400))})

    async def activate_style(self) -> Ask:
        return Ask(self._api, {"style_id": await self._service.style(is_active=False)})

    async def deactivate_style(self) -> Ask:
        return Ask(self._api, {"style_id": await self._service.style()})

    # Try-ons

    async def list_all_images(self) -> Ask:
        return Ask(self._api)

    async def show_image(self) -> Ask:
        return Ask(self._api, {"image_id": self._cast.image})

    async def retry_any_image(self) -> Ask:
        image = await self._waiting()
        await self._api.post(f"/admin/images/{image}/fail", json=_WHY)
        return Ask(self._api, {"image_id": image}, json=_WHY)

    async def cancel_any_image(self) -> Ask:
        return Ask(self._api, {"image_id": await self._waiting()}, json=_WHY)

    async def fail_image(self) -> Ask:
        return Ask(self._api, {"image_id": await self._waiting()}, json=_WHY)

    # Purchases

    async def list_purchases(self) -> Ask:
        return Ask(self._api)

    async def show_purchase(self) -> Ask:
        return Ask(self._api, {"transaction_id": self._cast.purchase})

    async def refund_purchase(self) -> Ask:
        bought, _ = await buy(self._service, self._ada)
        return Ask(self._api, {"transaction_id": bought}, json=_WHY)

    async def reconcile_purchase(self) -> Ask:
        bought, _ = await buy(self._service, self._ada)
        return Ask(self._api, {"transaction_id": bought})

    async def list_payment_events(self) -> Ask:
        return Ask(self._api, params={"quarantined": "false"})

    async def show_payment_event(self) -> Ask:
        return Ask(self._api, {"event_id": await self._last_event()})

    async def release_payment(self) -> Ask:
        opened = await order(self._ada)
        payment = self._service.seller.pay(opened["session_id"], total=1)
        await told(self._service, payment_event(self._service.seller.payments[payment].payment))
        return Ask(self._api, {"event_id": await self._last_event()}, json=_WHY)

    async def replay_payment_event(self) -> Ask:
        await buy(self._service, self._ada)
        return Ask(self._api, {"event_id": await self._last_event()})

    # The service

    async def show_queue(self) -> Ask:
        return Ask(self._api)

    async def list_audit_log(self) -> Ask:
        return Ask(self._api)

    async def show_analytics(self) -> Ask:
        return Ask(self._api)

    def _about(self, user: int, **arguments: Any) -> Ask:
        return Ask(self._api, {"user_id": user}, **arguments)

    async def _waiting(self) -> int:
        return await self._ada.generate(style=self._cast.style)

    async def _last_event(self) -> int:
        return int(await self._service.database.fetchval("SELECT max(id) FROM payment_events"))
