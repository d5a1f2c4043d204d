"""Which benchmarks are meant by names and keys, against the real API."""

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from atlas.client import AtlasClient
from atlas.errors import ApiError, SelectionError
from atlas.selection import ended, side_by_side
from tests import dashboards, stage
from tests.samples import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(live_server: LiveServer) -> Iterator[AtlasClient]:
    with AtlasClient(live_server.url, dashboards.token(), attempts=1) as client:
        yield client


def test_models_are_compared_on_the_newest_version_that_all_have_a_result_on(client: AtlasClient) -> None:
    ash, birch = stage.add_model("Ash-1"), stage.add_model("Birch-1")
    first, second, third = (stage.add_version(number) for number in (1, 2, 3))
    newest = [stage.finish(model, second) for model in (ash, birch)]
    for model in (ash, birch):
        stage.finish(model, first)  # later than on the newer version, as when a benchmark is run again
    stage.finish(ash, third)
    stage.fail(birch, third)
    assert side_by_side(client, ["Ash-1", "Birch-1"]) == newest
    assert side_by_side(client, ["Birch-1", "Ash-1"]) == newest[::-1]


def test_of_several_datasets_the_version_that_was_made_last_counts_unless_one_is_named(client: AtlasClient) -> None:
    models = [stage.add_model(name, tags=("city", "impacts")) for name in ("Ash-1", "Birch-1")]
    old, late = stage.add_version(7, tag="city", created=NOON), stage.add_version(1, tag="impacts")
    city = [stage.finish(model, old) for model in models]
    impacts = [stage.finish(model, late) for model in models]
    assert side_by_side(client, ["Ash-1", "Birch-1"]) == impacts
    assert side_by_side(client, ["Ash-1", "Birch-1"], tag="city") == city


def test_keys_and_names_may_be_mixed(client: AtlasClient) -> None:
    version = stage.add_version(1)
    ash, birch = (stage.finish(stage.add_model(name), version) for name in ("Ash-1", "Birch-1"))
    assert side_by_side(client, [str(birch), "Ash-1"]) == [birch, ash]
    assert side_by_side(client, ["4711", "12"]) == [4711, 12]


@pytest.mark.parametrize("tag", [None, "impacts"])
def test_models_without_a_common_version_are_not_compared(client: AtlasClient, tag: str | None) -> None:
    stage.finish(stage.add_model("Ash-1"), stage.add_version(1))
    stage.finish(stage.add_model("Birch-1"), stage.add_version(2))
    where = " of impacts" if tag else ""
    with pytest.raises(SelectionError, match=rf"^Ash-1, Birch-1: no dataset version{where} has a result of each"):
        side_by_side(client, ["Ash-1", "Birch-1"], tag=tag)


def test_one_alone_is_not_compared(client: AtlasClient) -> None:
    with pytest.raises(SelectionError, match="Choose two or more"):
        side_by_side(client, ["1"])


@pytest.mark.parametrize("name", ["Ash-9", "9" * 30])
def test_a_model_that_there_is_not_is_named(client: AtlasClient, name: str) -> None:
    for choose in (side_by_side, ended):
        with pytest.raises(ApiError, match=name):
            choose(client, [name, name])


def test_what_has_ended_of_a_model_runs_again(client: AtlasClient) -> None:
    ash = stage.add_model("Ash-1")
    versions = [stage.add_version(number) for number in range(1, 5)]
    done, failed = stage.finish(ash, versions[0]), stage.fail(ash, versions[1])
    stage.queue(ash, versions[2])
    stage.queue(ash, versions[3], incompatible="column rms is missing")
    assert sorted(ended(client, ["Ash-1"])) == [done, failed]
    assert sorted(ended(client, [str(done), "Ash-1", "4711"])) == [done, failed, 4711]
    with pytest.raises(SelectionError, match="Ash-1 has no benchmark on city that has ended"):
        ended(client, ["Ash-1"], tag="city")
