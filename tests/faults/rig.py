"""The real API, worker, PostgreSQL and Valkey, and a provider that does as it is told."""

import base64
import io
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from bootstrap import migrations
from bootstrap.embedded import free_port, start_postgres, start_valkey
from bootstrap.reaper import Reaper
from bootstrap.settings import Settings
from tests.faults.dodo import Dodo
from tests.faults.programs import Program, answers
from tests.faults.provider import Provider, Service

LEASE_SECONDS = 3

_HAIRTRYON = [sys.executable, "-m", "bootstrap.cli"]
_WITH_A_WRONG_CLOCK = [sys.executable, "-m", "tests.faults.wrong_clock"]
_SETTINGS = {field.encode_name for field in msgspec.structs.fields(Settings)}


class Rig:
    """Everything runs when it is made. A test may end any part of it; `mend` brings back what is missing.

    Settings are short, so that what takes half a minute in production takes seconds here; what takes longer is not
    waited for: tests move the time on in the database.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.media = folder / "media"
        self._reaper = Reaper()
        self.canaries: list[str] = []
        """What must not be seen in any log. Tests add what they make."""
        self.password = self.new_canary()
        self.email = f"{self.new_canary()}@example.org"
        self.alerts: list[str] = []
        """What operators are to be alerted to in this test, no more and no oftener."""
        self.token = ""
        """The customer's access token, once there is one."""
        self.postgres = start_postgres(folder / "postgres", durable=False, reaper=self._reaper)
        self.valkey = start_valkey(folder / "valkey", durable=False, reaper=self._reaper)
        self._api_port = free_port()
        self._sandbox_port = free_port()
        self.url = f"http://127.0.0.1:{self._api_port}"
        self.sandbox_url = f"http://127.0.0.1:{self._sandbox_port}"
        self.provider = Provider(self.sandbox_url)
        self.mail_service = Service(self.sandbox_url, "brevo")
        self.dodo = Dodo(self.sandbox_url)
        self.environ = self._environment() | settings
        self.sandbox = self._program("sandbox", [sys.executable, "-P", "-m", "sandbox", *self._sandbox_flags()])
        self.api = self._program("api", [*_HAIRTRYON, "serve", "--port", str(self._api_port)])
        self.worker = self._program("worker", [*_HAIRTRYON, "worker"])
        self._more_workers: list[Program] = []
        self.sandbox.start()
        migrations.upgrade(self.postgres.url)
        self.api.start()
        self.worker.start()
        self.hairtryon("style", "import")
        self.sandbox.wait_for_line("ready http")
        self.mend()

    def mend(self) -> None:
        """Bring back what a test has ended, take away what it has added, and return when the stack is ready."""
        self.postgres.start()
        self.valkey.start()
        for extra in self._more_workers:
            extra.thaw()
            extra.stop()
        self._more_workers.clear()
        for program in (self.api, self.worker):
            program.thaw()
            if not program.running:
                program.start()
        self.wait_for_api()
        self.worker.wait_for_line("worker_ready")

    def expect_alerts(self, *kinds: str) -> None:
        self.alerts = list(kinds)

    def wait_for_api(self) -> None:
        self.api.wait_until(lambda: answers(f"{self.url}/health/live"))

    def restart_worker(self) -> None:
        """Start it again after it has ended."""
        self.worker.wait_for_end()
        self.worker.start()
        self.worker.wait_for_line("worker_ready")

    def add_worker(self, *, clock_off_by: int = 0, **settings: str) -> Program:
        """Run one more worker, for the rest of the test, its clock so many seconds fast (or slow)."""
        number = len(self._more_workers) + 2
        hairtryon = [*_WITH_A_WRONG_CLOCK, str(clock_off_by)] if clock_off_by else _HAIRTRYON
        worker = self._program(f"worker{number}", [*hairtryon, "worker"], **settings)
        self._more_workers.append(worker)
        worker.start()
        worker.wait_for_line("worker_ready")
        return worker

    @contextmanager
    def another_api(self, **settings: str) -> Iterator[str]:
        """Run one more API, with these settings changed; yields its address."""
        api, url = self.make_api(**settings)
        api.start()
        try:
            api.wait_until(lambda: answers(f"{url}/health/live"))
            yield url
        finally:
            api.stop()

    def make_api(self, **settings: str) -> tuple[Program, str]:
        """One more API and its address, for the caller to start and stop."""
        port = free_port()
        api = self._program(f"api-{port}", [*_HAIRTRYON, "serve", "--port", str(port)], **settings)
        return api, f"http://127.0.0.1:{port}"

    def hairtryon(self, *arguments: str, typed: str = "") -> Any:
        """Run an operator's command, which must succeed; returns what it shows with `--json`.

        `typed` is what it reads from stdin.
        """
        done = self.try_hairtryon(*arguments, typed=typed)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def try_hairtryon(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run an operator's command, and take whatever comes of it."""
        return subprocess.run(  # noqa: S603 - our own command line
            [*_HAIRTRYON, *arguments, "--json"],
            env=self.environ,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )

    def begin_hairtryon(self, *arguments: str) -> Program:
        """Start an operator's command, for a test to end."""
        operator = self._program("operator", [*_HAIRTRYON, *arguments])
        operator.start()
        return operator

    def new_webhook_secret(self) -> str:
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        self.canaries.append(secret)
        return secret

    def new_canary(self) -> str:
        canary = f"canary{secrets.token_hex(12)}"
        self.canaries.append(canary)
        return canary

    def log_sizes(self) -> dict[Path, int]:
        return {log: log.stat().st_size for log in self._logs()}

    def written(self, since: dict[Path, int]) -> Iterator[tuple[str, str]]:
        """Each program, and what it has written since."""
        for log in self._logs():
            yield log.stem, log.read_bytes()[since.get(log, 0) :].decode()

    def logged(self, since: dict[Path, int], *programs: str) -> Iterator[dict[str, Any]]:
        """What these programs (or all of them) have logged since, one entry after the other.

        A line that is no JSON object is an error: nothing but the log may write there.
        """
        for program, text in self.written(since):
            if not programs or program in programs:
                yield from map(json.loads, text.rpartition("\n")[0].splitlines())

    def close(self) -> None:
        for program in (*self._more_workers, self.worker, self.api, self.sandbox):
            program.thaw()
            program.stop()
        self.valkey.stop()
        self.postgres.stop()
        self._reaper.close()

    def _logs(self) -> list[Path]:
        return [log for log in sorted(self.folder.glob("*.log")) if log.stem.startswith(("api", "worker"))]

    def _program(self, name: str, command: list[str], **settings: str) -> Program:
        environ = self.environ | settings
        return Program(name, command, environ=environ, log=self.folder / f"{name}.log", reaper=self._reaper)

    def _sandbox_flags(self) -> list[str]:
        return ["--port", str(self._sandbox_port), "--data", str(self.folder / "sandbox")]

    def _environment(self) -> dict[str, str]:
        """The surroundings, without anybody's settings but ours."""
        secret, pseudonym, replicate, brevo, google, dodo = (self.new_canary() for _ in range(6))
        webhook_secret, dodo_secret = self.new_webhook_secret(), self.new_webhook_secret()
        self.canaries.append(self.postgres.url.partition("postgres:")[2].partition("@")[0])
        # An empty setting is as good as none, and keeps the one of an `.env` out.
        return (
            dict(os.environ)
            | dict.fromkeys(_SETTINGS, "")
            | {
                "HAIRTRYON_ENV": "test",
                "HAIRTRYON_DATA": str(self.folder),
                "DATABASE_URL": self.postgres.url,
                "REDIS_URL": self.valkey.url,
                "PUBLIC_URL": self.url,
                "STORAGE": "disk",
                "MEDIA_DIR": str(self.media),
                "SECRET_KEY": secret * 2,
                "PSEUDONYM_KEY": pseudonym * 2,
                "REPLICATE_BASE_URL": f"{self.sandbox_url}/replicate/v1",
                "REPLICATE_API_TOKEN": replicate,
                "REPLICATE_WEBHOOK_SECRET": webhook_secret,
                "BREVO_BASE_URL": f"{self.sandbox_url}/brevo/v3",
                "BREVO_API_KEY": brevo,
                "GOOGLE_ISSUER": f"{self.sandbox_url}/google",
                "GOOGLE_CLIENT_ID": "the-client",
                "GOOGLE_CLIENT_SECRET": google,
                "SANDBOX_GOOGLE_CLIENT_ID": "the-client",
                "SANDBOX_GOOGLE_CLIENT_SECRET": google,
                "SANDBOX_GOOGLE_REDIRECT_URI": f"{self.url}/api/v1/auth/google/callback",
                "SANDBOX_REPLICATE_API_TOKEN": replicate,
                "SANDBOX_REPLICATE_WEBHOOK_SECRET": webhook_secret,
                "SANDBOX_BREVO_API_KEY": brevo,
                "DODO_PAYMENTS_BASE_URL": f"{self.sandbox_url}/dodo",
                "DODO_PAYMENTS_API_KEY": dodo,
                "DODO_PAYMENTS_PRODUCT_ID": "pdt_one_credit",
                "DODO_PAYMENTS_WEBHOOK_SECRET": dodo_secret,
                "SANDBOX_DODO_API_KEY": dodo,
                "SANDBOX_DODO_PRODUCT_ID": "pdt_one_credit",
                "SANDBOX_DODO_WEBHOOK_SECRET": dodo_secret,
                "SANDBOX_DODO_WEBHOOK_URL": f"{self.url}/api/v1/payment/webhook",
                "SANDBOX_DODO_WEBHOOK_SPEEDUP": "30000",
                "RECONCILE_SECONDS": "3600",
                "SANDBOX_LATENCY_SECONDS": "0",
                "ACCESS_TOKEN_MINUTES": "600",
                "GENERATION_LEASE_SECONDS": str(LEASE_SECONDS),
                "GENERATION_TIMEOUT_SECONDS": "60",
                "POLL_SECONDS": "0.3",
                "SWEEP_SECONDS": "0.3",
                "RATE_LIMIT_GENERATE": "100000/minute",
                "RATE_LIMIT_AUTH": "100000/minute",
                "RATE_LIMIT_DEFAULT": "100000/minute",
                "LOG_LEVEL": "debug",
                "LOG_FORMAT": "json",
            }
        )


def portrait() -> bytes:
    written = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((320, 400)).save(written, "JPEG")
    return written.getvalue()
