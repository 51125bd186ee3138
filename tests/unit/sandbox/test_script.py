"""The script: which rule a call gets, and what a script refuses."""

import msgspec
import pytest

from sandbox.script import Rule, Script


def test_rules_are_used_in_order_and_used_up() -> None:
    script = Script()
    script.append([Rule(on="get", delay=1), Rule(on="create", delay=2, times=2)])
    taken = [script.take("create"), script.take("get"), script.take("create"), script.take("create")]
    assert [None if rule is None else rule.delay for rule in taken] == [2, 1, 2, None]


def test_a_rule_without_end_lasts_until_it_is_cleared() -> None:
    script = Script()
    script.append([Rule(on="get", times=None)])
    assert all(script.take("get") for _ in range(5))
    script.clear()
    assert script.take("get") is None


def test_a_rule_may_ask_for_a_text_in_any_of_what_it_is_shown() -> None:
    script = Script()
    script.append([Rule(on="create", contains="View: back")])
    assert script.take("create", "/path", "View: front") is None
    assert script.take("create", "/path", "... View: back ...") is not None


@pytest.mark.parametrize(
    "rule",
    [
        {"on": "get", "unknown": 1},
        {"on": "get", "times": 0},
        {"on": "get", "delay": -1},
        {"on": "get", "reset": True, "hang": 1},
        {"on": "get", "processed": True},
        {"on": "get", "outcome": {}},
        {"on": "create", "delivery": {"kind": "html"}},
        {"on": "output", "delivery": {"kind": "surprise"}},
        {"on": "output", "delivery": {"kind": "html", "bytes": 1}},
        {"on": "webhook", "reset": True},
        {"on": "get", "reply": {"json": 1, "text": "2"}},
        {"on": "get", "reply": {"base64": "?"}},
        {"on": "get", "reply": {"status": 99}},
        {"on": "get", "signals": [{"pid": 1}]},
        {"on": "get", "signals": [{"pid": 1000, "signal": "SIGNOTHING"}]},
    ],
)
def test_a_script_that_means_nothing_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(rule, Rule)
