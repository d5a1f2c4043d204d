"""What people do in an installation that is kept for upgrades, by what `storage.records` offers. It runs in that
installation's own process, with the code of the release."""

from datetime import datetime, timedelta
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils import timezone

from atlas.access import Right, Role, Verb, Via
from atlas.gates import Outcome, Rule
from atlas.results import Failure
from atlas.states import FailureClass, ModelState
from atlas.watching import AlertKind, ChannelKind, GateCheck, GateKind, Stage
from ingestion_engine import models as ingestion
from storage import records
from storage.models import AlertRule, Benchmark, DatasetTag, DatasetVersion, Model
from storage.records import ChannelFields, FileRecord, FoundOrphan, RuleFields, Wanted

PERSON = "ilse"
NOWHERE = "http://127.0.0.1:9/"


def before_the_fall() -> None:
    """Watch what comes: rules with a channel that nobody listens to, live data, predictions on demand."""
    now = timezone.now()
    person = User.objects.create_user(PERSON, "ilse@example.org", "correct horse", first_name="Ilse")
    records.set_role(person.pk, Role.ADMINISTRATOR)
    channel = records.make_channel(
        ChannelFields(name="hook", kind=ChannelKind.WEBHOOK, address=NOWHERE), by=PERSON, via=Via.PAGE, now=now
    )
    AlertRule.objects.get(kind=AlertKind.DROP).channels.add(channel.pk)
    low = RuleFields(name="Low", kind=AlertKind.METRIC, threshold=0.1, tag=DatasetTag.objects.get(name="impacts").pk)
    records.make_rule(low, by=PERSON, via=Via.PAGE, now=now)
    model = _model("Dents", "1.0.0")
    records.watch_live(model.pk, "impacts", by=PERSON, now=now)
    version = DatasetVersion.objects.get(tag__name="impacts", number=1)
    records.ask_inference(model.pk, Wanted(version=version.pk, most=5), by=PERSON, via=Via.PAGE, now=now)


def last() -> None:
    """What is left to do when the engine has stopped."""
    now = timezone.now()
    person = User.objects.get(username=PERSON)
    _promote(now)
    _fail_and_cancel(now)
    _files(person.pk, now)
    records.create_token(person.pk, "nightly", [Right.READ], expires=now + timedelta(days=365), now=now)
    records.keep_view(person.pk, "models", "sort=name")
    records.record_action(PERSON, Verb.CHANGED, "model", "Dents", detail="limits", now=now)
    records.log("dashboard", "The last line of this release.", now=now, model=_model("Force", "2.0.0").pk)
    records.pause(by=PERSON, reason="an upgrade", now=now)
    ingestion.Upload.objects.create(
        pk=uuid4(), name="night", filename="night.bag", sha256="0" * 64, size_bytes=9, received_bytes=4, updated=now
    )


def _promote(now: datetime) -> None:
    model = _model("Dents", "1.0.0")
    rule = Rule(kind=GateKind.METRIC, metric="f1", threshold=0.5)
    records.add_gate_rule(model.use_case, rule, by=PERSON, now=now)
    check = GateCheck(
        kind=GateKind.METRIC,
        passed=True,
        sentence="F1 is 0.9, and has to be 0.5.",
    )
    outcome = Outcome(use_case=model.use_case, checks=(check,))
    records.set_stage(model.pk, Stage.CHAMPION, by=PERSON, why="It is the best.", outcome=outcome, now=now)


def _fail_and_cancel(now: datetime) -> None:
    """A benchmark that failed, one that was cancelled, one that waits."""
    failed, cancelled, waiting = Benchmark.objects.order_by("-pk")[:3]
    for benchmark in (failed, cancelled, waiting):
        records.run_again(benchmark.pk, now=now)
    claim = records.claim(failed.pk, engine="one", lease=timedelta(seconds=30), now=now)
    assert claim is not None
    failure = Failure(failure_class=FailureClass.LOAD_ERROR, reason="It is broken.", output="last words")
    records.fail(claim, failure, now=now)
    records.cancel(cancelled.pk, by=PERSON, now=now)


def _files(person: int, now: datetime) -> None:
    """Files of the store that are no model, that are to go, or that are only half there."""
    broken = FileRecord(key="models/broken.atlas", etag="1", size_bytes=3, digest="1" * 64, arrived=now)
    records.record_unused_file(broken, ModelState.INVALID, name="broken.atlas", reason="It is not a zip file.")
    gone = FileRecord(key="models/gone.atlas", etag="1", size_bytes=3, digest="2" * 64, arrived=now)
    pk = records.record_unused_file(gone, ModelState.INVALID, name="gone.atlas", reason="It is not a zip file.")
    records.delete_models([pk], PERSON, Via.PAGE, now)
    lost = FoundOrphan(key="predictions/lost.parquet", etag="1", size_bytes=3, modified=now, why="predictions")
    records.report_orphans([lost], objects_seen=9, bytes_seen=999, now=now)
    records.start_upload(person, "half.atlas", 9, "3" * 64, received=4, now=now)


def _model(name: str, version: str) -> Model:
    return Model.objects.get(name__startswith=name, version=version)
