"""What ``spatial_language`` answers; its promises about order, time and cancel."""

import json
import math
import re
import threading
import time

from language_peer import depth_image
from language_peer import depth_info
from language_peer import FOCAL
from language_peer import hall
from language_peer import HEIGHT
from language_peer import OBSTACLE
from language_peer import PLACE
from language_peer import STAMP
from language_peer import WALL
from language_peer import WIDTH
import numpy as np
import pytest
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import Imu
from std_msgs.msg import String
from visualization_msgs.msg import Marker

from deepsight_ros.ros.answer_outputs import TOPICS

KEYS = {
    'id', 'question', 'text', 'kind', 'value', 'unit', 'stamp', 'frame_id', 'frame_age_s',
    'distance_m', 'bearing_deg', 'point', 'evidence', 'agrees_with_depth', 'confidence',
    'latency_ms', 'tokens', 'model', 'backend', 'status', 'error'}


def test_the_answer_to_a_plain_question_is_true_and_checked(trained_asker):
    answer = trained_asker.next_answer(f'  {OBSTACLE}\n')
    assert answer.keys() == KEYS
    assert (answer['status'], answer['error']) == ('ok', '')
    assert (answer['question'], answer['kind'], answer['unit']) == (OBSTACLE, 'distance', 'm')
    assert answer['value'] == pytest.approx(WALL, rel=0.1)
    assert answer['distance_m'] == pytest.approx(WALL, rel=0.02)
    assert answer['agrees_with_depth'] is True
    assert (answer['stamp'], answer['frame_id']) == ({'sec': 100, 'nanosec': 0}, 'camera')
    assert answer['frame_age_s'] > 1e9, 'the stamp is of 1970'
    assert 0 < answer['confidence'] <= 1
    assert answer['tokens'] > 3
    assert answer['model'].startswith('deepsight_nano')
    times = answer['latency_ms']
    assert times['total'] >= times['encode'] + times['prefill'] + times['decode'] > 0


def test_the_distance_of_a_pixel(trained_asker):
    answer = trained_asker.ask(PLACE)
    true = WALL * math.hypot(1.0, (30 - HEIGHT / 2) / FOCAL)
    assert answer['value'] == pytest.approx(true, rel=0.1)
    assert answer['distance_m'] == pytest.approx(true, abs=1e-3)
    assert answer['evidence'] == [{'pixel': [80, 30], 'depth_m': WALL}]
    assert answer['point'] == pytest.approx([0.0, WALL * (30 - HEIGHT / 2) / FOCAL, WALL])
    assert answer['agrees_with_depth'] is True


def test_all_topics_tell_of_the_same_place(language_peer):
    peer = language_peer
    peer.start_node()
    peer.listen(*TOPICS)
    peer.connect()
    peer.show()
    details = peer.ask(PLACE)
    peer.wait_until(lambda: all(peer.received[topic] for topic in TOPICS)
                    and len(peer.received['answer/partial']) == details['tokens'], 'all topics')
    point, = peer.received['answer/point']
    assert (point.header.stamp.sec, point.header.frame_id) == (100, 'camera')
    place = [point.point.x, point.point.y, point.point.z]
    assert place == pytest.approx(details['point'], abs=1e-3)
    sentence, = peer.received['answer']
    assert sentence.data.startswith(details['text'])
    partial = [json.loads(message.data) for message in peer.received['answer/partial']]
    assert {item['id'] for item in partial} == {details['id']}
    assert partial[-1]['text'] == details['text']
    assert [len(item['text']) for item in partial] == sorted(len(item['text']) for item in partial)
    markers, = peer.received['answer/markers']
    assert [marker.action for marker in markers.markers] == [
        Marker.DELETEALL, Marker.ADD, Marker.ADD]
    sphere, text = markers.markers[1:]
    middle = sphere.pose.position
    assert [middle.x, middle.y, middle.z] == pytest.approx(place, abs=1e-3)
    assert text.text == sentence.data
    assert sphere.header.frame_id == 'camera'


def test_an_answer_without_a_place_clears_the_markers(language_peer, trained_language_bundle):
    peer = language_peer
    peer.start_node(language_bundle=str(trained_language_bundle))
    peer.listen('answer/markers', 'answer/point')
    peer.connect()
    peer.show()
    assert peer.ask('What colour is the chair?')['status'] == 'ok'
    peer.wait_until(lambda: peer.received['answer/markers'], 'markers')
    assert [m.action for m in peer.received['answer/markers'][0].markers] == [Marker.DELETEALL]
    assert not peer.received['answer/point']


def test_questions_are_answered_in_order(asker):
    names = [f'number {i}' for i in range(5)]
    for name in names:
        asker.say(json.dumps({'id': name, 'text': PLACE}))
    asker.answer(names[-1])
    assert [answer['id'] for answer in asker.answers] == names
    # The first also reads the picture: its sums are rounded in another order.
    assert len({answer['text'] for answer in asker.answers[1:]}) == 1


