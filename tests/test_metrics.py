"""The metrics that Atlas shows are those of the reference, and dashboards and alert rules ask for no others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily

from atlas_web import metrics as of_dashboard
from benchmark_engine import metrics as of_engine
from ingestion_engine import metrics as of_ingestion
from telemetry import requests as of_requests

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs/reference/metrics-and-logs.md"
ROW = re.compile(r"^\| `(atlas_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)

Shown = dict[str, tuple[str, frozenset[str]]]
"""The kind and the labels of each metric, by its name."""


def counted() -> Iterator[tuple[str, tuple[str, frozenset[str]]]]:
    """What is counted by all processes."""
    for module in (of_requests, of_engine, of_ingestion):
        for metric in vars(module).values():
            if isinstance(metric, Counter | Gauge | Histogram):
                (family,) = metric.collect()
                suffix = "_total" if family.type == "counter" else ""
                yield f"{family.name}{suffix}", (family.type, frozenset(metric._labelnames))


def looked_up() -> Iterator[tuple[str, tuple[str, frozenset[str]]]]:
    """What is looked up; a component was heard of, so that each metric has a sample with its labels."""
    for family in (*of_dashboard.looked_up(), *of_ingestion.looked_up()):
        assert isinstance(family, GaugeMetricFamily)
        yield family.name, (family.type, frozenset(family._labelnames))


def shown() -> Shown:
    return dict([*counted(), *looked_up()])


def test_each_metric_is_documented_with_its_kind_and_labels_and_no_other_is() -> None:
    rows = ROW.findall(REFERENCE.read_text())
    documented = {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert documented == shown()
    assert len(rows) == len(documented)


def expressions(name: str) -> list[str]:
    """What a dashboard or a file of rules asks Prometheus for."""
    text = (ROOT / "deploy" / name).read_text()
    if name.endswith(".json"):
        panels = json.loads(text)["panels"]
        return [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return [rule["expr"] for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


SELECTOR = re.compile(r"\b(atlas_\w+)(?:\{([^}]*)\})?")
GIVEN_BY_PROMETHEUS = {"component", "instance", "job"}
"""Labels of every target, by `prometheus.yml`."""


@pytest.mark.parametrize("name", ["grafana/atlas.json", "prometheus/alerts.yml"])
def test_dashboards_and_rules_ask_for_metrics_and_labels_that_there_are(name: str) -> None:
    known = shown()
    asked = [found for expression in expressions(name) for found in SELECTOR.findall(expression)]
    assert len(asked) > 10
    for metric, selected in asked:
        plain = metric.removesuffix("_bucket")
        assert plain in known, f"{name} asks for {metric}"
        kind, labels = known[plain]
        assert (kind == "histogram") == (plain != metric)
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", selected)) <= labels | GIVEN_BY_PROMETHEUS, metric


@pytest.mark.parametrize("name", ["grafana/atlas.json", "prometheus/alerts.yml"])
def test_sums_are_by_labels_that_there_are(name: str) -> None:
    known = {label for _, labels in shown().values() for label in labels} | GIVEN_BY_PROMETHEUS | {"le"}
    for expression in expressions(name):
        grouped = ",".join(re.findall(r"\bby \(([^)]*)\)", expression))
        assert set(filter(None, map(str.strip, grouped.split(",")))) <= known, expression


def test_each_rule_says_what_is_wrong_and_what_to_do() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
    assert all(rule["annotations"].keys() == {"summary", "action"} for rule in rules)


def test_prometheus_reads_the_token_from_a_file_and_the_rules_that_there_are() -> None:
    configuration = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    (job,) = configuration["scrape_configs"]
    assert job["authorization"] == {"credentials_file": "/run/secrets/metrics-token"}
    assert [target["labels"]["component"] for target in job["static_configs"]] == ["dashboard", "ingestion", "engine"]
    assert all((ROOT / "deploy/prometheus" / name).exists() for name in configuration["rule_files"])
