"""What an accessibility checker finds on an open page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

UNFADED = """() => !document.querySelector('[data-stale="true"]')
    && [...document.querySelectorAll('[data-testid=stCaptionContainer]')].every(caption => getComputedStyle(caption).opacity >= 0.8)"""
"""The app's own style is in place, and nothing is pale because a rerun may still replace it."""


def settled(page: Page) -> None:
    """Streamlit has finished its run."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()


def serious_faults(page: Page) -> dict[str, list[str]]:
    """Rule -> elements that break it: axe-core (Deque), rules of WCAG 2 A and AA, of impact serious or critical."""
    settled(page)
    page.wait_for_function(UNFADED)
    violations = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    return {rule["id"]: [node["html"][:160] for node in rule["nodes"]] for rule in violations if rule["impact"] in ("serious", "critical")}
