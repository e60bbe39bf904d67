"""The live benchmark measures what it says."""

import json
import subprocess
import sys


def test_short_run(painted_bundle):
    command = [sys.executable, '-m', 'deepsight_ros.ros.live_benchmark', '--bundle',
               str(painted_bundle), '--seconds', '4', '--rate', '10', '--all-topics']
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    result = json.loads(run.stdout)
    assert result['sent'] == 40
    assert 0 < result['published'] <= result['received'] <= 40
    assert result['publish_ms'] < result['latency_ms']
    assert 50 < result['rss_mb'] < 280
    assert result['configured_s'] > 0
