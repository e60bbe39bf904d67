"""Rendered worlds: streets, rooms and corridors with exact depth, labels, boxes and poses."""

from ctypes.util import find_library
import os
from typing import Final

HELD_OUT_SEED: Final = 1_000_000
"""Layouts of this and higher seeds are for validation: nothing trains on them."""


def _graphics() -> str:
    """Return MuJoCo's name for the graphics library to draw with; both work without display."""
    for name, library in (('osmesa', 'OSMesa'), ('egl', 'EGL')):
        if find_library(library):
            return name
    return 'disable'


# MuJoCo chooses its library when it is imported, and fails to import when that one is missing.
os.environ.setdefault('MUJOCO_GL', _graphics())
