"""What the tables of events say, and where they lead."""

import numpy as np

from atlas_web.drops.examples import Examples, Sides, examples
from atlas_web.predicted import Predicted
from ui.formats import NARROW_SPACE


def events(truth: str, predicted: str, ids: str) -> Predicted:
    """Events with one letter each for truth, prediction and id."""
    true, said = np.array(list(truth), dtype=object), np.array(list(predicted), dtype=object)
    sure, wrong = np.full(len(true), 0.9), (true != said).astype(float)
    return Predicted(ids=np.array(list(ids), dtype=object), truth=true, predicted=said, confidence=sure, mistakes=wrong)


def told(then: Predicted, now: Predicted, explained: str = "") -> Examples:
    known = np.array([name in explained for name in now.ids])
    return examples(Sides(then=then, now=now, explained=known, benchmark=7, versions=(1, 2)))


def test_an_event_that_was_explained_leads_to_its_page() -> None:
    found = told(events("aa", "aa", "xy"), events("aa", "bb", "xy"), explained="y")
    rows = {str(row.id) for table in found.tables for row in table.rows}
    assert rows == {'<span class="mono">x</span>', '<a class="mono" href="/benchmarks/7/events/y/">y</a>'}


def test_what_changed_is_told_by_group() -> None:
    found = told(events("aab", "aab", "xyz"), events("abb", "aba", "xyw"))
    changed = "what changed comes from 1 new event, 1 event with another truth and 1 event that went."
    assert found.finding == f"The events of v1 are answered as before: {changed}"
    assert [table.title for table in found.tables] == ["New, and wrong"]
    assert len(found.others) == 2


def test_other_events_altogether_are_said_to_be() -> None:
    found = told(events("a", "a", "x"), events("a", "b", "y"))
    assert found.finding == "No event is in v1 too, so the events are others altogether."


def test_nothing_that_changed_is_said_too() -> None:
    same = events("ab", "aa", "xy")
    assert told(same, same).finding == "The events of v1 are answered as before: nothing changed."


def test_only_the_worst_are_shown() -> None:
    now = events("a" * 12, "b" * 12, "abcdefghijkl")
    (table,) = told(events("a", "a", "z"), now).tables
    assert len(table.rows) == 8
    assert table.text == f"Not in v1: 12 events, 100.0{NARROW_SPACE}% of them wrong. The 8 worst of 12 to look at."