def test_a_second_question_about_a_picture_skips_the_encoder(asker):
    first, second = asker.ask(PLACE), asker.ask(OBSTACLE)
    assert second['latency_ms']['encode'] < 0.1 * first['latency_ms']['encode']
    asker.show(depth_info(), depth_image(STAMP + 1))
    assert asker.ask(OBSTACLE)['stamp']['sec'] == STAMP + 1


def test_after_waits_for_that_picture_and_lets_others_pass(asker):
    asker.say(json.dumps({'id': 'later', 'text': PLACE, 'after': {'sec': 101, 'nanosec': 500}}))
    assert asker.ask(PLACE)['stamp'] == {'sec': 100, 'nanosec': 0}
    asker.show(depth_info(), depth_image(101.0))
    assert asker.ask(PLACE)['stamp'] == {'sec': 101, 'nanosec': 0}
    assert not [answer for answer in asker.answers if answer['id'] == 'later']
    asker.show(depth_info(), depth_image(102.0))
    assert asker.answer('later')['stamp'] == {'sec': 102, 'nanosec': 0}


def test_after_gives_up_at_its_deadline(asker):
    answer = asker.ask(PLACE, after={'sec': 200, 'nanosec': 0}, deadline_s=0.05)
    assert answer['status'] == 'deadline'
    assert 'no depth image of 200.000 s or later' in answer['error']
    assert answer['latency_ms']['total'] >= 50


def test_cancel_by_id_and_by_service(asker):
    for name in 'abc':
        asker.say(json.dumps({'id': name, 'text': PLACE, 'after': {'sec': 200, 'nanosec': 0}}))
    asker.wait_until(lambda: len(asker.under_test._queue) == 3, 'three waiting')
    asker.say('{"cancel": "b"}')
    assert asker.answer('b')['status'] == 'cancelled'
    response = asker.cancel_all()
    assert (response.success, response.message) == (True, '2 questions cancelled')
    assert [asker.answer(name)['status'] for name in 'ac'] == ['cancelled'] * 2
    assert asker.ask(PLACE)['status'] == 'ok'


def test_an_answer_in_work_is_cancelled_within_a_token(language_peer):
    """Cancelled at its first token, before a message about that could come back."""
    peer = language_peer
    node = peer.start_node()
    peer.connect()
    peer.show()
    texts = []

    def cancel_at_once(identity):
        def say(text):
            texts.append(text)
            node._cancel(lambda asked: asked.id == identity)
        return say
    outputs = node._outputs
    outputs.partial_publisher = cancel_at_once
    answer = peer.ask(PLACE)
    assert (answer['status'], answer['tokens'], len(texts)) == ('cancelled', 1, 1)
    assert 'cancelled after 1 token' in answer['error']
    assert answer['kind'] == 'unknown'
    del outputs.partial_publisher
    assert peer.ask(PLACE)['status'] == 'ok'


def test_a_deadline_in_the_middle_of_an_answer_keeps_the_picture(language_peer):
    peer = language_peer
    node = peer.start_node()
    peer.connect()
    peer.show()
    deadline = 2.0
    outputs = node._outputs
    # Says its first token when the deadline has passed.
    outputs.partial_publisher = lambda identity: lambda text: time.sleep(deadline)
    answer = peer.ask(PLACE, deadline_s=deadline)
    del outputs.partial_publisher
    assert (answer['status'], answer['tokens']) == ('deadline', 1)
    assert (answer['stamp']['sec'], answer['frame_id']) == (STAMP, 'camera')


def test_good_pictures_end_what_a_bad_one_said(language_peer):
    peer = language_peer
    node = peer.start_node()
    peer.connect()
    peer.show(depth_info(), depth_image(encoding='rgb8'))
    assert peer.ask(PLACE)['status'] == 'error'
    assert node.problem
    peer.show(depth_info(STAMP + 1), depth_image(STAMP + 1))
    assert peer.ask('how far is (900, 0)?')['status'] == 'rejected'
    assert node.problem == ''


def test_a_picture_that_comes_late_is_not_the_newest(asker):
    statistics = asker.under_test._topics.statistics
    for earlier, newest in ((0.5, STAMP), (60.0, STAMP - 60.0)):
        count = statistics.received
        asker.send(depth_image(STAMP - earlier))
        asker.wait_until(lambda count=count: statistics.received > count, 'picture')
        assert asker.newest_stamp() == (newest, 0)


def test_a_stale_picture_is_not_answered_about(language_peer):
    peer = language_peer
    peer.start_node(max_frame_age=2.0)
    peer.connect()
    peer.show()
    answer = peer.ask(PLACE)
    assert answer['status'] == 'stale'
    assert re.search(r'is \d+\.\d\d s old by its stamp, max_frame_age is 2 s', answer['error'])
    assert answer['frame_age_s'] > 2.0
    ahead = peer.node.get_clock().now().nanoseconds * 1e-9 + 60.0
    peer.show(depth_info(ahead), depth_image(ahead))
    answer = peer.ask(PLACE)
    assert answer['status'] == 'stale'
    assert re.search(r'is \d+\.\d\d s in the future by its stamp', answer['error'])
    now = peer.node.get_clock().now().nanoseconds * 1e-9
    peer.show(depth_info(now), depth_image(now))
    answer = peer.ask(PLACE)
    assert answer['status'] == 'ok'
    assert 0 <= answer['frame_age_s'] < 2.0


