"""Writers of tiny data sets in the layouts of the real ones."""

import json
from pathlib import Path

import cv2
import numpy as np
from streets import Street

SCANNER_FROM_CAMERA = np.array([[0, 0, 1.0], [-1, 0, 0], [0, -1, 0]])
"""Optical axes (right, down, forward) to the scanner's (forward, left, up)."""


def write_picture(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image[..., ::-1] if image.ndim == 3 else image)


def write_depth(path: Path, depth: np.ndarray, per_metre: float) -> None:
    stored = np.nan_to_num(depth * per_metre + 0.5)
    write_picture(path, np.where(stored < 2**16, stored, 0).astype(np.uint16))


def write_text(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(lines) + '\n', 'utf8')


def row(values: np.ndarray) -> str:
    return ' '.join(f'{value:.9g}' for value in np.ravel(values))


def write_scan(path: Path, street: Street) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    points = street.points() @ SCANNER_FROM_CAMERA.T
    np.hstack([points, np.zeros((len(points), 1))]).astype(np.float32).tofile(path)


def write_raw_calibration(folder: Path, street: Street) -> None:
    write_text(folder / 'calib_cam_to_cam.txt', 'calib_time: 09-Jan-2012 13:57:47',
               f'R_rect_00: {row(np.eye(3))}', f'P_rect_02: {row(street.camera.projection)}')
    write_text(folder / 'calib_velo_to_cam.txt', f'R: {row(SCANNER_FROM_CAMERA.T)}', 'T: 0 0 0')


def write_drive(drive: Path, street: Street, frames: int = 3) -> None:
    """A raw drive without calibration."""
    for index in range(frames):
        write_picture(drive / f'image_02/data/{index:010}.png', street.image)
        write_scan(drive / f'velodyne_points/data/{index:010}.bin', street)


def kitti_raw(root: Path, street: Street) -> None:
    write_drive(root, street)
    write_raw_calibration(root, street)


def kitti_object(root: Path, street: Street) -> None:
    for name in ('000000', '000003'):
        write_picture(root / f'training/image_2/{name}.png', street.image)
        write_scan(root / f'training/velodyne/{name}.bin', street)
        write_text(root / f'training/calib/{name}.txt', f'P2: {row(street.camera.projection)}',
                   f'R0_rect: {row(np.eye(3))}',
                   f'Tr_velo_to_cam: {row(np.hstack([SCANNER_FROM_CAMERA.T, np.zeros((3, 1))]))}')


def kitti_eigen(root: Path, street: Street) -> None:
    drive = '2011_09_26_drive_0002_sync'
    write_drive(root / '2011_09_26' / drive, street)
    write_raw_calibration(root / '2011_09_26', street)
    truth = root / f'data_depth_annotated/val/{drive}/proj_depth/groundtruth/image_02'
    for index in (0, 2):
        write_depth(truth / f'{index:010}.png', street.depth, 256)


def nyu(root: Path, street: Street) -> None:
    for name in ('00001', '00002'):
        write_picture(root / f'bathroom/rgb_{name}.png', street.image)
        write_depth(root / f'bathroom/sync_depth_{name}.png', street.depth, 1000)


def pose_of(street: Street) -> np.ndarray:
    """Camera to a world with z up and its origin below the camera."""
    pose = np.eye(4)
    pose[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    pose[2, 3] = street.ground.height
    return pose


def tum(root: Path, street: Street) -> None:
    """Pictures at 30 Hz; depth 5 ms later, the third too late; poses at 100 Hz."""
    stamps = [100 + index / 30 for index in range(3)]
    write_text(root / 'rgb.txt', '# colour', *(f'{t:.6f} rgb/{t:.6f}.png' for t in stamps))
    late = [t + 0.005 for t in stamps[:2]] + [stamps[2] + 0.2]
    write_text(root / 'depth.txt', *(f'{t:.6f} depth/{t:.6f}.png' for t in late))
    # 90 degrees about x: the optical axis is the world's y.
    write_text(root / 'groundtruth.txt', *(
        f'{t:.4f} 0 0 {street.ground.height} -0.70710678 0 0 0.70710678'
        for t in np.arange(100, 100.3, 0.01)))
    for t in stamps:
        write_picture(root / f'rgb/{t:.6f}.png', street.image)
    for t in late:
        write_depth(root / f'depth/{t:.6f}.png', street.depth, 5000)


def sevenscenes(root: Path, street: Street) -> None:
    write_text(root / 'camera-intrinsics-color.txt', row(street.camera.matrix))
    for name in ('frame-000000', 'frame-000002'):
        write_picture(root / f'{name}.color.png', street.image)
        write_depth(root / f'{name}.depth.png', street.depth, 1000)
        write_text(root / f'{name}.pose.txt', row(pose_of(street)))


def sunrgbd(root: Path, street: Street) -> None:
    folder = root / 'kv1/NYUdata/NYU0001'
    write_picture(folder / 'image/NYU0001.png', street.image)
    millimetres = np.nan_to_num(street.depth * 1000 + 0.5).astype(np.uint16)
    write_picture(folder / 'depth/NYU0001.png', (millimetres << 3) | (millimetres >> 13))
    write_text(folder / 'intrinsics.txt', row(street.camera.matrix))
    write_text(folder / 'extrinsics/20140101.txt', row(np.eye(3, 4)))


def worlds(root: Path, street: Street) -> None:
    write_picture(root / '000000.jpg', street.image)
    write_picture(root / '000000.label.png', street.image[..., 0] // 32)
    write_depth(root / '000000.depth.png', street.depth, 256)
    write_text(root / '000000.json', json.dumps({
        'K': street.camera.matrix.ravel().tolist(), 'gravity': street.ground.normal,
        'camera_height': street.ground.height}))


LAYOUTS = {
    'kitti-raw': kitti_raw, 'kitti-object': kitti_object, 'kitti-eigen': kitti_eigen, 'nyu': nyu,
    'tum': tum, 'sevenscenes': sevenscenes, 'sunrgbd': sunrgbd, 'worlds': worlds,
}
