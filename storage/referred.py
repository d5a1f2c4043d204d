"""Which objects of Atlas' store the tables refer to: what a backup must hold beside them."""

from collections.abc import Iterator

from storage.models import Benchmark, Explanation, Inference, Model


def referred_objects() -> Iterator[str]:
    """The keys of all objects that rows refer to, some perhaps twice; read as they are asked for.

    What lies on the way is none of them: parts of uploads are sent again if they are lost.
    """
    yield from Model.objects.values_list("key", flat=True).iterator()
    yield from Benchmark.objects.exclude(predictions_key="").values_list("predictions_key", flat=True).iterator()
    explained = Explanation.objects.values_list("document__values_key", "document__events_key")
    inferred = Inference.objects.values_list("rows_key", "predictions_key", "values_key", "events_key")
    for rows in (explained, inferred):
        for keys in rows.iterator():
            yield from (key for key in keys if key)
