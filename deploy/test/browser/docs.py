"""The API for people, at /docs."""

from playwright.sync_api import Page, expect

from .backstage import Site
from .look import look


def docs(page: Page, site: Site):
    page.goto(site.url + "/docs")
    expect(page.get_by_role("heading", level=1, name="Welcomat")).to_be_visible(timeout=30_000)
    look(page, "docs", full_page=False)
    # What is not shown is not drawn either. Together they have every method, each in its colour.
    for tag in ["Organizations", "Templates"]:
        page.goto(f"{site.url}/docs#tag/{tag.lower()}")
        page.reload()
        expect(page.get_by_role("heading", level=2, name=tag)).to_be_in_viewport(timeout=30_000)
        look(page, f"docs-{tag.lower()}", full_page=False)
