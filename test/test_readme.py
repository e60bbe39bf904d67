"""README's tables and command lines equal the code.

A failure prints the table as it should be, to be pasted.
"""

from argparse import ArgumentParser
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
import re
import shlex
import time

import pytest
import rclpy
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter

from deepsight_ros import cli
from deepsight_ros.ros.embodied_depth import EmbodiedDepthNode
from deepsight_ros.ros.parameters import EmbodiedDepthParameters
from deepsight_ros.ros.parameters import SpatialLanguageParameters
from deepsight_ros.ros.spatial_language import SpatialLanguageNode

ROOT = Path(__file__).resolve().parents[1]

OF_ROS = ('/rosout', '/parameter_events', '/transition_event', '/clock', '/tf', '/tf_static')
HEADER = '| Topic | Direction | Type | Meaning |\n| --- | --- | --- | --- |'

Row = tuple[str, ...]


@pytest.fixture(scope='module')
def readme() -> str:
    return (ROOT / 'README.md').read_text(encoding='utf-8')


def table(readme: str, heading: str) -> set[Row]:
    """Cells of all table rows below a heading, without backticks."""
    section = re.search(rf'^## {heading}\n(.*?)(?=^## |\Z)', readme, re.MULTILINE | re.DOTALL)
    assert section, f'README has no heading "## {heading}"'
    tables = re.findall(r'(?:^\|.*\n?)+', section[1], re.MULTILINE)
    rows = [line for text in tables for line in text.splitlines()[2:]]
    return {tuple(cell.strip() for cell in row.replace('`', '').strip('|').split('|'))
            for row in rows}


def check(readme: str, heading: str, columns: Row, expected: Iterable[Row]) -> None:
    """Compare; on a difference, show the right table."""
    rows = list(expected)
    lines = [columns, tuple('---' for _ in columns),
             *((f'`{row[0]}`', *row[1:]) for row in rows)]
    text = '\n'.join(f'| {" | ".join(line)} |' for line in lines)
    assert table(readme, heading) == set(rows), f'"## {heading}" should have\n\n{text}\n'


def parameter_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_parameters(readme: str) -> None:
    items = {item.name: item for kind in (EmbodiedDepthParameters, SpatialLanguageParameters)
             for item in fields(kind)}
    check(readme, 'Parameters', ('Parameter', 'Default', 'Meaning'), [
        (name, parameter_text(item.default), item.metadata['description'])
        for name, item in items.items()])


@pytest.fixture
def nodes(painted_bundle: Path, spatial_language_bundle: Path) -> Iterator[list[LifecycleNode]]:
    """All nodes, active."""
    rclpy.init()
    nodes = [
        EmbodiedDepthNode(parameter_overrides=[
            Parameter('segmentation_bundle', value=str(painted_bundle)),
            Parameter('camera_height', value=1.5)]),
        SpatialLanguageNode(parameter_overrides=[
            Parameter('language_bundle', value=str(spatial_language_bundle))])]
    for node in nodes:
        node.start()
    yield nodes
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown()


def topics_of(nodes: list[LifecycleNode]) -> set[Row]:
    """Name, direction and type of all topics that the graph shows."""
    rows = set()
    for node in nodes:
        graph = {
            'in': node.get_subscriber_names_and_types_by_node(node.get_name(), '/'),
            'out': node.get_publisher_names_and_types_by_node(node.get_name(), '/'),
        }
        rows |= {(topic.lstrip('/'), direction, kind.replace('/msg/', '/'))
                 for direction, topics in graph.items() for topic, (kind,) in topics
                 if not topic.endswith(OF_ROS)}
    return rows


def test_topics(readme: str, nodes: list[LifecycleNode]) -> None:
    documented = {row[:3] for row in table(readme, 'Topics') if not row[0].startswith('/tf')}
    documented = {(topic.lstrip('/'), *others) for topic, *others in documented}
    deadline = time.monotonic() + 20.0
    # The graph hears of a node's topics a little later.
    while (rows := topics_of(nodes)) != documented and time.monotonic() < deadline:
        time.sleep(0.01)
    text = '\n'.join(f'| `{topic}` | {" | ".join(others)} | |' for topic, *others in sorted(rows))
    assert documented == rows, f'"## Topics" should have\n\n{HEADER}\n{text}\n'


def test_commands(readme: str) -> None:
    check(readme, 'Commands', ('Command', 'Does'), [
        (f'deepsight {" ".join(command.words)}', command.help) for command in cli.COMMANDS])


def test_launch_arguments(readme: str, launch_arguments) -> None:
    check(readme, 'Launch', ('Launch file', 'Argument', 'Default', 'Meaning'), [
        (file, name, default, description)
        for file, declared in sorted(launch_arguments.items())
        for name, (default, description) in declared.items()])


def command_lines(readme: str, program: str) -> list[list[str]]:
    """Words after ``program`` of each line in a block of code that calls it."""
    blocks = re.findall(r'^```(?:bash|sh|console)?\n(.*?)^```', readme, re.MULTILINE | re.DOTALL)
    lines = ''.join(blocks).replace('\\\n', ' ').splitlines()
    split = [shlex.split(line.removeprefix('$ '), comments=True) for line in lines]
    return [words[1:] for words in split if words and Path(words[0]).name == program]


def test_deepsight_command_lines_parse(readme: str) -> None:
    lines = command_lines(readme, 'deepsight')
    assert lines
    for words in lines:
        command = cli.chosen_command(words)
        assert command, words
        parser = ArgumentParser(exit_on_error=False)
        command.fill(parser)
        parser.parse_args(words[len(command.words):])


def test_launch_command_lines_name_existing_arguments(readme: str, launch_arguments) -> None:
    everywhere = set().union(*launch_arguments.values())
    lines = [words for words in command_lines(readme, 'ros2') if words[0] == 'launch']
    assert lines
    for _, package, file, *arguments in lines:
        assert package == 'deepsight_ros'
        assert file in launch_arguments
        assert {argument.partition(':=')[0] for argument in arguments} <= everywhere


def test_make_targets_exist(readme: str) -> None:
    targets = set(re.findall(r'^(\w[\w-]*):', (ROOT / 'Makefile').read_text(), re.MULTILINE))
    lines = command_lines(readme, 'make')
    assert {'demo', 'test'} <= {word for words in lines for word in words} <= targets


def test_pictures_and_links_exist(readme: str) -> None:
    for target in re.findall(r'\]\(([^)#:]+)\)', readme):
        assert (ROOT / target).exists(), target
