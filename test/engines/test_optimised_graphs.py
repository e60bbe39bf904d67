"""ONNX Runtime's optimised graphs in the cache: used when whole, never needed."""

import logging
from pathlib import Path

import numpy as np
import pytest

from deepsight_ros.engines import load_engine

X = np.ones((2, 3), np.float32)


def kept_files(cache: Path) -> list[Path]:
    return sorted(cache.glob('graphs/doubling/*'))


def check(bundle: Path, cache: Path) -> None:
    with load_engine(bundle, cache=cache) as engine:
        np.testing.assert_array_equal(engine({'x': X})['y'], 2 * X)


def test_the_second_start_reads_what_the_first_wrote(bundle: Path, tmp_path: Path) -> None:
    check(bundle, tmp_path)
    graph, digest = kept_files(tmp_path)
    times = [graph.stat().st_mtime_ns, digest.stat().st_mtime_ns]
    check(bundle, tmp_path)
    assert kept_files(tmp_path) == [graph, digest]
    assert [graph.stat().st_mtime_ns, digest.stat().st_mtime_ns] == times


def test_it_is_really_used(bundle: Path, tmp_path: Path) -> None:
    """A graph that doubles twice, put into the cache with its hash, answers."""
    import onnx

    from deepsight_ros.engines.manifest import sha256
    check(bundle, tmp_path)
    graph, digest = kept_files(tmp_path)
    model = onnx.load(graph)
    model.graph.initializer[0].CopyFrom(
        onnx.numpy_helper.from_array(np.float32(4), model.graph.initializer[0].name))
    onnx.save(model, graph)
    digest.write_text(sha256(graph))
    with load_engine(bundle, cache=tmp_path) as engine:
        np.testing.assert_array_equal(engine({'x': X})['y'], 4 * X)


@pytest.mark.parametrize('damage', [
    lambda content: content[:len(content) // 2],
    lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    lambda content: b'',
])
def test_a_damaged_graph_is_made_anew(bundle: Path, tmp_path: Path, damage) -> None:
    check(bundle, tmp_path)
    graph, _ = kept_files(tmp_path)
    whole = graph.read_bytes()
    graph.write_bytes(damage(whole))
    check(bundle, tmp_path)
    assert graph.read_bytes() == whole


def test_another_bundle_of_the_same_name(bundle: Path, tmp_path: Path) -> None:
    from deepsight_ros.engines import Manifest
    from deepsight_ros.engines.manifest import sha256
    check(bundle, tmp_path)
    path = bundle / 'model.onnx'
    import onnx
    model = onnx.load(path)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.float32(3), 'two'))
    onnx.save(model, path)
    manifest = Manifest.read(bundle)
    manifest.files['model.onnx'] = sha256(path)
    manifest.write(bundle)
    with load_engine(bundle, cache=tmp_path) as engine:
        np.testing.assert_array_equal(engine({'x': X})['y'], 3 * X)


@pytest.mark.usefixtures('full_disk')
def test_no_space(bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        check(bundle, tmp_path / 'cache')
    assert 'is not kept' in caplog.text
    assert kept_files(tmp_path / 'cache') == []


def test_a_cache_that_cannot_be_written(
        bundle: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        check(bundle, Path('/proc/sys/deepsight'))
    assert 'is not kept' in caplog.text
