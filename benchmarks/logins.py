"""The reads again while 32 logins are always in flight: hashing passwords must not hold up the event loop.

Here the server is given every core, with and without logins, for that is where its hashing threads are meant to run.
"""

from collections.abc import Iterator
from functools import partial
from statistics import median

from msgspec import structs

from benchmarks import cores
from benchmarks.customers import Customers
from benchmarks.load import Figures
from benchmarks.measure import Row, compare, meanwhile, run
from benchmarks.reads import GALLERY, STATUS, STYLES
from benchmarks.rig import Rig

_CONNECTIONS = 32
_LOGINS = 32
_ROUNDS = 3


def logins(rig: Rig) -> Iterator[Row]:
    customers = Customers(rig.environ["SECRET_KEY"])
    in_flight = customers.log_in("/api/v1/auth/login")
    with rig.api(cores.ALL) as api:
        run(api.port, in_flight, _LOGINS)  # the first logins open connections and compile statements

        def run_during_logins(requests: list[bytes], rates: list[float]) -> Figures:
            with meanwhile(api.port, in_flight, _LOGINS) as background:
                reads = run(api.port, requests, _CONNECTIONS)
            rates.extend(figures.rate for figures in background)
            return structs.replace(reads, errors=reads.errors + sum(figures.errors for figures in background))

        for work, path in (("status", STATUS), ("gallery", GALLERY), ("styles", STYLES)):
            requests, rates = customers.get(path), list[float]()
            row = compare(
                f"{work} during {_LOGINS} logins",
                _CONNECTIONS,
                server=api,
                ours=partial(run_during_logins, requests, rates),
                theirs=partial(run, api.port, requests, _CONNECTIONS),
                against="itself without logins",
                target=0.5,
                rounds=_ROUNDS,
            )
            # Reads that are quick because nobody can log in meanwhile would be no success.
            yield structs.replace(row, work=f"{row.work} ({median(rates):.0f}/s)")
