"""Room on the disk: where it gets short, the oldest parts that are uploaded already make place."""

import os
from pathlib import Path

from atlas_collector import parts
from atlas_collector.recording_settings import MEGABYTE, Recording

_AGAIN = 1.25  # after the disk was full, recording begins again with so much more room than is kept free


def free_bytes(folder: Path) -> int:
    """What a user may still write onto the folder's disk."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


class Room:
    """Watches over the room that is kept free."""

    def __init__(self, settings: Recording) -> None:
        self._folder = settings.folder
        self._kept = round(settings.keep_free_megabytes * MEGABYTE)
        self.is_full = False

    def make(self) -> bool:
        """Whether there is room to record, if need be after deleting uploaded parts, the oldest first.

        Raises:
            OSError: the folder is gone, or may not be changed.
        """
        needed = self._kept * _AGAIN if self.is_full else self._kept
        self.is_full = free_bytes(self._folder) < needed and not self._deleted(needed)
        return not self.is_full

    def _deleted(self, needed: float) -> bool:
        for part in parts.uploaded(self._folder):
            parts.delete(part)
            if free_bytes(self._folder) >= needed:
                return True
        return False
