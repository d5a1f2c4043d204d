"""The leaderboard: the best models of each use case, with ties, noise and costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from atlas.watching import Stage
from atlas_web import words
from atlas_web.alchemy import of_benchmarks
from atlas_web.choices import SIZES, Choices, Part, metric_field, same, select
from atlas_web.downloads import csv_file
from storage import queries
from storage.queries import Board, Contender
from ui import components, formats
from ui.foot import Foot

FEW = 3
"""How many models of each use case are shown before one is chosen."""
MOST_IN_A_FILE = 10_000
"""How many models of one use case a CSV file holds."""


class LeaderboardChoices(Choices):
    """The selects above the leaderboard."""

    def __init__(self, data: QueryDict) -> None:
        tag = data.get("tag", "")
        numbers = queries.version_numbers(tag) if tag else []
        super().__init__(_of_tag(data, numbers))
        self.fields["use_case"] = select("Use case", "All use cases", same(queries.use_cases()))
        self.fields["tag"] = select("Dataset tag", "All tags", same(queries.tags()))
        if tag:
            versions = [(str(number), f"v{number}") for number in numbers]
            self.fields["version"] = select("Version", "Newest version", versions)
        self.fields["metric"] = metric_field()

    @property
    def wanted(self) -> queries.LeaderboardFilter:
        """What is ranked."""
        version = self.chosen("version")
        return queries.LeaderboardFilter(
            use_case=self.chosen("use_case"),
            tag=self.chosen("tag"),
            version=int(version) if version else None,
            metric=self.chosen("metric"),
        )


def _of_tag(data: QueryDict, numbers: list[int]) -> QueryDict:
    """The choice, without a version's number that the tag has not: it is left over from another tag."""
    kept = data.copy()
    asked = kept.get("version", "")
    if asked.isdecimal() and int(asked) not in numbers:
        del kept["version"]
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A model on a board, as its row shows it."""

    rank: int
    tied: bool
    first: bool
    name: SafeString
    stale: bool
    score: SafeString
    behind: str
    rose: SafeString
    latency: str
    memory: str
    size: str
    trend: SafeString


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A board as its card shows it. `href` leads to the whole ranking, if it is not there; `compare` to its first
    models beside each other, if there are several."""

    board: Board
    title: str
    text: str
    metric: str
    lines: list[Line]
    unranked: list[tuple[SafeString, SafeString, str]]
    href: str
    compare: str


def leaderboard(request: HttpRequest) -> HttpResponseBase:
    """The best models of each use case, or the whole ranking of one."""
    choices, part = LeaderboardChoices(request.GET), Part(request.GET)
    wanted = choices.wanted
    whole = bool(wanted.use_case)
    if part.as_csv:
        return csv_file("leaderboard.csv", _HEAD, _lines(_boards(wanted, 1, MOST_IN_A_FILE)))
    boards = _boards(wanted, part.number, part.size)
    stages = queries.stages_of(each.model for board in boards for each in board.contenders)
    foot = Foot(boards[0].models, boards[0].page, SIZES, part.size, ("model", "models")) if whole and boards else None
    context = {
        "form": choices,
        "cards": [_card(board, request, stages, whole=whole) for board in boards],
        "foot": foot,
        "narrowed": any(request.GET.get(name) for name in choices.fields),
    }
    return render(request, "pages/leaderboard.html", context)


def _boards(wanted: queries.LeaderboardFilter, page: int, size: int) -> list[Board]:
    """A part of the whole ranking of the use case that is wanted, or the best of each one."""
    if not wanted.use_case:
        return queries.highlights(wanted, most=FEW)
    whole = queries.leaderboard(wanted, page=page, size=size)
    return [whole] if whole else []


def _card(board: Board, request: HttpRequest, stages: Mapping[int, Stage], *, whole: bool) -> Card:
    kept = [(name, request.GET[name]) for name in ("tag", "version", "metric") if request.GET.get(name)]
    unranked = board.unranked if whole else ()
    return Card(
        board=board,
        title=board.use_case,
        text=_text(board),
        metric=words.metric_title(board.metric),
        lines=[_line(contender, board, stages.get(contender.model)) for contender in board.contenders],
        unranked=[_unranked(model) for model in unranked],
        href="" if whole else f"{reverse('leaderboard')}?{urlencode([('use_case', board.use_case), *kept])}",
        compare=_comparison(board),
    )


