"""A sweep and a fit on a Ray cluster of two nodes, while machines are lost and the training page shows them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from emojify.runs.run import State
from emojify.runs.store import RunStore
from emojify.settings import ROOT
from tests.helpers.browser import TIMEOUT_MS, run_app
from tests.helpers.drawn_faces import write_faces
from tests.helpers.fake_training import kill_all
from tests.helpers.ray_cluster import WAIT_S, RayCluster, fits_on, ray_cluster, wait_until
from tests.helpers.stores import write_model

pytestmark = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: requirements-cluster.txt")
FIT_TIMEOUT_MS = 240_000


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as cluster:
        yield cluster


@pytest.fixture
def workspace(tmp_path: Path, tiny_model: bytes) -> Iterator[Path]:
    write_faces(tmp_path / "data" / "drawn", train=16, test=4)
    write_model(tmp_path / "models" / "seed", tiny_model)
    yield tmp_path
    kill_all(tmp_path)


def variables(workspace: Path, cluster: RayCluster) -> dict[str, str]:
    folders = {f"EMOJIFY_{name.upper()}": str(workspace / name) for name in ("data", "runs", "models")}
    return {**cluster.environment, **folders, "EMOJIFY_RAY_ADDRESS": cluster.address}


def sweep(workspace: Path, cluster: RayCluster, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "emojify", "sweep", "--concurrent", "2", *arguments], cwd=ROOT, text=True,
        env={**os.environ, **variables(workspace, cluster)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def open_training(page: Page, url: str) -> None:
    page.goto(f"{url}/training")
    expect(page.get_by_role("heading", name="Training")).to_be_visible(timeout=TIMEOUT_MS)


def test_sweep_survives_lost_machines(browser: Browser, workspace: Path, cluster: RayCluster) -> None:
    store = RunStore(workspace / "runs")
    recipe = ["--same-recipe", "--seeds", "4", "--set", "epochs=4"]
    data = str(workspace / "data" / "drawn")
    driver = sweep(workspace, cluster, "--data", data, "--name", "s", "--address", cluster.address, *recipe)
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    with run_app(**variables(workspace, cluster)) as url:
        wait_until(lambda: len(store.ids()) == 2)
        open_training(page, url)
        expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=FIT_TIMEOUT_MS)
        wait_until(lambda: all(run.epochs_done for run in store.runs()[:2]))
        cluster.kill_node(1)
        wait_until(lambda: len(fits_on(cluster)) == 1)  # the other one ends with its node
        driver.kill()
        driver.communicate()
        again = sweep(workspace, cluster, "--resume", "s")
        output, _ = again.communicate(timeout=WAIT_S)
        assert again.returncode == 0, output
        expect(page.get_by_text("4 of 4 epochs done")).to_be_visible(timeout=TIMEOUT_MS)
        expect(page.get_by_text("finished", exact=True)).to_be_visible(timeout=TIMEOUT_MS)
    runs = store.runs()
    assert {run.id for run in runs} == {"s-01", "s-02", "s-03", "s-04"}
    assert {run.epochs_done for run in runs if run.state is State.FINISHED} == {4}
    assert all(str(run.folder) in output for run in runs)  # the members of an ensemble, for distill
    assert len([path for path in (cluster.cache / "inputs").iterdir() if path.is_dir()]) == 1


def test_fit_is_sent_to_the_cluster_from_the_page(browser: Browser, workspace: Path, cluster: RayCluster) -> None:
    store = RunStore(workspace / "runs")
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    with run_app(**variables(workspace, cluster)) as url:
        open_training(page, url)
        page.get_by_text("All settings").click(timeout=TIMEOUT_MS)
        page.get_by_label("epochs", exact=True).fill("400")
        page.get_by_label("epochs", exact=True).press("Enter")
        expect(page.get_by_text("--epochs 400")).to_be_visible(timeout=TIMEOUT_MS)
        page.get_by_text("The cluster at").click()  # the page's escaping puts invisible characters into the address
        expect(page.get_by_text(f"--address {cluster.address}")).to_be_visible(timeout=TIMEOUT_MS)
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_text("On the cluster at")).to_be_visible(timeout=TIMEOUT_MS)
        expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=FIT_TIMEOUT_MS)
        expect(page.get_by_text("On the cluster at")).to_be_visible(timeout=TIMEOUT_MS)
        (run,) = store.runs()
        wait_until(lambda: store.get(run.id).epochs_done)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=FIT_TIMEOUT_MS)
        assert not fits_on(cluster)
        page.get_by_role("button", name="Resume", exact=True).click()
        expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=FIT_TIMEOUT_MS)
        assert len(fits_on(cluster)) == 1
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("stopped", exact=True)).to_be_visible(timeout=FIT_TIMEOUT_MS)
        page.get_by_role("button", name="Delete").click()
        page.get_by_role("button", name=re.compile("Yes, delete")).click()
        wait_until(lambda: not store.runs())
