"""Fixtures that all tests share."""

import ast
from collections.abc import Iterator
import os
from pathlib import Path
import sys

import pytest

from deepsight_ros.resources import find_bundle
from deepsight_ros.resources import ResourceError

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))


@pytest.fixture(scope='session', autouse=True)
def user_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep engines apart from the user's, for processes that tests start as well."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp('cache')
        patch.setenv('DEEPSIGHT_CACHE', str(folder))
        yield folder


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Folder with real frames: $DEEPSIGHT_DATA, else ../shared/data beside the checkout."""
    folder = Path(os.environ.get('DEEPSIGHT_DATA', ROOT.parent / 'shared' / 'data'))
    if not folder.is_dir():
        pytest.skip(f'real frames are not here: {folder} is missing (set DEEPSIGHT_DATA)')
    return folder


@pytest.fixture(scope='session')
def painted_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real segmentation bundle whose classes are painted into the picture: red = 32 * class."""
    from painted_bundle import write_painted_bundle

    folder = tmp_path_factory.mktemp('bundles') / 'painted'
    return write_painted_bundle(folder, pixels=128 * 64, multiple=8)


@pytest.fixture(scope='session')
def spatial_language_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Real language bundle that has learned nothing, for what does not depend on the answer."""
    pytest.importorskip('deepsight_training', reason='robots have no package of training')
    from tiny_language_bundle import write_tiny_language_bundle

    return write_tiny_language_bundle(tmp_path_factory.mktemp('bundles') / 'deepsight_nano')


@pytest.fixture(scope='session')
def trained_language_bundle() -> Path:
    """Bundle whose answers are right, the one that ships."""
    try:
        return find_bundle('deepsight_nano')
    except ResourceError:
        pytest.skip('the bundle deepsight_nano is still being trained')


@pytest.fixture(scope='session')
def painted_bags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with short bags in place of the sample bags, for ``painted_bundle``."""
    from painted_bag import write_painted_bag

    folder = tmp_path_factory.mktemp('sample_bags')
    write_painted_bag(folder / 'street', compressed=False)
    write_painted_bag(folder / 'room', compressed=True)
    return folder


@pytest.fixture(scope='session')
def launch_arguments() -> dict[str, dict[str, tuple[str, str]]]:
    """Default and description of each argument that a launch file declares, without launch."""
    return {path.name: _declared_arguments(path) for path in ROOT.glob('launch/*.launch.py')}


def _declared_arguments(path: Path) -> dict[str, tuple[str, str]]:
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
             and getattr(node.func, 'id', '') == 'DeclareLaunchArgument']
    declared = {}
    for call in calls:
        (name,) = (argument.value for argument in call.args)
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        # A default is a text, or the path of the configuration file that a call names.
        texts = [node.value for node in ast.walk(options['default_value'])
                 if isinstance(node, ast.Constant)]
        declared[name] = (texts[0], options['description'].value)
    return declared
