"""Frames with exact depth, questions about them, and benchmarks of such questions."""
