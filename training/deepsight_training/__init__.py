"""Offline package: rendered worlds, training, export to bundles of deepsight_ros."""
