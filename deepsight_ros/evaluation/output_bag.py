"""The topics of the ``embodied_depth`` node as a bag."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deepsight_ros.evaluation.bag_writer import BagWriter
from deepsight_ros.perception.frames import Frame
from deepsight_ros.perception.preview import depth_preview

NAMESPACE: Final = '/embodied_depth'


class OutputBag(BagWriter):
    """A new bag with depth, camera_info, uncertainty, label and preview."""

    def __init__(self, path: Path, max_range: float) -> None:
        """Check that ``path`` is free; previews reach up to ``max_range`` metres."""
        super().__init__(path)
        self._max_range = max_range

    def write(self, frame: Frame, stamp_ns: int, frame_id: str) -> None:
        """Write all topics with the stamp and frame of the picture."""
        scene = frame.result.scene
        preview = depth_preview(scene.depth, self._max_range)
        self.camera_info(f'{NAMESPACE}/camera_info', stamp_ns, frame_id, scene.camera)
        self.image(f'{NAMESPACE}/image', stamp_ns, frame_id, scene.depth)
        self.image(f'{NAMESPACE}/uncertainty', stamp_ns, frame_id, scene.uncertainty())
        self.image(f'{NAMESPACE}/label', stamp_ns, frame_id, scene.label)
        self.image(f'{NAMESPACE}/preview', stamp_ns, frame_id, preview)
