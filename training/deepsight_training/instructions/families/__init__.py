"""Question families: each writes questions of one kind about a frame, or says that it cannot."""
