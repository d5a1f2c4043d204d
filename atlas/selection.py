"""Which benchmarks a person means who names models, or benchmarks by their keys."""

from collections.abc import Iterable, Sequence

from atlas.api import BenchmarkSummary, VersionReference
from atlas.client import AtlasClient
from atlas.errors import SelectionError
from atlas.states import State

ENDED = (State.DONE, State.FAILED, State.CANCELLED)
_LONGEST_KEY = 18
"""More digits than this no key has: they are a name."""


def side_by_side(client: AtlasClient, chosen: Sequence[str], *, tag: str | None = None) -> list[int]:
    """The benchmarks to compare: those whose keys are given, and of models those on the newest version they share.

    Args:
        client: to ask for them.
        chosen: keys of benchmarks and names of models, in the order of the comparison.
        tag: of the dataset; if it is not given, the newest version of any.

    Raises:
        SelectionError: fewer than two are chosen, or the models have no result on a common dataset version.
    """
    if len(chosen) < 2:
        raise SelectionError("Choose two or more to compare: keys of benchmarks, or names of models.")
    models = [each for each in chosen if not _is_key(each)]
    found = {model: _by_version(client, model, tag) for model in models}
    shared = set.intersection(*(set(each) for each in found.values())) if found else set()
    if models and not shared:
        where = f" of {tag}" if tag else ""
        raise SelectionError(f"{', '.join(models)}: no dataset version{where} has a result of each.")
    newest = _newest(client, [found[models[0]][query_id].dataset for query_id in shared]) if models else ""
    return [int(each) if _is_key(each) else found[each][newest].id for each in chosen]


def ended(client: AtlasClient, chosen: Iterable[str], *, tag: str | None = None) -> list[int]:
    """The benchmarks whose keys are given, and of models all that have ended and can run again.

    Raises:
        SelectionError: a model has none.
    """
    found: dict[int, None] = {}
    for each in chosen:
        found |= dict.fromkeys([int(each)] if _is_key(each) else _ended(client, each, tag))
    return list(found)


def _ended(client: AtlasClient, model: str, tag: str | None) -> list[int]:
    own = [each.id for each in _of(client, model, tag) if each.state in ENDED]
    if not own:
        raise SelectionError(f"{model} has no benchmark{f' on {tag}' if tag else ''} that has ended.")
    return own


def _is_key(text: str) -> bool:
    return text.isdecimal() and len(text) <= _LONGEST_KEY


def _newest(client: AtlasClient, versions: Iterable[VersionReference]) -> str:
    """The query id of the newest of some dataset versions, which of several datasets is the one that was made last."""
    newest: dict[str, VersionReference] = {}
    for each in sorted(versions, key=lambda version: version.number):
        newest[each.tag] = each
    if len(newest) == 1:
        return next(iter(newest.values())).query_id
    wanted = {each.query_id for each in newest.values()}
    made = {each.query_id: each.created for tag in newest for each in client.versions(tag) if each.query_id in wanted}
    return max(made, key=lambda query_id: made[query_id])


def _by_version(client: AtlasClient, model: str, tag: str | None) -> dict[str, BenchmarkSummary]:
    """The results of a model, by the query id of the dataset version."""
    return {each.dataset.query_id: each for each in _of(client, model, tag) if each.state is State.DONE}


def _of(client: AtlasClient, model: str, tag: str | None) -> Iterable[BenchmarkSummary]:
    key = client.model(model).id
    return client.benchmarks(model=str(key), **({"tag": tag} if tag else {}))
