"""One customer's way through the product, as a frontend leads them, and what each answer looks like."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import to_builtins

from tests.factories import RegisterFactory, photo
from tests.fakes import OUTPUT
from tests.integration.http.mailbox import mailed_token
from tests.integration.http.stories import Service

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def is_recent(moment: Any) -> bool:
    """A time in UTC, written as the API writes times, of the last minutes."""
    assert TIME.fullmatch(moment), moment
    return abs(datetime.now(UTC) - datetime.fromisoformat(moment)) < timedelta(minutes=5)


async def test_a_customer_comes_and_leaves_with_four_pictures(service: Service) -> None:
    """Register, verify, log in, upload, generate four views, watch, download: every step answers as it should."""
    somebody = RegisterFactory.build()
    token = await mailed_token(service, somebody)
    browser = service.browser()
    assert (await browser.get("/auth/verify", params={"token": token})).status_code == 200
    login = await browser.post("/auth/login", json={"email": somebody.email, "password": somebody.password})
    assert login.status_code == 200
    api = service.browser(Authorization=f"Bearer {login.json()['access_token']}")
    style = await service.style(name="Copper Curls")

    upload = await api.post("/image/upload", files={"file": ("me.png", photo(400, 300, kind="PNG"))})
    body = {"style_id": style, "image_input_url": upload.json()["image_input_url"], "views": ["front", "left", "back"]}
    accepted = await api.post("/image/generate", json=body)
    assert accepted.status_code == 202
    image = accepted.json()["image_id"]
    assert (await api.get(f"/image/status/{image}")).json()["status"] == "PENDING"
    assert (await api.get("/user/credits")).json()["credits_available"] == 0

    await service.worker.drain()
    assert (await api.get(f"/image/status/{image}")).json()["status"] == "PROCESSING"
    await service.work()
    status = (await api.get(f"/image/status/{image}")).json()
    assert status["status"] == "COMPLETED"
    assert (await api.get("/user/credits")).json()["credits"] == 0
    for name in ("output_image_url", "left_view_url", "back_view_url", "input_image_url"):
        key = status[name].removeprefix("https://pictures.test/")
        assert service.storage.pictures[key].startswith(b"\xff\xd8\xff")


async def test_the_provider_gets_the_photo_for_the_front_and_the_front_for_the_sides(service: Service) -> None:
    """Each view is ordered once, with its own prompt; the sides come after the front, from the finished front."""
    customer = await service.customer(credits=4)
    image = await customer.generate(["back", "front", "right", "left"])
    await service.work()
    status = await customer.status(image)
    orders = [(order.prompt.partition(":")[0], *order.inputs) for order in service.model.orders]
    front = status["output_image_url"]
    assert orders == [("front", status["input_image_url"]), ("right", front), ("left", front), ("back", front)]
    assert service.downloads.fetched == [OUTPUT] * 4


async def test_tokens_look_as_the_contract_says(service: Service) -> None:
    """A sign-in answers with exactly these fields, and an access token lives for 600 seconds."""
    token = await mailed_token(service, RegisterFactory.build())
    answer = (await service.browser().post("/auth/verify", json={"token": token})).json()
    assert set(answer) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 600)


async def test_a_profile_looks_as_the_contract_says(service: Service) -> None:
    """`GET /user/me` shows exactly the customer's own data, and no hash."""
    customer = await service.customer(credits=2, name="Ada Lovelace")
    await customer.generate()
    profile = await customer.get("/user/me")
    assert is_recent(profile.pop("created_at"))
    assert profile == {
        "id": customer.id,
        "email": customer.email,
        "name": "Ada Lovelace",
        "profile_picture": None,
        "role": "customer",
        "is_verified": True,
        "oauth_provider": None,
        "credits": 2,
        "credits_held": 1,
    }


