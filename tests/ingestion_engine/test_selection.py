import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion_engine.errors import QueryError
from ingestion_engine.models import Column, Event, Ledger
from ingestion_engine.query import parse
from ingestion_engine.selection import check, known_columns, selected
from tests.ingestion_engine.engine import Api

EVENTS = """id,time,label,car,environment,speed,wet,note,0,a__b,"q""uote"
1,2026-01-01,dent,Polo,city,1,true,100%,1,x,1
2,2026-02-01T12:00:00Z,none,polo,,2.5,false,a_b,2,y,
3,,dent,,rain,,,,,,
"""


@pytest.fixture
def events(api: Api) -> Api:
    api.send("r", EVENTS)
    return api


NOW = datetime(2026, 2, 1, 18, tzinfo=UTC)


def select(query: str) -> set[str]:
    revision = Ledger.objects.get().revision
    return {event.event_id for event in selected(query, revision=revision, now=NOW)}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "123"),
        ("label = 'dent'", "13"),
        ("label != 'dent'", "2"),
        ("label in ('none', 'other')", "2"),
        ("label ~ 'en'", "13"),
        ("label = 1", ""),
        ("car = 'Polo'", "1"),
        ("car ~ 'olo'", "12"),
        ("car ~ 'P'", "1"),
        ("car != 'Polo'", "2"),
        ("not car = 'Polo'", "23"),
        ("not car != 'Polo'", "13"),
        ("not car ~ ''", "3"),
        ("environment in ('city', 'rain')", "13"),
        ("id = 'r/2'", "2"),
        ("recording = 'r' and recording ~ 'r'", "123"),
        ("recording != 'r'", ""),
        ("time >= '2026-01-01' and time < '2026-02-01'", "1"),
        ("time = '2026-02-01T13:00:00+01:00'", "2"),
        ("not time > '2000-01-01'", "3"),
        ("time != '2026-01-01'", "2"),
        ("speed = 1", "1"),
        ("speed in (1, 2.5)", "12"),
        ("speed > 1", "2"),
        ("speed <= 1.0", "1"),
        ("not speed > 1", "13"),
        ("speed != 1", "2"),
        ("not speed in (1)", "23"),
        ("wet = true", "1"),
        ("wet != true", "2"),
        ("wet in (true, false)", "12"),
        ("note ~ '%'", "1"),
        ("note ~ '_'", "2"),
        ("note = '100%'", "1"),
        ("not note ~ 'a'", "13"),
        ("`0` = 2", "2"),
        ("a__b = 'x'", "1"),
        ('`q"uote` = 1', "1"),
        ("unknown = 3", ""),
        ("not unknown = 3", "123"),
        ("speed = 'text'", ""),
        ("speed = true", ""),
        ("scalars = 'x' or pk = 1 or recording_id = 1", ""),
        ("label = 'dent' and (speed = 1 or environment = 'rain')", "13"),
        ("not (label = 'dent' or speed > 2)", ""),
        ("speed in 1..2.5", "12"),
        ("speed in 1..2 and time in '2026-01-01'..'2026-01-01'", "1"),
        ("not speed in 2..3", "13"),
        ("not label > 9", "123"),
        ("not not label > 9", ""),
        ("not (label = 'dent' and not speed > 0)", "12"),
        ("missing speed", "3"),
        ("has speed", "12"),
        ("missing car or missing environment", "23"),
        ("not missing environment", "13"),
        ("missing unknown", "123"),
        ("has unknown or missing recording or missing id", ""),
        ("has duration_seconds", ""),
        ("missing time", "3"),
        ("since '2026-01-01'", "12"),
        ("until '2026-01-01'", ""),
        ("since '2026-01-01' until '2026-02-01T12:00:00Z'", "1"),
        ("speed > 0 since today", "2"),
        ("since yesterday until today", ""),
        ("since 32 days ago until 1 hours ago", "12"),
        ("since 6 hours ago until now", "2"),
        ("time < 6.5 hours ago", "1"),
        ("balance by label", "12"),
        ("time > '2000-01-01' balance by `a__b`", "12"),
        ("balance by wet", "12"),
        ("balance by unknown", ""),
        ("balance by recording sample 3", "123"),
    ],
)
def test_a_query_selects(events: Api, query: str, expected: str) -> None:
    assert select(query) == {f"r/{number}" for number in expected}


