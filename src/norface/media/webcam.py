"""Cameras: how FFmpeg names the one with a number, on each system."""

from __future__ import annotations

import platform
from pathlib import Path

import av
import av.device


def camera_input(index: int, system: str | None = None) -> tuple[str, str, dict[str, str]]:
    """The format, address and options under which FFmpeg reads a camera.

    Args:
        index: 0 for the first camera.
        system: as `platform.system` names it; None for this one.

    Raises:
        OSError: there is no such camera, or cameras cannot be read on this system.
    """
    if index < 0:
        raise OSError("cameras are counted from 0.")
    system = system or platform.system()
    if system == "Linux":
        device = Path(f"/dev/video{index}")
        if not device.exists():
            there = ", ".join(sorted(p.name[5:] for p in Path("/dev").glob("video[0-9]*")))
            raise OSError(f"there is no {device}. Cameras here: {there or 'none'}.")
        return "v4l2", str(device), {}
    if system == "Darwin":
        # The system's own default of 29.97 frames a second is refused by its cameras.
        return "avfoundation", f"{index}:none", {"framerate": "30", "pixel_format": "nv12"}
    if system == "Windows":
        cameras = [
            device.description for device in _devices("dshow") if "video" in device.media_types
        ]
        if index >= len(cameras):
            raise OSError(f"there are {len(cameras)} cameras: {', '.join(cameras) or 'none'}.")
        return "dshow", f"video={cameras[index]}", {}
    raise OSError(f"cameras cannot be read on {system}.")


def _devices(kind: str) -> list[av.device.DeviceInfo]:
    return av.device.enumerate_input_devices(kind)
