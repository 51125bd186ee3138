import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from bootstrap.demo.customer import Customer, JourneyError
from bootstrap.reaper import start_time
from bootstrap.stack import StackFolder

HAIRTRYON = Path(sys.executable).with_name("hairtryon")


@dataclass
class Dev:
    """A `hairtryon dev` that was seen to be ready."""

    process: "subprocess.Popen[str]"
    data: Path
    url: str

    def children(self) -> dict[str, int]:
        """Pids by what runs: the program's last words on its command line, or its name."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                line = child.cmdline()
            except psutil.NoSuchProcess:  # a zombie is one too
                continue
            words = [word for word in ("serve", "worker", "sandbox", "bootstrap.reaper") if word in line]
            found[words[0] if words else child.name()] = child.pid
        return found


def start(data: Path, **settings: str) -> "subprocess.Popen[str]":
    environ = {"PATH": os.environ["PATH"], **{n: v for n, v in os.environ.items() if n.startswith("COVERAGE")}}
    return subprocess.Popen(  # noqa: S603 - our own command line
        [HAIRTRYON, "dev", "--port", "0", "--data", data],
        env=environ | settings,
        cwd=data.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_ready(process: "subprocess.Popen[str]", data: Path) -> Dev:
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line.startswith("ready http://localhost:"), process.stderr.read()
    return Dev(process, data, line.split()[1])


def stop(process: "subprocess.Popen[str]") -> int:
    process.send_signal(signal.SIGINT)
    process.communicate()
    return process.returncode


def wait_until(condition: Callable[[], bool]) -> None:
    """Fails when it takes absurdly long: a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    data = tmp_path_factory.mktemp("dev") / "data"
    process = start(data, LOG_FORMAT="json")
    yield wait_for_ready(process, data)
    stop(process)


def test_ready_means_that_customers_can_come(dev: Dev) -> None:
    """The API answers, its dependencies are there and the catalogue is full."""
    assert httpx.get(f"{dev.url}/health/live").status_code == 200
    assert httpx.get(f"{dev.url}/health/ready").json()["status"] == "ok"
    assert len(httpx.get(f"{dev.url}/api/v1/image/styles").json()["items"]) >= 24


def test_somebody_signs_in_with_google(dev: Dev) -> None:
    """As the sandbox plays it: there and back, and the worker copies the picture."""
    with httpx.Client(base_url=f"{dev.url}/api/v1") as browser:
        there = browser.get("/auth/google", params={"next": "/gallery"}).headers["location"]
        assert "SANDBOX, not Google" in httpx.get(there).text
        back = httpx.post(there, data={"person": "100000000000000000001"}).headers["location"]
        done = browser.get(back)
        assert done.headers["location"] == f"{dev.url}/auth/callback?success=true&next=%2Fgallery"
        wait_until(lambda: browser.get("/user/me").json()["profile_picture"] is not None)
        me = browser.get("/user/me").json()
    assert (me["email"], me["oauth_provider"]) == ("ada.sandbox@example.com", "google")
    assert httpx.get(me["profile_picture"]).status_code == 200


def test_everything_runs_as_children_of_the_one_process(dev: Dev) -> None:
    """Whoever looks at the process tree finds the product's programs by their names."""
    assert {"serve", "worker", "sandbox", "postgres", "valkey-server", "bootstrap.reaper"} <= dev.children().keys()


def test_the_demo_shows_a_refusal_with_the_apis_reason(dev: Dev) -> None:
    """A step that fails says what was asked and what came back."""
    with (
        Customer(dev.url, outbox="http://127.0.0.1:9", before_each_call=lambda: None) as customer,
        pytest.raises(JourneyError, match=rf"GET {dev.url}/api/v1/user/me was refused: 401 not_authenticated"),
    ):
        customer.profile()


def test_the_demo_says_when_nobody_answers(dev: Dev) -> None:
    """And where."""
    with (
        Customer(dev.url, outbox="http://127.0.0.1:9/mails", before_each_call=lambda: None) as customer,
        pytest.raises(JourneyError, match=r"GET http://127\.0\.0\.1:9/mails was not answered"),
    ):
        customer.wait_for_mail("ada@example.org")


def test_the_logs_of_the_programs_are_json_and_nothing_else(dev: Dev) -> None:
    """One object a line, without a prefix, for machines to read."""
    for name in ("api", "worker"):
        lines = (dev.data / f"{name}.log").read_text().splitlines()
        assert lines
        assert all("event" in json.loads(line) for line in lines)


