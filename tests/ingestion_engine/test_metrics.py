"""What the ingestion engine tells Prometheus."""

from prometheus_client import CollectorRegistry
from pytest_django import Settings

from ingestion_engine.metrics import looked_up
from telemetry.exposition import FromDatabase
from tests.ingestion_engine.engine import Api
from tests.measured import counting


def value(name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(FromDatabase(looked_up))
    return registry.get_sample_value(name, labels)


def test_recordings_tags_and_versions_are_counted_and_decoding_is_measured(api: Api) -> None:
    api.tag("all")
    with counting("atlas_recording_decode_seconds_count", by=2):
        api.send("monday", "id,label\n1,a\n2,b\n")
        api.send("tuesday", "id,label\n1,a\n1,b\n", state="failed")
    assert value("atlas_recordings", state="ready") == 1
    assert value("atlas_recordings", state="failed") == 1
    assert value("atlas_recordings", state="waiting") == 0
    assert value("atlas_recording_oldest_waiting_seconds") == 0
    assert value("atlas_ingestion_tags") == 1
    assert value("atlas_ingestion_versions") == 1


def test_only_who_has_the_token_reads_them(api: Api, settings: Settings) -> None:
    settings.ATLAS_METRICS_TOKEN = "a-token-of-the-test"
    assert api.client.get("/metrics").status_code == 404
    answer = api.client.get("/metrics", headers={"Authorization": "Bearer a-token-of-the-test"})
    assert b'atlas_recordings{state="waiting"} 0.0' in answer.content


def test_readiness_is_told_in_one_line(api: Api) -> None:
    assert api.client.get("/readyz").content == b"ok\n"


def test_every_answer_of_the_api_has_an_id_also_one_that_failed(api: Api) -> None:
    answers = [api.client.get(address) for address in ("/api/v1/tags", "/api/v1/nowhere")]
    assert [answer.status_code for answer in answers] == [200, 404]
    assert all(answer.headers["X-Request-ID"] for answer in answers)
