"""The processes of a stack: whatever dies is started again within two seconds, and they are stopped in order."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bootstrap.embedded import EmbeddedServer, EmbeddedServerError
from bootstrap.stack.child import BAD_SETTINGS, Child

LOOK_AGAIN_SECONDS = 0.1

_QUICK_DEATH_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.5
_HOPELESS_DEATHS = 3


@dataclass
class _Member:
    """One process, and how its life has been."""

    part: Child | EmbeddedServer
    started: float = field(default_factory=time.monotonic)
    quick_deaths: int = 0
    due: float | None = None

    def start(self) -> None:
        self.started, self.due = time.monotonic(), None
        self.part.start()


class Crew:
    """Servers, and programs that work with them. From `watch` to `stop`, a thread looks after them.

    Anybody may set `ended`, a signal handler for instance: then nothing is started again. The crew sets it itself when
    a program cannot live before `settled` is set, and `failure` is what that program wrote.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.ended = threading.Event()
        self.settled = threading.Event()
        self.reload = threading.Event()
        self.failure: str | None = None
        self._tell = tell
        self._servers: list[_Member] = []
        self._programs: list[_Member] = []
        self._thread = threading.Thread(target=self._watch, name="crew")

    def add_server(self, server: Child | EmbeddedServer) -> None:
        """Start it, and keep it until every program has ended."""
        self._servers.append(_Member(server))
        server.start()

    def add_program(self, program: Child) -> None:
        """Start it, and start it anew when `reload` is set."""
        self._programs.append(_Member(program))
        program.start()

    def watch(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let the programs finish what they are at, side by side, then stop the servers, the last one first."""
        self.ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._stop_programs()
        for server in reversed(self._servers):
            server.part.stop()

    def _stop_programs(self) -> None:
        children = [member.part for member in self._programs if isinstance(member.part, Child)]
        for child in children:
            child.ask_to_stop()
        for child in children:
            child.stop()

    def _watch(self) -> None:
        while not self.ended.wait(LOOK_AGAIN_SECONDS):
            if self.reload.is_set():
                self.reload.clear()
                self._stop_programs()
                for program in self._programs:
                    program.start()
            for member in (*self._servers, *self._programs):
                self._look_after(member)

    def _look_after(self, member: _Member) -> None:
        if member.part.running:
            return
        now = time.monotonic()
        if member.due is None:
            quick = now - member.started < _QUICK_DEATH_SECONDS
            member.quick_deaths = member.quick_deaths + 1 if quick else 0
            member.due = now + min(_FIRST_PAUSE_SECONDS * 2**member.quick_deaths, _LONGEST_PAUSE_SECONDS)
            if self._is_hopeless(member):
                return
            self._tell(f"{member.part.name} has ended unexpectedly and is started again")
        elif now >= member.due:
            try:
                member.start()
            except EmbeddedServerError as error:
                member.due = now + _LONGEST_PAUSE_SECONDS
                self._tell(str(error))

    def _is_hopeless(self, member: _Member) -> bool:
        if self.settled.is_set() or not isinstance(member.part, Child):
            return False
        if member.part.exit_code != BAD_SETTINGS and member.quick_deaths < _HOPELESS_DEATHS:
            return False
        self.failure = f"{member.part.name} cannot start:\n{member.part.output()}"
        self.ended.set()
        return True
