"""Models on live data over the API."""

import pytest

from atlas.access import Via
from atlas.api import LiveRunEntry, LiveTag, Page
from storage.models import Action
from tests import living, stage
from tests.atlas_web.api.conftest import Script
from tests.living import TAG

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def path() -> str:
    return f"models/{stage.add_model()}/live"


def test_a_script_begins_and_ends_to_watch_a_tag(writing: Script, path: str) -> None:
    for _ in range(2):
        answer = writing("PUT", f"{path}/{TAG}")
        assert answer.status == 200
        assert LiveTag.model_validate(answer.document).by == "data-scientist"
    assert [each.tag for each in Page[LiveTag].model_validate(writing.get(path)).items] == [TAG]
    assert [writing("DELETE", f"{path}/{TAG}").status for _ in range(2)] == [204, 404]
    assert set(Action.objects.values_list("via", flat=True)) == {Via.API}


def test_what_a_model_does_on_each_version_is_told(reading: Script, path: str) -> None:
    model = int(path.split("/")[1])
    living.week(model)
    runs = Page[LiveRunEntry].model_validate(reading.get(f"{path}/{TAG}")).items
    assert [run.number for run in runs] == [1, 2, 3, 4]
    assert runs[2].live == living.live()
    assert runs[3].live is not None
    assert runs[3].live.not_estimated.startswith("When labels came")


def test_a_tag_that_is_not_watched_or_cannot_be_is_refused(writing: Script, path: str) -> None:
    assert writing("GET", f"{path}/other").status == 404
    assert writing("PUT", f"{path}/a%20b").status == 422
    broken = stage.add_invalid_file("broken.atlas", "It is not a zip file.")
    refused = writing("PUT", f"models/{broken}/live/{TAG}")
    assert refused.status == 409
    assert "It is not a zip file." in refused.document["detail"]
