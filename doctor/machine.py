"""Whether this machine has room, keeps its secrets, and can hold models in their sandbox."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings

from benchmark_engine.sandbox.check import check
from benchmark_engine.settings import EngineSettings
from doctor.findings import Finding, broken, doubtful, well
from ui import formats

SANDBOX, ROOM, SECRETS = "sandbox", "disk", "secrets"
SANDBOX_REMEDY = "Run atlas sandbox-check, which says which layer is missing; where no engine runs, it does not matter."
ROOM_REMEDY = "Set ATLAS_DATA_DIR and ATLAS_CACHE_DIR to folders that this process may write to."
SECRETS_REMEDY = "Name files that this process may read."
LITTLE, TOO_LITTLE = 5 << 30, 256 << 20
"""So many bytes should be free, and have to be."""
MOUNTED = Path("/run/secrets")
"""Where containers find secrets; only what runs in the container sees them there, whatever their modes."""


def look_at_sandbox() -> Iterator[Finding]:
    """Try which layers hold, as `atlas sandbox-check` does."""
    report = check()
    missing = [layer for layer in report.layers if not layer.holds]
    if not report.sound:
        names = ", ".join(layer.name for layer in missing if layer.required) or "an attempt to break out succeeded"
        yield broken(SANDBOX, f"It cannot contain models: {names}.", SANDBOX_REMEDY)
    elif missing:
        names = ", ".join(layer.name for layer in missing)
        yield doubtful(SANDBOX, f"It contains models, without a layer more: {names}.", SANDBOX_REMEDY)
    else:
        yield well(SANDBOX, "Every layer holds, and no attempt to break out succeeds.")


def look_at_room() -> Iterator[Finding]:
    """How much room there is where this process writes."""
    data = settings.ENVIRONMENT.data_dir
    cache = EngineSettings.from_environment().cache_dir or data / "cache"
    for folder in dict.fromkeys((data, cache, Path(tempfile.gettempdir()))):
        yield room_in(folder)


def room_in(folder: Path) -> Finding:
    """Whether a folder, or the one that it will lie in, can be written to and has room."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    said = f"{folder} has {formats.size(free)} left."
    if not os.access(there, os.W_OK):
        return broken(ROOM, f"{folder} cannot be written to.", ROOM_REMEDY)
    if free < TOO_LITTLE:
        return broken(ROOM, said, "Make room there; whatever is sent now is refused.")
    return doubtful(ROOM, said, "Make room there before it is full.") if free < LITTLE else well(ROOM, said)


def look_at_secrets() -> Iterator[Finding]:
    """Whether the files that hold secrets are kept from other people of this machine."""
    files = [Path(path) for name, path in os.environ.items() if path and _names_a_secret(name)]
    own = settings.ENVIRONMENT.data_dir / "secret-key"
    yield from open_to_others([*files, own] if own.exists() else files)


def _names_a_secret(variable: str) -> bool:
    return variable.endswith("_FILE") and variable.startswith(("ATLAS_", "DATABASE_URL")) and "CA_FILE" not in variable


def open_to_others(files: Iterable[Path]) -> Iterator[Finding]:
    """The files that others of this machine may read, or that all is well with them."""
    chosen = [path for path in files if not path.is_relative_to(MOUNTED)]
    loose = [path for path in chosen if stat.S_IMODE(path.stat().st_mode) & (stat.S_IROTH | stat.S_IWOTH)]
    for path in loose:
        yield doubtful(SECRETS, f"Everybody on this machine may read {path}.", f"chmod 600 {path}")
    if not loose:
        yield well(SECRETS, "The files of secrets are kept from others.")
