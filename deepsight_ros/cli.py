"""The ``deepsight`` command.

Each command is a module with ``add_arguments(parser)`` and ``run(args) -> int``. Only the module
of the chosen command is imported, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
import sys

USER_ERROR = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Command:
    """Words that choose a command, the module that does it, and one line of help."""

    words: tuple[str, ...]
    module: str
    help: str

    def fill(self, parser: argparse.ArgumentParser) -> None:
        """Import the module and let it add its arguments."""
        module = import_module(self.module)
        module.add_arguments(parser)
        parser.set_defaults(run=module.run)


COMMANDS = (
    Command(('demo',), 'deepsight_ros.ros.demo',
            'play the sample bag through the real nodes, write pictures and a report'),
    Command(('replay',), 'deepsight_ros.evaluation.replay',
            'run every frame of a bag through the code of the nodes, write a report'),
    Command(('convert',), 'deepsight_ros.evaluation.convert',
            'turn a data set into a bag'),
    Command(('evaluate', 'depth'), 'deepsight_ros.evaluation.evaluate_depth',
            'depth metrics on a data set'),
    Command(('evaluate', 'qa'), 'deepsight_ros.evaluation.evaluate_qa',
            'accuracy of answers to questions about depth images'),
    Command(('engine', 'build'), 'deepsight_ros.engines.build_command',
            'turn the graph of a bundle into a TensorRT plan for this machine'),
    Command(('engine', 'inspect'), 'deepsight_ros.engines.inspect_command',
            'what a bundle takes and gives, which plans there are and what they were built for'),
    Command(('engine', 'check'), 'deepsight_ros.engines.check_command',
            'compare each backend that works here with the ONNX graph'),
    Command(('ask',), 'deepsight_ros.ask',
            'one answer about a depth file, or about what the running nodes see'),
    Command(('doctor',), 'deepsight_ros.doctor',
            'what is installed, what will be used, what is missing and how to get it'),
    Command(('bench',), 'deepsight_ros.bench',
            'measure the table of speeds in README on this machine'),
)


def chosen_command(argv: Sequence[str]) -> Command | None:
    """Return the command that the first words of ``argv`` name, if they name one."""
    for command in COMMANDS:
        if tuple(argv[:len(command.words)]) == command.words:
            return command
    return None


def make_parser(filled: Command | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands; only ``filled`` has its module's arguments."""
    root = argparse.ArgumentParser(
        prog='deepsight', description='Metric depth and spatial language from one camera.')
    root.set_defaults(run=None)
    top = root.add_subparsers(metavar='COMMAND', required=True)
    groups = {'': top}
    for command in COMMANDS:
        group, last = ' '.join(command.words[:-1]), command.words[-1]
        if group not in groups:
            help_ = '; '.join(f'{other.words[-1]}: {other.help}' for other in COMMANDS
                              if other.words[:-1] == command.words[:-1])
            inner = top.add_parser(group, help=help_)
            groups[group] = inner.add_subparsers(metavar='WHAT', required=True)
        parser = groups[group].add_parser(
            last, help=command.help, description=f'{command.help[0].upper()}{command.help[1:]}.')
        if command is filled:
            command.fill(parser)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status, 2 after an error that the user can mend."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        args = make_parser(chosen_command(arguments)).parse_args(arguments)
        return int(args.run(args))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        message = _for_the_user(error)
        if message is None:
            raise
        print(f'deepsight: {message}', file=sys.stderr)
        return USER_ERROR


def _for_the_user(error: Exception) -> str | None:
    """Return what to tell the user, or None for a defect of ours, which keeps its traceback."""
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith('deepsight_ros'):
        return f'{error.name} is not installed; `deepsight doctor` names the command that does it'
    ours = type(error).__module__.startswith('deepsight_ros.')
    return str(error) if ours or isinstance(error, OSError) else None
