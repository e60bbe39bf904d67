"""Metric depth and spatial language from one ordinary camera."""

import os

# From 1.29 on ONNX Runtime reports from where it runs, unless told otherwise before its import.
os.environ.setdefault('ORT_DISABLE_TELEMETRY', '1')