def test_simulated_time_that_stands_still(language_peer):
    peer = language_peer
    peer.start_node(use_sim_time=True, max_frame_age=1.0)
    peer.connect()
    peer.show()
    answer = peer.ask(PLACE)
    assert (answer['status'], answer['frame_age_s']) == ('ok', None)


def test_gravity_gives_the_ground(language_peer):
    peer = language_peer
    node = peer.start_node()
    peer.connect()
    pitch = 0.3
    imu = Imu(header=depth_image().header)
    imu.linear_acceleration.y = -9.81 * math.cos(pitch)
    imu.linear_acceleration.z = -9.81 * math.sin(pitch)
    peer.send(imu)
    peer.wait_until(lambda: node._extrinsics._filter.latest, 'gravity')
    peer.show()
    frame = node._frames(node._newest.picture, node._newest.info)
    assert frame.ground.pitch == pytest.approx(pitch)


def test_millimetres_are_answered_as_metres_are(trained_asker):
    first = trained_asker.ask(PLACE)
    trained_asker.show(depth_info(), depth_image(
        STAMP + 1, np.round(1000 * hall()).astype(np.uint16)))
    second = trained_asker.ask(PLACE)
    assert second['value'] == pytest.approx(first['value'], abs=0.02)
    assert [place['pixel'] for place in second['evidence']] == [
        place['pixel'] for place in first['evidence']] != []
    assert [place['depth_m'] for place in second['evidence']] == pytest.approx(
        [place['depth_m'] for place in first['evidence']], abs=1e-3)


def test_a_picture_of_another_size_in_mid_stream(language_peer):
    peer = language_peer
    peer.start_node(camera_info_exact=True)
    peer.connect()
    peer.show()
    assert peer.ask(PLACE)['status'] == 'ok'
    large = np.repeat(np.repeat(hall(), 2, 0), 2, 1)
    peer.show(depth_info(STAMP + 1, 2 * WIDTH, 2 * HEIGHT), depth_image(STAMP + 1, large))
    second = peer.ask('How far is (160, 60)?')
    assert (second['status'], second['stamp']['sec']) == ('ok', STAMP + 1)
    for place in second['evidence']:
        column, row = place['pixel']
        assert place['depth_m'] == pytest.approx(large[row, column], abs=1e-3)


def test_quality_of_service_can_be_overridden(language_peer):
    node = language_peer.start_node(
        **{'qos_overrides./answer.publisher.reliability': 'best_effort'})
    info, = node.get_publishers_info_by_topic('/answer')
    assert info.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT
    info, = node.get_subscriptions_info_by_topic('/question')
    assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE


def test_deactivation_answers_what_waits(asker):
    node = asker.under_test
    asker.say(json.dumps({'id': 'a', 'text': PLACE, 'after': {'sec': 200, 'nanosec': 0}}))
    asker.wait_until(lambda: len(node._queue) == 1, 'question')
    node.trigger_deactivate()
    answer = asker.answer('a')
    assert (answer['status'], answer['error']) == ('cancelled', 'the node was deactivated')
    assert node.count_subscribers('question') == 0
    node.trigger_activate()
    asker.wait_until(lambda: asker._publisher_of(String).get_subscription_count(), 'discovery')
    assert asker.ask(PLACE)['status'] == 'no_frame', 'pictures of before are not kept'


def test_diagnostics_tell_model_counts_and_times(asker):
    asker.listen('diagnostics')
    asker.ask(PLACE)
    asker.next_answer('')
    asker.wait_until(lambda: asker.received['diagnostics']
                     and asker.status().get('answers_ok') == '1'
                     and asker.status().get('answers_rejected') == '1', 'counts')
    status = asker.status()
    assert status['model'].startswith('deepsight_nano')
    assert status['backend'].startswith('onnxruntime')
    assert float(status['total_ms']) > float(status['encode_ms']) > 0
    asker.wait_until(lambda: asker.status()['message'] == 'no depth images on /depth/image')
    assert asker.status()['level'] == b'\x01'


def left_behind(node):
    """Entities and threads that a node has."""
    kinds = (node.publishers, node.subscriptions, node.timers, node.services)
    return [len(list(kind)) for kind in kinds], threading.active_count()


def test_cycles_leave_nothing_behind(language_peer):
    node = language_peer.start_node(autostart=False)
    before = left_behind(node)
    for _ in range(3):
        for step in ('configure', 'activate', 'deactivate', 'cleanup'):
            assert getattr(node, f'trigger_{step}')() == TransitionCallbackReturn.SUCCESS
        assert left_behind(node) == before


def test_an_exception_in_activate_is_reported_and_undone(language_peer, capfd):
    node = language_peer.start_node(
        autostart=False, **{'qos_overrides./question.subscription.reliability': 'nonsense'})
    node.trigger_configure()
    before = left_behind(node)
    assert node.trigger_activate() == TransitionCallbackReturn.FAILURE
    assert 'activate failed unexpectedly' in capfd.readouterr().err
    assert left_behind(node) == before
