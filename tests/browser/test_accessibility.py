"""axe-core finds no serious fault on any page, in both themes. It reads the drawn colors: contrast is 4.5:1 or more."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pages.parts.registry import PAGES
from tests.helpers.browser import TIMEOUT_MS, start


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault(browser: Browser, app_url: str, scheme: Literal["light", "dark"]) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(app_url)
    faults = []
    for entry in PAGES:
        page.get_by_role("link", name=entry.title, exact=True).click(timeout=TIMEOUT_MS)
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=TIMEOUT_MS)
        if entry.title in ("Live", "Teach it your face"):
            start(page)
        else:
            app = page.get_by_test_id("stApp")
            expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=TIMEOUT_MS)
        faults += [f"{entry.title}: {fault}" for fault in serious_faults(page)]
    context.close()
    assert not faults, "\n\n".join(faults)


def test_disabled_button_can_be_read_in_the_dark_theme(browser: Browser, app_url: str) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{app_url}/videos")
    button = page.get_by_role("button", name="Emojify it")
    expect(button).to_be_disabled(timeout=TIMEOUT_MS)
    color = button.locator("p").evaluate("element => getComputedStyle(element).color")
    context.close()
    red = int(color.removeprefix("rgba(").removeprefix("rgb(").split(",")[0])
    assert red > 128, f"{color} on a dark background"


def serious_faults(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]}: {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
