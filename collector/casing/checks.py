"""Whether the parts are solids, fit each other and the boards, and let air and sound in but no light."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import trimesh
from build123d import Part

from collector.casing.findings import Finding
from collector.casing.meshes import Points, distances, free, moved, overlap
from collector.casing.places import Places
from collector.casing.sizes import Collector, Point

TOUCHING = 0.5  # mm³ that triangles of touching curves may share
LOOSEST = 0.6
BOARD_PLAY = 0.3
LEAST_AIR = 0.2  # share of an opening through which air gets
SCREWS = (10, 12, 16, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70)


@dataclass(frozen=True)
class Assembly:
    """The casing put together: solids and triangles of the parts, triangles of the boards."""

    sizes: Collector
    solids: Mapping[str, Part]
    parts: Mapping[str, trimesh.Trimesh]
    boards: Mapping[str, trimesh.Trimesh]

    @property
    def places(self) -> Places:
        """Where things sit."""
        return Places(self.sizes)

    @property
    def all_parts(self) -> trimesh.Trimesh:
        """The triangles of all parts as one."""
        return trimesh.util.concatenate(list(self.parts.values()))


def solids(assembly: Assembly) -> Iterator[Finding]:
    """Every part is one valid closed solid, and so are its triangles."""
    for name, part in assembly.solids.items():
        mesh = assembly.parts[name]
        good = part.is_valid and len(part.solids()) == 1 and mesh.is_watertight and mesh.body_count == 1
        measured = f"{len(part.solids())} solid, {part.volume / 1000:.1f} cm³, {len(mesh.faces)} triangles"
        yield Finding(
            "watertight", name, measured, good, "thicken casing.wall or casing.floor, or move what cuts it apart"
        )


def parts_apart(assembly: Assembly) -> Iterator[Finding]:
    """No two parts take up the same space."""
    for (name, part), (other, second) in combinations(assembly.parts.items(), 2):
        shared = overlap(part, second)
        if shared > TOUCHING:
            yield Finding(
                "parts apart", f"{name}, {other}", f"{shared:.1f} mm³", False, "raise casing.play or a height"
            )
    pairs = len(assembly.parts) * (len(assembly.parts) - 1) // 2
    yield Finding("parts apart", "all pairs", f"{pairs} pairs looked at", True, "")


def parts_fit(assembly: Assembly) -> Iterator[Finding]:
    """The lid in the upper level and that on the lower one move a little, and only a little."""
    for name, other in (("lid", "deck"), ("deck", "base")):
        least = 0.5 * assembly.sizes.casing.play
        tight = most_shared(assembly.parts[name], assembly.parts[other], least)
        loose = least_shared(assembly.parts[name], assembly.parts[other], LOOSEST)
        measured = f"free at {least:.2f} mm, held at {LOOSEST} mm"
        yield Finding(
            "parts fit", f"{name} in {other}", measured, tight <= TOUCHING < loose, "set casing.play to 0.2 to 0.5"
        )


def sideways(by: float) -> list[tuple[float, float, float]]:
    """Steps in the four directions."""
    return [(by, 0, 0), (-by, 0, 0), (0, by, 0), (0, -by, 0)]


def most_shared(mesh: trimesh.Trimesh, other: trimesh.Trimesh, by: float) -> float:
    """The volume shared where the mesh is moved to the side that suits least."""
    return max(overlap(moved(mesh, step), other) for step in sideways(by))


def least_shared(mesh: trimesh.Trimesh, other: trimesh.Trimesh, by: float) -> float:
    """The volume shared where the mesh is moved to the side that suits best."""
    return min(overlap(moved(mesh, step), other) for step in sideways(by))


def boards_fit(assembly: Assembly) -> Iterator[Finding]:
    """Every board has room on all sides, and no two share space."""
    for name, board in assembly.boards.items():
        rest = {**assembly.parts, **{other: mesh for other, mesh in assembly.boards.items() if other != name}}
        shared = {other: most_shared(board, mesh, BOARD_PLAY) for other, mesh in rest.items()}
        touched = [f"{other} by {volume:.0f} mm³" for other, volume in shared.items() if volume > TOUCHING]
        measured = f"meets {', '.join(touched)}" if touched else f"{BOARD_PLAY} mm free on all sides"
        yield Finding(
            "boards fit", name, measured, not touched, "raise casing.length, casing.width or the level's height"
        )


def holes_meet(assembly: Assembly) -> Iterator[Finding]:
    """Under each hole of a board a post stands, with a hole for an insert."""
    places, casing = assembly.places, assembly.sizes.casing
    upper = places.deck + casing.floor
    for name, at, part, floor in (
        ("raspberry_pi", places.raspberry_pi, "base", casing.floor),
        ("gas_sensor", places.gas_sensor, "deck", upper),
        ("accelerometer", places.accelerometer, "deck", upper),
    ):
        centres = [(at[0] + x, at[1] + y) for x, y in getattr(assembly.sizes, name).holes]
        met = sum(held(assembly.parts[part], centre, floor + casing.standoff, casing.insert) for centre in centres)
        advice = f"measure {name}.hole_spacing and raise casing.standoff"
        yield Finding("holes meet", name, f"{met} of {len(centres)} over an insert", met == len(centres), advice)


def held(mesh: trimesh.Trimesh, centre: Point, top: float, insert: float) -> bool:
    """Whether a ray down the middle of a hole goes 4 mm deep, and rays beside it meet the post at once."""
    ring = insert / 2 + 0.6
    beside = [(centre[0] + dx, centre[1] + dy) for dx, dy in ((ring, 0), (-ring, 0), (0, ring), (0, -ring))]
    starts = np.array([(*point, top + 0.5) for point in [centre, *beside]])
    far = distances(mesh, starts, np.tile([0.0, 0.0, -1.0], (len(starts), 1)))
    return bool(far[0] > 4.5 and (far[1:] < 0.6).all())


def screws(assembly: Assembly) -> Iterator[Finding]:
    """A screw that is sold goes through lid and upper level and holds in the lower one."""
    casing = assembly.sizes.casing
    through = casing.lid + casing.floor + casing.upper_height
    fitting = [length for length in SCREWS if through + 3 <= length <= through + casing.pillar_insert_depth - 1.5]
    measured = f"M3 x {fitting[0]}" if fitting else f"none from {through + 3:.0f} mm on"
    yield Finding("screws", "lid to base", measured, bool(fitting), "change casing.upper_height by a few mm")


def microphones_open(assembly: Assembly) -> Iterator[Finding]:
    """From each microphone's port straight out, and from 8 points round it, nothing is in the way."""
    mesh, places, casing = assembly.all_parts, assembly.places, assembly.sizes.casing
    for number, at in enumerate(places.microphones):
        starts = disc((*at, places.lid - casing.gasket + 0.01), assembly.sizes.microphones.port / 2)
        share = float(free(mesh, starts, np.array([0.0, 0.0, 1.0])).mean())
        advice = "measure microphones.ring_radius and ring_start, or raise casing.sound_hole"
        yield Finding("sound path", f"microphone {number}", f"{share:.0%} open", share == 1.0, advice)


