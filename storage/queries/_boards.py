"""How the models of one use case are ranked on one dataset version."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from atlas.ranking import UNKNOWN, Place, Score, ranked
from atlas.states import State
from storage.models import DatasetVersion
from storage.queries._cells import AGAIN, WITH_RESULT
from storage.queries._chosen import Chosen

MOST_UNRANKED = 20
"""How many of those that cannot be ranked a board lists."""
TREND = 12
"""How many of the latest versions a trend goes back."""


Entry = dict[str, Any]
Group = tuple[str, int]
"""A use case and the key of a dataset version."""
Measured = dict[int, tuple[Score, bool, str]]
"""By benchmark: the score, whether more of it is better, and why it has no value."""
Trends = dict[tuple[int, str, int], list[float]]
"""Values over the latest versions of a tag, oldest first, by model, metric and the key of the tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One model on a board.

    Attributes:
        model: its key.
        name: its name.
        author: its author's name.
        benchmark: the key of the benchmark that tells the score.
        place: its rank among all, and how far it is behind the best.
        score: the metric, with its interval.
        stale: whether the result is from before the model's file was replaced, or it is queued again.
        earlier_rank: its rank on the version before, by the same metric; None if it had none.
        latency_p50_seconds: half of the events, one alone, took no longer.
        peak_memory_bytes: the most memory that it took.
        size_bytes: of its file.
        trend: its values over the tag's latest versions up to this one, oldest first.
    """

    model: int
    name: str
    author: str
    benchmark: int
    place: Place[int]
    score: Score
    stale: bool
    earlier_rank: int | None
    latency_p50_seconds: float | None
    peak_memory_bytes: int | None
    size_bytes: int
    trend: tuple[float, ...]

    @property
    def rose(self) -> int | None:
        """By how many ranks it rose since the version before; negative if it fell."""
        return None if self.earlier_rank is None else self.earlier_rank - self.place.rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Unranked:
    """A model that has no place. `why` is empty if its state says it all."""

    model: int
    name: str
    benchmark: int
    state: State
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The ranking of one use case.

    Attributes:
        use_case: whose models are ranked.
        tag: of the dataset version.
        version: its number.
        created: when the ingestion engine made it.
        earlier: the number of the version before, if there is one and ranks on it are told.
        metric: what they are ranked by.
        greater_is_better: its direction.
        models: how many are ranked in all.
        contenders: a part of them, the best first.
        unranked: some of those that cannot be ranked, by name.
        unranked_models: how many there are in all.
        page: which part of the ranked ones this is, from 1 on.
    """

    use_case: str
    tag: str
    version: int
    created: datetime
    earlier: int | None
    metric: str
    greater_is_better: bool
    models: int
    contenders: tuple[Contender, ...]
    unranked: tuple[Unranked, ...]
    unranked_models: int
    page: int


