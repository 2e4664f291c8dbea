"""What operators see, and a service around which everything goes wrong: mails that are refused, endpoints
that fail, a template that makes no mails, guessers, at last a mail server and a broker that are gone.

Its mail server refuses mails to 450-…@… for now and to 550-…@… for good.
"""

import os
import pathlib
import re
import subprocess
import uuid

from playwright.sync_api import Page, expect

from .backstage import Site, eventually, in_time
from .batches import upload
from .console import at, sign_in
from .look import look, open_page
from .webhooks import webhooks_that_fail

SERVERS = pathlib.Path(os.environ.get("BROWSE_SERVERS", ""))
SECTIONS = ["Invitations", "Templates", "Branding", "Webhooks", "Suppressions", "Dead letters", "API keys"]


def trouble(page: Page, site: Site):
    organizations(page, site)
    made = site.ask("POST", "/v1/organizations", {"name": "Initech"})
    site.organization = made["id"]
    page.reload()
    page.get_by_role("link", name="Initech").click()
    nothing_yet(page)
    chart(page, site)
    operator(page, site)
    attempts(page, site)
    webhooks_that_fail(page, site)
    parked(page, site)
    try_later(page, site)
    away(page, site)


def organizations(page: Page, site: Site):
    paused = site.ask("POST", "/v1/organizations", {"name": "Umbrella"})["slug"]
    site.change("UPDATE organization SET sending_paused_at = ? WHERE slug = ?", in_time(hours=-1), paused)
    sign_in(page, site)
    expect(page.locator("tbody")).to_contain_text("paused since")
    look(page, "console-organizations")
    site.change(
        "INSERT INTO dead_letter (id, raw, reason, headers, received_at)"
        " VALUES (?, 'Hello?', 'no_job', '{}', '2026-11-26T10:00:00+00:00')",
        uuid.uuid4().bytes,
    )
    at(page, "Dead letters")
    expect(page.locator("tbody tr")).to_have_count(1)
    look(page, "console-dead-letters-of-all")
    page.get_by_role("button", name="Discard").click()
    look(page, "console-dead-letters-of-all-none")
    at(page, "Organizations")


def nothing_yet(page: Page):
    """Each section of an organization that has just been made."""
    expect(page.locator("main")).to_contain_text("None in the last hour.")
    look(page, "console-overview-none")
    for section in SECTIONS:
        at(page, section)
        if section in ["Invitations", "Webhooks", "Suppressions"]:
            expect(page.locator("main")).to_contain_text("There is none.")
            look(page, f"console-{section.lower()}-none")
    at(page, "Overview")


def chart(page: Page, site: Site):
    """Its bars move while somebody looks."""

    def drawn(kind):
        return page.locator(f"svg.chart rect.{kind}:not([height='0'])")

    for kind in ["made", "good", "bad"]:
        expect(drawn(kind)).to_have_count(0)
    site.invite("ira@example.com")
    expect(drawn("good")).to_have_count(1, timeout=15_000)
    expect(drawn("good")).to_have_attribute("height", "120")
    expect(drawn("made")).to_have_attribute("height", "120")
    site.own("POST", "/suppressions", {"email": "jon@example.com"})
    site.invite("jon@example.com")
    expect(drawn("bad")).to_have_count(1, timeout=15_000)


