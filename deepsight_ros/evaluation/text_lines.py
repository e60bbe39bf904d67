"""Lines of the files that people and models write: questions, benchmarks, answers."""

from __future__ import annotations

from pathlib import Path

from deepsight_ros.evaluation.errors import DatasetError


def text_lines(path: Path) -> list[tuple[int, str]]:
    """Return lines that are not blank, with their numbers; ``DatasetError`` unless UTF-8."""
    try:
        lines = path.read_text('utf8').splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(f'{path} is no UTF-8 text ({error}); save it as UTF-8') from error
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
