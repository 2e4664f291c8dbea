"""The console of an organization: signing in, what goes on, invitations, suppressions, keys, dead letters."""

import json
import uuid

from playwright.sync_api import Page, expect

from .backstage import Site
from .look import look


def sign_in(page: Page, site: Site):
    page.goto(site.url + "/console")
    page.get_by_label("API key").fill(site.key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def at(page: Page, section):
    """Goes to a section of the console."""
    page.locator("nav.sections").get_by_role("link", name=section, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=section)).to_be_visible()


def console(page: Page, site: Site):
    page.goto(site.url + "/console")
    look(page, "console-sign-in")
    page.get_by_label("API key").fill("wlc_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("no such key")
    look(page, "console-sign-in-wrong")
    sign_in(page, site)
    overview(page, site)
    invitations(page)
    suppressions(page)
    dead_letters(page, site)
    keys(page)
    page.goto(f"{site.url}/console/{uuid.uuid4()}")
    look(page, "console-problem")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("signed out")
    look(page, "console-signed-out")


def overview(page: Page, site: Site):
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    look(page, "console-overview")
    # It moves while somebody looks.
    sent = page.locator(".figures .good dd").first
    before = int(sent.inner_text())
    site.invite("ida@example.com")
    expect(sent).to_have_text(str(before + 1), timeout=15_000)


def invitations(page: Page):
    at(page, "Invitations")
    look(page, "console-invitations")
    page.locator("summary").filter(has_text="Invite somebody").click()
    page.get_by_label("E-mail address").fill("jan@example.com")
    page.get_by_label("First name").fill("Jan")
    page.get_by_label("Last name").fill("www.example.com")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("alert")).to_contain_text("last name")
    look(page, "console-invitations-wrong")
    page.get_by_label("Last name").fill("Zeman")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("heading", name="jan@example.com")).to_be_visible()
    expect(page.locator(".states")).to_contain_text("mail sent", timeout=15_000)
    look(page, "console-invitation")
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator(".states")).to_contain_text("revoked")
    look(page, "console-invitation-revoked")


def suppressions(page: Page):
    at(page, "Suppressions")
    page.locator("summary").click()
    page.get_by_label("E-mail address").fill("mel@example.com")
    page.get_by_role("button", name="Suppress").click()
    expect(page.get_by_role("status")).to_contain_text("no mail any more")
    look(page, "console-suppressions")
    page.get_by_role("button", name="Lift mel@example.com").click()
    expect(page.get_by_role("status")).to_contain_text("gets mail again")


def dead_letters(page: Page, site: Site):
    listed = site.own("GET", "/invitations?limit=1")["data"][0]
    job = {"kind": "email", "version": 1, "id": listed["delivery"]["id"], "generation": 1}
    site.change(
        "INSERT INTO dead_letter (id, delivery_id, raw, reason, headers, received_at)"
        " VALUES (?, ?, ?, 'delivery_limit', '{}', '2026-11-26T10:00:00+00:00')",
        uuid.uuid4().bytes,
        uuid.UUID(listed["delivery"]["id"]).bytes,
        json.dumps(job).encode(),
    )
    at(page, "Dead letters")
    look(page, "console-dead-letters")
    page.get_by_role("button", name="Redrive").click()
    expect(page.get_by_role("status")).to_contain_text("planned once more")
    assert site.ask("GET", "/v1/dead-letters")["data"][0]["redriven_at"]
    look(page, "console-dead-letters-redriven")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("main")).to_contain_text("There is none.")
    look(page, "console-dead-letters-none")


def keys(page: Page):
    at(page, "API keys")
    page.locator("summary").click()
    page.get_by_label("Name").fill("x" * 65)
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("alert")).to_contain_text("too long")
    look(page, "console-keys-wrong")
    page.get_by_label("Name").fill("CI")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".secret-once")).to_contain_text("wlc_")
    look(page, "console-keys")
    page.get_by_role("button", name="Revoke CI").click()
    expect(page.get_by_role("status")).to_contain_text("worthless")
    look(page, "console-keys-revoked")
