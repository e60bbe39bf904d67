"""
Every TensorRT and CUDA name in the source exists at both ends of the supported range.

mypy checks the source against stubs of both versions, which names/extract.py writes from the
wheels. So each attribute, enum member, method and argument count is one that the bindings
register. That a call then does what we expect can only be seen on a GPU.
"""

import ast
from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('mypy')

HERE = Path(__file__).resolve().parent
NAMES = HERE / 'names'
PACKAGE = HERE.parents[1] / 'deepsight_ros'
SOURCES = [*sorted((PACKAGE / 'engines').glob('cuda*.py')),
           *sorted((PACKAGE / 'engines').glob('tensorrt*.py'))]
OLDEST, NEWEST = ('tensorrt-10.3', 'cuda-12.6'), ('tensorrt-11', 'cuda-13')


def imported(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module)
    return names


def errors(files: list[Path], versions: tuple[str, str], cache: Path) -> list[str]:
    """Return what mypy says against the stubs of these versions."""
    done = subprocess.run(
        [sys.executable, '-m', 'mypy', '--config-file=',
         '--ignore-missing-imports', '--check-untyped-defs', '--follow-imports=silent',
         '--no-error-summary', '--cache-dir', str(cache), *map(str, files)],
        capture_output=True, text=True, cwd=HERE.parents[1],
        env={'MYPYPATH': ':'.join(str(NAMES / version) for version in versions)})
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope='module')
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the later runs of mypy profit from what the first found out about numpy."""
    return tmp_path_factory.mktemp('mypy')


@pytest.mark.parametrize('versions', [OLDEST, NEWEST], ids=' and '.join)
def test_every_name_exists(versions: tuple[str, str], cache: Path) -> None:
    assert errors(SOURCES, versions, cache) == []


def test_no_other_file_uses_them() -> None:
    users = [path for path in PACKAGE.rglob('*.py') if {'tensorrt', 'cuda'} & {
        name.partition('.')[0] for name in imported(path)}]
    assert users
    assert set(users) <= set(SOURCES)


AMBIGUOUS = {'name', 'value', 'dtype', 'shape', 'engine', 'log', 'itemsize', 'nbytes'}
"""Attributes of TensorRT and CUDA objects that other objects have too."""


def member_names() -> set[str]:
    """Return the attributes that classes of the oldest bindings have, and no others."""
    names = set()
    for version in OLDEST:
        for path in (NAMES / version).rglob('*.pyi'):
            classes = [node for node in ast.parse(path.read_text()).body
                       if isinstance(node, ast.ClassDef)]
            for item in [item for node in classes for item in node.body]:
                target = getattr(item, 'target', None) or (getattr(item, 'targets', [None])[0])
                names |= {getattr(item, 'name', ''), getattr(target, 'id', '')}
    return names - {'', '__init__'} - AMBIGUOUS


class Misspell(ast.NodeTransformer):
    """Change every attribute that TensorRT's and CUDA's objects have, and remember it."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.changed: set[str] = set()

    def visit_Attribute(self, node: ast.Attribute) -> ast.Attribute:
        if node.attr in self.names:
            node.attr += '_misspelt'
            self.changed.add(node.attr)
        else:
            self.generic_visit(node)
        return node


def test_a_misspelt_name_is_found(tmp_path: Path, cache: Path) -> None:
    """No member escapes because mypy takes the object that it belongs to for anything."""
    misspell = Misspell(member_names())
    copies = []
    for path in SOURCES:
        copies.append(tmp_path / f'copy_of_{path.name}')
        copies[-1].write_text(ast.unparse(misspell.visit(ast.parse(path.read_text()))))
    text = '\n'.join(errors(copies, OLDEST, cache))
    assert len(misspell.changed) > 40
    assert [name for name in sorted(misspell.changed) if name not in text] == []
