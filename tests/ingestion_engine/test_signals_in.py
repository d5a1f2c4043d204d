"""From signals to events: windows round labels or of one length, labels that come before the recording and later."""

import io
import json
import wave

import numpy as np
import pytest

from ingestion_engine.models import Change, Event, LabelFile
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


def test_labels_that_came_first_are_applied_when_the_recording_is_decoded(api: Api) -> None:
    receipt = label(api, "ride", "start,end,label\n2,3,dent\n")
    assert receipt["waiting"]
    assert api.send("ride", sound())["events"] == 1
    assert LabelFile.objects.get().applied == Change.objects.get().revision


def test_labels_that_came_first_and_do_not_fit_are_told_of(api: Api) -> None:
    label(api, "ride", "start,end,label\n2,30,dent\n")
    recording = api.send("ride", sound())
    assert recording["events"] == 0
    assert "row 1, column 'end': 30 s" in recording["losses"][0]


def test_the_same_labels_twice_change_nothing(api: Api) -> None:
    api.send("ride", sound())
    labels = "start,end,label\n2,3,dent\n"
    label(api, "ride", labels)
    before = list(Event.objects.values())
    receipt = label(api, "ride", labels)
    assert (receipt["added"], receipt["changed"], receipt["waiting"]) == (0, 0, False)
    assert list(Event.objects.values()) == before


def test_labels_correct_events_of_the_same_id_and_leave_others(api: Api) -> None:
    api.send("ride", sound())
    label(api, "ride", "id,start,end,label\na,2,3,dent\nb,4,5,dent\nc,6,7,dent\n")
    receipt = label(api, "ride", "id,start,end,label\na,2,3,none\nb,4,5.5,dent\n")
    assert (receipt["added"], receipt["changed"]) == (0, 2)
    api.tag("all")
    table = api.table(api.newest("all")["query_id"])
    assert table["label"].to_pylist() == ["none", "dent", "dent"]
    assert table["duration_seconds"].to_pylist() == [1.0, 1.5, 1.0]
    assert Event.objects.filter(event_id="ride/a").count() == 2


def test_windows_of_one_length_have_the_label_that_covers_most_of_them(api: Api) -> None:
    label(api, "ride", "start,end,label\n0,1.2,dent\n1.2,4.4,none\n")
    recording = api.send("ride", sound(), settings=json.dumps({"window_seconds": 2}))
    assert recording["events"] == 5
    labels = Event.objects.order_by("time").values_list("label", flat=True)
    assert list(labels) == ["dent", "none", None, None, None]
    receipt = label(api, "ride", "start,end,label\n4,8,dent\n")
    assert (receipt["added"], receipt["changed"]) == (0, 2)
    api.tag("labelled")
    assert api.newest("labelled")["rows"] == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("start,end\n1,2\n", "no column 'label'"),
        ("start,label\n1,dent\nsoon,dent\n", "row 2, column 'start': 'soon'"),
        ("start,label\n1,\n", "row 1, column 'label': the label is missing"),
        ("start,end,label\n1,0.5,dent\n", "row 1, column 'end'"),
        ("start,label\n1,dent\n99,dent\n", "row 2, column 'start': 99 s is not in the recording"),
        ("start,label\n1,dent\n1,none\n", "row 2, column 'id'"),
        ("start,label,duration_seconds\n1,dent,3\n", "row 1, column 'duration_seconds'"),
        ('[{"start": 1, "label": "dent", "colour": "red"}]', "row 1, column 'colour'"),
        ('[{"start": 1, "label": "dent", "columns": {"x": 1}}, {"start": 2, "label": "a", "columns": {"x": "y"}}]',
         "row 2, column 'x'"),
        ('{"start": 1}', "not a list"),
    ],
)  # fmt: skip
def test_a_wrong_label_is_refused_with_row_and_column_and_nothing_is_kept(api: Api, content: str, said: str) -> None:
    api.send("ride", sound())
    assert said in str(label(api, "ride", content, status=422)["detail"])
    assert not LabelFile.objects.exists()


def test_a_table_of_samples_has_events_at_true_times(api: Api) -> None:
    rows = "".join(f"2026-03-01T10:00:{second:02d}Z,{second}\n" for second in range(60))
    api.send("temperatures", f"time,air\n{rows}")
    label(api, "temperatures", "start,end,label\n2026-03-01T10:00:10Z,2026-03-01T10:00:20Z,warm\n")
    event = Event.objects.get()
    assert event.time is not None
    assert event.time.isoformat() == "2026-03-01T10:00:10+00:00"
    api.tag("all")
    table = api.table(api.newest("all")["query_id"])
    assert table["air.mean"].to_pylist() == [14.5]


def test_a_file_that_is_no_recording_fails_alone(api: Api) -> None:
    api.upload("garbage", b"\x00\x01\x02" * 1000)
    assert api.send("ride", sound())["state"] == "ready"
    assert "neither a bag" in api.get("recordings/garbage")["problem"]
