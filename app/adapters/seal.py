"""Is there a round red seal on this page? Works on colours and shape alone; the writing in it is not read.

The picture is RGB at 100 dots per inch. Lengths are millimetres unless a name says otherwise. The answer is a hint
for a person: square name stamps, finger prints, red discs and red tables are not taken for a seal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DPI = 100
MM = DPI / 25.4
CELL = round(2 * MM)
# Red pixels that make a cell count; fewer are noise.
MIN_IN_CELL = 3
# From strong to faded ink; the first threshold that shows a ring decides.
REDNESS = (40, 24, 13)
# Official seals are 30 to 45 wide; the margin allows for scaling in print and scan.
MIN_DIAMETER, MAX_DIAMETER = 28.0, 47.5
RING = 1.3
BINS = 72
MIN_COVERAGE, MAX_FILL, MAX_OUTSIDE = 0.7, 0.55, 0.5
# A ring that touches other red things: more of it must be there, since lines of a table lie on many circles.
GUESSES, MIN_COVERAGE_AMONG, MAX_OUTSIDE_AMONG = 2000, 0.85, 3.0
# Share of the ring's line that is red, and how red the bands beside it may be in comparison.
MIN_LINE, MAX_BESIDE = 0.45, 0.5
# A scan in colour has coloured noise; one in grey has the same value in all three channels.
GREY_STEP, COLOUR_SHARE = 2, 0.001

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Circle:
    """Centre and radius in pixels."""

    x: float
    y: float
    radius: float


def has_colour(rgb: Pixels) -> bool:
    """Whether the page was scanned in colour at all."""
    spread = rgb.max(axis=2).astype(np.int16) - rgb.min(axis=2)
    return bool((spread > GREY_STEP).mean() > COLOUR_SHARE)


def look_for_seal(rgb: Pixels) -> str:
    """``seen``, ``not_seen``, or ``cannot_tell`` for a page without colour."""
    if not has_colour(rgb):
        return "cannot_tell"
    channels = rgb.astype(np.int16)
    redness = channels[..., 0] - np.maximum(channels[..., 1], channels[..., 2])
    return "seen" if any(_shows_ring(redness > threshold) for threshold in REDNESS) else "not_seen"


def _shows_ring(red: Pixels) -> bool:
    """Whether any connected red area is a ring of the right size."""
    return any(_is_ring(*points) for points in _areas(red))


def _areas(red: Pixels) -> list[tuple[Pixels, Pixels]]:
    """The red pixels of each connected area that is as large as a seal, as (x, y)."""
    height, width = (side // CELL * CELL for side in red.shape)
    cells = red[:height, :width].reshape(height // CELL, CELL, width // CELL, CELL).sum(axis=(1, 3))
    labels = _label(_widened(cells >= MIN_IN_CELL))
    ys, xs = np.nonzero(red[:height, :width])
    owner = labels[ys // CELL, xs // CELL]
    areas = []
    for number in range(1, int(labels.max(initial=0)) + 1):
        rows, columns = np.nonzero(labels == number)
        smallest = min(np.ptp(rows), np.ptp(columns)) + 1
        if smallest * CELL >= (MIN_DIAMETER - 4) * MM:
            mine = owner == number
            areas.append((xs[mine].astype(float), ys[mine].astype(float)))
    return areas


def _widened(cells: Pixels) -> Pixels:
    """Each cell and its eight neighbours, so that print across the ring does not cut it into pieces."""
    framed = np.pad(cells, 1)
    rows, columns = cells.shape
    wide = np.zeros_like(cells)
    for down in range(3):
        for right in range(3):
            wide |= framed[down : down + rows, right : right + columns]
    return wide


def _label(cells: Pixels) -> Pixels:
    """Numbers connected cells, neighbours including diagonals; 0 is background."""
    labels = np.zeros(cells.shape, dtype=np.int32)
    rows, columns = cells.shape
    number = 0
    for row, column in zip(*np.nonzero(cells), strict=True):
        if labels[row, column]:
            continue
        number += 1
        labels[row, column] = number
        open_cells = [(int(row), int(column))]
        while open_cells:
            y, x = open_cells.pop()
            for near_y in range(max(y - 1, 0), min(y + 2, rows)):
                for near_x in range(max(x - 1, 0), min(x + 2, columns)):
                    if cells[near_y, near_x] and not labels[near_y, near_x]:
                        labels[near_y, near_x] = number
                        open_cells.append((near_y, near_x))
    return labels


def _is_ring(xs: Pixels, ys: Pixels) -> bool:
    """Whether the area is a ring by its outer edge, or holds one beside other red things."""
    edge = _fit_edge(xs, ys)
    return _proves(edge, xs, ys, MIN_COVERAGE, MAX_OUTSIDE) or any(
        _stands_out(circle, xs, ys) and _proves(circle, xs, ys, MIN_COVERAGE_AMONG, MAX_OUTSIDE_AMONG)
        for circle in _guesses(xs, ys)
    )


def _proves(circle: Circle | None, xs: Pixels, ys: Pixels, min_coverage: float, max_outside: float) -> bool:
    """Whether the circle has the size of a seal, is covered with red, and is neither a disc nor a part of a pattern."""
    if circle is None or not MIN_DIAMETER <= 2 * circle.radius / MM <= MAX_DIAMETER:
        return False
    distance = np.hypot(xs - circle.x, ys - circle.y)
    ring = np.abs(distance - circle.radius) <= RING * MM
    angle = np.arctan2(ys - circle.y, xs - circle.x)
    covered = np.unique(_bins(angle[ring])).size / BINS
    inner = circle.radius - 3 * MM
    fill = np.count_nonzero(distance < inner) / (np.pi * inner**2)
    outside = np.count_nonzero(distance > circle.radius + 2 * MM) / max(int(np.count_nonzero(ring)), 1)
    return bool(covered >= min_coverage and fill <= MAX_FILL and outside <= max_outside)


def _stands_out(circle: Circle, xs: Pixels, ys: Pixels) -> bool:
    """Whether the line of the ring is redder than the bands beside it; in a table all three are alike."""
    distance = np.hypot(xs - circle.x, ys - circle.y) - circle.radius
    half, near, far = 0.7 * MM, 1.5 * MM, 3.2 * MM
    line = np.count_nonzero(np.abs(distance) <= half) / (2 * half)
    inside = np.count_nonzero((distance < -near) & (distance > -far)) / (far - near)
    outside = np.count_nonzero((distance > near) & (distance < far)) / (far - near)
    full = 2 * np.pi * circle.radius
    return bool(line >= MIN_LINE * full and max(inside, outside) <= MAX_BESIDE * line)


def _guesses(xs: Pixels, ys: Pixels) -> list[Circle]:
    """The circles through three random red pixels that meet the most red; a name stamp often touches the seal."""
    chance = np.random.default_rng(0)
    few = chance.choice(xs.size, min(xs.size, 1500), replace=False)
    px, py = xs[few], ys[few]
    a, b, c = chance.integers(0, px.size, (3, GUESSES))
    bx, by, cx, cy = px[b] - px[a], py[b] - py[a], px[c] - px[a], py[c] - py[a]
    twice = 2 * (bx * cy - by * cx)
    twice[twice == 0] = np.inf
    ux = (cy * (bx**2 + by**2) - by * (cx**2 + cy**2)) / twice
    uy = (bx * (cx**2 + cy**2) - cx * (bx**2 + by**2)) / twice
    radius = np.hypot(ux, uy)
    sized = (2 * radius >= MIN_DIAMETER * MM) & (2 * radius <= MAX_DIAMETER * MM)
    x, y, radius = (ux + px[a])[sized], (uy + py[a])[sized], radius[sized]
    distance = np.hypot(px - x[:, None], py - y[:, None])
    met = (np.abs(distance - radius[:, None]) <= 0.8 * MM).sum(axis=1)
    best = np.argsort(-met)[:3]
    close = [np.abs(distance[i] - radius[i]) <= MM for i in best]
    return [circle for near in close if (circle := _fit(px[near], py[near])) is not None]


def _fit_edge(xs: Pixels, ys: Pixels) -> Circle | None:
    """Circle through the farthest pixel of each direction; twice without the points that do not lie on it."""
    circle: Circle | None = Circle((xs.min() + xs.max()) / 2, (ys.min() + ys.max()) / 2, 0.0)
    for tolerance in (None, 3 * MM, 1.5 * MM):
        if circle is None:
            return None
        edge = _farthest(xs, ys, circle)
        if tolerance is not None:
            edge = edge[np.abs(np.hypot(xs[edge] - circle.x, ys[edge] - circle.y) - circle.radius) <= tolerance]
        circle = _fit(xs[edge], ys[edge])
    return circle


def _farthest(xs: Pixels, ys: Pixels, circle: Circle) -> Pixels:
    """Index of the farthest pixel in each of the directions."""
    distance = np.hypot(xs - circle.x, ys - circle.y)
    order = np.argsort(-distance, kind="stable")
    _bin, first = np.unique(_bins(np.arctan2(ys - circle.y, xs - circle.x))[order], return_index=True)
    return order[first]


def _bins(angle: Pixels) -> Pixels:
    return ((angle + np.pi) / (2 * np.pi) * BINS).astype(int) % BINS


def _fit(xs: Pixels, ys: Pixels) -> Circle | None:
    """Kåsa's least squares circle, or nothing for too few points or points on a line."""
    if xs.size < BINS // 3:
        return None
    system = np.column_stack((xs, ys, np.ones_like(xs)))
    (a, b, c), _rest, rank, _values = np.linalg.lstsq(system, -(xs**2 + ys**2), rcond=None)
    square = (a * a + b * b) / 4 - c
    return Circle(-a / 2, -b / 2, float(np.sqrt(square))) if rank == 3 and square > 0 else None
