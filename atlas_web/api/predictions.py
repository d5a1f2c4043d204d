"""Predictions on demand: asked for, read row by row, cancelled."""

import json
from functools import partial
from io import BytesIO
from tempfile import TemporaryFile
from typing import Annotated, Any

import numpy as np
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from ninja import Query
from ninja.responses import Status
from pydantic import Field

from atlas.access import Right, Via
from atlas.api import (
    FeatureEffect,
    Page,
    PredictedRow,
    PredictionDetail,
    PredictionRequest,
    PredictionSummary,
    RowExplanation,
    VersionNumber,
)
from atlas.states import State
from atlas_web import asking, files
from atlas_web.api import documents
from atlas_web.api.authentication import caller_of
from atlas_web.api.files import answers_with
from atlas_web.api.lists import Key, Paging, Search, Words, narrowed, page_of
from atlas_web.api.models import model_called
from atlas_web.api.operations import STORE_FAULT, Operations
from atlas_web.api.problems import ConflictError, FieldError, UnknownError
from atlas_web.asking import AskError
from atlas_web.inferred import Line
from atlas_web.objects import content
from atlas_web.pages.predicted_rows import lines_of
from explainability import explained
from explainability.explained import Explained
from storage import queries, records
from storage.records import Wanted
from ui.filters import matching

operations = Operations("predictions")
MOST_EFFECTS = 20
"""So many features of a row are told, those with the largest effects."""
PART_BYTES = 1 << 20
_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
FileName = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00/]+\.(csv|parquet|json)$")]


class PredictionFilters(Paging):
    """What the list of predictions is narrowed by."""

    q: Search = ""
    model: Words = Field("", description="a model's key or name")
    state: State | None = None


@operations.declare("POST", "models/{model}/predictions", Right.WRITE, {201: PredictionSummary}, STORE_FAULT)
def predict(request: HttpRequest, model: str, asked: PredictionRequest) -> Status[PredictionSummary]:
    """Ask a model for predictions of events of a dataset version, of a recording, or of rows. An engine makes them."""
    return _asked(request, model, _wanted(asked), explains=asked.explains)


@operations.declare(
    "POST", "models/{model}/predictions/file", Right.WRITE, {201: PredictionSummary}, STORE_FAULT,
    extra={"requestBody": {"required": True, "content": _FILE}},
)  # fmt: skip
def predict_file(
    request: HttpRequest, model: str, filename: Query[FileName], explains: Query[bool] = True
) -> Status[PredictionSummary]:
    """Send rows as the bare body, CSV, Parquet or JSON as the name's ending says, and ask a model for predictions."""
    with TemporaryFile() as file:
        size = 0
        while part := request.read(PART_BYTES):
            size += len(part)
            if size > asking.MOST_BYTES:
                raise FieldError("body", f"The file has more than {asking.MOST_BYTES >> 20} MiB.")
            file.write(part)
        if not size:
            raise FieldError("body", "The file is empty.")
        file.seek(0)
        wanted = asking.sent_rows(file, filename)
    return _asked(request, model, wanted, explains=explains)


@operations.declare("GET", "predictions", Right.READ, {200: Page[PredictionSummary]}, 404)
def list_predictions(
    request: HttpRequest, response: HttpResponse, asked: Query[PredictionFilters]
) -> Page[PredictionSummary]:
    """All predictions that people asked for, those that were asked for last first."""
    rows = narrowed(
        matching(queries.inferences(), asked.q, ("model__name", "rows_name", "recording", "by")),
        model=model_called(asked.model).pk if asked.model else None,
        state=asked.state,
    )
    return page_of(request, response, rows, asked, _summary, Page[PredictionSummary])


@operations.declare("GET", "predictions/{prediction}", Right.READ, {200: PredictionDetail})
def get_prediction(request: HttpRequest, prediction: Key) -> PredictionDetail:  # noqa: ARG001  # ninja finds it by its name
    """How far predictions are, and what is said of them."""
    page = _page(prediction)
    row, document = page.inference, page.document
    return PredictionDetail(
        **_summary(row).model_dump(),
        explained_rows=document.explanation.rows if document else 0,
        unexplained=document.explanation.impossible if document else "",
        out_of_range=document.out_of_range if document else (),
        warnings=document.warnings if document else (),
        output=row.output,
    )


