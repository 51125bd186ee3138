"""The files API: https://replicate.com/docs/reference/http#files.create."""

import hashlib

import httpx
import pytest

from tests.unit.sandbox.talking import running

FILES = "/replicate/v1/files"


async def test_a_file_is_described_listed_downloaded_and_deleted(client: httpx.AsyncClient) -> None:
    content = b"some bytes"
    created = await client.post(
        FILES, files={"content": ("photo.jpg", content, "image/jpeg")}, data={"metadata": '{"view": "front"}'}
    )
    assert created.status_code == 201
    file = created.json()
    assert (file["name"], file["content_type"], file["size"]) == ("photo.jpg", "image/jpeg", len(content))
    assert file["checksums"] == {"sha256": hashlib.sha256(content).hexdigest()}
    assert file["metadata"] == {"view": "front"}
    assert file["etag"]
    assert file["expires_at"] > file["created_at"]
    assert (await client.get(file["urls"]["get"])).json() == file
    assert (await client.get(file["urls"]["get"] + "/download")).content == content
    assert (await client.get(FILES)).json()["results"] == [file]
    assert (await client.delete(file["urls"]["get"])).status_code == 204
    assert (await client.get(file["urls"]["get"])).status_code == 404
    assert (await client.delete(file["urls"]["get"])).status_code == 404


@pytest.mark.parametrize("metadata", ["[]", "{", "1"])
async def test_metadata_that_is_no_object_is_refused(client: httpx.AsyncClient, metadata: str) -> None:
    answer = await client.post(FILES, files={"content": ("a", b"1")}, data={"metadata": metadata})
    assert answer.status_code == 422


async def test_an_upload_without_a_file_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post(FILES, data={"content": "text"})).status_code == 422


async def test_files_expire() -> None:
    async with running(retention_seconds=0) as client:
        file = (await client.post(FILES, files={"content": ("a", b"1")})).json()
        assert (await client.get(file["urls"]["get"])).status_code == 404
