"""The report of a model over HTTP."""

import pytest
from django.test import Client

from tests import stage
from tests.atlas_web.conftest import Count, Read
from tests.atlas_web.reports.conftest import HOSTILE, measured

pytestmark = pytest.mark.django_db


def test_a_report_can_be_looked_at_and_taken_along(read: Read) -> None:
    model = measured(0.8, 0.9)
    shown = read(f"/models/{model}/report/")
    assert "It is better than on v1 by more than noise (0.800 to 0.900)." in shown.text
    assert f'href="/models/{model}/report.html?tag=impacts"' in shown.html
    assert f'href="/models/{model}/report.pdf?tag=impacts"' in shown.html
    assert " style=" not in shown.html


def test_a_model_leads_to_its_report(read: Read) -> None:
    model = measured(0.8)
    assert f'href="/models/{model}/report/"' in read(f"/models/{model}/").html
    broken = stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    assert "report" not in read(f"/models/{broken}/").html


def test_a_tag_is_chosen_where_there_are_several(read: Read) -> None:
    model = measured(0.8, tags=("impacts", "winter"))
    stage.finish(model, stage.add_version(1, tag="winter"))
    assert 'aria-label="Dataset tag"' in read(f"/models/{model}/report/").html
    assert "measured on winter, up to v1" in read(f"/models/{model}/report/?tag=winter").text
    assert "measured on impacts, up to v1" in read(f"/models/{model}/report/?tag=impacts").text
    assert read(f"/models/{model}/report/?tag=summer").status == 404
    assert read(f"/models/{model}/report/?tag=%00").status == 404


def test_one_tag_is_no_choice(read: Read) -> None:
    assert 'aria-label="Dataset tag"' not in read(f"/models/{measured(0.8)}/report/").html


def test_a_model_without_results_has_a_report_that_says_so(read: Read) -> None:
    shown = read(f"/models/{stage.add_model()}/report/")
    assert "It has not been measured on impacts yet" in shown.text


@pytest.mark.parametrize("kind", ["/", ".html", ".pdf"])
def test_what_cannot_be_used_has_no_report(read: Read, kind: str) -> None:
    broken = stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    assert read(f"/models/{broken}/report{kind}").status == 404
    assert read(f"/models/12345/report{kind}").status == 404


def test_a_report_is_downloaded_as_a_file_that_may_do_nothing(reader: Client) -> None:
    answer = reader.get(f"/models/{measured(0.8)}/report.html")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Forest-1.0.0-1 on impacts.html"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert answer.content.startswith(b"<!DOCTYPE html>")


def test_a_report_is_downloaded_as_a_pdf(reader: Client) -> None:
    answer = reader.get(f"/models/{measured(0.8)}/report.pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Forest-1.0.0-1 on impacts.pdf"'
    assert answer.content.startswith(b"%PDF-")


def test_no_name_becomes_a_part_of_the_page(read: Read) -> None:
    html = read(f"/models/{measured(0.8, use_case=HOSTILE)}/report/").html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_the_page_costs_as_many_queries_however_much_it_tells(queries_of: Count) -> None:
    small, large = measured(0.8, name="Small-1.0.0-1"), measured(*[0.8] * 12, name="Large-1.0.0-1")
    assert queries_of(f"/models/{small}/report/") == queries_of(f"/models/{large}/report/")
