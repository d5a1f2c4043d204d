"""What the database keeps of an explanation."""

import dataclasses

import numpy as np
import pytest

from explainability.summary import importances, summarized
from tests.explained import explained


def test_importances_are_means_over_the_fair_sample_alone() -> None:
    events = explained()
    found = summarized(events.findings, events.is_sampled, of_rows=5_000, seconds=2.5)
    assert (found.rows, found.picked_rows, found.of_rows, found.seconds) == (90, 30, 5_000, 2.5)
    expected = np.abs(events.findings.values[events.is_sampled]).mean(axis=0)
    for importance in found.importances:
        place = events.findings.features.index(importance.feature)
        assert importance.mean_absolute == pytest.approx(expected[place], rel=1e-5)
    totals = [importance.total for importance in found.importances]
    assert totals == sorted(totals, reverse=True)


def test_columns_add_up_the_values_of_what_was_made_of_them() -> None:
    events = explained()
    found = summarized(events.findings, events.is_sampled, of_rows=5_000, seconds=1)
    sums = np.abs(events.findings.values[events.is_sampled][:, :2].sum(axis=1)).mean(axis=0)
    shock = next(importance for importance in found.column_importances if importance.feature == "shock")
    assert shock.mean_absolute == pytest.approx(sums, rel=1e-5)
    assert {each.feature for each in found.column_importances} == {"shock", "peak_2", "peak_3", "peak_4", "peak_5"}


@pytest.mark.parametrize("sources", ["features", "unknown"])
def test_there_are_no_columns_where_they_say_nothing_new(sources: str) -> None:
    events = explained()
    features = events.findings.features
    findings = dataclasses.replace(events.findings, sources=features if sources == "features" else ("",) * 6)
    assert summarized(findings, events.is_sampled, of_rows=120, seconds=1).column_importances == ()


def test_the_standard_error_is_what_other_samples_of_as_many_rows_show() -> None:
    random = np.random.default_rng(0)
    everything = random.gamma(1.0, size=(2_000, 1, 1))
    draws = [everything[random.permutation(2_000)[:500]] for _ in range(400)]
    means = [importances(values, ["peak"], of_rows=2_000)[0].mean_absolute[0] for values in draws]
    (told,) = importances(draws[0], ["peak"], of_rows=2_000)
    assert told.standard_error[0] == pytest.approx(np.std(means), rel=0.15)


def test_who_explains_all_rows_has_no_error() -> None:
    (told,) = importances(np.random.default_rng(0).normal(size=(50, 1, 2)), ["peak"], of_rows=50)
    assert told.standard_error == (0, 0)
