"""Folders that hostile code has written can be removed."""

import os
from pathlib import Path

import pytest

from benchmark_engine.sandbox.removal import remove


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to fill."""
    made = tmp_path / "hostile"
    made.mkdir()
    return made


def test_folders_deeper_than_a_path_can_be_long_are_removed(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    for _ in range(1_200):
        os.mkdir("deep", dir_fd=opened)
        deeper = os.open("deep", os.O_RDONLY, dir_fd=opened)
        os.close(opened)
        opened = deeper
    os.close(opened)
    remove(folder)
    assert not folder.exists()


def test_what_links_lead_to_is_left_alone(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("precious")
    (folder / "folder").symlink_to(outside)
    (folder / "file").symlink_to(outside / "file")
    (folder / "hard").hardlink_to(outside / "file")
    remove(folder)
    assert not folder.exists()
    assert (outside / "file").read_text() == "precious"


def test_folders_without_permissions_are_removed(folder: Path) -> None:
    inner = folder / "closed" / "inner"
    inner.mkdir(parents=True)
    (inner / "file").touch(mode=0)
    for closed in (inner, inner.parent, folder):
        closed.chmod(0)
    remove(folder)
    assert not folder.exists()


def test_a_link_in_the_place_of_the_folder_is_not_followed(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    remove(link)
    assert folder.exists()
