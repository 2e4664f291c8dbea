"""The console's editors: the mail in the organization's words, and how it looks."""

import struct
import zlib

from playwright.sync_api import Page, expect

from .backstage import Site
from .console import at, sign_in
from .look import PICTURES, look


def editors(page: Page, site: Site):
    sign_in(page, site)
    templates(page, site)
    branding(page, site)


def templates(page: Page, site: Site):
    at(page, "Templates")
    expect(page.locator("main")).to_contain_text("no template for this language yet")
    # What everybody has, in both widths, without a click.
    desktop = page.frame_locator("iframe.desktop")
    expect(desktop.locator("h1")).to_be_visible(timeout=15_000)
    expect(page.frame_locator("iframe.phone").locator("h1")).to_be_visible(timeout=15_000)
    expect(page.frame_locator("iframe.text").locator("body")).to_contain_text("Subject:", timeout=15_000)
    look(page, "console-templates")
    # The browser draws no frame without rights that is out of sight.
    for name in ["phone", "desktop", "text"]:
        page.locator(f"iframe.{name}").scroll_into_view_if_needed()
        page.wait_for_timeout(300)
        page.screenshot(path=PICTURES / f"console-templates-preview-{name}.png")
    page.get_by_label("Subject").fill("{{organisation}} calls")
    expect(desktop.locator("body")).to_contain_text("line 1, column 1", timeout=15_000)
    page.get_by_role("button", name="Save and use").click()
    expect(page.get_by_role("alert")).to_contain_text("there is no variable")
    look(page, "console-templates-wrong")
    page.get_by_label("Subject").fill("{{organization}} calls")
    # It follows what is written.
    page.get_by_label("HTML part").fill("<h1>Ahoy</h1><a href='{{accept_url}}'>Join</a>")
    expect(desktop.locator("h1")).to_have_text("Ahoy", timeout=15_000)
    expect(page.frame_locator("iframe.phone").locator("h1")).to_have_text("Ahoy", timeout=15_000)
    # A real mail of what is in the editor, which is not saved by it.
    page.get_by_label("Send a test to").fill("ada@example.com")
    page.get_by_label("Send a test to").press("Enter")
    told = page.frame_locator("iframe.told").locator("body")
    expect(told).to_contain_text("has taken the mail to ada@example.com", timeout=15_000)
    mails = site.mails("ada@example.com")
    assert mails[0]["subject"].endswith(" calls") and "Ahoy" in mails[0]["html"], mails[0]
    assert site.own("GET", "/templates")["data"] == []
    page.get_by_role("button", name="Save and use").click()
    expect(page.get_by_role("status")).to_contain_text("mails are made from it")
    page.get_by_label("Subject").fill("Second")
    page.get_by_role("button", name="Save and use").click()
    page.get_by_role("button", name="Roll back to version 1").click()
    expect(page.get_by_role("status")).to_contain_text("that version again")
    look(page, "console-templates-versions")
    site.invite("nia@example.com")
    site.link("nia@example.com")
    mails = site.mails("nia@example.com")
    assert mails[0]["subject"].endswith(" calls"), mails[0]["subject"]
    page.get_by_role("button", name="Stop using it").click()
    expect(page.get_by_role("status")).to_contain_text("Its versions are kept")
    # What is shown in the frames is nothing to go back to.
    page.go_back()
    assert "/templates" in page.url, page.url


def picture():
    """A logo of 240 by 80 pixels: dark on nothing, as many are."""

    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    row = b"\0" + b"\x1c\x2b\x33\xff" * 160 + b"\0\0\0\0" * 80
    head = struct.pack(">IIBBBBB", 240, 80, 8, 6, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(row * 80)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def branding(page: Page, site: Site):
    at(page, "Branding")
    shown = page.frame_locator("iframe.phone")
    expect(shown.get_by_role("button", name="Accept and join")).to_be_visible(timeout=15_000)
    look(page, "console-branding")
    # It follows what is chosen; yellow is legible nowhere on white.
    page.get_by_label("Name on pages").fill("Harbour & Sons")
    page.get_by_label("Accent colour").fill("#ffd400")
    page.get_by_label("Link for questions").fill("http://help.example")
    expect(shown.locator("body")).to_contain_text("must be a link", timeout=15_000)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("must be a link")
    look(page, "console-branding-wrong")
    page.get_by_label("Link for questions").fill("https://help.example/")
    expect(shown.locator("footer")).to_contain_text("Questions? help.example", timeout=15_000)
    file = {"name": "logo.png", "mimeType": "image/png", "buffer": picture()}
    page.get_by_label("Logo", exact=True).set_input_files(file)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The look is saved")
    expect(shown.get_by_role("img", name="Harbour & Sons")).to_be_visible(timeout=15_000)
    look(page, "console-branding-saved")
    for accent, locale in [("#ffd400", "en"), ("#000080", "he"), ("#808080", "de")]:
        body = {"name": "Harbour & Sons", "accent": accent, "support_url": "https://help.example/"}
        site.own("PUT", "/branding", body)
        email = f"look-{locale}@example.com"
        site.invite(email, locale=locale)
        with page.context.new_page() as other:
            other.goto(site.url + site.link(email))
            loaded = "img => img.complete && img.naturalWidth === 240"
            assert other.locator("header img").evaluate(loaded)
            look(other, f"accept-branded-{accent[1:]}")
            other.goto(other.url + "/decline")
            look(other, f"decline-branded-{accent[1:]}")
    page.reload()
    page.get_by_label("Remove the logo").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Remove the logo")).to_have_count(0)
    site.own("DELETE", "/branding")
