"""Rules of how the engine answers at all, and of how recordings come in."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from atlas.conformance._rules import BrokenError, SkippedError, expect, rule
from atlas.conformance._trial import API, FIRST, SECOND, Trial, events_csv, sha256
from atlas.ingestion import NewUpload, RecordingDescription, RecordingState, UploadProgress

WRONG = (400, 422)


@rule(1, "`GET /healthz` says that the engine is well")
def _(trial: Trial) -> None:
    response = trial.http.get("/healthz")
    expect(200, response.status_code, "status")
    if response.text.replace(" ", "").strip() != '{"status":"ok"}':
        raise BrokenError('{"status": "ok"}', response.text[:100])


@rule(2, "An unknown address is 404, with JSON that says so")
def _(trial: Trial) -> None:
    trial.refused(trial.ask("GET", trial.name("nowhere")), 404)


@rule(3, "A wrong method is 405, with JSON that says so")
def _(trial: Trial) -> None:
    trial.refused(trial.ask("DELETE", "tags"), 405)


@rule(4, "A body that is no JSON is refused")
def _(trial: Trial) -> None:
    headers = {"Content-Type": "application/json"}
    trial.refused(trial.ask("POST", "tags", content=b"name=x", headers=headers), *WRONG)


@rule(5, "A recording is received, and the answer names it and its sha256")
def _(trial: Trial) -> None:
    content = events_csv(FIRST)
    recording = trial.told(RecordingDescription, trial.send("first", content))
    expect(trial.name("first"), recording.name, "name")
    expect(sha256(content), recording.sha256, "sha256")
    expect(len(content), recording.size_bytes, "size_bytes")


@rule(6, "A recording that was received becomes ready, and tells how many events it has")
def _(trial: Trial) -> None:
    trial.needs_recording()
    recording = trial.settled("first")
    if recording is None:
        raise BrokenError("GET recordings/{name}", "no such address")
    expect(RecordingState.READY, recording.state, "state")
    expect(len(FIRST), recording.events, "events")


@rule(7, "The same bytes under the same name again change nothing")
def _(trial: Trial) -> None:
    trial.needs_recording()
    trial.succeeded(trial.send("first", events_csv(FIRST)))
    recording = trial.settled("first")
    if recording is not None:
        expect(len(FIRST), recording.events, "events")


@rule(8, "Other bytes under the name of a recording are refused with 409")
def _(trial: Trial) -> None:
    trial.needs_recording()
    trial.refused(trial.send("first", events_csv(SECOND)), 409)


@rule(9, "What is no name is refused")
def _(trial: Trial) -> None:
    files = {"file": ("x.csv", events_csv(FIRST), "text/csv")}
    trial.refused(trial.ask("POST", "recordings", data={"name": "../a b"}, files=files), *WRONG)


@rule(10, "A recording that is unknown is 404")
def _(trial: Trial) -> None:
    trial.refused(trial.ask("GET", f"recordings/{trial.name('unknown')}"), 404)


@rule(11, "A file that cannot be read is refused, or its recording fails and tells why")
def _(trial: Trial) -> None:
    response = trial.send("broken", b"speed,note\n1,no labels here\n")
    if response.is_client_error:
        trial.refused(response, *WRONG)
        return
    trial.succeeded(response)
    recording = trial.settled("broken")
    if recording is None or recording.state is not RecordingState.FAILED or not recording.problem:
        raise BrokenError("a recording that failed, with its problem", recording and recording.state.value)


@rule(12, "A file can be sent in parts, and becomes a recording with the last one", required=False)
def _(trial: Trial) -> None:
    content = events_csv(range(5))
    with _upload(trial, "parts", content) as begun:
        expect(0, begun.received_bytes, "received_bytes")
        half = trial.told(UploadProgress, _part(trial, begun, 0, content[:100]))
        expect(100, half.received_bytes, "received_bytes")
        whole = trial.told(UploadProgress, _part(trial, begun, 100, content[100:]))
        expect(len(content), whole.received_bytes, "received_bytes")
        if whole.recording is None:
            raise BrokenError("the recording with the last part", "none")
        expect(sha256(content), whole.recording.sha256, "sha256")


@rule(13, "An upload that broke off goes on: announced again, it tells how much has arrived", required=False)
def _(trial: Trial) -> None:
    content = events_csv(range(6))
    with _upload(trial, "resumed", content) as begun:
        trial.succeeded(_part(trial, begun, 0, content[:100]))
        with _upload(trial, "resumed", content) as again:
            expect(100, again.received_bytes, "received_bytes")


@rule(
    14,
    "A part that begins elsewhere is refused with 409, and a header `Upload-Offset` says where to go on",
    required=False,
)
def _(trial: Trial) -> None:
    content = events_csv(range(7))
    with _upload(trial, "misplaced", content) as begun:
        response = _part(trial, begun, 50, content[50:])
        trial.refused(response, 409)
        expect("0", response.headers.get("Upload-Offset"), "Upload-Offset")


@rule(15, "A file whose sha256 is not the one that was announced is refused", required=False)
def _(trial: Trial) -> None:
    content = events_csv(range(8))
    with _upload(trial, "other", content) as begun:
        trial.refused(_part(trial, begun, 0, content[::-1]), 409, *WRONG)


@rule(16, "Whoever bears no token, or a wrong one, is refused with 401 and told to bear one", required=False)
def _(trial: Trial) -> None:
    if "Authorization" not in trial.http.headers:
        raise SkippedError("no token was given")
    for method, path in (("GET", "tags"), ("POST", "tags"), ("GET", "recordings"), ("POST", "recordings")):
        for given in (None, "Bearer wrong"):
            response = _asked_with(given, trial, method, path)
            trial.refused(response, 401)
            expect("Bearer", response.headers.get("WWW-Authenticate", "").partition(" ")[0], "WWW-Authenticate")


def _asked_with(authorization: str | None, trial: Trial, method: str, path: str) -> httpx.Response:
    request = trial.http.build_request(method, API + path)
    del request.headers["Authorization"]
    if authorization:
        request.headers["Authorization"] = authorization
    return trial.http.send(request)


@contextmanager
def _upload(trial: Trial, word: str, content: bytes) -> Iterator[UploadProgress]:
    """An upload that is announced, and given up at the end unless it is complete."""
    new = NewUpload(name=trial.name(word), filename=f"{word}.csv", size_bytes=len(content), sha256=sha256(content))
    response = trial.ask("POST", "uploads", json=new.model_dump(mode="json"))
    begun = trial.told(UploadProgress, trial.offered(response, "uploads in parts"))
    try:
        yield begun
    finally:
        trial.ask("DELETE", f"uploads/{begun.id}")


def _part(trial: Trial, upload: UploadProgress, begins: int, content: bytes) -> httpx.Response:
    headers = {"Content-Type": "application/octet-stream", "Upload-Offset": str(begins)}
    return trial.ask("PUT", f"uploads/{upload.id}", content=content, headers=headers)
