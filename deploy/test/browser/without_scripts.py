"""The same in a browser that runs no scripts."""

from playwright.sync_api import Page, expect

from .backstage import Site, eventually
from .batches import upload
from .console import at, sign_in
from .invitee import PASSWORD


def without_scripts(page: Page, site: Site):
    page = page.context.browser.new_context(java_script_enabled=False).new_page()
    site.invite("oda@example.com")
    site.link("oda@example.com")
    page.goto(site.url + "/inbox?q=oda")
    page.get_by_role("button", name="Delete the mail to oda@example.com").click()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("link", name="Refresh").click()
    assert page.url == site.url + "/inbox?q=oda", page.url
    site.invite("lea@example.com")
    page.goto(site.url + site.link("lea@example.com"))
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button").last.click()
    assert "joined" in page.content()
    sign_in(page, site)
    at(page, "Invitations")
    page.get_by_label("Address", exact=True).fill("lea@example.com")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    at(page, "Templates")
    for button, frame in [("Preview", "desktop"), ("Preview on a phone", "phone")]:
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.frame_locator(f"iframe.{frame}").locator("h1")).to_be_visible(timeout=15_000)
    at(page, "Batches")
    upload(page, "email\nquinn@example.com\n", "partial")
    expect(page.get_by_role("status")).to_contain_text("taken in")
    eventually("the row is done", lambda: page.reload() and "1 of 1 rows are done" in page.content())
