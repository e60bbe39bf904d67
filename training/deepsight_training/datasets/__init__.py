"""Readers of data sets, all yielding one sample type, and their mixture."""