def _comparison(board: Board) -> str:
    first = [contender.benchmark for contender in board.contenders[:FEW]]
    return of_benchmarks(first) if len(first) > 1 else ""


def _text(board: Board) -> str:
    """What is ranked, by what, and how sure the first place is."""
    direction = "" if board.greater_is_better else ", less is better"
    head = f"{words.metric_title(board.metric)} on {board.tag} v{board.version}{direction}."
    return " ".join(filter(None, (head, _sure(board), _left_out(board))))


def _sure(board: Board) -> str:
    """How many models are as good as the first one, as far as a page of the ranking tells."""
    near = sum(contender.place.within_noise is True for contender in board.contenders[1:])
    if board.page > 1 or not near:
        return ""
    return f"{words.plural(near, 'model lies', 'models lie')} within noise of the best."


def _left_out(board: Board) -> str:
    if not board.unranked_models:
        return ""
    return f"{words.plural(board.unranked_models, 'model is', 'models are')} not ranked."


def _line(contender: Contender, board: Board, stage: Stage | None) -> Line:
    place = contender.place
    href = reverse("benchmark", args=[contender.benchmark])
    return Line(
        rank=place.rank,
        tied=place.tied,
        first=place.rank == 1,
        name=components.model(contender.name, href, contender.author, stage),
        stale=contender.stale,
        score=_score(contender, board),
        behind=_behind(contender),
        rose=components.delta(contender.rose, noise=False, decimals=0),
        latency=formats.duration(contender.latency_p50_seconds),
        memory=formats.size(contender.peak_memory_bytes),
        size=formats.size(contender.size_bytes),
        trend=_trend(contender, board),
    )


def _behind(contender: Contender) -> str:
    """How far a model is behind the best, and whether that is more than noise; empty for the best itself."""
    place = contender.place
    if place.rank == 1:
        return ""
    noise = {True: ", within noise of the best", False: ", more than noise", None: ""}[place.within_noise]
    return f"{formats.num(place.behind)} behind{noise or ' the best'}"


def _score(contender: Contender, board: Board) -> SafeString:
    """The score with its interval, on a line that is the same for the whole board."""
    best, score = board.contenders[0].score, contender.score
    return components.interval(score.value, score.low, score.high, _ends(board), best.value, above="sm")


def _ends(board: Board) -> tuple[float, float]:
    """From the lowest to the highest end of an interval on the board."""
    scores = [contender.score for contender in board.contenders]
    known = [end for score in scores for end in (score.low, score.value, score.high) if end is not None]
    return min(known), max(known)


def _trend(contender: Contender, board: Board) -> SafeString:
    if len(contender.trend) < 2:
        return components.nothing()
    label = f"{words.metric_title(board.metric)} of {contender.name} on {board.tag}, its last {len(contender.trend)}"
    return components.spark(contender.trend, f"{label} versions", area=False)


def _unranked(model: queries.Unranked) -> tuple[SafeString, SafeString, str]:
    """A model that is not ranked, where it stands, and why."""
    href = reverse("benchmark", args=[model.benchmark])
    return components.model(model.name, href), components.state(model.state.value), words.clipped(model.why)


_HEAD = (
    *("use case", "tag", "version", "metric", "greater is better", "rank", "tied", "within noise of the best"),
    *("model", "author", "value", "low", "high", "behind the best", "rank on the version before"),
    *("latency p50 s", "peak memory bytes", "size bytes", "stale", "state", "reason", "benchmark"),
)


def _lines(boards: list[Board]) -> Iterator[tuple[object, ...]]:
    """A line for each model that is ranked, and one for each that a board lists as not ranked."""
    for board in boards:
        head = (board.use_case, board.tag, board.version, board.metric, board.greater_is_better)
        for contender in board.contenders:
            place, score = contender.place, contender.score
            yield (
                *(*head, place.rank, place.tied, place.within_noise, contender.name, contender.author),
                *(score.value, score.low, score.high, place.behind, contender.earlier_rank),
                *(contender.latency_p50_seconds, contender.peak_memory_bytes, contender.size_bytes),
                *(contender.stale, "", "", contender.benchmark),
            )
        for model in board.unranked:
            yield (*head, *[None] * 3, model.name, *[None] * 10, model.state.value, model.why, model.benchmark)
