"""What the leaderboard reads: places, ties, noise, changes of rank, and what is not ranked."""

from typing import Any

import pytest

from atlas.results import MetricValue
from atlas.states import State
from storage import queries, records
from storage.queries import Board, LeaderboardFilter
from tests import stage
from tests.samples import NOON, result

pytestmark = pytest.mark.django_db


def scored(f1: float | None, half: float = 0.01, *, accuracy: float = 0.9) -> Any:
    """A result whose F1 has an interval."""
    ends = {} if f1 is None else {"low": f1 - half, "high": f1 + half}
    metric = MetricValue(name="f1", value=f1, greater_is_better=True, reason="" if f1 else "no damage seen", **ends)
    return result(metrics=(metric, MetricValue(name="accuracy", value=accuracy, greater_is_better=True)))


def board(**wanted: Any) -> Board:
    """The whole ranking of a use case."""
    found = queries.leaderboard(LeaderboardFilter(**{"use_case": "damage detector"} | wanted))
    assert found is not None
    return found


def ranks(found: Board) -> list[tuple[str, int]]:
    return [(contender.name.partition("-")[0], contender.place.rank) for contender in found.contenders]


def test_each_use_case_is_ranked_on_the_newest_version_on_which_it_has_a_result() -> None:
    old, new = stage.add_version(1), stage.add_version(2)
    stage.finish(stage.add_model("Forest-1.0.0-1"), old, scored(0.9))
    stage.finish(stage.add_model("Linear-1.0.0-1", use_case="scratch finder"), old, scored(0.9))
    stage.finish(stage.add_model("Ridge-1.0.0-1", use_case="scratch finder"), new, scored(0.8))
    stage.add_model("Spare-1.0.0-1", use_case="unknown")
    stage.add_version(3)
    found = queries.highlights(LeaderboardFilter())
    assert [(each.use_case, each.version, ranks(each)) for each in found] == [
        ("damage detector", 1, [("Forest", 1)]),
        ("scratch finder", 2, [("Ridge", 1)]),
    ]


def test_equal_scores_share_a_rank_and_those_within_noise_of_the_best_are_marked() -> None:
    version = stage.add_version()
    for name, f1 in (("Anna", 0.9), ("Berta", 0.9), ("Clara", 0.885), ("Dora", 0.7)):
        stage.finish(stage.add_model(f"{name}-1.0.0-1"), version, scored(f1))
    found = board()
    assert ranks(found) == [("Anna", 1), ("Berta", 1), ("Clara", 3), ("Dora", 4)]
    assert [contender.place.within_noise for contender in found.contenders] == [True, True, True, False]
    assert found.contenders[3].place.behind == pytest.approx(0.2)


def test_the_rank_and_the_trend_since_the_version_before() -> None:
    before, now = stage.add_version(1), stage.add_version(2)
    forest, linear, fresh = (stage.add_model(f"{name}-1.0.0-1") for name in ("Forest", "Linear", "Fresh"))
    for version, scores in ((before, (0.9, 0.8)), (now, (0.8, 0.9))):
        for model, f1 in zip((forest, linear), scores, strict=True):
            stage.finish(model, version, scored(f1))
    stage.finish(fresh, now, scored(0.7))
    first, second, third = board().contenders
    assert (first.model, first.rose, first.trend) == (linear, 1, (0.8, 0.9))
    assert (second.model, second.rose, second.trend) == (forest, -1, (0.9, 0.8))
    assert (third.model, third.rose, third.trend) == (fresh, None, (0.7,))


def test_what_failed_waits_or_has_no_value_is_not_ranked_and_says_why() -> None:
    version = stage.add_version()
    stage.finish(stage.add_model("Forest-1.0.0-1"), version, scored(0.9))
    stage.finish(stage.add_model("Anna-1.0.0-1"), version, scored(None))
    stage.fail(stage.add_model("Berta-1.0.0-1"), version, "It is broken.")
    stage.queue(stage.add_model("Clara-1.0.0-1"), version, incompatible="The column rms is missing.")
    stage.queue(stage.add_model("Dora-1.0.0-1"), version)
    found = board()
    assert ranks(found) == [("Forest", 1)]
    assert [(model.name.partition("-")[0], model.state, model.why) for model in found.unranked] == [
        ("Anna", State.DONE, "no damage seen"),
        ("Berta", State.FAILED, "It is broken."),
        ("Clara", State.INCOMPATIBLE, "The column rms is missing."),
        ("Dora", State.QUEUED, ""),
    ]
    assert (found.models, found.unranked_models) == (1, 4)