@pytest.mark.parametrize(
    "text",
    ["' OR 1=1 --", '"); DROP TABLE ingestion_engine_event; --', "\\", "%", "_", "\\'", "x') OR ('1'='1", "{}", "$.c1"],
)
def test_what_a_query_says_never_becomes_sql(events: Api, text: str) -> None:
    quoted = "'" + text.replace("'", "''") + "'"
    column = "`" + text.replace("`", "``") + "`"
    for field in ("label", "car", "environment", "recording", "id", "note", column):
        assert select(f"{field} = {quoted} or {field} in ({quoted})") == set()
    assert select(f"note ~ {quoted}") == {
        f"r/{number}" for number, note in (("1", "100%"), ("2", "a_b")) if text in note
    }
    assert Event.objects.count() == 3


def test_a_query_that_was_asked_before_finds_what_came_since(events: Api) -> None:
    assert select("rms > 1") == set()
    events.send("later", "id,label,rms\n1,dent,2\n")
    assert select("rms > 1") == {"later/1"}


def test_queries_that_differ_in_the_kind_of_a_value_alone_are_told_apart(events: Api) -> None:
    assert select("wet = true") == {"r/1"}
    assert select("wet = 1") == set()


def test_one_of_several_labels_is_a_label(api: Api, parquet: Callable[..., bytes]) -> None:
    api.send("r", parquet(label=[["dent", "scratch"], ["scratch"], [], ["dented"]]))
    assert select("label = 'dent'") == {"r/1"}
    assert select("label in ('dent', 'scratch')") == {"r/1", "r/2"}
    assert select("label != 'scratch'") == {"r/3", "r/4"}
    assert select("label ~ 'dent'") == {"r/1", "r/4"}


def test_labels_that_are_numbers_are_compared_as_numbers(api: Api) -> None:
    api.send("r", "label\n9\n10\n")
    assert select("label > 9") == {"r/2"}
    assert select("label = 9.0") == {"r/1"}
    assert select("label = '9'") == set()


def test_labels_that_are_truth_values_are_compared_as_such(api: Api) -> None:
    api.send("r", "label\ntrue\nfalse\n")
    assert select("label = true") == {"r/1"}
    assert select("label != true") == {"r/2"}


def test_a_query_looks_at_the_states_that_hold_at_its_revision(events: Api) -> None:
    events.send("s", "speed,label\n1,dent\n")
    earlier = selected("label = 'dent'", revision=1, now=NOW)
    assert set(earlier.values_list("event_id", flat=True)) == {"r/1", "r/3"}
    Event.objects.filter(event_id="r/1").update(until=2)
    assert select("label = 'dent'") == {"r/3", "s/1"}
    assert earlier.count() == 2


def test_only_labelled_events_are_selected_unless_the_query_says_otherwise(api: Api) -> None:
    api.send("r", "speed,label\n1,dent\n2,dent\n")
    Event.objects.filter(event_id="r/2").update(label=None)
    assert select("") == select("has label") == select("not missing label") == {"r/1"}
    assert select("missing label") == select("not has label") == {"r/2"}
    assert select("missing label or speed < 9") == {"r/1", "r/2"}


@pytest.fixture
def lopsided(api: Api) -> Api:
    """Thirty events: twenty dents, seven scratches, three others; every other one in the wet."""
    labels = ["dent"] * 20 + ["scratch"] * 7 + ["other"] * 3
    api.send("r", "label,wet\n" + "".join(f"{label},{number % 2 == 0}\n" for number, label in enumerate(labels)))
    return api


def test_balanced_values_have_as_many_events_as_the_rarest(lopsided: Api) -> None:
    assert labels("balance by label") == {"dent": 3, "scratch": 3, "other": 3}
    assert labels("label != 'other' balance by label") == {"dent": 7, "scratch": 7}
    balanced = select("balance by wet")
    assert len(balanced) == 30
    assert select("balance by label") == select("balance by label")


def test_a_sample_is_drawn_as_if_by_chance_but_always_the_same(lopsided: Api) -> None:
    sample = select("sample 6")
    assert len(sample) == 6
    assert sample not in ({f"r/{number}" for number in range(first, first + 6)} for first in range(26))
    assert select("sample 6") == sample < select("sample 7")
    assert select("label = 'other' sample 6") == {"r/28", "r/29", "r/30"}


def test_a_sample_of_what_is_balanced_is_balanced(lopsided: Api) -> None:
    assert labels("balance by label sample 6") == {"dent": 2, "scratch": 2, "other": 2}


