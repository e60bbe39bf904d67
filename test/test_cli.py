"""The ``deepsight`` command: lazy, helpful, and one line for what the user can mend."""

from argparse import ArgumentParser
from argparse import Namespace
from importlib import import_module
from pathlib import Path
import subprocess
import sys

import pytest

from deepsight_ros import cli
from deepsight_ros.resources import ResourceError

ROOT = Path(__file__).resolve().parents[1]
IDS = [' '.join(command.words) for command in cli.COMMANDS]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Make ``deepsight doctor`` raise what the test says."""
    def fail_with(error: BaseException) -> int:
        def run(args: Namespace) -> int:
            raise error
        monkeypatch.setattr('deepsight_ros.doctor.run', run)
        return cli.main(['doctor'])
    return fail_with


@pytest.mark.parametrize('command', cli.COMMANDS, ids=IDS)
def test_every_command_explains_itself(command: cli.Command,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([*command.words, '--help'])
    assert exit_.value.code == 0
    assert f'deepsight {" ".join(command.words)}' in capsys.readouterr().out


@pytest.mark.parametrize('command', cli.COMMANDS, ids=IDS)
def test_every_command_has_help_for_every_argument(command: cli.Command) -> None:
    module = import_module(command.module)
    parser = ArgumentParser()
    module.add_arguments(parser)
    assert [action.dest for action in parser._actions if not action.help] == []


def test_help_of_a_group_names_all_its_commands() -> None:
    text = ' '.join(cli.make_parser().format_help().split())
    for command in cli.COMMANDS:
        assert command.help in text
        assert command.words[-1] in text


def test_readme_names_the_commands_with_json() -> None:
    def has_json(command: cli.Command) -> bool:
        parser = ArgumentParser()
        command.fill(parser)
        return '--json' in parser.format_help()
    names = list(dict.fromkeys(command.words[0] for command in cli.COMMANDS if has_json(command)))
    sentence = f'{", ".join(f"`{name}`" for name in names[:-1])} and `{names[-1]}` write with'
    assert sentence in ' '.join((ROOT / 'README.md').read_text('utf8').split())


def test_help_imports_no_heavy_module() -> None:
    code = ('import sys; from deepsight_ros.cli import make_parser; make_parser().format_help(); '
            'print(*{"numpy", "cv2", "onnxruntime", "rclpy", "rosbags"} & sys.modules.keys())')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                          check=True, cwd=ROOT)
    assert done.stdout.strip() == ''


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main([])
    assert exit_.value.code == cli.USER_ERROR
    assert 'usage: deepsight' in capsys.readouterr().err


@pytest.mark.parametrize('error', [
    ResourceError('bag is not here; give its path'), FileNotFoundError(2, 'No such file', 'x.bag'),
])
def test_user_error_is_one_line_and_status_2(failing, error: Exception,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(error) == cli.USER_ERROR
    assert capsys.readouterr().err == f'deepsight: {error}\n'


def test_missing_package_points_to_doctor(failing, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(ModuleNotFoundError('no', name='rclpy')) == cli.USER_ERROR
    assert capsys.readouterr().err.startswith('deepsight: rclpy is not installed; `deepsight doc')


@pytest.mark.parametrize('error', [
    ValueError('ours'), KeyError('x'), ModuleNotFoundError('no', name='deepsight_ros.typo'),
])
def test_defect_of_ours_keeps_its_traceback(failing, error: Exception) -> None:
    with pytest.raises(type(error)):
        failing(error)


def test_interrupt_ends_quietly(failing, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing(KeyboardInterrupt()) == cli.INTERRUPTED
    assert capsys.readouterr().err == ''
