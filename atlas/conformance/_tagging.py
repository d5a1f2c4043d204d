"""Rules of tags and of when versions appear."""

from atlas.conformance._receiving import WRONG
from atlas.conformance._rules import BrokenError, SkippedError, expect, rule
from atlas.conformance._trial import FIRST, SECOND, Trial, listed
from atlas.datasets import TagDescription


@rule(20, "A tag is made with its name and query, and its first version is there at once")
def _(trial: Trial) -> None:
    trial.needs_recording()
    tag = trial.told(TagDescription, trial.make_tag("tag", trial.query))
    expect((trial.name("tag"), trial.query), (tag.name, tag.query), "name and query")
    expect([(1, len(FIRST))], [(each.number, each.rows) for each in tag.versions], "number and rows of versions")


@rule(21, "The same tag with the same query again changes nothing")
def _(trial: Trial) -> None:
    before = _made(trial)
    expect(before, trial.told(TagDescription, trial.make_tag("tag", trial.query)))


@rule(22, "A tag's name with another query is refused with 409")
def _(trial: Trial) -> None:
    _made(trial)
    trial.refused(trial.make_tag("tag", 'label = "dent"'), 409)


@rule(23, "A query that cannot be understood is refused, and makes no tag")
def _(trial: Trial) -> None:
    trial.refused(trial.make_tag("wrong", "label = = 3"), *WRONG)
    trial.refused(trial.ask("GET", f"tags/{trial.name('wrong')}"), 404)


@rule(24, "A tag and a version that are unknown are 404")
def _(trial: Trial) -> None:
    trial.refused(trial.ask("GET", f"tags/{trial.name('unknown')}"), 404)
    trial.refused(trial.ask("GET", f"datasets/{trial.name('unknown')}"), 404)
    trial.refused(trial.ask("GET", f"datasets/{trial.name('unknown')}/data?split=training"), 404)


@rule(25, "`GET tags` lists all tags")
def _(trial: Trial) -> None:
    tag = _made(trial)
    if tag not in listed(TagDescription, trial.ask("GET", "tags")):
        raise BrokenError(f"a list with {tag.name}, as it is described by itself", "none such")


@rule(26, "A tag that selects no event has no version")
def _(trial: Trial) -> None:
    query = f'recording = "{trial.name("never")}"'
    expect((), trial.told(TagDescription, trial.make_tag("empty", query)).versions, "versions")


@rule(27, "A query selects just the events that it describes")
def _(trial: Trial) -> None:
    trial.needs_recording()
    query = f'recording = "{trial.name("first")}" and label = "dent" and speed >= 3'
    selected = sum(row % 3 == 0 and row / 4 >= 3 for row in FIRST)
    tag = trial.told(TagDescription, trial.make_tag("dents", query))
    expect([selected], [each.rows for each in tag.versions], "rows")


@rule(28, "New data that a tag's query selects make a new version, and no other tag's")
def _(trial: Trial) -> None:
    first, both = trial.first_version, trial.both
    expect(len(FIRST) + len(SECOND), both.rows, "rows")
    if both.query_id == first.query_id or both.digest == first.digest:
        raise BrokenError("another query id and digest", f"{both.query_id}, {both.digest}")
    expect([1, 2], [each.number for each in trial.tag("tag").versions], "numbers of versions")
    expect([1], [each.number for each in trial.tag("dents").versions], "versions of a tag that selects none of them")


@rule(29, "A version never changes: neither its description nor its bytes")
def _(trial: Trial) -> None:
    described, files = trial.first_version, trial.first_files
    _ = trial.both
    expect(described, trial.dataset(described.query_id))
    if files != trial.files(described):
        raise BrokenError("the same bytes as before the second version", "others")


def _made(trial: Trial) -> TagDescription:
    """The tag, which is there already.

    Raises:
        SkippedError: it could not be made.
    """
    try:
        _ = trial.first_version
        return trial.tag("tag")
    except BrokenError as error:
        raise SkippedError("it needs a tag, and none could be made") from error