def operator(page: Page, site: Site):
    """Workers, queue, slots, and when the mails are tried again."""
    for number, delta in enumerate([{"minutes": 5}, {"minutes": 6}, {"minutes": 40}]):
        email = f"450-{number}@example.com"
        site.until(site.invite(email), "retrying")
        site.change(
            "UPDATE delivery SET next_attempt_at = ? WHERE invitation_id ="
            " (SELECT id FROM invitation WHERE email = ?)",
            in_time(**delta),
            email,
        )
    page.reload()
    figures = page.locator(".figures").nth(1)
    expect(figures).to_contain_text("jobs in the broker’s queue")
    workers = figures.locator("div").filter(has_text="workers").locator("dd")
    expect(workers).not_to_have_text("0")
    slots = figures.locator("div").filter(has_text="worker slots taken").locator("dd")
    expect(slots).to_have_text(re.compile(r"^\d+ of [1-9]\d*$"))
    expect(page.locator("table.bars tbody td:nth-child(2)")).to_have_text(["0", "2", "1", "0"])
    bars = page.locator("table.bars rect")
    assert [bar.get_attribute("width") for bar in bars.all()] == ["0", "100", "50", "0"]
    expect(page.locator("#troubled + .scroll tbody tr")).to_have_count(3)
    look(page, "console-overview-operator")


def attempts(page: Page, site: Site):
    page.get_by_role("link", name="450-0@example.com").click()
    tried = page.get_by_role("region", name="Attempts that went wrong").locator("tbody tr")
    expect(tried).to_have_count(1)
    expect(tried).to_contain_text("450 4.2.1")
    look(page, "console-invitation-attempts")
    site.until(site.invite("550-ann@example.com"), "failed")
    at(page, "Invitations")
    page.get_by_role("link", name="550-ann@example.com").click()
    expect(tried).to_contain_text("550 5.1.1")
    look(page, "console-invitation-failed")
    # The address gets no more mails.
    at(page, "Suppressions")
    expect(page.locator("tbody")).to_contain_text("550-ann@example.com")


def parked(page: Page, site: Site):
    """A template that was good for a short name."""
    names = "{{organization}}\n" * 400
    long = {"subject": "Hello", "html": "{{accept_url}}" + "x\n" * 44_500 + names, "text": "{{accept_url}}"}
    site.own("PUT", "/templates/default", long)
    site.own("PATCH", "", {"name": "A very long name " * 3 + "indeed"})
    waits = site.invite("nora@example.com")
    eventually("its mail waits", lambda: site.delivery(waits)["reason"] == "parked")
    at(page, "Templates")
    expect(page.locator(".alert")).to_contain_text("1 mail waits")
    look(page, "console-templates-parked")
    site.own("DELETE", "/templates/default")
    page.get_by_role("button", name="Try them again").click()
    expect(page.get_by_role("status")).to_contain_text("are tried again")
    site.until(waits, "sent")


def try_later(page: Page, site: Site):
    """Somebody guesses links."""
    for locale, ending in [("en", ""), ("ar", "-right-to-left")]:
        other = open_page(page.context.browser, locale=locale)
        eventually("no more guesses", lambda: other.goto(site.url + "/i/unknown").status == 429)
        expect(other.locator("html")).to_have_attribute("lang", locale)
        look(other, f"try-later{ending}")


def away(page: Page, site: Site):
    """The mail server is gone, then the broker; both are seen while somebody looks."""
    beside = pathlib.Path(__file__).parent.parent
    at(page, "Overview")
    subprocess.run([beside / "smtp", "stop", SERVERS / "smtp"], check=True)
    site.invite("pam@example.com")
    expect(page.locator("#running ~ .alert")).to_contain_text("No mail can be sent", timeout=30_000)
    look(page, "console-overview-no-mail-server")
    subprocess.run([beside / "rabbitmq", "kill", SERVERS / "rabbitmq"], check=True)
    expect(page.locator(".figures .bad").filter(has_text="broker")).to_contain_text("away", timeout=30_000)
    look(page, "console-overview-no-broker")
    # A batch goes no further than its first mail, if that far.
    at(page, "Batches")
    upload(page, "email\nquentin@example.com\nrosa@example.com\n", "partial")
    expect(page.locator(".states")).to_contain_text("working")
    expect(page.locator(".figures .wait dd")).not_to_have_text("0")
    look(page, "console-batch-working")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_contain_text("cancelled")
    expect(page.locator(".states")).to_contain_text("cancelled")
    look(page, "console-batch-cancelled")
