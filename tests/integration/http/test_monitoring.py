"""The rules and the dashboard of the deployment ask for what is really told."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

import domain
from tests.integration.http.scrape import scrape
from tests.integration.http.stories import Service

ROOT = Path(domain.__file__).parents[2]
DEPLOY = ROOT / "deploy"
_NO_METRICS = {"by", "without", "and", "or", "unless", "on", "ignoring", "offset", "bool"}
_SELECTOR = re.compile(r"([a-zA-Z_:][\w:]*)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
_NAME = re.compile(r"(?<!\w)[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "alert-rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions(node: Any) -> Iterator[str]:
    """Every `expr` in a document, however deep."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "expr")
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from expressions(child)


def every_expression() -> list[str]:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    return [*expressions(rules()), *expressions(dashboard)]


def names_in(expression: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", expression)
    return set(_NAME.findall(_GROUPING.sub(" ", bare))) - _NO_METRICS


def test_a_name_is_told_from_what_is_done_with_it() -> None:
    """Or the tests below would find nothing wrong with anything."""
    expression = 'sum by (le, a) (rate(x_bucket{b="c"}[5m])) / sum(y) > 1e3 and absent(z) offset 5m'
    assert names_in(expression) == {"x_bucket", "y", "z"}


async def test_rules_and_dashboard_name_only_series_that_are_told(service: Service) -> None:
    """By name, and each with the labels that are asked of it; a word that is asked for is one that can come."""
    customer = await service.customer(credits=2)
    await customer.generate(["front", "back"])
    await service.work()
    await service.worker.audit()
    series = await scrape(service)
    told: dict[str, dict[str, set[str]]] = {}
    for name, labels in series:
        values = told.setdefault(name, {})
        for label, value in labels:
            values.setdefault(label, set()).add(value)
    asked = every_expression()
    assert len(asked) > 50
    for expression in asked:
        assert names_in(expression), expression
        assert names_in(expression) <= set(told), expression
        for name, matchers in _SELECTOR.findall(expression):
            for label, kind, value in _MATCHER.findall(matchers):
                assert label in told[name], (expression, label)
                assert kind != "=" or value in told[name][label], (expression, value)
        grouping = {label.strip() for grouped in _GROUPING.findall(expression) for label in grouped.split(",")}
        known = {label for name in names_in(expression) for label in told[name]}
        assert grouping <= known, expression


async def test_words_that_a_rule_leaves_out_are_words_that_come(service: Service) -> None:
    """A regular expression that matches nothing would be a rule that never, or always, holds."""
    series = await scrape(service)
    for rule in rules():
        for name, matchers in _SELECTOR.findall(rule["expr"]):
            for label, kind, value in _MATCHER.findall(matchers):
                if kind not in {"=~", "!~"} or label in {"outcome", "status", "route", "process"}:
                    continue
                values = {dict(labels).get(label, "") for told, labels in series if told == name}
                assert set(value.split("|")) <= values, (rule["alert"], value)


def test_whoever_is_woken_finds_what_to_do() -> None:
    """Every rule has a line in the guide for the night, and the guide tells of no other."""
    guide = (ROOT / "docs" / "three-in-the-morning.md").read_text()
    section = guide.partition("## What monitoring says")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == sorted(rule["alert"] for rule in rules())
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith((".", "}"))
