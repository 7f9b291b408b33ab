"""The manifest, checked by napari's own tool, and what the package asks for."""

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

from npe2 import PluginManifest


def test_the_manifest_is_valid() -> None:
    command = Path(sys.executable).parent / "npe2"
    done = subprocess.run([command, "validate", "sorby-napari"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Manifest for 'Sorby' valid" in done.stdout + done.stderr


def test_every_command_is_there() -> None:
    manifest = PluginManifest.from_distribution("sorby-napari")
    for command in manifest.contributions.commands:
        module, name = command.python_name.split(":")
        assert callable(getattr(__import__(module, fromlist=[name]), name)), command.id


def test_no_qt_is_asked_for() -> None:
    names = {line.split(">=")[0] for line in requires("sorby-napari")}
    assert names == {"magicgui", "numpy", "qtpy", "sorby"}
