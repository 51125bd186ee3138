"""Storage that can go away: S3 as moto plays it, as a process of its own behind a network of its own."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx

from bootstrap.embedded import free_port
from bootstrap.reaper import Reaper
from infrastructure.storage.s3 import S3Storage
from tests.faults.programs import Program, answers
from tests.faults.slow_network import HOST, late_by

BUCKET = "pictures"
_NAME = "anybody"
"""moto knows nobody, and lets everybody in who signs."""


class ObjectStore:
    """It runs when it is made. Cut off, it keeps what it holds, which moto itself would forget if it were killed."""

    def __init__(self, folder: Path) -> None:
        self._reaper = Reaper()
        self._behind = free_port()
        command = [sys.executable, "-m", "moto.server", "--host", HOST, "--port", str(self._behind)]
        log = folder / "moto.log"
        self._program = Program("moto", command, environ=dict(os.environ), log=log, reaper=self._reaper)
        self._program.start()
        self._program.wait_until(lambda: answers(f"http://{HOST}:{self._behind}/moto-api/"))
        self._network = ExitStack()
        self._port = self._network.enter_context(late_by(0, self._behind))
        self.url = f"http://{HOST}:{self._port}"
        httpx.put(f"{self.url}/{BUCKET}", trust_env=False).raise_for_status()

    @property
    def settings(self) -> dict[str, str]:
        """What makes the product keep its pictures here."""
        return {
            "STORAGE": "s3",
            "S3_ENDPOINT_URL": self.url,
            "BUCKET_NAME": BUCKET,
            "AWS_ACCESS_KEY_ID": _NAME,
            "AWS_SECRET_ACCESS_KEY": _NAME,
        }

    def reader(self) -> S3Storage:
        """What the product itself reads with."""
        return S3Storage(
            bucket=BUCKET, region="us-east-1", endpoint_url=self.url, access_key_id=_NAME, secret_access_key=_NAME
        )

    def refuse(self) -> None:
        """Cut every connection and take no other."""
        self._network.close()

    def accept(self) -> None:
        self._network.enter_context(late_by(0, self._behind, at=self._port))

    def freeze(self) -> None:
        """Take connections and say nothing."""
        self._program.freeze()

    def thaw(self) -> None:
        self._program.thaw()

    def close(self) -> None:
        self._program.thaw()
        self._network.close()
        self._program.stop()
        self._reaper.close()
