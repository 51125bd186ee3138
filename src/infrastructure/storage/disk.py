"""Pictures in a folder, served by our own API under addresses that expire."""

import asyncio
import contextlib
import hmac
import os
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b, sha256
from pathlib import Path

from application.images.ports import PictureStorage, UploadForm
from domain.errors import Forbidden, NotFound, TooLarge, Unavailable
from infrastructure.storage.addresses import reachable_from_outside

PARTS = ".parts"
"""The folder of files that are being written; no key can name one of them."""
_LONGEST_WRITE_SECONDS = 3600

_KEY = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*(?:\.[a-z0-9]+)?", re.ASCII)
_LONGEST_KEY = 200
_SIGNATURE_BYTES = 20
_ADDRESS, _FORM = b"media address", b"media form"
"""What a signature is for: one for the one is none for the other."""
_FORM_FIELDS = {"key", "expires", "largest", "signature"}


class DiskStorage(PictureStorage):
    """Files under `root`, written whole or not at all.

    A signature covers the key and the time it ends. Times are rounded up to the next half life, so that every process
    hands out the same address for a key over half its life (browsers then find it in their cache) and each address
    still lives for half of `url_life` seconds at least. No list of addresses is kept.

    The first of `secrets` signs; all of them are accepted, so that a secret can be replaced without breaking addresses.
    Signatures are keyed BLAKE2b (RFC 7693), a quarter of HMAC's cost: a page of the gallery shows some fifty pictures.
    """

    def __init__(
        self,
        root: Path,
        *,
        public_url: str,
        secrets: Sequence[str],
        url_life: int = 3600,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._media = f"{public_url.rstrip('/')}/media"
        self._reachable = reachable_from_outside(public_url)
        self._signers = [_signer(secret, _ADDRESS) for secret in secrets]
        self._form_signers = [_signer(secret, _FORM) for secret in secrets]
        self._half_life = max(1, url_life // 2)
        self._now = now

    async def put(self, key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:  # noqa: ARG002 - the key's suffix tells
        path = self._path(key)
        try:
            await asyncio.to_thread(_write, self._root, path, data)
        except OSError as error:
            raise _unavailable() from error

    async def get(self, key: str, *, largest: int | None = None) -> bytes:
        try:
            return await asyncio.to_thread(_read, self._path(key), largest)
        except (FileNotFoundError, IsADirectoryError, ValueError) as error:
            raise _not_found() from error
        except OSError as error:
            raise _unavailable() from error

    async def delete(self, key: str) -> None:
        try:
            await asyncio.to_thread(self._path(key).unlink, missing_ok=True)
        except OSError as error:
            raise _unavailable() from error

    async def url(self, key: str) -> str:
        expires = (int(self._now()) // self._half_life + 2) * self._half_life
        signature = _sign(self._signers[0], key, str(expires))
        return f"{self._media}/{key}?expires={expires}&signature={signature}"  # a key needs no quoting

    async def form(self, key: str, *, largest: int, seconds: int) -> UploadForm:
        expires = str(int(self._now()) + seconds)
        signature = _sign(self._form_signers[0], key, expires, str(largest))
        fields = {"key": key, "expires": expires, "largest": str(largest), "signature": signature}
        return UploadForm(f"{self._media}-upload", fields)

    def admit_form(self, fields: Mapping[str, str]) -> tuple[str, int]:
        """The key that a form made by `form` is for, and how many bytes its file may have; `Forbidden` for any other.

        Whoever has a form may use it as often as they like until it expires, as with S3.
        """
        key, expires, largest = fields.get("key", ""), fields.get("expires", ""), fields.get("largest", "")
        shown = _bytes(fields.get("signature", ""))
        signed = any(
            hmac.compare_digest(_bytes(_sign(signer, key, expires, largest)), shown) for signer in self._form_signers
        )
        if not signed or set(fields) != _FORM_FIELDS or int(expires) <= self._now():
            raise Forbidden("forbidden", "This form is not one of ours, was changed, or has expired.")
        return key, int(largest)

    async def public_url(self, key: str) -> str | None:
        return await self.url(key) if self._reachable else None

    async def read_signed(self, key: str, expires: str, signature: str) -> bytes:
        """What an address made by `url` stands for; `NotFound` when it is expired, forged or its file is gone."""
        shown = _bytes(signature)
        signed = any(hmac.compare_digest(_bytes(_sign(signer, key, expires)), shown) for signer in self._signers)
        if not signed or int(expires) <= self._now():
            raise _not_found()
        return await self.get(key)

    async def ping(self) -> None:
        try:
            await asyncio.to_thread(_try_out, self._root)
        except OSError as error:
            raise _unavailable() from error

    def _path(self, key: str) -> Path:
        """The key's file. `ValueError` for what is no key of ours, so that none can leave the folder."""
        if len(key) > _LONGEST_KEY or not _KEY.fullmatch(key):
            raise ValueError(f"not a storage key: {key[:_LONGEST_KEY]!r}")
        return self._root / key


def _write(root: Path, path: Path, data: bytes) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)  # a mode holds for the last folder alone
    path.parent.mkdir(parents=True, exist_ok=True)
    parts = root / PARTS
    parts.mkdir(exist_ok=True)
    _remove_leftovers(parts)
    with tempfile.NamedTemporaryFile(dir=parts, delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _remove_leftovers(parts: Path) -> None:
    """Of processes that were killed while they wrote: nobody else would ever find them."""
    for part in parts.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if part.stat().st_mtime < time.time() - _LONGEST_WRITE_SECONDS:
                part.unlink()


def _try_out(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(prefix=".ping-", dir=root) as file:
        file.write(b"ping")
        file.flush()


def _read(path: Path, largest: int | None) -> bytes:
    with path.open("rb") as file:
        data = file.read(-1 if largest is None else largest + 1)
    if largest is not None and len(data) > largest:
        raise TooLarge("payload_too_large", "The picture is larger than allowed.", field="file")
    return data


def _signer(secret: str, purpose: bytes) -> blake2b:
    return blake2b(key=sha256(secret.encode()).digest(), person=purpose, digest_size=_SIGNATURE_BYTES)


def _sign(signer: blake2b, key: str, *limits: str) -> str:
    mac = signer.copy()
    mac.update(_bytes("\n".join((*limits, key))))
    return mac.hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # a query may hold lone surrogates


def _not_found() -> NotFound:
    return NotFound("not_found", "There is no such picture.")


def _unavailable() -> Unavailable:
    return Unavailable("storage_unavailable", "Pictures cannot be stored or read just now.", retry_after=5)
