"""Whether a part can be printed without supports, as it lies on the bed."""

from collections.abc import Iterator

import numpy as np
import trimesh

from collector.casing.findings import Finding
from collector.casing.meshes import Points, distances
from collector.casing.sizes import Printer

SAMPLES = 6000
UPSIDE_DOWN = {"lid", "bracket"}  # printed on what is their upper side in the assembled casing
THIN_SHARE = 0.001  # of the samples; rays that graze an edge
DIRECTIONS = 8


def laid(name: str, mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """The part as it lies on the bed, which is at height 0."""
    copy = mesh.copy()
    if name in UPSIDE_DOWN:
        copy.apply_transform(trimesh.transformations.rotation_matrix(np.pi, (1, 0, 0)))
    copy.apply_translation((0, 0, -copy.bounds[0][2]))
    return copy


def printable(name: str, mesh: trimesh.Trimesh, printer: Printer) -> Iterator[Finding]:
    """All that is looked at for one part."""
    part = laid(name, mesh)
    yield fits_bed(name, part, printer)
    yield walls(name, part, printer)
    yield overhangs(name, part, printer)
    yield islands(name, part)


def fits_bed(name: str, part: trimesh.Trimesh, printer: Printer) -> Finding:
    """The part is no larger than what the printer prints."""
    fits = all(size <= limit for size, limit in zip(part.extents, printer.bed, strict=True))
    measured = " x ".join(f"{size:.0f}" for size in part.extents) + " mm"
    return Finding("bed", name, measured, fits, "lower casing.length, casing.width or casing.ear, or raise printer.bed")


def walls(name: str, part: trimesh.Trimesh, printer: Printer) -> Finding:
    """From points on the surface inwards, the opposite side is far enough away.

    Only sides that look away from each other count: where two meet at an edge the way is short, but nothing is thin.
    """
    starts, faces = trimesh.sample.sample_surface(part, SAMPLES, seed=1)
    normals = part.face_normals[faces]
    places, rays, hit = part.ray.intersects_location(starts - 1e-3 * normals, -normals, multiple_hits=False)
    opposite = np.einsum("ij,ij->i", part.face_normals[hit], normals[rays]) < -0.9
    thickness = np.linalg.norm(places - starts[rays], axis=1)[opposite]
    thin = float((thickness < printer.thinnest).mean())
    measured = f"{np.quantile(thickness, THIN_SHARE):.2f} mm at the thinnest"
    return Finding("walls", name, measured, thin <= THIN_SHARE, "raise casing.wall, floor, partition or post")


def overhangs(name: str, part: trimesh.Trimesh, printer: Printer) -> Finding:
    """What looks downwards more steeply than the printer can do is a bridge between two sides, and short enough."""
    limit = -np.sin(np.radians(printer.steepest)) - 0.02
    steep = (part.face_normals[:, 2] < limit) & (part.triangles_center[:, 2] > 0.3)
    if not steep.any():
        return Finding("overhangs", name, "none", True, "")
    points, _ = trimesh.sample.sample_surface(part, 600, face_weight=part.area_faces * steep, seed=1)
    longest = float(np.max(spans(part, points)))
    advice = "lower what spans the opening, or raise printer.bridge if yours can"
    return Finding("overhangs", name, f"bridges up to {longest:.1f} mm", longest <= printer.bridge, advice)


def spans(part: trimesh.Trimesh, points: Points) -> Points:
    """How far the sides between which a ceiling lies are apart, in the direction in which they are nearest."""
    below = points - (0, 0, 0.3)
    best = np.full(len(points), np.inf)
    for angle in np.pi * np.arange(DIRECTIONS) / DIRECTIONS:
        ray = np.tile([np.cos(angle), np.sin(angle), 0.0], (len(points), 1))
        best = np.minimum(best, distances(part, below, ray) + distances(part, below, -ray))
    return best


def islands(name: str, part: trimesh.Trimesh) -> Finding:
    """Nothing begins in the air: a lowest place that looks downwards lies on the bed."""
    heights = np.round(part.vertices[:, 2], 3)
    edges = part.edges_unique
    level = heights[edges[:, 0]] == heights[edges[:, 1]]
    groups = trimesh.graph.connected_component_labels(edges[level], node_count=len(heights))
    sloping = np.take_along_axis(edges, np.argsort(heights[edges], axis=1), axis=1)[~level]
    lower = np.zeros(groups.max() + 1, dtype=bool)
    lower[groups[sloping[:, 1]]] = True
    downward = part.vertex_normals[:, 2] < 0
    floating = np.unique(groups[~lower[groups] & downward & (heights > 0.3)])
    return Finding(
        "islands", name, f"{len(floating)} begin in the air", len(floating) == 0, "let what floats reach a wall"
    )