@operations.declare("GET", "predictions/{prediction}/rows", Right.READ, {200: Page[PredictedRow]}, 409, STORE_FAULT)
def prediction_rows(
    request: HttpRequest, response: HttpResponse, prediction: Key, asked: Query[Paging]
) -> Page[PredictedRow]:
    """The rows in their order, each with its explanation if it has one."""
    page = _page(prediction)
    _done(page)
    kept = explained.read(content(page.inference.values_key)) if page.inference.values_key else None
    return page_of(request, response, lines_of(page), asked, partial(_row, kept), Page[PredictedRow])


@operations.declare(
    "GET", "predictions/{prediction}/file", Right.READ, {200: None, 206: None}, 409, 416, STORE_FAULT,
    extra=answers_with(files.PARQUET),
)  # fmt: skip
def download_prediction(request: HttpRequest, prediction: Key) -> StreamingHttpResponse:
    """All rows as a Parquet file."""
    page = _page(prediction)
    _done(page)
    name = f"{page.inference.model.name}-predictions-{prediction}.parquet"
    return files.download(request, page.inference.predictions_key, filename=name, media_type=files.PARQUET)


@operations.declare("POST", "predictions/{prediction}/cancel", Right.WRITE, {200: PredictionSummary}, 409)
def cancel_prediction(request: HttpRequest, prediction: Key) -> PredictionSummary:
    """Take predictions out of the queue, or from the engine that makes them."""
    _page(prediction)
    if not records.cancel_inference(prediction, by=caller_of(request).name, via=Via.API, now=timezone.now()):
        raise ConflictError("They have ended already, so they cannot be cancelled.")
    return _summary(_page(prediction).inference)


def _wanted(asked: PredictionRequest) -> Wanted:
    """What is to be predicted; rows that were sent are stored."""
    if asked.recording:
        return Wanted(recording=asked.recording)
    try:
        if asked.rows is not None:
            return asking.sent_rows(BytesIO(json.dumps(asked.rows).encode()), "rows.json")
        return asking.events_of_version(asked.dataset, asked.events, asked.most)
    except AskError as error:
        raise FieldError(error.field, str(error)) from error


def _asked(request: HttpRequest, model: str, wanted: Wanted, *, explains: bool) -> Status[PredictionSummary]:
    caller, row = caller_of(request), model_called(model)
    try:
        key = asking.model_named(row.name)
    except AskError as error:
        raise FieldError("model", f"{row.name} cannot be used: {row.reason}") from error
    via = Via.API if caller.token else Via.PAGE
    asked = records.ask_inference(key, wanted, by=caller.name, via=via, explains=explains, now=timezone.now())
    return Status(201, _summary(_page(asked).inference))


def _page(pk: int) -> queries.InferencePage:
    found = queries.inference_page(pk)
    if found is None:
        raise UnknownError(f"There are no predictions with the key {pk}.")
    return found


def _done(page: queries.InferencePage) -> None:
    if page.inference.state != State.DONE:
        raise ConflictError(f"There are no rows: the prediction is {page.inference.state}.")


def _summary(row: Any) -> PredictionSummary:
    version = row.dataset_version
    return PredictionSummary(
        id=row.pk,
        model=documents.model_reference(row.model),
        state=State(row.state),
        failure_class=row.failure_class or None,
        reason=row.reason,
        dataset=VersionNumber(tag=version.tag.name, number=version.number) if version else None,
        recording=row.recording,
        file=row.rows_name,
        by=row.by,
        asked=row.asked,
        started=row.started,
        finished=row.finished,
        rows=row.rows,
    )


def _row(kept: Explained | None, line: Line) -> PredictedRow:
    return PredictedRow(
        row=line.number,
        id=line.id,
        prediction=line.predicted,
        probabilities=dict(line.probabilities),
        truth=line.truth,
        in_training=line.in_training,
        out_of_range=line.outside,
        explanation=_explanation(kept, line.number - 1) if kept and line.number <= len(kept) else None,
    )


def _explanation(kept: Explained, place: int) -> RowExplanation:
    findings = kept.findings
    effects = findings.values[place]
    strongest = np.argsort(-np.abs(effects).max(axis=1), kind="stable")[:MOST_EFFECTS].tolist()
    values = findings.rows[place]
    return RowExplanation(
        outputs=findings.outputs,
        base_values=tuple(findings.base_values.tolist()),
        effects=tuple(
            FeatureEffect(
                feature=findings.features[number],
                value=float(values[number]) if np.isfinite(values[number]) else None,
                effects=tuple(effects[number].tolist()),
            )
            for number in strongest
        ),
    )