class Versions:
    """All versions of the tags of some versions."""

    def __init__(self, keys: Iterable[int]) -> None:
        tags = DatasetVersion.objects.filter(pk__in=set(keys)).values("tag")
        found = DatasetVersion.objects.filter(tag__in=tags).select_related("tag").order_by("number")
        self._by_tag: dict[int, list[DatasetVersion]] = defaultdict(list)
        self._by_key: dict[int, DatasetVersion] = {}
        for version in found.only("number", "created", "tag__name"):
            self._by_tag[version.tag_id].append(version)
            self._by_key[version.pk] = version

    def __getitem__(self, key: int) -> DatasetVersion:
        return self._by_key[key]

    def up_to(self, key: int) -> list[DatasetVersion]:
        """The latest versions of its tag up to this one, oldest first."""
        known = self._by_tag[self[key].tag_id]
        place = known.index(self[key])
        return known[max(place + 1 - TREND, 0) : place + 1]

    def before(self, key: int) -> DatasetVersion | None:
        """The version before."""
        return next(iter(self.up_to(key)[-2:-1]), None)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a ranking: the keys of its models, their places, and which part it is."""

    places: list[Place[int]]
    page: int

    @property
    def keys(self) -> list[int]:
        """The keys of its models."""
        return [place.key for place in self.places]


class Subject:
    """A use case, its benchmarks on a version and on the one before, and how they are ranked."""

    def __init__(
        self,
        chosen: Chosen,
        entries: dict[Group, dict[int, Entry]],
        versions: Versions,
        measured: Measured,
        before: DatasetVersion | None = None,
    ) -> None:
        """`before` is the version before, if it counts. The latest score says which direction is the right one."""
        self.use_case = chosen.use_case
        self.metric = chosen.metric
        self.benchmarks = chosen.benchmarks
        self.version = versions[chosen.version]
        self.before = before
        self.entries = entries.get((chosen.use_case, chosen.version), {})
        self.earlier = entries.get((chosen.use_case, before.pk), {}) if before else {}
        self.measured = measured
        own = [entry["pk"] for entry in self.entries.values() if entry["pk"] in measured]
        self.greater_is_better = measured[max(own)][1] if own else True

    def places(self, entries: dict[int, Entry]) -> list[Place[int]]:
        """The places of the models of some entries."""
        scores = {model: self.score(entry) for model, entry in sorted(entries.items(), key=_by_name)}
        return ranked(scores, greater_is_better=self.greater_is_better)

    def score(self, entry: Entry) -> Score:
        """The score of an entry that may be ranked; unknown of any other."""
        score, greater_is_better, _ = self.measured.get(entry["pk"], (UNKNOWN, self.greater_is_better, ""))
        counts = entry["state"] in WITH_RESULT and greater_is_better is self.greater_is_better
        return score if counts else UNKNOWN

    def part(self, page: int, size: int) -> Part:
        """One part of the ranking."""
        places = self.places(self.entries)
        page = min(max(page, 1), max(-(-len(places) // size), 1))
        return Part(places[(page - 1) * size : page * size], page)

    def board(self, part: Part, trends: Trends) -> Board:
        """The board with one part of the ranking."""
        unranked = [entry for _, entry in sorted(self.entries.items(), key=_by_name) if not self.score(entry).is_ranked]
        summary = self.summary(part, trends, models=len(self.entries) - len(unranked))
        listed = tuple(map(self._unranked, unranked[:MOST_UNRANKED]))
        return replace(summary, unranked=listed, unranked_models=len(unranked))

    def summary(self, part: Part, trends: Trends, *, models: int) -> Board:
        """The board with one part of the ranking of so many models, without a list of those that are not ranked."""
        earlier = {place.key: place.rank for place in self.places(self.earlier)}
        return Board(
            use_case=self.use_case,
            tag=self.version.tag.name,
            version=self.version.number,
            created=self.version.created,
            earlier=self.before.number if self.before else None,
            metric=self.metric,
            greater_is_better=self.greater_is_better,
            models=models,
            contenders=tuple(self._contender(place, earlier, trends) for place in part.places),
            unranked=(),
            unranked_models=max(self.benchmarks - models, 0),
            page=part.page,
        )

    def _contender(self, place: Place[int], earlier: dict[int, int], trends: Trends) -> Contender:
        entry = self.entries[place.key]
        return Contender(
            model=place.key,
            name=entry["name"],
            author=entry["author"] or "",
            benchmark=entry["pk"],
            place=place,
            score=self.score(entry),
            stale=bool(entry["replaced"]) or entry["state"] in AGAIN,
            earlier_rank=earlier.get(place.key),
            latency_p50_seconds=entry["latency_p50_seconds"],
            peak_memory_bytes=entry["peak_memory_bytes"],
            size_bytes=entry["size_bytes"],
            trend=tuple(trends.get((place.key, self.metric, self.version.tag_id), ())),
        )

    def _unranked(self, entry: Entry) -> Unranked:
        return Unranked(
            model=entry["model"],
            name=entry["name"],
            benchmark=entry["pk"],
            state=State(entry["state"]),
            why=self._why(entry),
        )

    def _why(self, entry: Entry) -> str:
        """Why an entry is not ranked."""
        if entry["state"] != State.DONE:
            return str(entry["reason"])
        if entry["pk"] not in self.measured:
            return f"It is not measured by {self.metric}."
        score, greater_is_better, reason = self.measured[entry["pk"]]
        if score.is_ranked and greater_is_better is not self.greater_is_better:
            return f"For this model {'more' if greater_is_better else 'less'} is better, unlike for the others."
        return reason or "Its value is no finite number."


def _by_name(entry: tuple[int, Entry]) -> str:
    return str(entry[1]["name"])
