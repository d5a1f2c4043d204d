"""`python -m collector.casing FOLDER`: writes STL and STEP of every part, checks them, and draws them taken apart."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from collector.casing import boards, checks, meshes, parts, printing, render, sizes
from collector.casing.findings import Finding


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m collector.casing", description=__doc__)
    parser.add_argument("folder", type=Path, help="where STL and STEP files go")
    parser.add_argument("--sizes", type=Path, help="a YAML file with the sizes of your boards")
    parser.add_argument("--picture", type=Path, help="where to draw the casing taken apart, as PNG")
    return parser.parse_args()


def assemble(chosen: sizes.Collector, folder: Path) -> checks.Assembly:
    """Builds all parts and boards, and writes the parts."""
    solids = parts.printed(chosen)
    written = meshes.write(solids, folder)
    fitted = meshes.write(boards.placed(chosen), folder / "boards")
    return checks.Assembly(
        chosen,
        solids,
        {name: meshes.read(path) for name, path in written.items()},
        {name: meshes.read(path) for name, path in fitted.items()},
    )


def findings(assembly: checks.Assembly) -> Iterator[Finding]:
    """Everything that is checked."""
    for check in checks.CHECKS:
        yield from check(assembly)
    for name, mesh in assembly.parts.items():
        yield from printing.printable(name, mesh, assembly.sizes.printer)


def main() -> int:
    """The exit code: 1 if a check failed, 2 if the sizes are wrong."""
    asked = arguments()
    try:
        chosen = sizes.read(asked.sizes)
    except (OSError, ValidationError) as error:
        sys.stderr.write(f"{asked.sizes}: {error}\n")
        return 2
    assembly = assemble(chosen, asked.folder)
    failed = 0
    for finding in findings(assembly):
        sys.stdout.write(f"{finding}\n")
        failed += not finding.passed
    if asked.picture:
        render.draw_apart({**assembly.parts, **assembly.boards}, asked.picture)
    sys.stdout.write(f"{asked.folder}: {len(assembly.parts)} parts, {failed} checks failed\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
