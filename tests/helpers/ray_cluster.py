"""A Ray cluster of several nodes on this machine, with one processor each and a token."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from emojify.settings import ROOT
from tests.helpers.browser import PRIORITY_HOOK, free_port

WAIT_S = 300
TOKEN = "0123456789abcdef" * 4


class RayCluster:
    """A head and the nodes that were added to it.

    Args:
        folder: for the token, and for what the nodes keep. Its path must be short, because sockets lie in it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = f"127.0.0.2:{free_port('127.0.0.2')}"  # Ray replaces 127.0.0.1 by the machine's address
        self.cache = folder / "cache" / "emojify"
        (folder / "token").write_text(TOKEN)
        self.environment = {
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token"), "RAY_USAGE_STATS_ENABLED": "0",
            "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": f"{PRIORITY_HOOK}{os.pathsep}{ROOT}",
        }  # fmt: skip
        port = self.address.partition(":")[2]
        self._nodes = [self._start("--head", "--port", port, "--node-ip-address", "127.0.0.2")]

    def add_node(self) -> int:
        """Start another node; return its number."""
        number = len(self._nodes)
        self._nodes.append(self._start("--address", self.address, "--node-ip-address", f"127.0.0.{number + 2}"))
        return number

    def kill_node(self, number: int) -> None:
        """Kill a node's processes, as a power failure does, but not its children: those must notice by themselves."""
        node = psutil.Process(self._nodes[number].pid)
        for process in (node, *node.children()):
            process.kill()
        self._nodes[number].wait()

    def stop(self) -> None:
        """Kill everything at once: `ray stop` would end other clusters of this machine too."""
        for node in reversed(self._nodes):
            if node.poll() is None:
                for child in psutil.Process(node.pid).children(recursive=True):
                    with suppress(psutil.NoSuchProcess):
                        child.kill()
                node.kill()
                node.wait()

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        ray = Path(sys.executable).with_name("ray")
        command = [str(ray), "start", "--block", "--num-cpus", "1", *arguments]
        if "--head" in arguments:
            command += ["--temp-dir", str(self.folder / "ray"), "--include-dashboard", "false"]
            command += ["--ray-client-server-port", str(free_port("127.0.0.2"))]
        path = self.folder / f"node-{arguments[-1]}.log"
        with path.open("wb") as log:
            node = subprocess.Popen(command, env={**os.environ, **self.environment}, stdout=log, stderr=log)
        wait_until(lambda: "Ray runtime started" in path.read_text() or node.poll() is not None)
        assert node.poll() is None, path.read_text()
        return node


@contextmanager
def ray_cluster(nodes: int = 2) -> Iterator[RayCluster]:
    """Run a cluster until the block ends."""
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:  # pytest's paths are too long for a socket
        cluster = RayCluster(Path(folder))
        try:
            for _ in range(nodes - 1):
                cluster.add_node()
            yield cluster
        finally:
            cluster.stop()


def fits_on(cluster: RayCluster) -> list[psutil.Process]:
    """Return the processes that fit on the cluster's nodes."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(cluster.cache / "fits") in " ".join(process.info["cmdline"] or [])
    ]


def wait_until(condition: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
