"""States, parameters and what is left after them."""

import gc
import os
from pathlib import Path
import threading

from lifecycle_msgs.msg import State
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from lifecycle_msgs.srv import GetState
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from ros_peer import CAMERA_HEIGHT
from ros_peer import camera_info
from ros_peer import image

from deepsight_ros.geometry import CameraError
from deepsight_ros.ros import embodied_depth
from deepsight_ros.ros import managed_node
from deepsight_ros.ros.diagnostics import WARN

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


def manager(peer):
    """What asks the node for its state, and what changes it: one client each, as Nav2 has."""
    clients = {kind: peer.node.create_client(kind, f'embodied_depth/{name}')
               for kind, name in ((GetState, 'get_state'), (ChangeState, 'change_state'))}

    def call(request):
        client = clients[GetState if isinstance(request, GetState.Request) else ChangeState]
        peer.wait_until(client.service_is_ready, client.srv_name)
        future = client.call_async(request)
        peer.wait_until(future.done, client.srv_name)
        return future.result()

    return (lambda: call(GetState.Request()).current_state.id,
            lambda transition: call(ChangeState.Request(
                transition=Transition(id=transition))).success)


def test_a_manager_can_drive_the_node(peer, capfd):
    node = peer.start_node(autostart=False)
    state, change = manager(peer)
    assert state() == State.PRIMARY_STATE_UNCONFIGURED
    for unfit in (Transition.TRANSITION_ACTIVATE, 200):
        assert not change(unfit)
        assert f'transition {unfit} is refused' in capfd.readouterr().err
    peer.listen('image')
    for transition, reached in [
            (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
            (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE)]:
        assert change(transition)
        assert state() == reached
    peer.connect()
    peer.send(camera_info())
    peer.next_result('image', image())
    assert node.trigger_deactivate() == SUCCESS
    assert node.count_subscribers('image') == 0
    assert node.trigger_activate() == SUCCESS
    peer.connect()
    peer.send_until(lambda: len(peer.received['image']) > 1, camera_info(2.0), image(2.0))
    assert node.trigger_shutdown() == SUCCESS
    assert state() == State.PRIMARY_STATE_FINALIZED
    assert node._report()[0] == WARN


@pytest.mark.parametrize('transition, topic', [
    ('configure', '/embodied_depth/label.publisher'), ('activate', '/imu.subscription')])
def test_exception_in_a_transition_is_reported_and_undone(peer, capfd, transition, topic):
    name = f'qos_overrides.{topic}.reliability'
    node = peer.start_node(autostart=False, **{name: 'nonsense'})
    if transition == 'activate':
        assert node.trigger_configure() == SUCCESS
    state, _ = manager(peer)
    before = entities(node), state(), threading.active_count()
    assert getattr(node, f'trigger_{transition}')() == FAILURE
    log = capfd.readouterr().err
    assert log.count(f'{transition} failed unexpectedly') == 1
    assert 'Unexpected QoS override for policy `reliability`: `nonsense`' in log
    assert (entities(node), state(), threading.active_count()) == before


def entities(node):
    return [len(list(kind)) for kind in (
        node.publishers, node.subscriptions, node.timers, node.services)]


def test_what_was_wrong_with_a_picture_is_forgotten(peer, monkeypatch):
    node = peer.start_node()
    node._complain(CameraError('bad'))
    node._report()
    assert node.problem == 'bad'
    monkeypatch.setattr(managed_node, 'MEMORY', 0.0)
    node._report()
    assert node.problem == ''


def test_parameter_out_of_range_can_be_set_right(peer, capfd):
    node = peer.start_node(camera_height=-1.0, segmentation_threads='many')
    assert 'configure failed: parameter camera_height' in capfd.readouterr().err
    assert not node.set_parameters([Parameter('camera_height', value=-2.0)])[0].successful
    assert node.trigger_configure() == FAILURE
    for name, value in (('camera_height', CAMERA_HEIGHT), ('segmentation_threads', 1)):
        assert node.set_parameters([Parameter(name, value=value)])[0].successful
    assert node.trigger_configure() == SUCCESS


def test_parameters_that_would_have_no_effect_are_refused(peer):
    node = peer.start_node()
    result, = node.set_parameters([Parameter('max_range', value=20.0)])
    assert not result.successful
    assert 'clean up' in result.reason
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert node.set_parameters([Parameter('max_range', value=20.0)])[0].successful


def test_parameters_are_described(peer):
    node = peer.start_node()
    for item in embodied_depth.EmbodiedDepthParameters.__dataclass_fields__.values():
        descriptor = node.describe_parameter(item.name)
        assert descriptor.description
        assert descriptor.read_only == (item.name == 'autostart')


def resident_mb():
    pages = int(Path('/proc/self/statm').read_text(encoding='ascii').split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def test_200_cycles_leave_nothing_behind(peer):
    node = peer.start_node(autostart=False)

    def cycle():
        steps = (node.trigger_configure, node.trigger_activate,
                 node.trigger_deactivate, node.trigger_cleanup)
        assert [step() for step in steps] == [SUCCESS] * 4

    for _ in range(50):
        cycle()
    gc.collect()
    before, memory = entities(node), resident_mb()
    for _ in range(150):
        cycle()
    gc.collect()
    assert entities(node) == before
    assert resident_mb() - memory < 5