async def test_credits_and_their_history_look_as_the_contract_says(service: Service) -> None:
    """Balances add up while work is open, and the history says newest first why each credit moved."""
    customer = await service.customer(credits=3)
    first = await customer.generate()
    await service.work()
    await customer.generate()
    balance = await customer.get("/user/credits")
    assert balance == {"credits": 2, "credits_held": 1, "credits_frozen": 0, "credits_available": 1}
    history = await customer.get("/user/credits/history")
    assert history["next_cursor"] is None
    entries = history["items"]
    assert all(is_recent(entry.pop("created_at")) for entry in entries)
    assert all(type(entry.pop("id")) is int for entry in entries)
    assert entries == [
        {"amount": -1, "cause": "spend", "reference": f"image:{first}:front", "balance_after": 2},
        {"amount": 3, "cause": "grant", "reference": None, "balance_after": 3},
    ]


async def test_an_upload_looks_as_the_contract_says(service: Service) -> None:
    """It describes the stored picture, which is a JPEG whatever was sent."""
    customer = await service.customer()
    response = await customer.api.post("/image/upload", files={"file": ("me.png", photo(400, 300, kind="PNG"))})
    assert response.status_code == 201
    answer = response.json()
    stored = service.storage.pictures[answer["image_input_url"].removeprefix("https://pictures.test/")]
    answer.pop("image_input_url")
    assert answer == {"width": 400, "height": 300, "content_type": "image/jpeg", "size": len(stored)}


async def test_an_accepted_try_on_looks_as_the_contract_says(service: Service) -> None:
    """202 tells the image's id and what is held for it."""
    customer = await service.customer()
    accepted = (await customer.ask(await customer.order(["front", "back"]))).json()
    assert set(accepted) == {"image_id", "message", "credits_held"}
    assert type(accepted["image_id"]) is int
    assert accepted["credits_held"] == 2


async def test_a_status_looks_as_the_contract_says(service: Service) -> None:
    """All fields are there from the first look, and are filled as views complete."""
    customer = await service.customer()
    style = await service.style(name="Wolf Cut", description="Layers, layers.")
    image = await customer.generate(["front", "back"], style=style)
    waiting = await customer.status(image)
    assert is_recent(waiting.pop("created_at"))
    assert waiting == {
        "id": image,
        "status": "PENDING",
        "style_id": style,
        "style_name": "Wolf Cut",
        "description": "Layers, layers.",
        "input_image_url": await customer.upload_address(),
        "output_image_url": None,
        "right_view_url": None,
        "left_view_url": None,
        "back_view_url": None,
        "views": [
            {"view": view, "status": "PENDING", "url": None, "error": None, "time_taken": None}
            for view in ("front", "back")
        ],
        "is_favourite": False,
        "time_taken": None,
        "queue_position": 1,
        "eta_seconds": None,
        "error": None,
    }
    await service.work()
    done = await customer.status(image)
    assert set(done) == {*waiting, "created_at"}
    assert (done["queue_position"], done["error"], done["right_view_url"]) == (None, None, None)
    assert [view["url"] for view in done["views"]] == [done["output_image_url"], done["back_view_url"]]
    assert all(type(view["time_taken"]) is float for view in done["views"])
    assert done["time_taken"] == max(view["time_taken"] for view in done["views"])


async def test_a_failed_try_on_tells_why_in_words(service: Service) -> None:
    """A failed front shows its code and a sentence for people."""
    customer = await service.customer()
    image = await customer.generate()
    service.model.plan("failed", error="flagged as sensitive (E005)")
    await service.work()
    error = (await customer.status(image))["error"]
    assert set(error) == {"code", "message"}
    assert error["code"] == "provider_rejected"
    assert "credit is back" in error["message"]


async def test_a_sign_up_is_answered_with_a_message(service: Service) -> None:
    """202 and one field; nothing in it tells about the address."""
    response = await service.browser().post("/auth/register", json=to_builtins(RegisterFactory.build()))
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
