"""One module a room; each holds its questions as ``room``."""
