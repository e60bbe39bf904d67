"""Numbers on command lines, checked where argparse can name the option."""

from __future__ import annotations

from argparse import ArgumentTypeError
import math


def frame_count(text: str) -> int:
    """Whole number of frames, at least one."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f'{text!r} is no number of frames; give 1 or more')
    return int(text)


def finite(text: str) -> float:
    """Any number but NaN and infinities."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ArgumentTypeError(f'{text!r} is no finite number')
    return value


def length(text: str) -> float:
    """Length in metres above zero."""
    value = finite(text)
    if value <= 0:
        raise ArgumentTypeError(f'{text!r} is no length; give metres above 0')
    return value


def seconds(text: str) -> float:
    """Time in seconds above zero."""
    value = finite(text)
    if value <= 0:
        raise ArgumentTypeError(f'{text!r} is no time; give seconds above 0')
    return value


def tilt(text: str) -> float:
    """Angle in radians, a quarter turn at most."""
    value = finite(text)
    if abs(value) > math.pi / 2:
        raise ArgumentTypeError(f'{text!r} is beyond a quarter turn; angles are in radians, '
                                f'{value:g} degrees are {math.radians(value):.3g}')
    return value


def direction(text: str) -> tuple[float, float, float]:
    """Return three numbers that are not all zero."""
    values = [finite(part) for part in text.split(',')]
    if len(values) != 3 or not any(values):
        raise ArgumentTypeError(f'{text!r} is no direction; give three numbers, not all of them '
                                '0, such as 0,0,-1')
    x, y, z = values
    return x, y, z
