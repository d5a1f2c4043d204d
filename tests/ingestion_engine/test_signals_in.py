"""Signals as they come in: sound and tables with labels, cut into events, whichever of the two comes first."""

import io
import json
import wave

import numpy as np

from tests.ingestion_engine.engine import Api

RATE = 1000


def sound(seconds: float = 10.0) -> bytes:
    """One channel of a tone that grows louder."""
    times = np.arange(int(seconds * RATE)) / RATE
    samples = (np.sin(2 * np.pi * 50 * times) * times / seconds * 30_000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


def label(api: Api, name: str, content: str, *, status: int = 200) -> dict[str, object]:
    response = api.client.put(f"/api/v1/recordings/{name}/labels", content, content_type="text/csv")
    assert response.status_code == status, response.content
    answer: dict[str, object] = response.json()
    return answer


def test_labels_make_events_with_signals_and_numbers(api: Api) -> None:
    recording = api.send("ride", sound(), settings=json.dumps({"car": "polo", "before_seconds": 0.5}))
    assert (recording["duration_seconds"], recording["events"]) == (10.0, 0)
    (channel,) = recording["channels"]
    receipt = label(api, "ride", "start,end,label,speed\n2,3,dent,30\n9,9.5,none,\n")
    assert (receipt["added"], receipt["changed"], receipt["waiting"]) == (2, 0, False)
    api.tag("all")
    table = api.table(api.newest("all")["query_id"])
    assert table["id"].to_pylist() == ["ride/2.000", "ride/9.000"]
    assert table["duration_seconds"].to_pylist() == [1.5, 1.0]
    assert [len(samples) for samples in table[channel["name"]].to_pylist()] == [1500, 1000]
    assert table["speed"].to_pylist() == [30, None]
    assert table["car"].to_pylist() == ["polo", "polo"]
    quiet, loud = table[f"{channel['name']}.rms"].to_pylist()
    assert 0 < quiet < loud
