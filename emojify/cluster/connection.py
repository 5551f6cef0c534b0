"""The connection to a Ray cluster, and a clear sentence for each way in which it can fail."""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from emojify.errors import EmojifyError

CONNECT_TIMEOUT_S, INIT_TIMEOUT_S = 5, 60

_INSTALL = "pip install --require-hashes -r requirements-cluster.lock   (or: -r requirements-cluster.txt)"


def require_packages(purpose: str, *packages: str) -> None:
    """Refuse to begin without the optional packages that something needs.

    Args:
        purpose: begins the sentence, such as "Sweeps need".
        packages: names to import.

    Raises:
        EmojifyError: if one is not installed.
    """
    try:
        missing = [name for name in packages if find_spec(name) is None]
    except ValueError:  # an entry of sys.modules without a specification
        missing = list(packages)
    if missing:
        raise EmojifyError(f"{purpose} Ray, which is not installed. Install it: {_INSTALL}")


@contextmanager
def connect(address: str) -> Iterator[None]:
    """Connect this process to a Ray cluster until the block ends.

    Token authentication is on unless ``RAY_AUTH_MODE`` says otherwise: whoever reaches a cluster without it can run any
    program there (CVE-2023-48022).

    Args:
        address: ``ray://HOST:PORT``, ``HOST:PORT`` on a machine of the cluster, or ``auto`` there.

    Raises:
        EmojifyError: if Ray is not installed, there is no cluster, or it refuses this process.
    """
    require_packages("A cluster needs", "ray")
    require_cluster(address)
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # nothing is sent anywhere
    os.environ["RAY_COLOR_PREFIX"] = "0"
    import ray

    warnings.filterwarnings("ignore", message="Ray Client connection timed out")

    pool = ThreadPoolExecutor(1)
    started = pool.submit(ray.init, address, log_to_driver=False, logging_level=logging.CRITICAL)
    pool.shutdown(wait=False)
    try:
        started.result(timeout=INIT_TIMEOUT_S)
    except TimeoutError as error:
        raise EmojifyError(
            f"The cluster at {address} does not answer. Its token may be another one, see docs/cluster.md."
        ) from error
    except Exception as error:  # Ray has no common class for what can go wrong here
        raise EmojifyError(_why(address, error)) from error
    try:
        yield
    finally:
        ray.shutdown()


def require_cluster(address: str) -> None:
    """Refuse an address at which nothing listens: Ray would try for minutes.

    Raises:
        EmojifyError: if nothing does.
    """
    if address == "auto":
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT_S).close()
    except (OSError, OverflowError) as error:
        reason = "no answer" if isinstance(error, TimeoutError) else getattr(error, "strerror", "") or str(error)
        raise EmojifyError(
            f"There is no Ray cluster at {address}: {reason}. Start one with: ray start --head   (see docs/cluster.md)"
        ) from error


def _why(address: str, error: Exception) -> str:
    text = " ".join(str(error).split())
    if type(error).__name__ == "AuthenticationError":
        return (
            f"The cluster at {address} needs its token. Copy the file ~/.ray/auth_token from the machine that started "
            "it, or set RAY_AUTH_MODE=disabled for a cluster without one."
        )
    if "ersion mismatch" in text:
        return f"The cluster at {address} has other versions. Install the same on all machines. {text[:300]}"
    if "Could not find any running Ray instance" in text:
        return "No Ray cluster runs on this machine. Start one with: ray start --head   (see docs/cluster.md)"
    if isinstance(error, ConnectionError):
        return (
            f"The cluster at {address} does not let this process in. Its token may be another one, or only its own "
            "machines may use this address; others use ray://HOST:10001. See docs/cluster.md."
        )
    return f"The cluster at {address} can't be used: {text[:300]}"


def most_cpus() -> float:
    """Return the number of processors of the cluster's largest machine, as Ray counts them."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()
    return max((node["Resources"].get("CPU", 0.0) for node in nodes if node["Alive"]), default=0.0)
