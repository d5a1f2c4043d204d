import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion_engine.models import Event, Ledger
from ingestion_engine.selection import selected
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


VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
FIELDS = st.sampled_from(["label", "car", "note", "speed", "wet", "time", "id", "unknown"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(field=FIELDS, operator=st.sampled_from(["=", "!=", "~", "<", ">="]), value=VALUES | st.floats() | st.booleans())
def test_every_query_that_is_understood_runs(events: Api, field: str, operator: str, value: object) -> None:
    text = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else json.dumps(value)
    body = json.dumps({"name": "tag", "query": f"not ({field} {operator} {text}) or {field} in ({text})"})
    response = events.client.post("/api/v1/tags", body, content_type="application/json")
    assert response.status_code in (200, 409, 422)
