"""Crops of the benchmarks, pixel by pixel."""

import numpy as np
import pytest

from deepsight_ros.evaluation.crops import inside_crop


def kept(crop, height, width):
    rows, columns = np.mgrid[:height, :width]
    points = np.stack([columns.ravel(), rows.ravel(), np.ones(rows.size)], 1).astype(np.float32)
    inside = inside_crop(points, crop, height, width).reshape(height, width)
    rows, columns = np.nonzero(inside)
    assert inside.sum() == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize(('crop', 'height', 'width', 'expected'), [
    ('none', 375, 1242, (0, 375, 0, 1242)),
    ('garg', 375, 1242, (153, 371, 44, 1197)),
    ('eigen', 375, 1242, (124, 342, 44, 1197)),
    ('nyu', 480, 640, (45, 471, 41, 601)),
])
def test_crop(crop, height, width, expected):
    assert kept(crop, height, width) == expected