def disc(centre: tuple[float, float, float], radius: float) -> Points:
    """The centre of a level disc and points round it."""
    angles = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = np.stack([np.cos(angles) * radius, np.sin(angles) * radius, np.zeros(8)], axis=1)
    return np.vstack([np.zeros((1, 3)), ring]) + centre


def openings(places: Places) -> dict[str, tuple[float, float]]:
    """The middles and widths along the wall of what air goes through."""
    sensor, x = places.sizes.particle_sensor, places.particle_sensor[0]
    return {
        "inlet": (x + sensor.inlet, sensor.inlet_width),
        "outlet": (x + sensor.outlet, sensor.outlet_width),
        "gas sensor": (places.gas_sensor[0] - 2, 14.0),
    }


def air_comes_in(assembly: Assembly) -> Iterator[Finding]:
    """Along the louvres' slope air gets through; straight through no light does."""
    mesh, casing = assembly.parts["deck"], assembly.sizes.casing
    for name, (middle, width) in openings(assembly.places).items():
        starts = wall_grid(assembly.places, middle, width)
        air = float(free(mesh, starts, np.array([0.0, 1.0, -1.0]) / 2**0.5).mean())
        light = float(free(mesh, starts, np.array([0.0, 1.0, 0.0])).mean())
        yield Finding("air", name, f"{air:.0%} open", air >= LEAST_AIR, "raise casing.slot or lower casing.slot_pitch")
        advice = f"casing.slot must be less than casing.wall, {casing.wall} mm"
        yield Finding("light", name, f"{light:.0%} seen through", light == 0.0, advice)


def wall_grid(places: Places, middle: float, width: float) -> Points:
    """Points just inside the wall before an opening."""
    bottom = places.deck + places.casing.floor + 3
    across = np.linspace(middle - width / 2 + 0.6, middle + width / 2 - 0.6, 12)
    up = np.linspace(bottom, bottom + places.sizes.particle_sensor.height - 6, 60)
    x, z = (grid.ravel() for grid in np.meshgrid(across, up))
    return np.stack([x, np.full_like(x, places.casing.width / 2 - 0.05), z], axis=1)


def glass_untouched(assembly: Assembly) -> Iterator[Finding]:
    """Only the pads reach the windscreen."""
    casing = assembly.sizes.casing
    distance = casing.pad - casing.pad_recess
    lowest = min(float(mesh.bounds[0][2]) for mesh in assembly.parts.values())
    gap = lowest + casing.plate + casing.foot + distance
    yield Finding(
        "glass", "bracket", f"{gap:.1f} mm from the glass", gap >= 1.5, "raise casing.pad or lower casing.pad_recess"
    )


CHECKS = (
    solids,
    parts_apart,
    parts_fit,
    boards_fit,
    holes_meet,
    screws,
    microphones_open,
    air_comes_in,
    glass_untouched,
)