def test_events_without_a_value_are_not_balanced(lopsided: Api) -> None:
    Event.objects.filter(label="scratch").update(car="Polo")
    assert labels("balance by car") == {"scratch": 7}


def test_what_was_selected_can_be_filtered_and_counted(lopsided: Api) -> None:
    drawn = selected("balance by label sample 6", revision=1, now=NOW)
    assert drawn.filter(label="dent").count() == 2
    assert drawn.count() == 6


def labels(query: str) -> Counter[str]:
    """How many events of each label a query selects."""
    found = selected(query, revision=Ledger.objects.get().revision, now=NOW)
    return Counter(map(str, found.values_list("label", flat=True)))


@pytest.mark.parametrize(
    ("query", "column", "said"),
    [
        ("speed = 'x'", 9, "kind number"),
        ("missing spectrum", 9, "single values only"),
        ("spectrum > 1", 12, "single values only"),
        ("balance by speed", 12, "choose label, car"),
        ("balance by time", 12, "choose label, car"),
    ],
)
def test_what_can_never_hold_is_refused_at_its_place(
    api: Api, parquet: Callable[..., bytes], query: str, column: int, said: str
) -> None:
    api.send("r", parquet(label=["dent"], speed=[1.5], spectrum=[[1.0, 2.0]]))
    with pytest.raises(QueryError) as caught:
        check(parse(query), known_columns())
    assert caught.value.column == column
    assert said in str(caught.value)


def test_the_duration_is_that_of_the_signals_or_else_of_the_table(api: Api) -> None:
    api.send("r", "label,duration_seconds\ndent,1\ndent,2\nnone,\n")
    Event.objects.filter(event_id="r/2").update(duration_seconds=5.0)
    assert select("duration_seconds in 1..2") == {"r/1"}
    assert select("duration_seconds > 2") == {"r/2"}
    assert select("not duration_seconds > 1") == {"r/1", "r/3"}
    assert select("missing duration_seconds") == {"r/3"}


VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
FIELDS = st.sampled_from(["label", "car", "note", "speed", "wet", "time", "id", "unknown"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(field=FIELDS, operator=st.sampled_from(["=", "!=", "~", "<", ">="]), value=VALUES | st.floats() | st.booleans())
def test_every_query_that_is_understood_runs(events: Api, field: str, operator: str, value: object) -> None:
    text = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else json.dumps(value)
    body = json.dumps({"name": "tag", "query": f"not ({field} {operator} {text}) or {field} in ({text})"})
    response = events.client.post("/api/v1/tags", body, content_type="application/json")
    assert response.status_code in (200, 409, 422)


COLUMN = st.sampled_from(
    ["label", "time", "car", "id", "recording", "duration_seconds", "speed", "wet", "note", "`x y`"]
)
VALUE = st.sampled_from(["'dent'", "-1.5", "3", "true", "now", "yesterday", "2 hours ago", "'2026-01-01'", "'\x1f'"])
OPERATOR = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"])
TERM = (
    st.builds("{} {} {}".format, COLUMN, OPERATOR, VALUE)
    | st.builds("{} in ({}, {})".format, COLUMN, VALUE, VALUE)
    | st.builds("{} in {}..{}".format, COLUMN, VALUE, VALUE)
    | st.builds("{} {}".format, st.sampled_from(["has", "missing"]), COLUMN)
)
CONDITION = st.recursive(
    TERM,
    lambda inner: st.builds("not ({})".format, inner) | st.builds("({}) or {} and {}".format, inner, inner, inner),
    max_leaves=6,
)
CLAUSES = st.lists(
    st.builds("since {}".format, VALUE)
    | st.builds("until {}".format, VALUE)
    | st.builds("balance by {}".format, COLUMN)
    | st.integers(-1, 9).map("sample {}".format),
    max_size=3,
).map(" ".join)


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=80)
@given(text=st.text() | st.builds("{} {}".format, CONDITION, CLAUSES))
def test_any_text_runs_or_is_answered_with_a_place_in_it(text: str) -> None:
    for name, kind in (("speed", "number"), ("wet", "boolean"), ("note", "text")):
        Column.objects.get_or_create(name=name, defaults={"kind": kind})
    try:
        assert list(selected(text, revision=1, now=NOW)) == []
    except QueryError as error:
        assert 1 <= error.line <= text.count("\n") + 1
