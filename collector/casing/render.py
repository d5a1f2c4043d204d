"""A picture of the casing taken apart, drawn by casting a ray for every pixel."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import trimesh
from PIL import Image, ImageDraw, ImageFont

from collector.casing.meshes import Points, moved

PIXELS_PER_MM = 6  # before it is made smaller
SMALLER = 2
MARGIN = 14.0
TURNED, TILTED = 35.0, 28.0
LABELS = 300  # pixels beside the picture
PAPER, INK = (255, 255, 255), (26, 34, 48)
COLOURS = {
    "base": (88, 122, 184),
    "deck": (126, 158, 214),
    "cover": (240, 166, 80),
    "lid": (172, 190, 222),
    "bracket": (110, 120, 138),
    "clamp": (240, 166, 80),
    "raspberry_pi": (54, 140, 100),
    "gas_sensor": (130, 84, 160),
    "accelerometer": (170, 70, 64),
    "particle_sensor": (64, 76, 96),
    "microphones": (40, 44, 54),
}
NAMES = {
    "lid": "lid, a hole before each microphone",
    "microphones": "UMA-8 microphones",
    "clamp 1": "clamps of the microphones",
    "cover": "cover over the sensors' air",
    "particle_sensor": "PMS5003 particle sensor",
    "gas_sensor": "BME680 gas sensor",
    "accelerometer": "ADXL345 accelerometer",
    "deck": "upper level, louvres for the air",
    "raspberry_pi": "Raspberry Pi 4",
    "base": "lower level",
    "bracket": "bracket: suction cups, soft pads",
}
LIFTED = {
    "bracket": -55.0,
    "base": 0.0,
    "raspberry_pi": 45.0,
    "deck": 80.0,
    "gas_sensor": 135.0,
    "accelerometer": 135.0,
    "particle_sensor": 140.0,
    "cover": 165.0,
    "clamp": 190.0,
    "microphones": 210.0,
    "lid": 255.0,
}


@dataclass(frozen=True)
class Scene:
    """Triangles in the direction of view: x to the right, y up, z towards the viewer; and whose they are."""

    mesh: trimesh.Trimesh
    owner: npt.NDArray[np.int64]
    names: list[str]


def kind(name: str) -> str:
    """The key of a part in the tables above: all clamps are alike."""
    return name.split()[0]


def scene(meshes: Mapping[str, trimesh.Trimesh]) -> Scene:
    """The casing taken apart, seen from the side where air comes in."""
    lifted = [moved(mesh, (0, 0, LIFTED[kind(name)])) for name, mesh in meshes.items()]
    whole = trimesh.util.concatenate(lifted)
    turn = trimesh.transformations.rotation_matrix(np.radians(180 - TURNED), (0, 0, 1))
    tilt = trimesh.transformations.rotation_matrix(np.radians(TILTED - 90), (1, 0, 0))
    whole.apply_transform(tilt @ turn)
    return Scene(whole, np.repeat(np.arange(len(lifted)), [len(mesh.faces) for mesh in lifted]), list(meshes))


def seen(view: Scene) -> tuple[npt.NDArray[np.int64], Points]:
    """For each pixel the triangle (-1 where there is none) and how near it is."""
    (left, bottom, _), (right, top, near) = view.mesh.bounds
    xs = np.arange(left - MARGIN, right + MARGIN, 1 / PIXELS_PER_MM)
    ys = np.arange(top + MARGIN, bottom - MARGIN, -1 / PIXELS_PER_MM)
    across, up = np.meshgrid(xs, ys)
    starts = np.stack([across.ravel(), up.ravel(), np.full(across.size, near + 10)], axis=1)
    down = np.tile([0.0, 0.0, -1.0], (len(starts), 1))
    places, rays, hit = view.mesh.ray.intersects_location(starts, down, multiple_hits=False)
    triangles, depth = np.full(len(starts), -1), np.full(len(starts), -1e3)
    triangles[rays], depth[rays] = hit, places[:, 2]
    return triangles.reshape(across.shape), depth.reshape(across.shape)


def shaded(view: Scene, triangles: npt.NDArray[np.int64], depth: Points) -> npt.NDArray[np.uint8]:
    """Colours by what is seen and how it lies to the light, with a line where surfaces end or bend."""
    colours = np.array([COLOURS[kind(name)] for name in view.names], dtype=float)
    normals = view.mesh.face_normals[triangles]
    light = np.array([-0.45, 0.6, 0.66])
    bright = 0.62 + 0.42 * np.clip(normals @ light, -0.4, 1)
    picture = np.where(triangles[..., None] >= 0, colours[view.owner[triangles]] * bright[..., None], PAPER)
    picture[edges(view, triangles, normals, depth)] *= 0.45
    return np.clip(picture, 0, 255).astype(np.uint8)


def edges(view: Scene, triangles: npt.NDArray[np.int64], normals: Points, depth: Points) -> npt.NDArray[np.bool_]:
    """Where a pixel's neighbour belongs to another part, lies much deeper, or faces elsewhere."""
    owner = np.where(triangles >= 0, view.owner[triangles], -1)
    line = np.zeros(triangles.shape, dtype=bool)
    for axis in (0, 1):
        bent = np.einsum("ijk,ijk->ij", normals, np.roll(normals, 1, axis)) < 0.8
        line |= (owner != np.roll(owner, 1, axis)) | bent | (np.abs(depth - np.roll(depth, 1, axis)) > 2)
    return line & (triangles >= 0)


def label_heights(view: Scene, triangles: npt.NDArray[np.int64]) -> dict[str, tuple[int, int]]:
    """Where the line of each label leads, in pixels of the smaller picture: the right end of the part's middle row."""
    owner = np.where(triangles >= 0, view.owner[triangles], -1)
    found = {}
    for number, name in enumerate(view.names):
        rows, columns = np.nonzero(owner == number)
        if name in NAMES and len(rows):
            middle = int(np.median(rows))
            found[name] = (int(columns[rows == middle].max()) // SMALLER, middle // SMALLER)
    return found


def spread(wanted: list[int], gap: int) -> list[int]:
    """Heights in ascending order, moved down where they would be nearer to each other than the gap."""
    placed: list[int] = []
    for height in wanted:
        placed.append(max(height, placed[-1] + gap) if placed else height)
    return placed


def labelled(picture: Image.Image, targets: Mapping[str, tuple[int, int]]) -> Image.Image:
    """The picture with the parts' names to its right."""
    paper = Image.new("RGB", (picture.width + LABELS, picture.height), PAPER)
    paper.paste(picture)
    draw, font = ImageDraw.Draw(paper), ImageFont.load_default(18)
    ordered = sorted(targets.items(), key=lambda item: item[1][1])
    for (name, (x, y)), height in zip(ordered, spread([y for _, (_, y) in ordered], 28), strict=True):
        draw.line([(x, y), (picture.width - 12, height), (picture.width, height)], fill=INK, width=1)
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=INK)
        draw.text((picture.width + 6, height), NAMES[name], fill=INK, font=font, anchor="lm")
    return paper


def draw_apart(meshes: Mapping[str, trimesh.Trimesh], path: Path) -> None:
    """Writes the picture as PNG."""
    view = scene(meshes)
    triangles, depth = seen(view)
    full = Image.fromarray(shaded(view, triangles, depth))
    small = full.resize((full.width // SMALLER, full.height // SMALLER), Image.Resampling.LANCZOS)
    path.parent.mkdir(parents=True, exist_ok=True)
    labelled(small, label_heights(view, triangles)).quantize(96).save(path, optimize=True)
