"""Triangles of parts: written as STL, read again as a slicer would, and asked for what rays hit."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import trimesh
from build123d import Part, export_step, export_stl

Points = npt.NDArray[np.float64]
TOLERANCE = 0.03


def write(parts: Mapping[str, Part], folder: Path) -> dict[str, Path]:
    """Writes STEP and STL of every part; the STL files by the parts' names."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, part in parts.items():
        path = folder / f"{name.replace(' ', '-')}.stl"
        export_stl(part, str(path), tolerance=TOLERANCE, angular_tolerance=0.2)
        export_step(part, str(path.with_suffix(".step")))
        written[name] = path
    return written


def read(path: Path) -> trimesh.Trimesh:
    """The triangles of an STL file, equal corners made one."""
    return trimesh.load_mesh(path)


def overlap(first: trimesh.Trimesh, second: trimesh.Trimesh) -> float:
    """The volume in mm³ that both take up."""
    (low, high), (other_low, other_high) = first.bounds, second.bounds
    if (low >= other_high).any() or (other_low >= high).any():
        return 0.0
    shared = trimesh.boolean.intersection([first, second], engine="manifold")
    return volume(shared)


def volume(mesh: trimesh.Trimesh) -> float:
    """The volume in mm³ that the triangles enclose; that of surfaces that only touch is 0."""
    first, second, third = np.asarray(mesh.triangles, dtype=np.float64).reshape(-1, 3, 3).transpose(1, 0, 2)
    return abs(float(np.einsum("ij,ij->", first, np.cross(second, third)))) / 6


def moved(mesh: trimesh.Trimesh, by: tuple[float, float, float]) -> trimesh.Trimesh:
    """A copy elsewhere."""
    copy = mesh.copy()
    copy.apply_translation(by)
    return copy


def free(mesh: trimesh.Trimesh, starts: Points, directions: Points) -> npt.NDArray[np.bool_]:
    """Which rays hit nothing."""
    hit: npt.NDArray[np.bool_] = mesh.ray.intersects_any(starts, np.broadcast_to(directions, starts.shape))
    return ~hit


def distances(mesh: trimesh.Trimesh, starts: Points, directions: Points) -> Points:
    """How far each ray goes until it first hits the mesh; infinite where it hits nothing."""
    places, rays, _ = mesh.ray.intersects_location(starts, directions, multiple_hits=False)
    far = np.full(len(starts), np.inf)
    far[rays] = np.linalg.norm(places - starts[rays], axis=1)
    return far
