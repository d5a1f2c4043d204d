"""What a report tells, as HTML and as PDF."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from xml.etree import ElementTree

import pytest
import typst
from django.db import connection
from django.test.utils import CaptureQueriesContext

from atlas.results import ClassMetrics, Estimate, Explanation, Importance, Residuals
from atlas_web.reports import Report, as_html, as_pdf, report
from atlas_web.reports.document import Block, Facts, Picture, Section, Table, Text
from atlas_web.reports.paper import TEMPLATE, document
from storage import queries
from storage.models import Benchmark
from tests import stage
from tests.atlas_web.reports.conftest import HOSTILE, measured, scored, version
from tests.drifting import column, drift, from_reference, keep, keep_for
from tests.samples import NOON, result
from ui.formats import MINUS, NARROW_SPACE, NOTHING

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def reported(model: int, tag: str = "") -> Report:
    found = queries.model_report(model, tag)
    assert found is not None
    return report(found, NOON)


def part(of: Report, title: str) -> list[Block]:
    return next((list(section.blocks) for section in of.sections if section.title == title), [])


def titles(of: Report) -> list[str]:
    return [section.title for section in of.sections]


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type ?/Page\b", pdf))


def texts(of: Report) -> str:
    """All that a report says, without its pictures."""
    said = re.sub(r"<style>.*?</style>|<[^>]+>", " ", as_html(of), flags=re.DOTALL)
    return " ".join(unescape(said).split())


EXPLAINED = Explanation(
    method="TreeExplainer",
    output="probability",
    outputs=("damaged",),
    rows=30,
    of_rows=30,
    importances=(
        Importance(feature=HOSTILE[:200], mean_absolute=(0.3,)),
        *(Importance(feature=f"f{number}", mean_absolute=(0.1,)) for number in range(9)),
    ),
)
CLASS = ClassMetrics(label=HOSTILE, rows=12, precision=Estimate(value=0.9), recall=Estimate(), f1=Estimate(value=0.8))


def test_a_report_begins_with_the_numbers_that_matter() -> None:
    model = measured(0.8, 0.9)
    assert [figure.title for figure in reported(model).figures] == ["F1 on v2", "Change since v1"]
    measured(0.7, 0.95, name="Tree-1.0.0-1")
    figures = [(figure.title, figure.value) for figure in reported(model).figures]
    assert figures == [("F1 on v2", "0.900"), ("Change since v1", "+0.100"), ("Place", "2nd")]


def test_rivals_on_the_newest_version_are_on_the_first_page() -> None:
    model = measured(0.5)
    for place in range(8):
        measured(0.9 - place / 100, name=f"Tree-{place}.0.0-1")
    table = reported(model).summary[1]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["1", "2", "3", "4", "5", "9"]
    assert table.rows[table.marked][1] == "Forest-1.0.0-1"
    assert table.note == "The best of 9 models of the use case that have this metric."


def test_a_model_without_rivals_has_no_table_of_them() -> None:
    assert [block.kind for block in reported(measured(0.5)).summary] == ["picture"]


def test_each_version_has_its_value_and_what_changed() -> None:
    table = next(
        each
        for each in part(reported(measured(0.8, 0.79, 0.9)), "Metrics over dataset versions")
        if isinstance(each, Table) and each.title == "F1 on each version"
    )
    assert [(row[0], *row[3:]) for row in table.rows] == [
        ("v1", "0.800", "0.780 to 0.820", NOTHING, NOTHING),
        ("v2", "0.790", "0.770 to 0.810", f"{MINUS}0.010", "no"),
        ("v3", "0.900", "0.880 to 0.920", "+0.110", "yes"),
    ]


def test_of_many_versions_the_newest_are_shown_and_that_is_said() -> None:
    model = measured(*[0.8] * (queries.MOST_REPORTED + 2))
    made = reported(model)
    assert part(made, "Metrics over dataset versions")[0] == Text(
        "The model is measured on 14 versions of impacts; this report shows the newest 12 of them."
    )
    costs = part(made, "What it costs")[0]
    assert isinstance(costs, Table)
    assert [row[0] for row in costs.rows] == [f"v{number}" for number in range(3, 15)]


def test_a_model_without_results_is_told_of_all_the_same() -> None:
    made = reported(stage.add_model())
    assert titles(made) == ["What it is", "Provenance"]
    assert made.subtitle == "For damage detector, not measured on impacts yet"
    assert pages(as_pdf(made)) == 2


def test_pictures_say_in_words_what_they_show() -> None:
    made = reported(measured(0.8, 0.9))
    pictures = [
        block
        for blocks in (made.summary, *(section.blocks for section in made.sections))
        for block in blocks
        if isinstance(block, Picture)
    ]
    assert pictures[0].label == "Line chart: 0.800 on v1, 0.900 on v2"
    for picture in pictures:
        assert picture.label
        assert ElementTree.fromstring(picture.svg).tag.endswith("svg")


def test_a_regression_shows_what_it_predicted_beside_the_truth() -> None:
    model = stage.add_model(task="regression", classes=(), target="speed", metrics=("r2",), primary_metric="r2")
    residuals = Residuals(truth=(1.0, 2.0), predicted=(1.5, 2.5))
    stage.finish(model, version(1), result(confusion_matrix=None, residuals=residuals))
    (picture,) = part(reported(model), "Where it is right and wrong")
    assert picture.kind == "picture"
    assert "True speed" in picture.svg  # type: ignore[union-attr]  # it is a picture
    assert pages(as_pdf(reported(model))) > 1


def test_several_labels_at_once_are_told_class_by_class() -> None:
    model = stage.add_model(task="multilabel", metrics=("f1_macro",), primary_metric="f1_macro")
    stage.finish(model, version(1), result(confusion_matrix=None, class_metrics=(CLASS,)))
    (table,) = part(reported(model), "Where it is right and wrong")
    assert isinstance(table, Table)
    assert table.rows == [(HOSTILE, "12", "0.900", NOTHING, "0.800")]


def test_an_explanation_says_what_matters_and_what_was_left_out() -> None:
    model = stage.add_model()
    stage.finish(model, version(1), scored(0.8, explanation=EXPLAINED))
    text, picture, facts = part(reported(model), "What it goes by")
    assert isinstance(text, Text) and isinstance(picture, Picture) and isinstance(facts, Facts)
    assert "have 42" in text.text
    assert picture.note == "2 others have 17\N{NARROW NO-BREAK SPACE}% of all effects together."
    assert ("Method", "TreeExplainer") in facts.rows


def test_over_several_versions_importances_are_followed() -> None:
    model = stage.add_model()
    for number in (1, 2):
        stage.finish(model, version(number), scored(0.8, explanation=EXPLAINED))
    shown = [block.title for block in part(reported(model), "What it goes by") if isinstance(block, Picture)]
    assert shown == ["Importance of the features on v2", "Importance over dataset versions"]


def test_why_there_is_no_explanation_is_said() -> None:
    assert part(reported(measured(0.8)), "What it goes by") == [
        Text("No explanation is possible: no explainer for this model")
    ]


def test_data_are_compared_with_what_the_model_was_trained_on() -> None:
    model = measured(0.8, 0.8)
    for benchmark, distance in zip(Benchmark.objects.order_by("pk"), (0.05, 0.3), strict=True):
        keep_for(benchmark.pk, from_reference(column("peak", distance), column("rms"), labels=column("label", 0.2)))
    text, versions, labels, columns = part(reported(model), "How the data changed")
    assert isinstance(text, Text) and isinstance(versions, Table)
    assert isinstance(labels, Table) and isinstance(columns, Table)
    assert text.text.startswith("v2: 1 of 2 columns has moved from what the model was trained on: peak, by 0.30.")
    assert [row[:4] for row in versions.rows] == [("v1", "0 of 2", "peak", "0.05"), ("v2", "1 of 2", "peak", "0.30")]
    assert labels.rows[0] == ("low", f"60.0{NARROW_SPACE}%", f"10.0{NARROW_SPACE}%", f"{MINUS}50.0")
    assert [row[:3] for row in columns.rows] == [("peak", "yes", "0.30"), ("rms", "no", "0.02")]


def test_without_a_sample_of_what_it_was_trained_on_data_are_compared_with_the_first_version() -> None:
    model = measured(0.8, 0.8)
    keep_for(Benchmark.objects.latest("pk").pk, unknown="The bundle holds no sample.")
    keep(version(2), drift(column("peak", 0.3)))
    why, text, *_ = part(reported(model), "How the data changed")
    assert why == Text("The bundle holds no sample. So each version is compared with the first one.")
    assert isinstance(text, Text)
    assert text.text.startswith("v2: 1 of 1 column has moved since v1: peak, by 0.30.")


def test_where_nothing_was_compared_the_report_says_why() -> None:
    (text,) = part(reported(measured(0.8)), "How the data changed")
    assert isinstance(text, Text)
    assert text.text.startswith("How far the data moved is not known. It has not been compared yet.")


def test_where_a_result_comes_from_is_told_to_the_last_digit() -> None:
    said = texts(reported(measured(0.8)))
    for digest in (stage.digest("Forest-1.0.0-1.atlas"), stage.digest("impacts-v1")):
        assert digest in said
    for what in ("Machine bench", "Atlas 0.1.0, Python 3.11.7", "numpy 2.4.6"):
        assert what in said


def test_of_several_tags_one_is_chosen() -> None:
    model = measured(0.8, tags=("impacts", "winter"))
    stage.finish(model, stage.add_version(1, tag="winter", created=NOON + timedelta(days=90)), scored(0.7))
    found = queries.model_report(model)
    assert found is not None
    assert (found.tags, found.tag) == (["winter", "impacts"], "winter")
    assert reported(model, "impacts").figures[0].value == "0.800"
    assert queries.model_report(model, "summer") is None


def test_a_file_that_cannot_be_used_has_no_report() -> None:
    assert queries.model_report(stage.add_invalid_file("broken.atlas", "It is not a zip file.")) is None
    assert queries.model_report(12345) is None


def test_a_report_costs_as_many_queries_however_much_it_tells() -> None:
    small, large = measured(0.8, name="Small-1.0.0-1"), measured(*[0.8] * 12, name="Large-1.0.0-1")
    counts = []
    for model in (small, large):
        with CaptureQueriesContext(connection) as captured:
            as_html(reported(model))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 12


# As files -----------------------------------------------------------------------------------------------------------


def hostile() -> Report:
    """A report in which all that people and models may write is hostile."""
    model = stage.add_model(
        use_case=HOSTILE, author={"name": HOSTILE, "email": "a@b.c"}, classes=(HOSTILE, "$x_1$"), target=HOSTILE
    )
    for number in (1, 2):
        outcome = scored(0.8, explanation=EXPLAINED, class_metrics=(CLASS,), warnings=(HOSTILE,))
        benchmark = stage.finish(model, version(number), outcome)
        keep_for(benchmark, from_reference(column(HOSTILE, 0.3), gone=(HOSTILE,)))
    stage.fail(model, version(3), HOSTILE)
    return reported(model)


def test_an_html_file_needs_nothing_else() -> None:
    html = as_html(reported(measured(0.8, 0.9)))
    assert not re.search(r"https?://|<script|<link|<iframe|@import|\bon\w+=", html)
    assert set(re.findall(r'src="(.{26})', html)) == {"data:image/svg+xml;base64,"}


def test_no_text_becomes_a_part_of_an_html_file() -> None:
    made = hostile()
    html = as_html(made)
    assert "<script" not in html
    assert html.count("<title>") == html.count("</title>") == 1
    assert texts(made).count("<script>alert(1)</script>") >= 6


def test_no_text_becomes_a_part_of_a_chart() -> None:
    made = hostile()
    for section in made.sections:
        for block in section.blocks:
            if isinstance(block, Picture):
                names = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(block.svg).iter()}
                assert not names & {"script", "image", "a", "foreignObject"}


def test_a_pdf_has_its_pages_and_says_what_it_is() -> None:
    pdf = as_pdf(reported(measured(0.8, 0.9)))
    assert pdf.startswith(b"%PDF-")
    assert pages(pdf) in range(3, 9)
    assert b"(Forest-1.0.0-1: model report)" in pdf
    assert b"(Ines Prado)" in pdf


def test_the_same_report_gives_the_same_pdf() -> None:
    made = reported(measured(0.8, 0.9))
    assert as_pdf(made) == as_pdf(made)


def test_no_text_becomes_a_part_of_a_pdf_s_template() -> None:
    """What `#panic` would stop if it were run is in the document as it was written."""
    made = hostile()
    assert pages(as_pdf(made)) > 2
    asked = {"report": json.dumps(document(replace(made, sections=[Section(title=HOSTILE, blocks=[])])))}
    headings = json.loads(typst.query(str(TEMPLATE), "heading", sys_inputs=asked, root=str(TEMPLATE.parent)))
    assert headings[-1]["body"] == {"func": "text", "text": HOSTILE}


@pytest.mark.filterwarnings("ignore:Glyph")  # no font has a control character
def test_control_characters_break_neither_file() -> None:
    importance = Importance(feature="a\x01\x0b\uffffb", mean_absolute=(0.3,))
    model = stage.add_model(use_case="a\x01\x0b\uffffb")
    stage.finish(
        model, version(1), scored(0.8, explanation=EXPLAINED.model_copy(update={"importances": (importance,)}))
    )
    assert pages(as_pdf(reported(model))) > 1
    assert "</html>" in as_html(reported(model))


def test_a_name_without_a_space_stays_on_the_page() -> None:
    model = measured(0.8, name="x" * 128)
    assert pages(as_pdf(reported(model))) == pages(as_pdf(reported(measured(0.8, name="Short-1.0.0-1"))))
