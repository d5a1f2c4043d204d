import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion_engine.completion import columns, suggest
from tests.ingestion_engine.engine import Api

EVENTS = '''time,label,car,speed,wet,road name,since
2026-01-01,dent,Polo,1,true,A9,x
2026-01-01,dent,Golf,2,false,"B ""2""",x
2026-01-01,scratch,Polo,3,true,A9,x
'''


@pytest.fixture
def events(api: Api) -> Api:
    api.send("r", EVENTS)
    return api


def items(text: str) -> tuple[str, ...]:
    """What is suggested where `|` stands."""
    before, _, after = text.partition("|")
    return suggest(before + after, len(before)).items


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("spe|", ("speed",)),
        ("SPE|", ("speed",)),
        ("ro|", ("`road name`",)),
        ("`road|", ("`road name`",)),
        ("sinc|", ("`since`", "since")),
        ("not mi|", ("missing",)),
        ("missing wet|", ("wet",)),
        ("speed |", ("=", "!=", "<", "<=", ">", ">=", "in")),
        ("car |", ("=", "!=", "~", "in")),
        ("wet |", ("=", "!=", "in")),
        ("speed i|", ("in",)),
        ("speed > |", ()),
        ("wet = |", ("true", "false")),
        ("wet = t|", ("true",)),
        ("car = |", ('"Polo"', '"Golf"')),
        ("car = g|", ('"Golf"',)),
        ('car = "g|', ('"Golf"',)),
        ("car = 'g|", ('"Golf"',)),
        ('car in ("Polo", |', ('"Polo"', '"Golf"')),
        ("`road name` = |", ('"A9"', '"B ""2"""')),
        ("label = d|", ('"dent"',)),
        ("time > |", ("now", "today", "yesterday")),
        ("time > 7 |", ("and", "or", "since", "until", "balance by", "sample", "minutes", "hours", "days", "weeks")),
        ("since 7 d|", ("days",)),
        ("since 7 days |", ("ago",)),
        ("time in yesterday..n|", ("now",)),
        ("speed > 7 |", ("and", "or", "since", "until", "balance by", "sample")),
        ("speed > 7 a| car = 'x'", ("and",)),
        ("since today |", ("since", "until", "balance by", "sample")),
        ("balance |", ("by",)),
        ("balance by |", ("label", "car", "environment", "recording", "`road name`", "`since`", "wet")),
        ("sample |", ()),
        ("speed = = |", ()),
    ],
)
def test_what_may_come_next_is_suggested(events: Api, text: str, expected: tuple[str, ...]) -> None:
    assert sorted(items(text)) == sorted(expected)


def test_a_suggestion_takes_the_place_of_the_word_that_is_being_written(events: Api) -> None:
    assert suggest('speed > 1 and car = "po and', 23).model_dump() == {"start": 20, "items": ('"Polo"',)}
    assert suggest("speed", 2).start == 0


def test_every_column_is_listed_with_its_most_frequent_texts(events: Api) -> None:
    listed = {column.name: (column.kind, column.values) for column in columns()}
    assert listed == {
        "label": ("label", ("dent", "scratch")),
        "time": ("time", ()),
        "car": ("text", ("Polo", "Golf")),
        "environment": ("text", ()),
        "recording": ("text", ()),
        "id": ("text", ()),
        "duration_seconds": ("number", ()),
        "road name": ("text", ("A9", 'B "2"')),
        "since": ("text", ("x",)),
        "speed": ("number", ()),
        "wet": ("boolean", ()),
    }


def test_the_api_answers_with_columns_and_suggestions(events: Api) -> None:
    assert {"name": "car", "kind": "text", "values": ["Polo", "Golf"]} in events.get("queries/columns")
    body = json.dumps({"query": "speed > 7 a", "position": 11})
    response = events.client.post("/api/v1/queries/suggestions", body, content_type="application/json")
    assert response.json() == {"start": 10, "items": ["and"]}


PIECES = st.sampled_from(
    ["label", "car", "`", '"', "'", "x", "=", "in", "(", ",", "..", "3", "days", "since", "by", " "]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(text=st.text() | st.lists(PIECES, max_size=12).map(" ".join), position=st.integers(0, 60))
def test_any_place_in_any_text_has_suggestions_for_a_word_that_ends_there(
    events: Api, text: str, position: int
) -> None:
    assert 0 <= suggest(text, position).start <= min(position, len(text))
