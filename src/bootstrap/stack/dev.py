"""`hairtryon dev`: the stack in the foreground, until Ctrl-C."""

import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from urllib.parse import urljoin

from bootstrap.stack.child import BAD_SETTINGS
from bootstrap.stack.crew import LOOK_AGAIN_SECONDS, Crew
from bootstrap.stack.folder import BadSettingsError, StackError, StackFolder
from bootstrap.stack.follower import Follower
from bootstrap.stack.supervisor import Stack

_SOURCE = Path(__file__).parents[2]


def run_dev(folder: StackFolder, environ: Mapping[str, str], *, host: str, port: int, reload: bool) -> int:
    """Run until a signal says stop; returns the exit code. `ready URL` goes to stdout, the rest to stderr."""
    stack = Stack(folder, environ, host=host, port=port, tell=_tell)
    end_on_signals(stack.crew)
    try:
        with stack.running():
            print(f"ready {stack.url}", flush=True)  # noqa: T201 - a promise to whoever started it
            if stack.is_played("BREVO_BASE_URL"):
                _tell(f"mails can be read at {urljoin(stack.environ['BREVO_BASE_URL'], '/brevo')}")
            if stack.is_played("GOOGLE_ISSUER"):
                _tell(f"signing in with Google can be tried at {stack.url}/api/v1/auth/google")
            if stack.is_played("DODO_PAYMENTS_BASE_URL"):
                _tell(f"payments can be refunded and disputed at {stack.environ['DODO_PAYMENTS_BASE_URL']}")
            if reload:
                threading.Thread(target=_restart_on_changes, args=[stack.crew], daemon=True).start()
            _stay(stack)
            _tell("stopping")
    except BadSettingsError as error:
        _tell(str(error))
        return BAD_SETTINGS
    except StackError as error:
        asked_to = stack.crew.ended.is_set() and stack.crew.failure is None
        _tell(str(error))
        return 0 if asked_to else 1
    return 0


def end_on_signals(crew: Crew) -> None:
    """From now on, Ctrl-C, SIGTERM and a closed terminal end the crew; whoever cannot wait for that asks twice."""

    def end(_number: int, _frame: FrameType | None) -> None:
        if crew.ended.is_set():
            raise KeyboardInterrupt
        crew.ended.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def _stay(stack: Stack) -> None:
    """Wait for the end. On a terminal, show meanwhile what the API and the worker log."""
    names = ("api", "worker")
    follower = Follower({name: stack.folder.log(name) for name in names}, sys.stderr) if sys.stderr.isatty() else None
    while not stack.crew.ended.wait(LOOK_AGAIN_SECONDS):
        if follower is not None:
            follower.show()


def _restart_on_changes(crew: Crew) -> None:
    from watchfiles import PythonFilter, watch  # noqa: PLC0415 - for development only

    for _ in watch(_SOURCE, watch_filter=PythonFilter(), stop_event=crew.ended, raise_interrupt=False):
        _tell("the source has changed: the API and the worker are started anew")
        crew.reload.set()


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
