"""Settings: the file that explains them is right, and a wrong one is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from atlas_collector.settings import Settings, SettingsError, checked, described

FILE = Path(__file__).parents[2] / "collector" / "config" / "collector.yaml"


def test_the_file_holds_every_setting_with_its_default() -> None:
    written = yaml.safe_load(FILE.read_text())
    assert checked(written) == checked({"sensors": written["sensors"]})
    assert described(Settings()).keys() == written.keys()
    assert described(Settings()) | {"sensors": written["sensors"]} == written


def test_every_setting_of_the_file_is_explained() -> None:
    lines = FILE.read_text().splitlines()
    section = lines[lines.index("recording:") :]
    assert all("#" in "".join(section[:place]) for place, line in enumerate(section) if ": " in line)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"intervall": 1}, "intervall: there is no such setting; do you mean interval?", id="typo"),
        pytest.param({"upload": {"ulr": ""}}, "upload/ulr: there is no such setting", id="typo below"),
        pytest.param({"interval": "1"}, "interval: '1' is no number from 0.05 to 60; write one", id="text for number"),
        pytest.param({"interval": True}, "interval: True is no number", id="truth for number"),
        pytest.param({"interval": float("nan")}, "interval: nan is no number", id="not a number"),
        pytest.param({"upload": {"piece_bytes": 1}}, "upload/piece_bytes: 1 is no whole number", id="too small"),
        pytest.param({"upload": {"url": "engine"}}, "upload/url: 'engine' is no address", id="address"),
        pytest.param({"upload": None}, "upload: None is no list of settings", id="section"),
        pytest.param({"folder": "drive"}, "folder: 'drive' is no folder that begins with /", id="relative folder"),
        pytest.param({"car": "a\nb"}, "car: 'a\\nb' is not one line", id="two lines"),
        pytest.param({"tolerance": 0.5}, "tolerance: 0.5 s is not less than half the interval", id="tolerance"),
        pytest.param({"sensors": {"set": {}}}, "sensors/set: a sensor's name", id="reserved name"),
        pytest.param({"sensors": {"Gas": {}}}, "sensors/Gas: a sensor's name", id="capital"),
        pytest.param({"sensors": {"gas": 3}}, "sensors/gas: 3 is no list of settings", id="sensor"),
        pytest.param([], "the settings: [] is no list of settings", id="no settings"),
    ],
)
def test_a_wrong_setting_is_named(given: Any, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        checked(given)
    assert str(caught.value).startswith(said)


def test_a_car_may_be_called_by_a_number_and_an_address_may_end_in_a_slash() -> None:
    settings = checked({"car": 12, "upload": {"url": "http://engine:8100/"}})
    assert (settings.car, settings.upload.url) == ("12", "http://engine:8100")
