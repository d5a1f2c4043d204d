"""The predictions of a benchmark as a file, from the real object store."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from storage.objects import open_store
from tests import stage
from tests.atlas_web.conftest import Read
from tests.samples import result

pytestmark = pytest.mark.django_db
KEY = "predictions/4f1c.parquet"
CONTENT = b"PAR1" + bytes(3 << 20) + b"PAR1"


@pytest.fixture(autouse=True)
def store(settings: Settings, tmp_path: Path) -> None:
    """A store with the predictions of one benchmark."""
    settings.ATLAS_OBJECT_STORE = str(tmp_path)
    open_store(str(tmp_path)).put(KEY, CONTENT)


def benchmark(key: str = KEY) -> int:
    return stage.finish(stage.add_model(), stage.add_version(3), result(predictions_key=key))


def test_a_benchmark_s_page_links_to_its_predictions(reader: Client, read: Read) -> None:
    pk = benchmark()
    assert f'href="/benchmarks/{pk}/predictions/"' in read(f"/benchmarks/{pk}/").html
    answer = reader.get(f"/benchmarks/{pk}/predictions/")
    assert answer.status_code == 200
    assert b"".join(answer) == CONTENT
    assert answer["Content-Type"] == "application/vnd.apache.parquet"
    assert answer["Content-Length"] == str(len(CONTENT))
    assert answer["Content-Disposition"] == 'attachment; filename="Forest-1.0.0-1-impacts-v3.parquet"'


def test_a_benchmark_without_predictions_has_no_link_and_no_file(reader: Client, read: Read) -> None:
    pk = benchmark("")
    assert "predictions/" not in read(f"/benchmarks/{pk}/").html
    assert reader.get(f"/benchmarks/{pk}/predictions/").status_code == 404


def test_predictions_that_are_gone_are_not_found(reader: Client) -> None:
    assert reader.get(f"/benchmarks/{benchmark('predictions/gone.parquet')}/predictions/").status_code == 404


def test_a_benchmark_that_is_none_is_not_found(reader: Client) -> None:
    assert reader.get("/benchmarks/4711/predictions/").status_code == 404


def test_predictions_are_for_those_who_are_signed_in(client: Client) -> None:
    answer = client.get(f"/benchmarks/{benchmark()}/predictions/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/")


def test_predictions_are_only_read(reader: Client) -> None:
    assert reader.post(f"/benchmarks/{benchmark()}/predictions/").status_code == 405
