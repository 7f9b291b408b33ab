"""A synthetic data set with a trained model of seconds, and widgets as napari makes them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sorby

TINY = """
[data]
batch = 2
crop = 64
[schedule]
iterations = 6
validate_every = 3
checkpoint_every = 2
[inference]
window = 64
stride = 48
"""


def program(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs `sorby` of this interpreter."""
    command = [sys.executable, "-P", "-m", "sorby", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data`, `tiny.toml`, the trained run `run`, and masks in `segmented`."""
    folder = tmp_path_factory.mktemp("workshop")
    program(*"synth --out data --images 5 --size 120x96 --seed 2".split(), cwd=folder)
    (folder / "tiny.toml").write_text(TINY)
    sorby.train(folder / "data", folder / "tiny.toml", out=folder / "run")
    program("segment", "run", "data/images", "--data", "data", "--tiff", "--out", "segmented", cwd=folder)
    return folder


@pytest.fixture
def viewer(make_napari_viewer: Callable[[], Any]) -> Any:
    return make_napari_viewer()


@pytest.fixture
def widget(viewer: Any) -> Callable[[str], Any]:
    """Opens a widget of the plugin by its name, as the menu does."""
    return lambda name: viewer.window.add_plugin_dock_widget("sorby-napari", name)[1]


@pytest.fixture
def finish(qtbot: Any) -> Callable[[Any], None]:
    """Waits until the job of a widget is at its end."""

    def wait(job: Any) -> None:
        qtbot.waitUntil(lambda: not job.running, timeout=120_000)

    return wait


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Severity and text of every notification from now on."""
    from napari.utils.notifications import notification_manager

    texts: list[tuple[str, str]] = []

    def note(notification: Any) -> None:
        texts.append((str(notification.severity), notification.message))

    monkeypatch.setattr(notification_manager, "catch_error", True, raising=False)
    notification_manager.notification_ready.connect(note)
    yield texts
    notification_manager.notification_ready.disconnect(note)


@pytest.fixture
def sample(viewer: Any) -> tuple[Any, Any]:
    """The synthetic carbides and their truth, 12.5 nm per pixel."""
    viewer.open_sample("sorby-napari", "carbides")
    return viewer.layers["carbide"], viewer.layers["carbide truth"]
