"""The program within the wheel, and the processes that it starts."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from conftest import program

import sorby
from sorby import _sorby


def test_no_compiler_is_at_hand() -> None:
    assert [tool for tool in ("cargo", "rustc", "gcc", "cc") if shutil.which(tool)] == []


def test_console_script_and_module_are_the_program(tmp_path: Path) -> None:
    script = program("--version", cwd=tmp_path)
    module = subprocess.run([sys.executable, "-m", "sorby", "--version"], capture_output=True, text=True)
    assert script.stdout == module.stdout == f"sorby {sorby.__version__}\n"
    assert (script.returncode, module.returncode) == (0, 0)


def test_refusals_are_those_of_the_program(tmp_path: Path) -> None:
    refused = program("segment", "nowhere", "a.png", "--out", "o", cwd=tmp_path)
    assert refused.returncode == 2 and refused.stderr.startswith("error: ") and "Traceback" not in refused.stderr
    unknown = program("segment", "--colour", cwd=tmp_path)
    assert unknown.returncode == 2 and "--colour" in unknown.stderr
    answered = program("--json", "scale", "nowhere.tif", cwd=tmp_path)
    assert json.loads(answered.stdout)["schema"]


def test_processes_are_started_by_this_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _sorby.own_program() == [sys.executable, "-P", "-m", "sorby"]
    assert not _sorby.set_program("/other", [])
    monkeypatch.setenv("SORBY_PROGRAM", "/somewhere/sorby")
    assert _sorby.own_program() == ["/somewhere/sorby"]


def test_the_demo_runs_from_the_wheel(tmp_path: Path) -> None:
    (tmp_path / "sorby.py").write_text("raise SystemExit('the folder of a project is no place for programs')\n")
    done = program("--json", "demo", "--iterations", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = Path(json.loads(done.stdout)["page"])
    assert page.is_file() and "<html" in page.read_text()
    record = json.loads((tmp_path / "demo/runs/demo/environment.json").read_text())
    assert record["arguments"][:2] == ["sorby", "train"]
    again = program("demo", cwd=tmp_path)
    assert again.returncode == 2 and "holds files already" in again.stderr


def test_the_page_starts_jobs_from_the_wheel(workshop: Path) -> None:
    token = "a-token-of-the-tests"
    serve = [sys.executable, "-m", "sorby", "--json", "serve", "data", "--no-open", "--port", "0", "--token", token]
    server = subprocess.Popen(serve, cwd=workshop, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = json.loads(server.stdout.readline())["address"]
        base, _, _ = address.partition("/?")

        def ask(path: str, body: object = None) -> object:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            data = None if body is None else json.dumps(body).encode()
            request = urllib.request.Request(base + path, data=data, headers=headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")

        ask("/api/jobs", {"verb": "check"})
        for _ in range(600):
            jobs = ask("/api/jobs")
            if jobs[-1]["state"] not in ("running", "waiting"):
                break
            time.sleep(0.1)
        assert jobs[-1]["state"] == "done", jobs
    finally:
        server.terminate()
        server.wait(20)


def test_a_study_trains_by_processes_of_the_wheel(workshop: Path, tmp_path: Path) -> None:
    spec = tmp_path / "first.toml"
    spec.write_text(
        'archs = ["pspnet"]\ntricks = ["S"]\nseeds = 1\nfolds = 2\ntrain = ["train"]\ntest = "val"\n'
        f'base = "{workshop / "tiny.toml"}"\n[recipe]\naugment = "weak"\nschedule = {{ iterations = 2, validate_every = 2 }}\n'
    )
    study = sorby.study(spec, workshop / "data", out=tmp_path / "study")
    assert not study.stopped and study.path == tmp_path / "study"
    runs = sorted((study.path / "runs").iterdir())
    assert len(runs) >= 2
    for run in runs:
        arguments = json.loads((run / "environment.json").read_text())["arguments"]
        assert arguments[0] == "sorby" and "--stop-with-parent" in arguments
    assert study.report().is_file()
