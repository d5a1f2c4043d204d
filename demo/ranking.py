"""Which model is best for which dataset."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A model's primary metric on a dataset version."""

    tag: str
    version: int
    model: str
    metric: str
    value: float
    greater_is_better: bool

    @property
    def rank(self) -> float:
        """Greater is better, whatever the metric."""
        return self.value if self.greater_is_better else -self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The best model on a tag's newest version, and how the same model did on the oldest one, if that is another."""

    best: Score
    first: Score | None


def winners(found: Iterable[Score]) -> list[Winner]:
    """The best model on the newest version of each tag, by the metric that most of its models are ranked by."""
    by_tag = groupby(sorted(found, key=lambda score: score.tag), key=lambda score: score.tag)
    return [_winner(list(of_tag)) for _, of_tag in by_tag]


def _winner(found: Sequence[Score]) -> Winner:
    newest = max(score.version for score in found)
    metric = Counter(score.metric for score in found if score.version == newest).most_common(1)[0][0]
    rivals = [score for score in found if score.version == newest and score.metric == metric]
    best = max(rivals, key=lambda score: score.rank)
    earlier = [
        score for score in found if (score.model, score.metric) == (best.model, metric) and score.version < newest
    ]
    first = min(earlier, key=lambda score: score.version, default=None)
    return Winner(best=best, first=first)
