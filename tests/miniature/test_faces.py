"""The miniature of faces, from drawings to a model directory, in a minute. Needs the training extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.training,
    # torch's exporter announces changes in itself that are no business of ours
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
    ),
]


def test_a_short_training_yields_a_pack_that_loads_and_says_what_it_measured(tmp_path: Path):
    from havenfs.miniature.faces.__main__ import make
    from havenfs.models import registry
    from havenfs.models.manifest import ModelKind

    out = tmp_path / "mini"
    figures = make(out, steps=20, seed=1, drawings=60, people=12, measured=20, workers=1)
    model = registry.load(out)
    assert (model.kind, model.dimension, model.miniature) == (ModelKind.FACES, 128, True)
    assert registry.verify(model) == []
    assert figures["steps"] == 20
    assert figures["int8"]["detection"]["faces"] > 5
    assert "README.md" in {path.name for path in out.iterdir()}


def test_every_place_that_should_find_a_face_points_at_its_box_and_landmarks():
    from havenfs.miniature.faces.nets import STRIDES
    from havenfs.miniature.faces.training import targets

    box, points = [40.0, 40.0, 64.0, 72.0], [46, 52, 58, 52, 52, 58, 48, 64, 56, 64]
    wanted = targets(np.array([[*box, *points]], np.float32))
    found = 0
    for stride, (is_face, boxes, five) in zip(STRIDES, wanted, strict=True):
        side = 160 // stride
        for place in np.flatnonzero(is_face > 0):
            x, y = (place // 2 % side) * stride, (place // 2 // side) * stride
            left, top, right, bottom = boxes[place] * stride
            assert [x - left, y - top, x + right, y + bottom] == pytest.approx(box)
            assert (five[place].reshape(5, 2) * stride + (x, y)).ravel() == pytest.approx(points)
            found += 1
    assert found >= 2


def test_drawings_do_not_depend_on_the_number_of_workers():
    from havenfs.miniature.faces.drawings import gallery

    alone, shared = (gallery(3, people=4, seed=9, workers=workers) for workers in (1, 2))
    assert all(
        np.array_equal(one.pixels, other.pixels) for one, other in zip(alone, shared, strict=True)
    )
