"""A flat road under a level camera, and a real bundle that reads the classes off the picture."""

from pathlib import Path
import sys

from painted_bundle import write_painted_bundle
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from streets import CAMERA  # noqa: E402
from streets import make_street  # noqa: E402
from streets import Street  # noqa: E402


@pytest.fixture
def street() -> Street:
    """The level street."""
    return make_street()


@pytest.fixture(scope='session')
def painted_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Segmentation whose classes are painted into the picture: red / 32."""
    folder = tmp_path_factory.mktemp('bundles') / 'painted'
    return write_painted_bundle(folder, pixels=CAMERA.width * CAMERA.height, multiple=16)
