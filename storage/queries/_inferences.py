"""Predictions that people asked for: the list of them, one of them, and what can be asked for."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import QuerySet

from atlas.inference import Inferred
from atlas.states import ModelState
from atlas.watching import InferenceKind
from storage.models import DatasetVersion, Inference, Model

LONG_FIELDS = ("document", "events", "output", "model__manifest", "dataset_version__description")
OFFERED = 200


@dataclass(frozen=True)
class InferencePage:
    """Everything that the pages of some predictions show."""

    inference: Inference

    @cached_property
    def document(self) -> Inferred | None:
        """What is said of the predictions; None before there are any."""
        kept = self.inference.document
        return None if kept is None else Inferred.model_validate(kept)


def inferences() -> QuerySet[Inference]:
    """All predictions that people asked for, those that were asked for last first."""
    return (
        Inference.objects.filter(kind=InferenceKind.ON_DEMAND)
        .select_related("model", "dataset_version__tag")
        .defer(*LONG_FIELDS)
        .order_by("-asked", "-pk")
    )


def plain_inferences() -> QuerySet[Inference]:
    """The same, without their models and versions: to be counted, narrowed, sorted, and cut into pages."""
    return Inference.objects.filter(kind=InferenceKind.ON_DEMAND).order_by("-asked", "-pk")


def inference_page(pk: int) -> InferencePage | None:
    """Predictions that a person asked for."""
    found = plain_inferences().select_related("model", "dataset_version__tag").filter(pk=pk)
    row = found.defer("model__manifest", "dataset_version__description").first()
    return InferencePage(row) if row else None


def models_to_predict_with() -> list[str]:
    """The names of the models that arrived last."""
    ready = Model.objects.filter(state=ModelState.READY).order_by("-arrived", "-pk")
    return list(ready.values_list("name", flat=True)[:OFFERED])


def ready_model(name: str) -> Model | None:
    """The model of this name that can be used."""
    return Model.objects.defer("manifest").filter(name=name, state=ModelState.READY).first()


def versions_to_predict() -> list[str]:
    """The dataset versions that came last, as `tag:number`."""
    found = DatasetVersion.objects.order_by("-created", "-pk").values_list("tag__name", "number")[:OFFERED]
    return [f"{tag}:{number}" for tag, number in found]


def version_called(tag: str, number: int | None) -> DatasetVersion | None:
    """A version of a tag; without a number, the newest one."""
    found = DatasetVersion.objects.filter(tag__name=tag).defer("description").order_by("-number")
    return (found if number is None else found.filter(number=number)).first()
