"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Folder with real frames: $DEEPSIGHT_DATA, else ../shared/data beside the checkout."""
    folder = Path(os.environ.get('DEEPSIGHT_DATA', ROOT.parent / 'shared' / 'data'))
    if not folder.is_dir():
        pytest.skip(f'real frames are not here: {folder} is missing (set DEEPSIGHT_DATA)')
    return folder
