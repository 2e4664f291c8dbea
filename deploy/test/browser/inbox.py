"""The captured mails."""

from playwright.sync_api import Page, expect

from .backstage import Site
from .look import SIZES, look


def inbox(page: Page, site: Site):
    for email, locale in [("mia@example.com", "en"), ("omar@example.com", "ar")]:
        site.invite(email, locale=locale)
        site.link(email)
    page.goto(site.url + "/inbox")
    look(page, "inbox")
    searching(page, site)
    message(page, site)
    page.goto(site.url + "/inbox?q=omar")
    look(page, "inbox-right-to-left")
    page.locator("ol a").click()
    expect(page.frame_locator("iframe").locator("html")).to_have_attribute("dir", "rtl")
    look(page, "inbox-message-right-to-left")
    page.get_by_role("link", name="Text").click()
    look(page, "inbox-message-text-right-to-left")
    page.goto(site.url + "/inbox")
    page.get_by_role("button", name="Delete all").click()
    expect(page.get_by_role("heading", name="No mail yet")).to_be_visible()
    look(page, "inbox-empty")


def searching(page: Page, site: Site):
    page.get_by_label("Search").fill("NED example")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    look(page, "inbox-nothing")
    # It comes while somebody looks, and the search stays.
    site.invite("ned@example.com", first_name="Ned")
    expect(page.locator(".rows li")).to_have_count(1, timeout=15_000)
    expect(page.get_by_role("status")).to_contain_text("1 of")
    expect(page.get_by_label("Search")).to_have_value("NED example")
    look(page, "inbox-searched")


def message(page: Page, site: Site):
    page.locator("ol a").first.click()
    expect(page.frame_locator("iframe").get_by_role("link").first).to_be_visible()
    look(page, "inbox-message")
    page.get_by_role("link", name="Phone").click()
    page.set_viewport_size(SIZES["desktop"])
    width = page.locator("iframe").evaluate("frame => frame.clientWidth")
    assert width == 375, f"a phone is {width} pixels wide"
    look(page, "inbox-message-phone")
    for view in ["Text", "Source", "Headers", "Checks"]:
        page.get_by_role("link", name=view, exact=view != "Checks").click()
        look(page, f"inbox-message-{view.lower()}")
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("newest first")
    assert not site.ask("GET", "/inbox/messages?q=ned")
