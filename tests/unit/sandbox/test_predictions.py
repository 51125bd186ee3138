"""Predictions on the wire: https://replicate.com/docs/topics/predictions/lifecycle."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.unit.sandbox.talking import CREATE, PHOTO, finished, rendered, running, script

PREDICTIONS = "/replicate/v1/predictions"


@pytest.fixture
async def slow() -> AsyncIterator[httpx.AsyncClient]:
    """A sandbox whose predictions never end by themselves while a test looks at them."""
    async with running() as client:
        await client.put("/replicate/__control/model", json={"latency_seconds": 600, "picture": "fixed"})
        yield client


async def test_a_prediction_starts_and_succeeds_with_a_picture_to_download(client: httpx.AsyncClient) -> None:
    created = (await client.post(CREATE, json={"input": {"prompt": "Bob"}})).json()
    assert created["status"] == "starting"
    assert created["output"] is None
    assert created["model"] == "bytedance/seedream-4"
    assert created["urls"]["get"] == f"http://sandbox.test{PREDICTIONS}/{created['id']}"
    done = await finished(client, created)
    assert done["status"] == "succeeded"
    assert set(done["metrics"]) == {"predict_time", "total_time"}
    assert created["created_at"] <= done["started_at"] <= done["completed_at"]
    picture = await client.get(done["output"][0])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")


async def test_prefer_wait_answers_with_the_output(client: httpx.AsyncClient) -> None:
    answer = await client.post(CREATE, json={"input": {"prompt": "Bob"}}, headers={"Prefer": "wait"})
    assert (answer.status_code, answer.json()["status"]) == (201, "succeeded")


async def test_a_wait_that_is_too_short_answers_202_with_what_there_is(slow: httpx.AsyncClient) -> None:
    answer = await slow.post(CREATE, json={"input": {"prompt": "Bob"}}, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "starting")


async def test_cancel_ends_a_prediction_once(slow: httpx.AsyncClient) -> None:
    created = (await slow.post(CREATE, json={"input": {"prompt": "Bob"}})).json()
    canceled = (await slow.post(f"{PREDICTIONS}/{created['id']}/cancel")).json()
    assert canceled["status"] == "canceled"
    assert (await slow.post(f"{PREDICTIONS}/{created['id']}/cancel")).json() == canceled


async def test_a_deadline_before_the_run_starts_aborts(slow: httpx.AsyncClient) -> None:
    created = await slow.post(CREATE, json={"input": {"prompt": "Bob"}}, headers={"Cancel-After": "1s"})
    assert created.json()["deadline"] > created.json()["created_at"]
    assert (await finished(slow, created.json()))["status"] == "aborted"


async def test_a_deadline_during_the_run_cancels(client: httpx.AsyncClient) -> None:
    await script(client, {"on": "create", "outcome": {"status": "processing"}})
    created = await client.post(CREATE, json={"input": {"prompt": "Bob"}}, headers={"Cancel-After": "0h0m1s"})
    assert (await finished(client, created.json()))["status"] == "canceled"


@pytest.mark.parametrize("header", [{"Prefer": "wait=0"}, {"Prefer": "wait=61"}, {"Cancel-After": "soon"}])
async def test_headers_out_of_their_pattern_are_refused(client: httpx.AsyncClient, header: dict[str, str]) -> None:
    answer = await client.post(CREATE, json={"input": {"prompt": "Bob"}}, headers=header)
    assert answer.status_code == 422


async def test_a_version_may_name_the_model_or_its_version(client: httpx.AsyncClient) -> None:
    model = (await client.get("/replicate/v1/models/bytedance/seedream-4")).json()
    version = model["latest_version"]["id"]
    for name in ("bytedance/seedream-4", version, f"bytedance/seedream-4:{version}"):
        assert (await client.post(PREDICTIONS, json={"version": name, "input": {"prompt": "A"}})).status_code == 201
    for body in ({"input": {"prompt": "A"}}, {"version": "0" * 64, "input": {"prompt": "A"}}):
        assert (await client.post(PREDICTIONS, json=body)).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{PREDICTIONS}/none"),
        ("POST", f"{PREDICTIONS}/none/cancel"),
        ("GET", "/replicate/v1/models/some/other"),
        ("POST", "/replicate/v1/models/some/other/predictions"),
        ("GET", "/replicate/delivery/none/output.jpg"),
    ],
)
async def test_what_is_not_there_is_a_404_in_replicates_words(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["title"] == "Not found"


async def test_pages_hold_a_hundred_newest_first_and_link_to_each_other(client: httpx.AsyncClient) -> None:
    ids = [(await client.post(CREATE, json={"input": {"prompt": "A"}})).json()["id"] for _ in range(130)]
    first = (await client.get(PREDICTIONS)).json()
    second = (await client.get(first["next"])).json()
    assert [each["id"] for each in first["results"] + second["results"]] == ids[::-1]
    assert (first["previous"], second["next"]) == (None, None)
    back = (await client.get(second["previous"])).json()
    assert [each["id"] for each in back["results"]] == ids[:-101:-1]


async def test_predictions_are_found_by_when_they_were_created(client: httpx.AsyncClient) -> None:
    created = await rendered(client)
    after = await client.get(PREDICTIONS, params={"created_after": created["created_at"]})
    before = await client.get(PREDICTIONS, params={"created_before": "2999-01-01T00:00:00Z"})
    assert (len(after.json()["results"]), len(before.json()["results"])) == (0, 1)


async def test_an_old_prediction_has_forgotten_its_data() -> None:
    async with running(retention_seconds=0) as client:
        created = (await client.post(CREATE, json={"input": {"prompt": "A"}})).json()
        kept = await finished(client, created)
        assert (kept["data_removed"], kept["output"], kept["input"]) == (True, None, {})


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ({"status": "failed", "error": "flagged as sensitive (E005)"}, ("failed", "flagged as sensitive (E005)", None)),
        ({"status": "failed"}, ("failed", "Prediction failed.", None)),
        ({"status": "canceled"}, ("canceled", None, None)),
        ({"status": "aborted"}, ("aborted", None, None)),
        ({"status": "paused"}, ("paused", None, ...)),
        ({"output": None}, ("succeeded", None, None)),
        ({"output": []}, ("succeeded", None, [])),
        ({"output": {"url": "x"}}, ("succeeded", None, {"url": "x"})),
        ({"output": ["ftp://example.com/a.jpg"]}, ("succeeded", None, ["ftp://example.com/a.jpg"])),
    ],
)
async def test_a_script_decides_how_a_prediction_ends(
    client: httpx.AsyncClient, outcome: dict[str, object], expected: tuple[str, object, object]
) -> None:
    await script(client, {"on": "create", "outcome": outcome})
    done = await rendered(client)
    assert (done["status"], done["error"]) == expected[:2]
    assert expected[2] is ... or done["output"] == expected[2]


async def test_a_scripted_output_can_name_the_true_picture_twice(client: httpx.AsyncClient) -> None:
    await script(client, {"on": "create", "outcome": {"output": ["{output}", "{output}#2"]}})
    first, second = (await rendered(client))["output"]
    assert second == f"{first}#2"
    assert (await client.get(first)).status_code == 200


@pytest.mark.parametrize("status", ["starting", "processing"])
async def test_a_prediction_can_be_left_unfinished_until_it_is_cancelled(
    client: httpx.AsyncClient, status: str
) -> None:
    await script(client, {"on": "create", "outcome": {"status": status}})
    answer = await client.post(CREATE, json={"input": {"prompt": "A"}}, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, status)
    assert (await client.post(f"{PREDICTIONS}/{answer.json()['id']}/cancel")).json()["status"] == "canceled"


async def test_an_input_that_is_no_picture_fails_the_prediction(client: httpx.AsyncClient) -> None:
    await client.put("/replicate/__control/model", json={"latency_seconds": 0, "picture": "drawn"})
    done = await rendered(client, input={"prompt": "A", "image_input": ["data:image/png;base64,AAAA"]})
    assert done["status"] == "failed"
    assert "Could not read the input image" in done["error"]


async def test_the_model_draws_on_the_file_that_was_uploaded(client: httpx.AsyncClient) -> None:
    await client.put("/replicate/__control/model", json={"latency_seconds": 0, "picture": "drawn"})
    upload = await client.post("/replicate/v1/files", files={"content": ("a.jpg", PHOTO.read_bytes(), "image/jpeg")})
    prompt = 'Hairstyle: "Buzz Cut"\nView: front'
    done = await rendered(client, input={"prompt": prompt, "image_input": [upload.json()["urls"]["get"]]})
    assert done["status"] == "succeeded", done["error"]
    picture = await client.get(done["output"][0])
    assert len(picture.content) > 20_000


async def test_a_token_is_asked_for_only_where_one_is_set() -> None:
    async with running(replicate_api_token="secret of this test") as client:
        refused = await client.post(CREATE, json={"input": {"prompt": "A"}})
        assert refused.status_code == 401
        assert refused.json()["title"] == "Unauthenticated"
        headers = {"Authorization": "Bearer secret of this test"}
        taken = await client.post(CREATE, json={"input": {"prompt": "A"}}, headers={**headers, "Prefer": "wait"})
        assert taken.status_code == 201
        assert (await client.get(taken.json()["output"][0])).status_code == 200
