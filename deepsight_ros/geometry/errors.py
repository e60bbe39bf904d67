"""Errors of the geometry ring; each message names the field at fault and the remedy."""


class CameraError(ValueError):
    """The camera's calibration, or a picture that goes with it, cannot be used."""


class GroundError(ValueError):
    """The camera's pose above the ground is unknown or impossible."""


class TransformError(LookupError):
    """Two frames are not connected at the asked time."""
