"""The pages of invitees, all of them from left to right and from right to left."""

from playwright.sync_api import Page, expect

from .backstage import Site, in_time
from .look import look, open_page

PASSWORD = "correct horse battery staple"


def left_to_right(page: Page, site: Site):
    Walk(page, site, "en", "ltr", "").all()
    scanner(page, site)


def right_to_left(page: Page, site: Site):
    arabic = open_page(page.context.browser, locale="ar")
    Walk(arabic, site, "ar", "rtl", "-right-to-left").all()


class Walk:
    """The same way through the pages in each language."""

    def __init__(self, page: Page, site: Site, locale, direction, ending):
        self.page, self.site, self.locale = page, site, locale
        self.direction, self.ending = direction, ending

    def all(self):
        self.accepting()
        self.declining()
        self.unexpected()
        self.too_late()
        self.of_no_use()
        self.given_no_more()

    def look(self, name):
        expect(self.page.locator("html")).to_have_attribute("dir", self.direction)
        expect(self.page.locator("html")).to_have_attribute("lang", self.locale)
        look(self.page, name + self.ending)

    def invited(self, name, **more):
        """Somebody is, and has the mail: its number and link."""
        email = f"{name}.{self.locale}@example.com"
        number = self.site.invite(email, locale=self.locale, first_name=name.title(), **more)
        return number, self.site.link(email)

    def open(self, path):
        self.page.goto(self.site.url + path)

    def status(self, number):
        return self.site.invitation(number)["status"]

    def accepting(self):
        page = self.page
        ann, link = self.invited("ann")
        self.open(link)
        assert self.status(ann) == "pending", "looking changes nothing"
        self.look("accept")
        page.locator("#password").fill("short")
        expect(page.locator("#strength")).not_to_be_empty()
        page.locator("#reveal").click()
        expect(page.locator("#password")).to_have_attribute("type", "text")
        # Of a browser that lets it pass, the server does not take it either.
        page.locator("form").evaluate("form => { form.noValidate = true }")
        page.locator("#password").press("Enter")
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.locator("#password")).to_be_focused()
        assert self.status(ann) == "pending"
        self.look("accept-wrong")
        page.locator("#password").fill(PASSWORD)
        # By keyboard alone.
        page.locator("#password").press("Enter")
        expect(page.locator("#password")).to_have_count(0)
        self.look("accepted")
        assert self.status(ann) == "accepted"
        self.open(link)
        self.look("already-accepted")

    def declining(self):
        bob, link = self.invited("bob")
        self.open(link + "/decline")
        assert self.status(bob) == "pending"
        self.look("decline")
        self.page.locator("form button").click()
        expect(self.page.locator("form")).to_have_count(0)
        self.look("declined")
        assert self.status(bob) == "declined"

    def unexpected(self):
        carl, link = self.invited("carl")
        self.open(link + "/unexpected")
        self.look("unexpected")
        self.page.locator("form button").click()
        expect(self.page.locator("form")).to_have_count(0)
        self.look("unwanted")
        assert self.status(carl) == "declined"

    def too_late(self):
        page = self.page
        eve, link = self.invited("eve")
        self.site.change(
            "UPDATE invitation SET expires_at = ? WHERE email = ?",
            in_time(hours=-1),
            f"eve.{self.locale}@example.com",
        )
        self.open(link)
        self.look("expired")
        page.locator("form button").click()
        expect(page.locator(".mark.good")).to_be_visible()
        self.look("link-requested")
        assert self.status(eve) == "expired"
        # She has one that is newer: that she asks again is noted, and nothing sent.
        self.open(link)
        page.locator("form button").click()
        expect(page.locator(".mark.plain")).to_be_visible()
        expect(page.locator("form")).to_have_count(0)
        self.look("link-noted")

    def of_no_use(self):
        fay, link = self.invited("fay")
        self.site.own("POST", f"/invitations/{fay}/revoke", {})
        self.open(link)
        self.look("revoked")
        self.open("/i/unknown")
        self.look("not-found")

    def given_no_more(self):
        """The organization has no such role any more."""
        gus, link = self.invited("gus", role="editor")
        self.site.own("PATCH", "", {"roles": ["member"]})
        self.open(link)
        self.page.locator("#password").fill(PASSWORD)
        self.page.locator("#password").press("Enter")
        expect(self.page.locator(".mark.plain")).to_be_visible()
        self.look("not-given")
        assert self.status(gus) == "pending"
        self.site.own("PATCH", "", {"roles": None})


def scanner(page: Page, site: Site):
    """A mail scanner with a whole browser, which opens whatever is linked."""
    hal = site.invite("hal@example.com")
    page.goto(site.url + site.link("hal@example.com"))
    places = [anchor.get_attribute("href") for anchor in page.locator("a").all()]
    assert len(places) >= 2, places
    for place in places:
        page.goto(site.url + place)
    assert site.invitation(hal)["status"] == "pending"