def test_a_result_that_is_queued_again_keeps_its_place_as_a_stale_one() -> None:
    records.run_again(stage.finish(stage.add_model(), stage.add_version(), scored(0.9)), now=NOON)
    assert queries.highlights(LeaderboardFilter()) == []
    (contender,) = board(tag="impacts", version=1).contenders
    assert contender.stale


def test_the_metric_is_the_primary_one_of_most_models_or_the_one_asked_for() -> None:
    version = stage.add_version()
    for name, accuracy in (("Anna", 0.7), ("Berta", 0.8)):
        stage.finish(stage.add_model(f"{name}-1.0.0-1"), version, scored(0.9, accuracy=accuracy))
    odd = stage.add_model("Odd-1.0.0-1", primary_metric="accuracy")
    stage.finish(odd, version, result(metrics=(MetricValue(name="accuracy", value=0.6, greater_is_better=True),)))
    assert (board().metric, ranks(board())) == ("f1", [("Anna", 1), ("Berta", 1)])
    assert [model.why for model in board().unranked] == ["It is not measured by f1."]
    assert ranks(board(metric="accuracy")) == [("Berta", 1), ("Anna", 2), ("Odd", 3)]
    assert board(metric="roc_auc").contenders == ()


def test_a_metric_is_ranked_in_one_direction_only() -> None:
    version = stage.add_version()
    for name, greater in (("Anna", True), ("Berta", False), ("Clara", False)):
        model = stage.add_model(f"{name}-1.0.0-1")
        metric = MetricValue(name="f1", value=0.5, greater_is_better=greater)
        stage.finish(model, version, result(metrics=(metric,)))
    found = board()
    assert (found.greater_is_better, ranks(found)) == (False, [("Berta", 1), ("Clara", 1)])
    assert [model.why for model in found.unranked] == ["For this model more is better, unlike for the others."]


def test_use_case_tag_and_version_are_chosen() -> None:
    for tag in ("impacts", "winter"):
        for number in (1, 2):
            model = stage.add_model(f"Forest-{tag}-{number}", use_case=f"of {tag}", tags=(tag,))
            stage.finish(model, stage.add_version(number, tag=tag), scored(0.5 + number / 10))
    assert board(use_case="of winter").tag == "winter"
    assert board(use_case="of impacts").version == 2
    assert board(use_case="of impacts", tag="impacts", version=1).version == 1
    assert [each.use_case for each in queries.highlights(LeaderboardFilter(tag="winter"))] == ["of winter"]
    assert queries.leaderboard(LeaderboardFilter(use_case="of impacts", tag="winter")) is None
    assert queries.version_numbers("winter") == [2, 1]


def test_a_ranking_is_cut_into_pages_and_its_places_stay() -> None:
    version = stage.add_version()
    for number in range(5):
        stage.finish(stage.add_model(f"Forest{number}-1.0.0-1"), version, scored(0.9 - number / 10))
    wanted = LeaderboardFilter(use_case="damage detector")
    second, last = (queries.leaderboard(wanted, page=page, size=2) for page in (2, 9))
    assert second is not None
    assert (second.models, second.page, ranks(second)) == (5, 2, [("Forest2", 3), ("Forest3", 4)])
    assert last is not None
    assert (last.page, ranks(last)) == (3, [("Forest4", 5)])


def test_the_best_are_the_first_of_the_whole_ranking() -> None:
    version = stage.add_version()
    for name, f1 in (("Anna", 0.9), ("Berta", 0.8), ("Clara", 0.8), ("Dora", None), ("Edda", 0.7)):
        stage.finish(stage.add_model(f"{name}-1.0.0-1"), version, scored(f1))
    stage.fail(stage.add_model("Fanny-1.0.0-1"), version)
    (best,) = queries.highlights(LeaderboardFilter(), most=2)
    assert best.contenders == board().contenders[:2]
    assert best.contenders[1].place.tied
    assert (best.models, best.unranked_models, best.unranked) == (4, 2, ())


def test_the_best_are_the_lowest_where_less_is_better() -> None:
    version = stage.add_version()
    for name, loss in (("Anna", 0.9), ("Berta", 0.2), ("Clara", 0.5)):
        model = stage.add_model(f"{name}-1.0.0-1", metrics=("log_loss",), primary_metric="log_loss")
        metric = MetricValue(name="log_loss", value=loss, greater_is_better=False)
        stage.finish(model, version, result(metrics=(metric,)))
    (best,) = queries.highlights(LeaderboardFilter(), most=2)
    assert ranks(best) == [("Berta", 1), ("Clara", 2)]
