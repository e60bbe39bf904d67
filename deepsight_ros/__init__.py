"""Metric depth and spatial language from one ordinary camera."""
