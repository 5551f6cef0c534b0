"""A fit with TensorFlow, from Start to the live video, with a restart of the app in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from emojify.runs.run import State
from emojify.runs.store import RunStore
from tests.helpers.browser import PRIORITY_HOOK, TIMEOUT_MS, component, run_app, start
from tests.helpers.drawn_faces import write_faces
from tests.helpers.fake_training import kill_all
from tests.helpers.stores import write_model

TENSORFLOW_TIMEOUT_MS = 240_000  # it starts in 10 s on an idle machine


@pytest.fixture
def workspace(tmp_path: Path, tiny_model: bytes) -> Iterator[Path]:
    write_faces(tmp_path / "data" / "drawn", train=16, test=4)
    write_model(tmp_path / "models" / "seed", tiny_model)
    yield tmp_path
    kill_all(tmp_path)


def variables(workspace: Path) -> dict[str, str]:
    folders = {f"EMOJIFY_{name.upper()}": str(workspace / name) for name in ("data", "runs", "models")}
    return {**folders, "PYTHONPATH": PRIORITY_HOOK}


def open_training(page: Page, url: str) -> None:
    """Open the page by its address, before any other page; the menu must be complete."""
    page.goto(f"{url}/training")
    expect(page.get_by_role("link", name="Teach it your face")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_role("heading", name="Training")).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.get_by_test_id("stSidebarNav")).to_have_count(0)


def choose(page: Page, view: str) -> None:
    page.get_by_role("radio", name=view, exact=True).click(timeout=TIMEOUT_MS)


def at_least(epochs: int) -> re.Pattern[str]:
    """Match at least so many epochs: a fast machine finishes several between two updates of the page."""
    return re.compile(rf"\b({'|'.join(map(str, range(epochs, 41)))}) of 40 epochs done")


def wait_for_change(chart: Locator, picture: bytes) -> None:
    """Wait until the chart differs from ``picture``: it is drawn after the text beside it."""
    for _ in range(TIMEOUT_MS // 100):
        if chart.screenshot() != picture:
            return
        chart.page.wait_for_timeout(100)
    pytest.fail("the chart does not change")


def test_fit_is_launched_stopped_promoted_and_resumed(browser: Browser, workspace: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    store = RunStore(workspace / "runs")
    with run_app(**variables(workspace)) as url:
        open_training(page, url)
        page.get_by_text("All settings").click(timeout=TIMEOUT_MS)
        page.get_by_label("epochs", exact=True).fill("40")
        page.get_by_label("epochs", exact=True).press("Enter")
        expect(page.get_by_text("--epochs 40")).to_be_visible(timeout=TIMEOUT_MS)
        page.get_by_role("button", name="Start", exact=True).click()
        expect(page.get_by_text("TensorFlow is starting")).to_be_visible(timeout=TIMEOUT_MS)
        expect(page.get_by_text(re.compile(r"Batch \d of 2"))).to_be_visible(timeout=TENSORFLOW_TIMEOUT_MS)

    with run_app(**variables(workspace)) as url:  # after a restart of the app the fit still runs, and the page finds it
        open_training(page, url)
        expect(page.get_by_text("running", exact=True)).to_be_visible(timeout=TIMEOUT_MS)
        expect(page.get_by_text(re.compile(r"([2-9]|\d\d) of 40 epochs done"))).to_be_visible(
            timeout=TENSORFLOW_TIMEOUT_MS
        )
        charts = page.get_by_test_id("stVegaLiteChart")
        expect(charts).to_have_count(2, timeout=TIMEOUT_MS)
        loss, accuracy = charts.all()
        curves = loss.screenshot(), accuracy.screenshot()
        (run,) = store.runs()
        done = store.get(run.id).epochs_done
        expect(page.get_by_text(at_least(done + 2))).to_be_visible(timeout=TENSORFLOW_TIMEOUT_MS)
        for chart, curve in zip((loss, accuracy), curves, strict=True):
            wait_for_change(chart, curve)

        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_text("It was stopped. Resume goes on after epoch")).to_be_visible(
            timeout=TENSORFLOW_TIMEOUT_MS
        )
        assert store.get(run.id).state is State.STOPPED
        assert not re.search(r"^[IEW]\d{4} ", store.get(run.id).log_tail(), re.MULTILINE)  # of TensorFlow's start

        live = context.new_page()
        live.goto(url)
        start(live)
        live.get_by_text("Settings", exact=True).click()
        expect(live.get_by_label("Model", exact=True)).to_have_value("seed (live)", timeout=TIMEOUT_MS)

        choose(page, "Go live")
        page.get_by_role("button", name="Go live", exact=True).click(timeout=TIMEOUT_MS)
        expect(page.get_by_text("you can leave this page meanwhile")).to_be_visible(timeout=TIMEOUT_MS)
        model = store.get(run.id).model_id
        expect(page.get_by_text("of this run, ")).to_be_visible(timeout=TENSORFLOW_TIMEOUT_MS)
        # The open live page switches to the new model without a click.
        expect(live.get_by_label("Model", exact=True)).to_have_value(f"{model} (live)", timeout=TIMEOUT_MS)
        expect(component(live).get_by_role("button", name="Stop")).to_be_visible()
        page.get_by_role("button", name="Roll back").click()
        expect(live.get_by_label("Model", exact=True)).to_have_value("seed (live)", timeout=TIMEOUT_MS)
        live.close()

        choose(page, "Train")
        done = store.get(run.id).epochs_done
        page.get_by_role("button", name="Resume").click(timeout=TIMEOUT_MS)
        expect(page.get_by_text(at_least(done + 1))).to_be_visible(timeout=TENSORFLOW_TIMEOUT_MS)
    context.close()
