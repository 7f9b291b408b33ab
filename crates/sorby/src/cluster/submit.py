"""Submits job.toml by HyperQueue's Python module, where the program hq is not there. Prints the number of the job."""

import argparse
import os
import tomllib
from pathlib import Path

from hyperqueue import Client, Job
from hyperqueue.ffi.protocol import ResourceRequest

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--server-dir", default=os.environ.get("HQ_SERVER_DIR"))
server = parser.parse_args().server_dir

with open(Path(__file__).parent / "job.toml", "rb") as file:
    wanted = tomllib.load(file)
job = Job(name=wanted["name"], max_fails=None)
tasks = {}
for task in wanted["task"]:
    requests = [ResourceRequest(cpus=r["resources"]["cpus"]) for r in task.get("request", [])]
    tasks[task["id"]] = job.program(
        task["command"],
        stdout=task["stdout"],
        stderr=task["stderr"],
        cwd=task["cwd"],
        deps=[tasks[before] for before in task.get("deps", [])],
        resources=requests or None,
        crash_limit=task["crash_limit"],
    )
print(Client(server).submit(job).id)
