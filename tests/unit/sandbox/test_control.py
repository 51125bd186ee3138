"""The control API: the log of calls, and scripted answers that need no real socket."""

import httpx
import pytest

from tests.unit.sandbox.talking import CREATE, rendered, running, script

CONTROL = "/replicate/__control"


async def test_the_log_tells_every_call_and_hides_its_credentials(client: httpx.AsyncClient) -> None:
    await client.post(CREATE, json={"input": {"prompt": "Curls"}}, headers={"Authorization": "Bearer something"})
    log = (await client.get(CONTROL)).json()
    (call,) = log["calls"]
    assert (call["operation"], call["method"], call["path"], call["status"]) == ("create", "POST", CREATE, 201)
    assert call["body"] == {"input": {"prompt": "Curls"}}
    assert call["headers"]["authorization"] == "[hidden]"
    assert log["counts"] == {"create": 1}


async def test_the_log_can_be_read_by_operation_and_from_a_point_on(client: httpx.AsyncClient) -> None:
    prediction = await rendered(client)
    await client.get(f"/replicate/v1/predictions/{prediction['id']}")
    calls = (await client.get(CONTROL, params={"operation": "get"})).json()["calls"]
    assert {call["operation"] for call in calls} == {"get"}
    later = (await client.get(CONTROL, params={"since": calls[-1]["number"]})).json()["calls"]
    assert later == []


async def test_a_scripted_answer_is_given_as_often_as_asked(client: httpx.AsyncClient) -> None:
    await script(client, {"on": "create", "times": 2, "reply": {"status": 429, "headers": {"Retry-After": "7"}}})
    answers = [await client.post(CREATE, json={"input": {"prompt": "A"}}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 201]
    assert answers[0].headers["retry-after"] == "7"
    assert answers[0].json()["status"] == 429


@pytest.mark.parametrize(
    ("reply", "content"),
    [({"text": "<html>"}, b"<html>"), ({"json": [1]}, b"[1]"), ({"base64": "AAE="}, b"\x00\x01")],
)
async def test_an_answer_may_be_anything(client: httpx.AsyncClient, reply: dict[str, object], content: bytes) -> None:
    await script(client, {"on": "create", "reply": reply})
    assert (await client.post(CREATE, json={})).content == content


async def test_an_answer_can_get_lost_after_the_work_was_done(client: httpx.AsyncClient) -> None:
    await script(client, {"on": "create", "processed": True, "reply": {"status": 502}})
    assert (await client.post(CREATE, json={"input": {"prompt": "A"}})).status_code == 502
    assert len((await client.get("/replicate/v1/predictions")).json()["results"]) == 1


async def test_a_rule_finds_its_prediction_by_what_was_asked_of_it(client: httpx.AsyncClient) -> None:
    await script(client, {"on": "output", "contains": "View: back", "delivery": {"kind": "expired", "status": 410}})
    front, back = [await rendered(client, input={"prompt": f"View: {view}"}) for view in ("front", "back")]
    assert (await client.get(front["output"][0])).status_code == 200
    assert (await client.get(back["output"][0])).status_code == 410


async def test_put_replaces_post_appends_delete_clears(client: httpx.AsyncClient) -> None:
    rule = {"on": "create", "reset": True}
    assert len((await client.post(CONTROL, json={"rules": [rule, rule]})).json()["rules"]) == 2
    assert len((await client.put(CONTROL, json={"rules": [rule]})).json()["rules"]) == 1
    assert len((await client.post(CONTROL, json={"rules": [rule]})).json()["rules"]) == 2
    assert (await client.delete(CONTROL)).status_code == 204
    log = (await client.get(CONTROL)).json()
    assert log == {"calls": [], "counts": {}, "rules": []}


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"\xff", b'{"rules": [{"on": "send"}]}', b'{"rules": [], "more": 1}', b"[" * 100_000]
)
async def test_a_script_that_cannot_be_meant_is_told_so(client: httpx.AsyncClient, body: bytes) -> None:
    assert (await client.put(CONTROL, content=body)).status_code == 400


async def test_the_models_settings_change_and_come_back() -> None:
    async with running(latency_seconds=3) as client:
        changed = await client.put(f"{CONTROL}/model", json={"latency_seconds": 0.5, "picture": "fixed"})
        assert changed.json() == {"latency_seconds": 0.5, "picture": "fixed"}
        assert (await client.put(f"{CONTROL}/model", json={"speed": 1})).status_code == 400
        await client.delete(CONTROL)
        assert (await client.get(f"{CONTROL}/model")).json() == {"latency_seconds": 3, "picture": "drawn"}


async def test_the_index_says_what_it_is(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert "no real model" in page.text
    assert "http://sandbox.test/replicate/v1" in page.text