@pytest.mark.parametrize("name", ["worker", "serve", "sandbox", "postgres", "valkey-server"])
def test_what_is_killed_comes_back(dev: Dev, name: str) -> None:
    """Programs and servers alike, and the API answers as before."""
    killed = dev.children()[name]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: dev.children().get(name, killed) != killed)
    wait_until(lambda: is_ready(dev))


def is_ready(dev: Dev) -> bool:
    try:
        return bool(httpx.get(f"{dev.url}/health/ready").json()["status"] == "ok")
    except httpx.HTTPError:
        return False


def test_a_second_stack_in_the_same_folder_is_refused(dev: Dev) -> None:
    """It says who has the folder, and the first goes on."""
    second = start(dev.data)
    said = second.communicate()[1]
    assert second.returncode == 1
    assert f"A stack is already running in {dev.data} (pid {dev.process.pid})" in said
    assert httpx.get(f"{dev.url}/health/live").status_code == 200


def test_a_taken_port_is_told_before_anything_is_started(dev: Dev, tmp_path: Path) -> None:
    """And what to do about it."""
    port = dev.url.rpartition(":")[2]
    done = subprocess.run(  # noqa: S603 - our own command line
        [HAIRTRYON, "dev", "--port", port, "--data", tmp_path / "data"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert "--port" in done.stderr
    assert not (tmp_path / "data").exists()


def test_an_operator_command_finds_the_running_stack(dev: Dev, tmp_path: Path) -> None:
    """With no address in its environment, it works on the stack of HAIRTRYON_DATA."""
    environ = {"HAIRTRYON_DATA": str(dev.data), "PATH": os.environ["PATH"]}
    done = subprocess.run([HAIRTRYON, "db", "check"], env=environ, cwd=tmp_path, check=False)  # noqa: S603 - as above
    assert done.returncode == 0


def test_an_operator_command_says_when_no_stack_runs(tmp_path: Path) -> None:
    """It ends with the exit code for what is unavailable."""
    environ = {"PATH": os.environ["PATH"]}
    done = subprocess.run(  # noqa: S603 - as above
        [HAIRTRYON, "db", "check"], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 6
    assert f"no stack runs in {tmp_path / 'var'}" in done.stderr


def test_all_mistakes_in_the_settings_are_told_before_anything_is_started(tmp_path: Path) -> None:
    """Exit code 2, and every variable named."""
    process = start(tmp_path / "data", STORAGE="cupboard", POLL_SECONDS="soon")
    said = process.communicate()[1]
    assert process.returncode == 2
    assert "STORAGE" in said
    assert "POLL_SECONDS" in said
    assert not (tmp_path / "data" / "postgres").exists()


def test_stacks_run_side_by_side_end_cleanly_and_survive_a_kill(dev: Dev, tmp_path: Path) -> None:
    """A second one elsewhere leaves nothing when it is killed, starts again on what is left, and ends with code 0."""
    data = tmp_path / "data"
    killed = wait_for_ready(start(data), data)
    keys = StackFolder(data).secrets()
    assert httpx.get(f"{dev.url}/health/live").status_code == 200
    pids = list(killed.children().values())
    killed.process.kill()
    killed.process.communicate()
    assert StackFolder(data).addresses() == {}
    again = wait_for_ready(start(data), data)
    assert not any(start_time(pid) for pid in pids)
    assert StackFolder(data).secrets() == keys
    pids = list(again.children().values())
    assert stop(again.process) == 0
    assert not any(start_time(pid) for pid in pids)
    assert StackFolder(data).addresses() == {}


def test_what_the_environment_names_is_not_started(empty_database_url: str, redis_url: str, tmp_path: Path) -> None:
    """With addresses for everything there are only the API and the worker, and the named database is migrated."""
    data = tmp_path / "data"
    services = {
        "REPLICATE_BASE_URL": "http://127.0.0.1:9/v1",
        "BREVO_BASE_URL": "http://127.0.0.1:9/v3",
        "GOOGLE_ISSUER": "http://127.0.0.1:9/google",
        "DODO_PAYMENTS_BASE_URL": "http://127.0.0.1:9/dodo",
    }
    process = start(data, DATABASE_URL=empty_database_url, REDIS_URL=redis_url, **services)
    stack = wait_for_ready(process, data)
    children = stack.children().keys()
    assert len(httpx.get(f"{stack.url}/api/v1/image/styles").json()["items"]) >= 24
    assert stop(process) == 0
    assert children == {"serve", "worker", "bootstrap.reaper"}
    assert not (data / "postgres").exists()
