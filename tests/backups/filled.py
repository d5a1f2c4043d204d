"""An Atlas that has something to lose: rows, and the objects of both stores that they refer to."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from atlas.access import Via
from backups.documents import StoreName
from backups.making import Stores
from ingestion_engine import receiving, versions
from storage import catalog, records
from storage.models import Model
from tests import stage
from tests.ingestion_engine.engine import work_all
from tests.samples import NOON, result


def fill(stores: Stores, *, models: int = 5) -> None:
    """Models with a benchmark each."""
    version = stage.add_version()
    for number in range(models):
        add_benchmarked(stores, f"Forest-1.0.{number}-1", version)


def add_benchmarked(stores: Stores, name: str, version: int) -> int:
    """A model's file and row, then its predictions and benchmark, as the engine writes them; the model's key."""
    objects = stores[StoreName.ATLAS]
    objects.put(f"models/{name}.atlas", f"the model {name}".encode())
    pk = stage.add_model(name)
    etag = objects.stat(f"models/{name}.atlas").etag
    Model.objects.filter(pk=pk).update(etag=etag)
    objects.put(f"predictions/{name}.parquet", f"the predictions of {name}".encode())
    stage.finish(pk, version, result(predictions_key=f"predictions/{name}.parquet"))
    return pk


def delete(stores: Stores, model: int) -> None:
    """Delete a model as a person does, and its objects as the engine does."""
    ask_to_delete(model)
    for asked in catalog.removals():
        records.carry_out(asked.key, lambda key=asked.key: stores[StoreName.ATLAS].delete(key))  # type: ignore[misc]


def ask_to_delete(model: int) -> None:
    """Delete a model as a person does; its objects stay until the engine deletes them."""
    records.delete_models([model], "ada", Via.PAGE, NOON)


def add_recording(stores: Stores, folder: Path, name: str, *, now: datetime = NOON) -> None:
    """A recording of a few labelled events, and a version of the tag `all` that has them."""
    path = folder / f"{name}.csv"
    path.write_text("id,label,peak\n" + "".join(f"{row},{'hit' if row % 2 else 'none'},{row}.5\n" for row in range(20)))
    store = stores[StoreName.INGESTION]
    receiving.receive(store, path, name=name, filename=path.name, now=now)
    versions.create_tag("all", "", now=now)
    work_all(store, now=now)


def unreadable(stores: Stores) -> list[str]:
    """The keys of models and predictions that rows refer to, of which the store has not what was written."""
    objects = stores[StoreName.ATLAS]
    wrong = []
    for name in Model.objects.values_list("name", flat=True):
        written = {
            f"models/{name}.atlas": f"the model {name}",
            f"predictions/{name}.parquet": f"the predictions of {name}",
        }
        wrong += [key for key, text in written.items() if objects.read(key, 0, 1000) != text.encode()]
    return wrong


def contents(stores: Stores) -> Iterator[tuple[StoreName, str, bytes]]:
    """All objects of all stores."""
    for name, store in stores.items():
        for found in store.list():
            with store.open(found.key) as stream:
                yield name, found.key, stream.read()
