"""Trainings in this process: reported, stopped, continued."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import program

import sorby


def test_a_training_is_that_of_the_program(workshop: Path, tmp_path: Path) -> None:
    seen: list[sorby.Progress] = []
    run = sorby.train(workshop / "data", workshop / "tiny.toml", set=["seed=3"], out="here", on_progress=seen.append)
    assert (run.iterations, run.stopped, run.path) == (6, False, Path("here"))
    assert 0 <= run.scores["mean_iou"] <= 1 and list(run.scores["classes"]) == ["matrix", "carbide"]
    assert seen[-1].done == seen[-1].total == 6 and seen[-1].unit == "it" and "loss" in seen[-1].text
    data = str(workshop / "data")
    there = program("train", str(workshop / "tiny.toml"), "--data", data, "--set", "seed=3", "--out", "there", cwd=tmp_path)
    assert there.returncode == 0, there.stderr
    assert Path("here/model.safetensors").read_bytes() == Path("there/model.safetensors").read_bytes()
    assert run.model().classes_ == ["matrix", "carbide"]


def test_false_stops_and_resume_ends_the_same(workshop: Path) -> None:
    stopped = sorby.train(
        workshop / "data", workshop / "tiny.toml", out="run", on_progress=lambda p: p.done < 1
    )
    assert stopped.stopped and 0 < stopped.iterations < 6 and stopped.scores == {}
    run = sorby.resume("run")
    assert (run.iterations, run.stopped) == (6, False)
    whole = (workshop / "run/model.safetensors").read_bytes()
    assert Path("run/model.safetensors").read_bytes() == whole


def test_what_a_callback_raises_is_raised_and_nothing_is_lost(workshop: Path) -> None:
    def fail(progress: sorby.Progress) -> None:
        if progress.done:
            raise KeyError("enough")

    with pytest.raises(KeyError, match="enough") as raised:
        sorby.train(workshop / "data", workshop / "tiny.toml", out="run", on_progress=fail)
    assert 'sorby.resume("run")' in raised.value.__notes__[0]
    assert sorby.resume("run").iterations == 6


def test_a_number_of_threads_changes_no_byte(workshop: Path) -> None:
    run = sorby.train(workshop / "data", workshop / "tiny.toml", out="run", threads=1)
    assert (run.path / "model.safetensors").read_bytes() == (workshop / "run/model.safetensors").read_bytes()
    assert json.loads((run.path / "environment.json").read_text())["threads"] == 1


@pytest.mark.parametrize("threads", [None, 2])
def test_ctrl_c_stops_in_order(workshop: Path, tmp_path: Path, threads: int | None) -> None:
    script = (
        "import sorby, sys\n"
        "def show(p):\n"
        "    print(p.done, flush=True)\n"
        f"sorby.train({str(workshop / 'data')!r}, {str(workshop / 'tiny.toml')!r}, out='run',\n"
        f"            threads={threads},\n"
        "            set=['schedule.iterations=100000', 'schedule.validate_every=100000'], on_progress=show)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    while int(child.stdout.readline()) < 2:
        pass
    child.send_signal(signal.SIGINT)
    begun = time.monotonic()
    _, error = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in error and "go on with: sorby.resume" in error
    assert time.monotonic() - begun < 30
    assert any(Path("run/checkpoints").iterdir())


def test_ctrl_c_ends_the_program_as_its_binary(workshop: Path) -> None:
    command = [sys.executable, "-m", "sorby", "train", str(workshop / "tiny.toml"), "--data", str(workshop / "data")]
    command += ["--out", "run", "--set", "schedule.iterations=100000", "--set", "schedule.validate_every=100000"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    metrics = Path("run/metrics.jsonl")
    while not (metrics.exists() and metrics.read_text().count("\n") > 1):
        time.sleep(0.05)
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 130 and "stopped after iteration" in out


def test_mistakes_leave_nothing_behind(workshop: Path) -> None:
    with pytest.raises(sorby.Error, match="built-in recipes are coffee, lunch, overnight, paper"):
        sorby.train(workshop / "data", "tea")
    with pytest.raises(sorby.Error, match="batch"):
        sorby.train(workshop / "data", workshop / "tiny.toml", set=["data.batch=none"])
    with pytest.raises(sorby.Error, match="nowhere"):
        sorby.train("nowhere", workshop / "tiny.toml")
    assert not Path("runs").exists()


def test_an_environment_names_no_command(workshop: Path) -> None:
    record = json.loads((workshop / "run/environment.json").read_text())
    assert record["arguments"] == [] and record["sorby"] == sorby.__version__
