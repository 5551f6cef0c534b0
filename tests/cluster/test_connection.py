"""Clusters that can't be used: a sentence each."""

from __future__ import annotations

import pytest

from emojify.cluster import connection
from emojify.cluster.connection import connect, require_cluster
from emojify.cluster.worker import check_version
from emojify.errors import EmojifyError
from tests.helpers.browser import free_port


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_no_cluster_there(scheme: str) -> None:
    with pytest.raises(EmojifyError, match=r"There is no Ray cluster at .*: Connection refused"):
        require_cluster(f"{scheme}127.0.0.1:{free_port()}")


def test_unknown_host() -> None:
    with pytest.raises(EmojifyError, match=r"There is no Ray cluster at nowhere\.invalid:6379"):
        require_cluster("nowhere.invalid:6379")


def test_without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "find_spec", lambda name: None)
    with pytest.raises(EmojifyError, match="A cluster needs Ray, which is not installed"), connect("auto"):
        pass


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (RuntimeError("Version mismatch: The cluster was started with:\n  Ray: 2.40"), "other versions.*Ray: 2.40"),
        (ConnectionError("Could not find any running Ray instance."), "No Ray cluster runs on this machine"),
        (ConnectionError("Failed to connect to Ray cluster at a:1"), "does not let this process in"),
        (ValueError("Something else\nhappened"), "can't be used: Something else happened"),
    ],
)
def test_refusals(error: Exception, sentence: str) -> None:
    with pytest.raises(EmojifyError, match=sentence):
        raise EmojifyError(connection._why("a:1", error))


def test_other_version_of_emojify_is_refused() -> None:
    with pytest.raises(EmojifyError, match=r"node7 has Emojify 0\.0\.1"):
        check_version("node7", "0.0.1")
