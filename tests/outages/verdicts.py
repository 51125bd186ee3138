"""Whether what was heard is what is promised, route by route."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import inf

from msgspec import Struct

from tests.outages.answers import IN_THE_END, NORMAL, PROBE, Answer
from tests.outages.outages import Outage

SLOWEST_SECONDS = 15.0
"""Of any answer, whatever is away: as long as the payment provider waits for one to its webhooks."""
RECOVERY_SECONDS = 30.0


class Absence(Struct, frozen=True):
    """One outage as it was; the times are of the monotonic clock. Between `going` and `gone` it was going away."""

    outage: Outage
    going: float
    gone: float
    coming: float
    back: float

    def was_sure_during(self, answer: Answer) -> bool:
        """It was away from the question to the answer."""
        return self.gone <= answer.asked and answer.heard <= self.coming

    def explains(self, answer: Answer) -> bool:
        """Promised while it is away, of a question that met it, or that came right after."""
        met = answer.asked <= self.back + RECOVERY_SECONDS and self.going <= answer.heard
        return met and answer.what in self.outage.promised(answer.route)


class Row(Struct, frozen=True):
    """One route during one absence."""

    route: str
    promised: tuple[str, ...]
    answers: Counter[str]
    slowest: float
    back_after: float | None
    """Seconds from the return to the first answer after which all were as ever; None: that took too long."""
    wrong: tuple[str, ...]
    """What breaks a promise."""


def row_of(route: str, absence: Absence, answers: Sequence[Answer], absences: Sequence[Absence]) -> Row:
    """Judged by all that was heard of the route."""
    meanwhile = [answer for answer in answers if absence.gone <= answer.asked < absence.coming]
    heard = Counter(answer.what for answer in meanwhile)
    promised = absence.outage.promised(route)
    next_going = min((other.going for other in absences if other.going > absence.back), default=inf)
    back_after = back([answer for answer in answers if answer.heard < next_going], absence.back)
    wrong = [
        *(f"{what} is not promised" for what in _unpromised(route, meanwhile, absence, absences)),
        *([] if any(what in promised for what in heard) else [f"never {' or '.join(promised)}"]),
        *_broken_manners(route, meanwhile),
        *([] if back_after is not None else ["not as ever afterwards"]),
    ]
    slowest = max((answer.seconds for answer in meanwhile), default=0.0)
    return Row(route, promised, heard, slowest, back_after, tuple(wrong))


def _unpromised(route: str, meanwhile: Sequence[Answer], absence: Absence, absences: Sequence[Absence]) -> list[str]:
    """What was heard while it was surely away has to be what is promised; across its return the usual is as good."""
    promised = absence.outage.promised(route)
    unpromised = set()
    for answer in meanwhile:
        may_be_normal = route in IN_THE_END or route == PROBE or not absence.was_sure_during(answer)
        is_explained = any(other.explains(answer) for other in absences if other is not absence)
        if answer.what not in promised and not (may_be_normal and answer.is_normal) and not is_explained:
            unpromised.add(answer.what)
    return sorted(unpromised)


def _broken_manners(route: str, heard: Sequence[Answer]) -> list[str]:
    slow = sum(answer.seconds > SLOWEST_SECONDS for answer in heard) if route not in IN_THE_END else 0
    silent = sum(not answer.may_be_asked_again for answer in heard)
    return [
        *([f"{slow} slower than {SLOWEST_SECONDS:.0f} s"] if slow else []),
        *([f"{silent} without Retry-After"] if silent else []),
    ]


def back(answers: Sequence[Answer], returned: float) -> float | None:
    """Seconds from a return to the first of the usual answers that nothing else followed; None while there are none."""
    since = sorted((answer for answer in answers if answer.asked >= returned), key=lambda answer: answer.asked)
    last_bad = max((answer.asked for answer in since if not answer.is_normal), default=returned)
    good = [answer.heard for answer in since if answer.is_normal and answer.asked >= last_bad]
    return min(good) - returned if len(good) >= _ENOUGH else None


_ENOUGH = 2
"""Usual answers in a row, after which a route is as ever."""


def unforeseen(answers: Iterable[Answer], absences: Sequence[Absence]) -> Counter[str]:
    """What nobody promised, whenever it was heard: by route and answer."""
    return Counter(
        f"{answer.route} {answer.what}"
        for answer in answers
        if not answer.is_normal and not any(absence.explains(answer) for absence in absences)
    )


def still_away(answers: Sequence[Answer], returned: float) -> list[str]:
    """The routes that are not as ever."""
    return [
        route for route in NORMAL if back([answer for answer in answers if answer.route == route], returned) is None
    ]
