"""`python -m tests.faults.wrong_clock SECONDS ...`: `hairtryon ...` where the clock is so many seconds fast."""

import sys
import time
from datetime import datetime, timedelta

_off_by = int(sys.argv.pop(1))
_right_time, _right_time_ns = time.time, time.time_ns
# Before anything is imported that takes these functions by their names.
time.time = lambda: _right_time() + _off_by
time.time_ns = lambda: _right_time_ns() + _off_by * 1_000_000_000

from bootstrap import cli  # noqa: E402
from infrastructure.clock import SystemClock  # noqa: E402

_right_now = SystemClock.now


def _wrong_now(clock: SystemClock) -> datetime:
    return _right_now(clock) + timedelta(seconds=_off_by)


SystemClock.now = _wrong_now  # type: ignore[method-assign, assignment]

if __name__ == "__main__":
    cli.main()
