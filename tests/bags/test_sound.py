"""Sound files become channels, also those whose recorder was killed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import bags
from bags import raw
from bags.signals import NANOSECONDS


@pytest.fixture
def sound() -> np.ndarray:
    """(5000, 2) samples."""
    return np.random.default_rng(1).integers(-20_000, 20_000, (5000, 2)).astype(np.int16)


@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_sound_becomes_a_channel_for_each_microphone(tmp_path: Path, ending: str, sound: np.ndarray) -> None:
    soundfile.write(tmp_path / f"a.{ending}", sound, 48_000)
    signals = bags.read(tmp_path / f"a.{ending}", tmp_path)
    assert [channel.name for channel in signals.channels] == ["sound.1", "sound.2"]
    assert signals.channels[1].values.tolist() == sound[:, 1].tolist()
    assert signals.channels[0].rate_hz == 48_000.0
    assert (signals.is_dated, signals.losses) == (False, ())


def test_long_sound_is_put_in_order_piece_by_piece(
    tmp_path: Path, sound: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw, "_PIECE", 999)
    soundfile.write(tmp_path / "a.wav", sound, 48_000)
    signals = bags.read(tmp_path / "a.wav", tmp_path)
    assert [channel.values.tolist() for channel in signals.channels] == sound.T.tolist()
    assert all(channel.values.flags.c_contiguous for channel in signals.channels)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_samples_of_any_kind_are_read(tmp_path: Path, subtype: str, sound: np.ndarray) -> None:
    soundfile.write(tmp_path / "a.wav", sound[:, 0], 8000, subtype=subtype)
    [channel] = bags.read(tmp_path / "a.wav", tmp_path).channels
    expected, _ = soundfile.read(tmp_path / "a.wav", dtype=channel.values.dtype.name)
    assert channel.values.tolist() == expected.tolist()


def test_the_date_in_a_filename_is_the_recordings(tmp_path: Path, sound: np.ndarray) -> None:
    soundfile.write(tmp_path / "a.wav", sound, 48_000)
    signals = bags.read(tmp_path / "a.wav", tmp_path, filename="bump_2023-11-14T22-13-20.wav")
    assert (signals.start_ns, signals.is_dated) == (1_700_000_000 * NANOSECONDS, True)
    assert not bags.read(tmp_path / "a.wav", tmp_path, filename="2023-99-99T99-99-99.wav").is_dated


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_recorder_that_was_killed_left_all_its_samples(
    tmp_path: Path, length: int, subtype: str, sound: np.ndarray
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound, 48_000, subtype=subtype)
    expected = [channel.values.tolist() for channel in bags.read(path, tmp_path).channels]
    content = path.read_bytes()
    place = content.index(b"data") + 4
    path.write_bytes(content[:place] + length.to_bytes(4, "little") + content[place + 4 :])
    signals = bags.read(path, tmp_path)
    assert [channel.values.tolist() for channel in signals.channels] == expected
    assert "stopped before it wrote how long" in signals.losses[0]


def test_sound_that_is_cut_off_is_read_to_its_end(tmp_path: Path, sound: np.ndarray) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, sound, 48_000)
    path.write_bytes(path.read_bytes()[:-4002])
    signals = bags.read(path, tmp_path)
    assert signals.channels[0].values.tolist() == sound[:3999, 0].tolist()
    assert signals.losses == ("The file ends early: the last 1000 samples of each channel are lost.",)


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF" + bytes(100))
    with pytest.raises(bags.UnreadableError, match="cannot be read"):
        bags.read(tmp_path / "a.wav", tmp_path)
