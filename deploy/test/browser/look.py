"""Looks at a page in two sizes and two colour schemes: for barriers, and for pictures."""

import os
import pathlib

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

PICTURES = pathlib.Path(os.environ["BROWSE_PICTURES"])
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
# What axe-core calls these rules; all of them, and what it holds for good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# A colour on its way to another one is neither.
SETTLED = """() => Promise.allSettled(
    document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished))"""

seen = []
complaints = []


def open_page(browser: Browser, **options):
    """A page for somebody who was never here; what goes wrong in it is kept."""
    page = browser.new_context(reduced_motion="reduce", **options).new_page()
    page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def look(page: Page, name, full_page=True):
    """Looks for barriers, and takes pictures."""
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in ["light", "dark"]:
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SETTLED)
            options = {"runOnly": {"type": "tag", "values": RULES}}
            found = Axe().run(page, options=options)
            assert found.violations_count == 0, f"{name}, {size}, {scheme}: {found.generate_report()}"
            page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png", full_page=full_page)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name}, {size}: {wide} pixels too wide"
    seen.append(name)
