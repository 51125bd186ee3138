"""What a payment's refunds and disputes take back or freeze, in whatever order they are heard of."""

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from domain.payments import Dispute, DisputeState, Payment, Reckoning, Refund, RefundStatus
from tests.unit.factories import NOW


def payment(granted: int = 10, total: int = 1000, currency: str = "USD") -> Payment:
    made = Payment(id="pay_1", heard_at=NOW)
    if granted:
        made.grant(1, granted, total=total, currency=currency)
    return made


def refund(name: str, amount: int, status: RefundStatus = RefundStatus.SUCCEEDED, *, currency: str = "USD") -> Refund:
    return Refund(id=name, amount=amount, currency=currency, status=status, noted_at=NOW)


def dispute(name: str, state: DisputeState, amount: int = 1000, *, currency: str = "USD") -> Dispute:
    return Dispute(id=name, amount=amount, currency=currency, state=state, noted_at=NOW)


def test_a_refund_takes_its_share_rounded_up() -> None:
    """A cent of ten credits is one credit; all of it is all ten."""
    paid = payment()
    paid.note_refund(refund("a", 1))
    assert paid.reckon() == Reckoning(taken=1, frozen=0)
    paid.note_refund(refund("b", 100))
    assert paid.reckon() == Reckoning(taken=1, frozen=0)
    paid.note_refund(refund("c", 899))
    assert paid.reckon() == Reckoning(taken=8, frozen=0)
    assert paid.taken == 10


def test_a_refund_heard_of_twice_counts_once() -> None:
    paid = payment()
    assert paid.note_refund(refund("a", 500))
    assert not paid.note_refund(refund("a", 500))
    assert paid.reckon().taken == 5
    assert paid.reckon() == Reckoning(taken=0, frozen=0)


def test_what_succeeded_stays_so_whatever_is_heard_later() -> None:
    paid = payment()
    paid.note_refund(refund("a", 500, RefundStatus.SUCCEEDED))
    for older in (RefundStatus.FAILED, RefundStatus.PENDING):
        assert not paid.note_refund(refund("a", 500, older))
    assert paid.returned == 500


def test_an_open_dispute_freezes_what_is_left_of_the_grant() -> None:
    """What a refund took is not there to be frozen."""
    paid = payment()
    paid.note_refund(refund("a", 300))
    paid.note_dispute(dispute("d", DisputeState.OPEN))
    assert paid.reckon() == Reckoning(taken=3, frozen=7)
    paid.note_refund(refund("b", 200))
    assert paid.reckon() == Reckoning(taken=2, frozen=-2)
    paid.note_dispute(dispute("d", DisputeState.WON))
    assert paid.reckon() == Reckoning(taken=0, frozen=-5)


def test_lost_beats_won_and_both_beat_open() -> None:
    paid = payment()
    paid.note_dispute(dispute("d", DisputeState.LOST))
    for older in (DisputeState.WON, DisputeState.OPEN):
        assert not paid.note_dispute(dispute("d", older))
    assert paid.reckon() == Reckoning(taken=10, frozen=0)


def test_refund_and_dispute_of_the_same_money_take_it_once() -> None:
    paid = payment()
    paid.note_refund(refund("a", 1000))
    paid.note_dispute(dispute("d", DisputeState.LOST))
    assert paid.reckon() == Reckoning(taken=10, frozen=0)


def test_what_comes_before_the_payment_waits_for_it() -> None:
    paid = payment(granted=0)
    paid.note_refund(refund("a", 500))
    paid.note_dispute(dispute("d", DisputeState.OPEN))
    assert paid.reckon() == Reckoning(taken=0, frozen=0)
    paid.grant(1, 10, total=1000, currency="USD")
    assert paid.reckon() == Reckoning(taken=5, frozen=5)


def test_another_currency_is_not_compared() -> None:
    """It neither takes nor freezes, whether it is told before the payment or after it."""
    for early in (True, False):
        paid = payment(granted=0)
        if not early:
            paid.grant(1, 10, total=1000, currency="USD")
        paid.note_refund(refund("a", 1000, currency="JPY"))
        paid.note_dispute(dispute("d", DisputeState.LOST, currency="JPY"))
        paid.note_dispute(dispute("e", DisputeState.OPEN, currency="JPY"))
        if early:
            paid.grant(1, 10, total=1000, currency="USD")
        assert paid.reckon() == Reckoning(taken=0, frozen=0)
        assert (paid.disputed, paid.incomparable) == (False, True)


def test_what_is_told_in_two_currencies_counts_in_the_one_that_was_paid_in() -> None:
    """The other one changes nothing, though it is more final, and larger."""
    paid = payment()
    paid.note_dispute(dispute("d", DisputeState.LOST, 9000, currency="JPY"))
    paid.note_dispute(dispute("d", DisputeState.OPEN))
    assert paid.reckon() == Reckoning(taken=0, frozen=10)


def test_of_two_amounts_the_more_final_counts_and_then_the_larger() -> None:
    """In whatever order they are told."""
    told = [refund("a", 500, RefundStatus.PENDING), refund("a", 200), refund("a", 300)]
    for order in permutations(told):
        paid = payment()
        for news in order:
            paid.note_refund(refund(news.id, news.amount, news.status))
        paid.reckon()
        assert paid.taken == 3


News = Refund | Dispute
_currencies = st.sampled_from(["USD", "USD", "JPY"])
_refunds = st.builds(
    refund,
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 700),
    st.sampled_from(list(RefundStatus)),
    currency=_currencies,
)
_disputes = st.builds(
    dispute,
    st.sampled_from(["d", "e"]),
    st.sampled_from(list(DisputeState)),
    st.integers(0, 700),
    currency=_currencies,
)


@given(data=st.data(), granted=st.integers(1, 50), total=st.integers(0, 1500))
def test_order_and_repetition_change_nothing(data: st.DataObject, granted: int, total: int) -> None:
    """Never more is taken than was granted, nothing taken comes back, and the end is the same in any order.

    Also where the provider contradicts itself: one refund or dispute with several amounts, or in several currencies.
    """
    facts = data.draw(st.lists(st.one_of(_refunds, _disputes), max_size=6))
    ends = set()
    for _ in range(3):
        order = data.draw(st.permutations(facts + facts[: data.draw(st.integers(0, len(facts)))]))
        granted_at = data.draw(st.integers(0, len(order)))
        paid = Payment(id="pay_1", heard_at=NOW)
        taken = frozen = 0
        for place, fact in enumerate([*order, None]):
            if place == granted_at:
                paid.grant(1, granted, total=total, currency="USD")
            if isinstance(fact, Refund):
                paid.note_refund(replace(fact))
            elif fact is not None:
                paid.note_dispute(replace(fact))
            reckoning = paid.reckon()
            assert reckoning.taken >= 0
            taken += reckoning.taken
            frozen += reckoning.frozen
            assert (taken, frozen) == (paid.taken, paid.frozen)
            assert 0 <= frozen <= paid.granted - taken
        ends.add((taken, frozen, paid.returned, paid.disputed))
    assert len(ends) == 1
