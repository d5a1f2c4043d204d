"""The Python client against the real API."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from atlas import paging
from atlas.access import Right
from atlas.api import AlertRuleRequest, BenchmarkSummary, ChannelRequest, UploadResult
from atlas.client import AtlasClient
from atlas.errors import ApiError, BundleError, DownloadError, SettingsError, WaitError
from atlas.states import State
from atlas.watching import AlertKind, ChannelKind, DeliveryState
from storage import records, uploads
from storage.models import Benchmark, Model
from tests import alerts, dashboards, living, stage
from tests.bundles import packed
from tests.samples import NOON, result
from tests.streams import compare

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
PART = 500


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART_BYTES", PART)


@pytest.fixture
def signed_in(live_server: LiveServer) -> Iterator[Callable[[str], AtlasClient]]:
    """Makes a client with a token."""
    made: list[AtlasClient] = []

    def make(token: str) -> AtlasClient:
        made.append(AtlasClient(live_server.url, token, attempts=1))
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(signed_in: Callable[[str], AtlasClient]) -> AtlasClient:
    return signed_in(dashboards.token())


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return packed(tmp_path / "mine")


class LostError(Exception):
    """The connection is lost."""


def lost_after(received: int) -> Callable[[int, int], None]:
    """A progress that ends everything once so many bytes were taken."""

    def told(done: int, _size: int) -> None:
        if done >= received:
            raise LostError

    return told


# Sending -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("small_parts")
def test_a_bundle_is_sent_in_parts_and_is_the_same_file(client: AtlasClient, bundle: Path) -> None:
    told: list[tuple[int, int]] = []
    sent = client.push(bundle, progress=lambda done, size: told.append((done, size)))
    size = bundle.stat().st_size
    assert sent.known is False
    assert told == [*((begins, size) for begins in range(0, size, PART)), (size, size)]
    with dashboards.objects().open(sent.key) as stream:
        assert stream.read() == bundle.read_bytes()


@pytest.mark.usefixtures("small_parts")
def test_a_push_that_broke_off_goes_on_where_it_stopped(client: AtlasClient, bundle: Path) -> None:
    with pytest.raises(LostError):
        client.push(bundle, progress=lost_after(2 * PART))
    told: list[int] = []
    assert client.push(bundle, progress=lambda done, _: told.append(done)).known is False
    assert told[0] == 2 * PART


@pytest.mark.usefixtures("small_parts")
def test_two_pushes_of_one_file_at_once_do_not_disturb_each_other(
    client: AtlasClient, signed_in: Callable[[str], AtlasClient], bundle: Path
) -> None:
    overtaken: list[UploadResult] = []

    def overtake(done: int, _size: int) -> None:
        if done == PART:
            overtaken.append(signed_in(dashboards.token(hours=2)).push(bundle))

    assert client.push(bundle, progress=overtake).model == overtaken[0].model
    assert overtaken[0].model == bundle.stem


def test_what_atlas_has_is_not_sent_again(client: AtlasClient, bundle: Path) -> None:
    client.push(bundle)
    key = dashboards.take_in(bundle)
    told: list[tuple[int, int]] = []
    again = client.push(bundle, progress=lambda done, size: told.append((done, size)))
    assert (again.known, again.id) == (True, key)
    assert told == [(bundle.stat().st_size, bundle.stat().st_size)]


def test_another_model_of_the_name_is_refused(client: AtlasClient, bundle: Path, tmp_path: Path) -> None:
    dashboards.take_in(bundle)
    with pytest.raises(ApiError, match=r"^The name Detector-.* is taken by another model") as caught:
        client.push(packed(tmp_path / "other", tags=["other"]))
    assert caught.value.status == 409


def test_a_file_that_is_no_bundle_is_refused(client: AtlasClient, tmp_path: Path) -> None:
    (tmp_path / "x.atlas").write_text("x")
    with pytest.raises(ApiError, match="not a zip file"):
        client.push(tmp_path / "x.atlas")


@pytest.mark.usefixtures("small_parts")
def test_a_file_that_shrinks_while_it_is_sent_is_an_error(client: AtlasClient, bundle: Path) -> None:
    def shrink(done: int, _size: int) -> None:
        if done == PART:
            bundle.write_bytes(b"")

    with pytest.raises(BundleError, match="was changed while it was sent"):
        client.push(bundle, progress=shrink)


# Signing in ----------------------------------------------------------------------------------------------------------


def test_whoami_is_the_token_s_owner(signed_in: Callable[[str], AtlasClient]) -> None:
    found = signed_in(f" {dashboards.token(Right.READ)}\n").whoami()
    assert (found.name, found.rights) == ("administrator", (Right.READ,))


@pytest.mark.parametrize("hours", [None, -1.0], ids=["unknown", "too old"])
def test_a_token_that_is_no_good_is_said_with_where_to_make_one(
    signed_in: Callable[[str], AtlasClient], live_server: LiveServer, hours: float | None
) -> None:
    token = "atlas_wrong" if hours is None else dashboards.token(hours=hours)
    with pytest.raises(ApiError) as caught:
        signed_in(token).whoami()
    assert caught.value.status == 401
    assert f"Make a token on the page Account ({live_server.url}/account/), and set ATLAS_TOKEN" in str(caught.value)


def test_a_token_that_may_only_read_sends_nothing(signed_in: Callable[[str], AtlasClient], bundle: Path) -> None:
    with pytest.raises(ApiError, match=r"^The token lacks the right to write") as caught:
        signed_in(dashboards.token(Right.READ)).push(bundle)
    assert caught.value.status == 403


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://there", "http://", "", "http://[::1", "http://there:port"])
def test_what_is_no_address_is_said_at_once(url: str) -> None:
    with pytest.raises(SettingsError, match="ATLAS_URL has to look like"):
        AtlasClient(url, "atlas_x")


@pytest.mark.parametrize("ending", ["/", "/api/v1", "/api/v1/", "/ "])
def test_an_address_may_end_as_that_of_its_api(live_server: LiveServer, ending: str) -> None:
    with AtlasClient(f"{live_server.url}{ending}", dashboards.token()) as client:
        assert client.whoami().name == "administrator"


def test_an_address_of_a_page_is_not_that_of_the_dashboard(live_server: LiveServer) -> None:
    with (
        AtlasClient(f"{live_server.url}/models", dashboards.token()) as client,
        pytest.raises(ApiError, match="Is ATLAS_URL the address of the dashboard"),
    ):
        client.whoami()


@pytest.mark.parametrize("token", ["atlas_\N{EN DASH}", "atlas_a\nb"])
def test_what_is_no_token_is_said_without_showing_it(token: str) -> None:
    with pytest.raises(SettingsError, match="ATLAS_TOKEN has characters") as caught:
        AtlasClient("http://there", token)
    assert token not in str(caught.value)


def test_without_a_token_one_is_told_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_URL", "https://atlas.example.org")
    monkeypatch.delenv("ATLAS_TOKEN", raising=False)
    with pytest.raises(SettingsError, match=r"Account \(https://atlas\.example\.org/account/\)"):
        AtlasClient.from_environment()


# Reading -------------------------------------------------------------------------------------------------------------


def test_a_list_is_read_page_by_page(client: AtlasClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 2)
    keys = {stage.add_model(f"Ash-{number}", use_case="brakes & bumpers") for number in range(5)}
    stage.add_model("Birch-1")
    assert {model.id for model in client.models(use_case="brakes & bumpers")} == keys
    assert len(list(client.models())) == 6


def test_a_download_is_the_file_that_was_sent(client: AtlasClient, bundle: Path, tmp_path: Path) -> None:
    dashboards.take_in(bundle)
    fetched = client.download(bundle.stem, tmp_path)
    assert fetched == tmp_path / bundle.name
    assert fetched.read_bytes() == bundle.read_bytes()


def test_a_download_of_another_content_is_refused(client: AtlasClient, bundle: Path, tmp_path: Path) -> None:
    dashboards.take_in(bundle)
    dashboards.objects().put(f"models/{bundle.name}", b"another")
    with pytest.raises(DownloadError, match="arrived with sha256"):
        client.download(bundle.stem, bundle.parent)
    assert list(bundle.parent.iterdir()) == [bundle]


def test_no_model_s_name_leads_out_of_the_folder(client: AtlasClient, bundle: Path, tmp_path: Path) -> None:
    key = dashboards.take_in(bundle)
    Model.objects.filter(pk=key).update(name="../mine/evil")
    with pytest.raises(DownloadError, match=r"'\.\./mine/evil' is no name for a file"):
        client.download(key, tmp_path)


# Waiting -------------------------------------------------------------------------------------------------------------


def test_waiting_ends_when_all_benchmarks_have(client: AtlasClient) -> None:
    version = stage.add_version(1)
    steps: Iterator[Callable[[], object]] = iter(
        [
            lambda: stage.add_model("Ash-1"),
            lambda: stage.queue(Model.objects.get().pk, version),
            lambda: records.claim(Benchmark.objects.get().pk, engine="one", lease=stage.LEASE, now=NOON),
            lambda: records.cancel(Benchmark.objects.get().pk, by="ilse", now=NOON),
        ]
    )
    told: list[list[State]] = []

    def note(benchmarks: list[BenchmarkSummary]) -> None:
        told.append([each.state for each in benchmarks])

    def sleep(_seconds: float) -> None:
        next(steps)()

    found = client.wait("Ash-1", progress=note, sleep=sleep)
    assert told == [[], [], [State.QUEUED], [State.RUNNING], [State.CANCELLED]]
    assert [each.state for each in found] == [State.CANCELLED]


@pytest.mark.parametrize(
    ("known", "queued", "says"),
    [
        (False, False, "Atlas knows no model Ash-1"),
        (True, False, "Ash-1 has no benchmark: is there a version of its dataset (impacts)"),
        (True, True, "1 of 1 benchmarks of Ash-1 have not ended"),
    ],
)
def test_waiting_ends_in_time_and_says_what_is_missing(
    client: AtlasClient, known: bool, queued: bool, says: str
) -> None:
    if known:
        model = stage.add_model("Ash-1")
    if queued:
        stage.queue(model, stage.add_version(1))
    with pytest.raises(WaitError) as caught:
        client.wait("Ash-1", timeout_seconds=0)
    assert f"After 0 s {says}" in str(caught.value)


def test_a_file_that_is_no_model_is_not_waited_for(client: AtlasClient) -> None:
    stage.add_invalid_file("Ash-1", "manifest.json is missing")
    with pytest.raises(WaitError, match=r"Ash-1 cannot be benchmarked: manifest.json is missing"):
        client.wait("Ash-1", timeout_seconds=0)


def test_benchmarks_are_run_again_and_cancelled(client: AtlasClient) -> None:
    key = stage.finish(stage.add_model(), stage.add_version(1), result(0.5))
    assert client.run_again(key).state is State.QUEUED
    with pytest.raises(ApiError, match="It has not ended yet"):
        client.run_again(key)
    assert client.cancel(key).state is State.CANCELLED
    assert client.benchmark(key).id == key


def test_changes_are_those_that_the_engine_found(client: AtlasClient) -> None:
    key = stage.finish(stage.add_model(), stage.add_version(1), result(0.5))
    with pytest.raises(ApiError, match="not compared with earlier versions yet"):
        client.changes(key)
    compare()
    assert [change.metric for change in client.changes(key)] == ["f1", "accuracy"]


# Alerts --------------------------------------------------------------------------------------------------------------


def test_rules_and_channels_are_made_changed_and_deleted(client: AtlasClient) -> None:
    channel = client.make_channel(ChannelRequest(name="CI", kind=ChannelKind.WEBHOOK, address="https://example.org/ci"))
    assert channel.secret
    client.test_channel(channel.id)
    renamed = client.change_channel(channel.id, ChannelRequest(name="Build", kind=ChannelKind.WEBHOOK))
    assert renamed == client.channel(channel.id)
    asked = AlertRuleRequest(name="falls", kind=AlertKind.DROP, channels=(channel.id,))
    rule = client.make_alert_rule(asked)
    assert rule in client.alert_rules()
    assert [each.name for each in rule.channels] == [each.name for each in client.channels()] == ["Build"]
    assert client.change_alert_rule(rule.id, asked.model_copy(update={"enabled": False})).enabled is False
    client.delete_channel(channel.id)
    client.delete_alert_rule(rule.id)
    assert rule.id not in [each.id for each in client.alert_rules()]
    assert list(client.channels()) == []


def test_alerts_are_read_and_messages_sent_again(client: AtlasClient) -> None:
    keys = alerts.add_all()
    (alert,) = client.alerts(state="open", rule=str(keys["rule"]))
    (message,) = client.alert(alert.id).deliveries
    assert client.send_again(message.id).state is DeliveryState.WAITING
    assert client.acknowledge(alert.id, "Seen.").note == "Seen."


def test_a_model_is_watched_on_live_data(client: AtlasClient) -> None:
    model = stage.add_model()
    assert client.watch_live("Forest-1.0.0-1", living.TAG).since is not None
    living.run(model, 1, living.live())
    assert [run.live for run in client.live_runs(model, living.TAG)] == [living.live()]
    client.unwatch_live(model, living.TAG)
    assert [(each.tag, each.since) for each in client.live_tags(model)] == [(living.TAG, None)]
