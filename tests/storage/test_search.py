"""What searches find among models and benchmarks, and what the search for everything finds."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from atlas.results import MetricValue
from storage import queries
from storage.models import Benchmark
from storage.queries import BENCHMARKS, LANGUAGES, MODELS, SearchError
from tests import stage
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db

VIDAL = {"name": "Tomás Vidal", "email": "tomas@example.org"}
OWN = (MetricValue(name="missed-cars.share", value=0.25, greater_is_better=False),)


@pytest.fixture
def filled() -> None:
    """Forest is done on two versions, Linear failed on one, Idle has not begun, and broken is no bundle."""
    first, second = stage.add_version(1), stage.add_version(2)
    forest = stage.add_model("Forest-1.0.0-1")
    stage.finish(forest, first, result(f1=0.5))
    stage.finish(forest, second, result(f1=0.9).model_copy(update={"metrics": (*result(f1=0.9).metrics, *OWN)}))
    Benchmark.objects.filter(dataset_version=second).update(latency_p50_seconds=0.004)
    winter = {"use_case": "scratch finder", "task": "regression", "classes": (), "metrics": ("r2",)}
    linear = stage.add_model(
        "Linear-2.0.0-1",
        author=VIDAL,
        tags=("winter",),
        version="2.0.0",
        primary_metric="r2",
        created=NOON + timedelta(days=1),
        arrived=NOON + timedelta(minutes=30),
        **winter,
    )
    stage.fail(linear, stage.add_version(1, tag="winter"), "It ate all memory.", now=NOON + timedelta(days=2))
    stage.add_model("Idle-1.0.0-1", use_case="100% \\ \"odd\" 'case'")
    stage.add_invalid_file("broken.atlas", "It is not a zip file.")


def models(text: str) -> list[str]:
    """The first letters of the models that a text finds."""
    return sorted(model.name[0] for model in queries.plain_models().filter(MODELS.condition(text)))


def benchmarks(text: str) -> list[str]:
    """The model's first letter and the version's number of each benchmark that a text finds."""
    found = queries.plain_benchmarks().filter(BENCHMARKS.condition(text)).select_related("model", "dataset_version")
    return sorted(f"{each.model.name[0]}{each.dataset_version.number}" for each in found)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "FILb"),
        ("  ", "FILb"),
        ("forest", "F"),
        ("prado detector", "F"),
        ("prado finder", ""),
        ('"ines prado"', "FI"),
        ('"prado ines"', ""),
        ("100%", "I"),
        ("_", ""),
        ('name = "Forest-1.0.0-1"', "F"),
        ('name = "forest-1.0.0-1"', ""),
        ('name ~ "FOREST"', "F"),
        ('name !~ "forest"', "ILb"),
        ('name startswith "li"', "L"),
        ('name not startswith "li"', "FIb"),
        ('name endswith ".ATLAS"', "b"),
        ('name not endswith ".ATLAS"', "FIL"),
        ('use_case = "damage detector"', "F"),
        ('use_case != "damage detector"', "ILb"),
        ('use_case in ("damage detector", "scratch finder")', "FL"),
        ('use_case not in ("damage detector", "scratch finder")', "Ib"),
        ("use_case = None", "b"),
        ("use_case != None", "FIL"),
        ("use_case in (None, 'scratch finder')", "Lb"),
        (r"""use_case = "100% \\ \"odd\" 'case'" """, "I"),
        ('use_case ~ "%"', "I"),
        ('task = "regression"', "L"),
        ("task = None", "b"),
        ('author ~ "VIDAL"', "L"),
        ('author !~ "vidal"', "FIb"),
        ("author = None", "b"),
        ('tag = "winter"', "L"),
        ('tag != "winter"', "FIb"),
        ("tag = None", "b"),
        ("tag != None", "FIL"),
        ('version = "2.0.0"', "L"),
        ('created = "2026-03-02"', "FI"),
        ('created > "2026-03-02"', "L"),
        ('created <= "2026-03-02"', "FI"),
        ('created < "2026-03-02"', ""),
        ('created >= "2026-03-02 12:01"', "L"),
        ('created = "2026-03-02 12:00:00"', "FI"),
        ('created != "2026-03-02"', "Lb"),
        ("created = None", "b"),
        ('arrived > "2026-03-02 12:29"', "L"),
        ('state = "benchmarked"', "F"),
        ('state = "failed"', "L"),
        ('state in ("invalid", "failed")', "Lb"),
        ('state != "invalid"', "FIL"),
        ('state = "waiting"', ""),
        ("score > 0.5", "F"),
        ("score <= 0.5", ""),
        ("score = 0.9", "F"),
        ("score != 0.9", "ILb"),
        ("score = None", "ILb"),
        ("score > 0", "F"),
        ("done = 2", "F"),
        ("done in (0, 2.0)", "FILb"),
        ("done not in (2)", "ILb"),
        ("failed > 0", "L"),
        ("size_mb < 0.01", "FILb"),
        ("size_mb > 0.009", "FILb"),
        ("size_mb > 0.01", ""),
        ("f1 = 0.9", "F"),
        ("f1 < 0.9", ""),
        ("f1 = None", "ILb"),
        ("f1 != None", "F"),
        ("accuracy >= 0.9 and f1 >= 0.9", "F"),
        ("missed-cars.share < 0.3", "F"),
        ("r2 > 0", ""),
        ('author ~ "prado" and done = 0 or failed = 1', "IL"),
        ('author ~ "prado" and (done = 0 or failed = 1)', "I"),
    ],
)
def test_models_are_found(text: str, found: str) -> None:
    assert "".join(models(text)) == found


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["F1", "F2", "L1"]),
        ("memory linear", ["L1"]),
        ('model startswith "forest"', ["F1", "F2"]),
        ('use_case = "scratch finder"', ["L1"]),
        ('author = "Ines Prado"', ["F1", "F2"]),
        ('tag = "impacts" and version = 2', ["F2"]),
        ("version != 1", ["F2"]),
        ('state = "done"', ["F1", "F2"]),
        ('state not in ("done", "queued")', ["L1"]),
        ('reason ~ "memory"', ["L1"]),
        ("reason = None", ["F1", "F2"]),
        ('failure_class = "load error"', ["L1"]),
        ("failure_class = None", ["F1", "F2"]),
        ('finished > "2026-03-03"', ["L1"]),
        ('queued = "2026-03-02"', ["F1", "F2"]),
        ("wall_seconds = 2", ["F1", "F2"]),
        ("latency_p50_ms < 5", ["F2"]),
        ("latency_p50_ms >= 5", []),
        ("memory_mb = 100", ["F1", "F2"]),
        ("score < 0.6", ["F1"]),
        ("f1 > 0.6", ["F2"]),
        ("f1 != 0.5", ["F2", "L1"]),
        ("missed-cars.share = 0.25", ["F2"]),
    ],
)
def test_benchmarks_are_found(text: str, found: list[str]) -> None:
    assert benchmarks(text) == found


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("done = 1 and f1_makro > 0.9", 14, "There is no field f1_makro. Did you mean f1_macro"),
        ("zzz = 1", 1, "There is no field zzz. Fields: name, use_case"),
        ("manifest ~ 'x'", 1, "There is no field manifest."),
        ("author.email ~ 'x'", 1, "There is no field author.email."),
        ("author__email ~ 'x'", 1, "There is no field author__email."),
        ("key = 'x'", 1, "There is no field key."),
        ("name > 'x'", 1, "name is a text: it is compared by =, !=, ~"),
        ("done ~ '3'", 1, "done is a number: it is compared by =, !=, >"),
        ("state ~ 'fail'", 1, "state is a word: it is compared by =, !=, in, not in, not by ~."),
        ("name = 3", 8, 'name is a text: expected one in quotes such as "Forest-1.0.0", not 3.'),
        ("name = True", 8, "name is a text"),
        ('name = "\\u0000"', 8, "a character that no database holds"),
        ('name ~ "\\ud800"', 8, "a character that no database holds"),
        ('done = "many"', 8, 'done is a number: expected one such as 3, not "many".'),
        ("done = 1.5", 8, "done is a whole number: expected one such as 3, not 1.5."),
        ("done = True", 8, "done is a number"),
        ("score > 1e999", 9, "score is a number: this one is too large."),
        ("done > 99999999999999999999", 8, "done is a number: this one is too large."),
        ('state = "finished"', 9, 'state is one of "benchmarked", "waiting", "failed", "invalid", not "finished".'),
        ('created > "yesterday"', 11, 'created is a time: expected "2026-03-02" or "2026-03-02 14:30" (UTC)'),
        ('created > "2026-02-30"', 11, "created is a time"),
        ('created > "9999-12-31"', 11, "created is a time"),
        ("created > 2026", 11, "created is a time"),
        ("x" * 501, 501, "A search has at most 500 characters."),
        ("a\0", 2, "No database holds this character."),
        ("name = ", 8, "The search ends too early"),
    ],
)
def test_what_no_field_takes_is_said_with_its_column(text: str, column: int, problem: str) -> None:
    with pytest.raises(SearchError) as raised:
        MODELS.condition(text)
    assert raised.value.column == column
    assert problem in raised.value.problem


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "text",
    [
        'name = "\' OR 1=1 --"',
        'name ~ "\'; DROP TABLE storage_model; --"',
        "name startswith \"\\\\' OR ''='\"",
        "'; DELETE FROM storage_model; --",
    ],
)
def test_sql_in_a_text_is_nothing_but_text(text: str) -> None:
    with suppress(SearchError):
        assert models(text) == []
    assert "".join(models("")) == "FILb"


WORDS = [*MODELS.fields, *BENCHMARKS.fields, "f1", "and", "or", "not", "in", "None", "True", "(", ")", ",",
         "=", "!=", "~", "!~", ">", "<=", "startswith", '"a"', "'b'", "0.5", "3", "-1", '"2026-03-02"', '"',
         "\\"]  # fmt: skip


@pytest.mark.parametrize("name", LANGUAGES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=some.text() | some.lists(some.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_text_finds_rows_or_is_told_what_is_wrong_with_it(name: str, text: str) -> None:
    rows = {"models": queries.plain_models, "benchmarks": queries.plain_benchmarks}[name]()
    try:
        list(rows.filter(LANGUAGES[name].condition(text)))
    except SearchError as error:
        assert 1 <= error.column <= len(text) + 1


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=some.text() | some.lists(some.sampled_from([*WORDS, "v3", "v0", "abcdef"]), max_size=6).map(" ".join))
def test_everything_can_be_searched_for_any_text(text: str) -> None:
    try:
        queries.everything(text, 3, counted=True)
    except SearchError as error:
        assert 1 <= error.column <= len(text) + 1


@pytest.mark.usefixtures("filled")
def test_the_longest_texts_are_searched_for() -> None:
    assert models("q " * 250) == []
    assert models(" or ".join(["done=9"] * 50)) == []
    assert models(f"done in ({','.join(['9'] * 240)})") == []
    assert models("(" * 200 + "done=9" + ")" * 200) == []


@pytest.mark.usefixtures("filled")
def test_a_search_for_metrics_costs_one_query_and_one_more_for_a_metric_that_is_not_registered() -> None:
    for text, number in (("f1 > 0.1 and accuracy > 0.1 or score > 0", 1), ("missed-cars.share > 0", 2)):
        with CaptureQueriesContext(connection) as captured:
            benchmarks(text)
        assert len(captured) == number


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("text", "found", "query"),
    [
        ("forest", "Forest-1.0.0-1 | F2 F1 | | | |", 'model ~ "forest"'),
        ("impacts", "| F2 F1 | impacts | impacts v2 impacts v1 | |", 'tag ~ "impacts"'),
        ("forest impacts v2", "| F2 | | | |", 'model ~ "forest" and tag ~ "impacts" and version = 2'),
        ("impacts v1", "| F1 | | impacts v1 | |", 'tag ~ "impacts" and version = 1'),
        ("impacts-v2", "| | | impacts v2 | |", 'model ~ "impacts-v2"'),
        ("tomas@", "| | | | Tomás Vidal |", 'model ~ "tomas@"'),
        ('fo"re', "| | | | |", r'model ~ "fo\"re"'),
        (stage.digest("Forest-1.0.0-1.atlas")[:12], "Forest-1.0.0-1 | | | | |", None),
        (stage.digest("impacts-v2")[:12].upper(), "| | | impacts v2 | |", None),
        ("f1 = 0.9", "Forest-1.0.0-1 | F2 | | | |", "f1 = 0.9"),
        (
            "done = 0",
            "Linear-2.0.0-1 broken.atlas Idle-1.0.0-1 | | | | | Benchmarks: Column 1: There is no field",
            None,
        ),
        ('reason ~ "memory"', "| L1 | | | | Models: Column 1: There is no field reason.", None),
    ],
)
def test_everything_is_searched_for(text: str, found: str, query: str | None) -> None:
    findings = queries.everything(text, 5, counted=True)
    kinds = (
        [model.name for model in findings.models],
        [f"{each.model.name[0]}{each.dataset_version.number}" for each in findings.benchmarks],
        findings.tags,
        [str(version) for version in findings.versions],
        [author.name for author in findings.authors],
    )
    told = " | ".join(" ".join(kind) for kind in kinds) + " | " + " ".join(findings.problems)
    assert " ".join(told.split()).startswith(found)
    assert (findings.model_count, findings.benchmark_count) == (len(findings.models), len(findings.benchmarks))
    assert query in (None, findings.benchmark_query)


def test_a_query_that_nothing_can_be_searched_for_is_an_error() -> None:
    with pytest.raises(SearchError, match="Column 1: There is no field zzz"):
        queries.everything("zzz = 1", 5)
