"""Bundles, configuration and sample bags are found in the documented order."""

from pathlib import Path

import pytest

from deepsight_ros import resources
from deepsight_ros.resources import find_bundle
from deepsight_ros.resources import find_config
from deepsight_ros.resources import find_sample_bag
from deepsight_ros.resources import list_bundles
from deepsight_ros.resources import profile_environment
from deepsight_ros.resources import ResourceError

ROOT = Path(__file__).resolve().parents[1]


def make_bundle(models: Path, name: str = 'tiny') -> Path:
    bundle = models / name
    bundle.mkdir(parents=True)
    (bundle / 'manifest.json').write_text('{}')
    return bundle


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """A ``tiny`` bundle in every place that is searched by name, best first."""
    monkeypatch.setenv('DEEPSIGHT_MODELS', str(tmp_path / 'env'))
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path / "overlay"}:{tmp_path / "underlay"}')
    monkeypatch.setattr(resources.sys, 'prefix', str(tmp_path / 'venv'))
    share = 'share/deepsight_ros/models'
    return {
        'environment': make_bundle(tmp_path / 'env'),
        'overlay': make_bundle(tmp_path / 'overlay' / share),
        'underlay': make_bundle(tmp_path / 'underlay' / share),
        'pip': make_bundle(tmp_path / 'venv' / share),
    }


def test_each_place_gives_way_to_the_one_before(places: dict[str, Path]) -> None:
    for bundle in places.values():
        assert find_bundle('tiny') == bundle
        (bundle / 'manifest.json').unlink()
    with pytest.raises(ResourceError):
        find_bundle('tiny')


def test_explicit_path_wins(places: dict[str, Path], tmp_path: Path) -> None:
    mine = make_bundle(tmp_path / 'mine')
    assert find_bundle(mine) == mine
    assert find_bundle(str(mine)) == mine


def test_explicit_path_never_falls_back_to_another_bundle(places: dict[str, Path],
                                                          tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match='does not exist'):
        find_bundle(tmp_path / 'nowhere' / 'tiny')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ResourceError, match=r'has no manifest\.json'):
        find_bundle(tmp_path / 'empty')


def test_error_lists_where_it_looked_and_the_remedy(places: dict[str, Path]) -> None:
    with pytest.raises(ResourceError) as caught:
        find_bundle('missing')
    message = str(caught.value)
    for bundle in places.values():
        assert str(bundle.parent) in message
    assert 'set DEEPSIGHT_MODELS to the folder' in message


def test_empty_name_is_an_error() -> None:
    with pytest.raises(ResourceError, match='empty'):
        find_bundle('')


def test_several_folders_in_the_environment(tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = make_bundle(tmp_path / 'b')
    monkeypatch.setenv('DEEPSIGHT_MODELS', f'{tmp_path / "a"}:{tmp_path / "b"}')
    assert find_bundle('tiny') == bundle


def test_list_bundles_names_the_one_in_use(places: dict[str, Path]) -> None:
    found = {bundle.name: bundle for bundle in list_bundles()}
    assert found['tiny'] == places['environment']


def test_checkout_is_found_without_any_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv('AMENT_PREFIX_PATH', raising=False)
    assert find_config('deepsight.yaml').is_file()


def test_checkout_is_the_last_place() -> None:
    assert resources.share_folders()[-1] == ROOT


def test_config_and_sample_bags_have_their_own_variables(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / 'own.yaml').write_text('')
    (tmp_path / 'street').mkdir()
    (tmp_path / 'street' / 'metadata.yaml').write_text('')
    monkeypatch.setenv('DEEPSIGHT_CONFIG', str(tmp_path))
    monkeypatch.setenv('DEEPSIGHT_SAMPLE_BAGS', str(tmp_path))
    assert find_config('own.yaml') == tmp_path / 'own.yaml'
    assert find_sample_bag('street') == tmp_path / 'street'


def test_profile_is_ours_unless_the_user_chose_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in resources.PROFILE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    ours = str(find_config('fastdds_shm.xml'))
    assert set(profile_environment().values()) == {ours}
    monkeypatch.setenv('FASTRTPS_DEFAULT_PROFILES_FILE', 'mine.xml')
    assert set(profile_environment().values()) == {'mine.xml'}
