"""Uses every page of a running service as people would; `browse` beside it starts the service.

Fails if something does not work or axe-core finds a barrier (WCAG 2.2 A and AA, best practices). Writes
pictures of all pages.
"""

import datetime
import http.server
import json
import os
import pathlib
import re
import sqlite3
import struct
import threading
import time
import urllib.request
import uuid
import zlib

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

URL = os.environ["WELCOMAT_URL"]
KEY = os.environ["WELCOMAT_API_KEY"]
INSTANCE_KEY = os.environ["BROWSE_INSTANCE_KEY"]
PICTURES = pathlib.Path(os.environ["BROWSE_PICTURES"])
SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
PASSWORD = "correct horse battery staple"
# What axe-core calls these rules; all of them, and what it holds for good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

seen = []


def ask(method, path, body=None, key=KEY):
    request = urllib.request.Request(URL + path, method=method)
    request.add_header("Authorization", f"Bearer {key}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
        request.data = json.dumps(body).encode()
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def eventually(what, look):
    for _ in range(100):
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"it did not happen in 10 s: {what}")


def organization():
    return ask("GET", "/v1/me")["organization"]["id"]


def invite(email, **more):
    made = ask("POST", f"/v1/organizations/{organization()}/invitations", {"email": email, **more})
    return made["id"]


def invitation(number):
    return ask("GET", f"/v1/organizations/{organization()}/invitations/{number}")


def link(email):
    """The link in the newest mail to this address."""

    def find():
        mails = [mail for mail in ask("GET", "/inbox/messages") if mail["to"] == email]
        return mails and re.search(r"/i/[0-9A-Z]+", mails[0]["text"])[0]

    return eventually(f"a mail to {email}", find)


def change(statement, *values):
    """What only time, or an accident, would do to the database."""
    with sqlite3.connect(os.environ["BROWSE_DATABASE"], timeout=10) as database:
        changed = database.execute(statement, values)
        assert changed.rowcount == 1, statement
    database.close()


def look(page: Page, name):
    """Looks for barriers, and takes pictures."""
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in ["light", "dark"]:
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
            assert found.violations_count == 0, f"{name}, {size}, {scheme}: {found.generate_report()}"
            page.screenshot(path=PICTURES / f"{name}-{size}-{scheme}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name}, {size}: {wide} pixels too wide"
    seen.append(name)


def invitees(page: Page):
    ann = invite("ann@example.com", first_name="Ann")
    page.goto(URL + link("ann@example.com"))
    assert invitation(ann)["status"] == "pending", "looking changes nothing"
    look(page, "accept")
    page.get_by_label("password").first.fill("short")
    expect(page.locator("#strength")).not_to_be_empty()
    page.locator("#reveal").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.locator("#password").fill(PASSWORD)
    # By keyboard alone.
    page.locator("#password").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    look(page, "accepted")
    assert invitation(ann)["status"] == "accepted"
    page.goto(URL + link("ann@example.com"))
    look(page, "already-accepted")

    bob = invite("bob@example.com")
    page.goto(URL + link("bob@example.com") + "/decline")
    assert invitation(bob)["status"] == "pending"
    look(page, "decline")
    page.locator("form button").click()
    look(page, "declined")
    assert invitation(bob)["status"] == "declined"

    carl = invite("carl@example.com")
    page.goto(URL + link("carl@example.com") + "/unexpected")
    look(page, "unexpected")
    page.locator("form button").click()
    look(page, "unwanted")
    assert invitation(carl)["status"] == "declined"

    eve = invite("eve@example.com")
    address = link("eve@example.com")
    past = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)).isoformat()
    change("UPDATE invitation SET expires_at = ? WHERE email = ?", past, "eve@example.com")
    page.goto(URL + address)
    look(page, "expired")
    page.locator("form button").click()
    look(page, "link-requested")
    assert invitation(eve)["status"] == "expired"

    fay = invite("fay@example.com")
    address = link("fay@example.com")
    ask("POST", f"/v1/organizations/{organization()}/invitations/{fay}/revoke", {})
    page.goto(URL + address)
    look(page, "revoked")
    page.goto(URL + "/i/unknown")
    look(page, "not-found")

    invite("gad@example.com", locale="ar")
    page.goto(URL + link("gad@example.com"))
    assert page.locator("html").get_attribute("dir") == "rtl"
    look(page, "accept-right-to-left")


def scanner(page: Page):
    """A mail scanner with a whole browser, which opens whatever is linked."""
    hal = invite("hal@example.com")
    page.goto(URL + link("hal@example.com"))
    places = [anchor.get_attribute("href") for anchor in page.locator("a").all()]
    for place in places:
        page.goto(URL + place)
    assert invitation(hal)["status"] == "pending"


def inbox(page: Page):
    page.goto(URL + "/inbox")
    look(page, "inbox")
    page.get_by_label("Search").fill("NED example")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    look(page, "inbox-nothing")
    # It comes while somebody looks, and the search stays.
    invite("ned@example.com", first_name="Ned")
    expect(page.locator(".rows li")).to_have_count(1, timeout=15_000)
    expect(page.get_by_role("status")).to_contain_text("1 of")
    expect(page.get_by_label("Search")).to_have_value("NED example")
    look(page, "inbox-searched")
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
    assert not ask("GET", "/inbox/messages?q=ned")


def sign_in(page: Page, key):
    page.goto(URL + "/console")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def console(page: Page):
    sign_in(page, "wlc_wrong")
    expect(page.get_by_role("alert")).to_contain_text("no such key")
    look(page, "console-sign-in")
    sign_in(page, KEY)
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    look(page, "console-overview")
    # It moves while somebody looks.
    sent = page.locator(".figures .good dd").first
    before = int(sent.inner_text())
    invite("ida@example.com")
    expect(sent).to_have_text(str(before + 1), timeout=15_000)

    page.get_by_role("link", name="Invitations").first.click()
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


def templates(page: Page):
    page.get_by_role("link", name="Templates").click()
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
    mails = [mail for mail in ask("GET", "/inbox/messages") if mail["to"] == "ada@example.com"]
    assert mails[0]["subject"].endswith(" calls") and "Ahoy" in mails[0]["html"], mails[0]
    assert ask("GET", f"/v1/organizations/{organization()}/templates")["data"] == []
    page.get_by_role("button", name="Save and use").click()
    expect(page.get_by_role("status")).to_contain_text("mails are made from it")
    page.get_by_label("Subject").fill("Second")
    page.get_by_role("button", name="Save and use").click()
    page.get_by_role("button", name="Roll back to version 1").click()
    expect(page.get_by_role("status")).to_contain_text("that version again")
    look(page, "console-templates-versions")
    invite("nia@example.com")
    link("nia@example.com")
    mails = [mail for mail in ask("GET", "/inbox/messages") if mail["to"] == "nia@example.com"]
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


def branding(page: Page):
    page.get_by_role("link", name="Branding").click()
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
        ask("PUT", f"/v1/organizations/{organization()}/branding", body)
        email = f"look-{locale}@example.com"
        invite(email, locale=locale)
        with page.context.new_page() as other:
            other.goto(URL + link(email))
            loaded = "img => img.complete && img.naturalWidth === 240"
            assert other.locator("header img").evaluate(loaded)
            look(other, f"accept-branded-{accent[1:]}")
            other.goto(other.url + "/decline")
            look(other, f"decline-branded-{accent[1:]}")
    page.reload()
    page.get_by_label("Remove the logo").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Remove the logo")).to_have_count(0)
    request = urllib.request.Request(
        f"{URL}/v1/organizations/{organization()}/branding",
        method="DELETE",
        headers={"Authorization": f"Bearer {KEY}"},
    )
    urllib.request.urlopen(request, timeout=10).close()
    page.goto(f"{URL}/console/{organization()}")


def batches(page: Page):
    page.get_by_role("link", name="Batches").click()
    upload(page, "email,first_name\nola@example.com,Ola\nnobody,X\npia@example.com,www.example.com\n", "atomic")
    expect(page.get_by_role("alert")).to_contain_text("rows[2]")
    look(page, "console-batches-wrong")
    rows = "".join(f"person{number}@example.com,Person\n" for number in range(300))
    upload(page, f"email,first_name\n{rows}nobody,X\n", "partial")
    expect(page.get_by_role("status")).to_contain_text("taken in")
    # It moves while somebody looks.
    expect(page.locator("main")).to_contain_text("301 of 301 rows are done", timeout=30_000)
    expect(page.locator(".states")).to_contain_text("done", timeout=15_000)
    look(page, "console-batch")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all rows").click()
    assert "nobody" in pathlib.Path(download.value.path()).read_text()
    page.get_by_role("link", name="← Batches").click()
    look(page, "console-batches")


def upload(page: Page, text, mode):
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("If a row is wrong").select_option(mode)
    page.get_by_role("button", name="Invite them").click()


class Told(http.server.BaseHTTPRequestHandler):
    requests: list = []

    def do_POST(self):
        self.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def webhooks(page: Page):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wanted = {
        "url": f"http://127.0.0.1:{server.server_port}/welcomat",
        "event_types": ["invitation.created"],
    }
    ask("POST", f"/v1/organizations/{organization()}/webhooks", wanted)
    page.get_by_role("link", name="Webhooks").click()
    invite("kim@example.com")
    eventually("the webhook is told", lambda: len(Told.requests) == 1)
    look(page, "console-webhooks")
    page.locator("tbody a").click()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status")).to_contain_text("on its way again")
    eventually("the webhook is told again", lambda: len(Told.requests) == 2)
    assert Told.requests[0] == Told.requests[1]
    look(page, "console-webhook")
    server.shutdown()


def dead_letters(page: Page):
    listed = ask("GET", f"/v1/organizations/{organization()}/invitations?limit=1")["data"][0]
    job = {"kind": "email", "version": 1, "id": listed["delivery"]["id"], "generation": 1}
    change(
        "INSERT INTO dead_letter (id, delivery_id, raw, reason, headers, received_at)"
        " VALUES (?, ?, ?, 'delivery_limit', '{}', '2026-11-26T10:00:00+00:00')",
        uuid.uuid4().bytes,
        uuid.UUID(listed["delivery"]["id"]).bytes,
        json.dumps(job).encode(),
    )
    page.get_by_role("link", name="Dead letters").click()
    look(page, "console-dead-letters")
    page.get_by_role("button", name="Redrive").click()
    expect(page.get_by_role("status")).to_contain_text("planned once more")
    assert ask("GET", "/v1/dead-letters")["data"][0]["redriven_at"]
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("main")).to_contain_text("There is none.")


def suppressions(page: Page):
    page.get_by_role("link", name="Suppressions").click()
    page.locator("summary").click()
    page.get_by_label("E-mail address").fill("mel@example.com")
    page.get_by_role("button", name="Suppress").click()
    expect(page.get_by_role("status")).to_contain_text("no mail any more")
    look(page, "console-suppressions")
    page.get_by_role("button", name="Lift mel@example.com").click()
    expect(page.get_by_role("status")).to_contain_text("gets mail again")


def keys(page: Page):
    page.get_by_role("link", name="API keys").click()
    page.locator("summary").click()
    page.get_by_label("Name").fill("CI")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator(".secret-once")).to_contain_text("wlc_")
    look(page, "console-keys")
    page.goto(f"{URL}/console/{uuid.uuid4()}")
    look(page, "console-problem")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("signed out")


def operator(page: Page):
    ask("POST", "/v1/organizations", {"name": "Initech"}, key=INSTANCE_KEY)
    sign_in(page, INSTANCE_KEY)
    look(page, "console-organizations")
    page.get_by_role("link", name="Initech").click()
    expect(page.locator("main")).to_contain_text("jobs to publish")


def without_scripts(page: Page):
    invite("oda@example.com")
    link("oda@example.com")
    page.goto(URL + "/inbox?q=oda")
    page.get_by_role("button", name="Delete the mail to oda@example.com").click()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_role("link", name="Refresh").click()
    assert page.url == URL + "/inbox?q=oda", page.url
    invite("lea@example.com")
    page.goto(URL + link("lea@example.com"))
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button").last.click()
    assert "joined" in page.content()
    sign_in(page, KEY)
    page.get_by_role("link", name="Invitations").first.click()
    page.get_by_label("Address", exact=True).fill("lea@example.com")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Templates").click()
    for button, frame in [("Preview", "desktop"), ("Preview on a phone", "phone")]:
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.frame_locator(f"iframe.{frame}").locator("h1")).to_be_visible(timeout=15_000)
    page.get_by_role("link", name="Batches").click()
    upload(page, "email\nquinn@example.com\n", "partial")
    expect(page.get_by_role("status")).to_contain_text("taken in")
    eventually("the row is done", lambda: page.reload() and "1 of 1 rows are done" in page.content())


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["BROWSE_WITH"],
            args=["--no-sandbox", "--no-proxy-server"],
        )
        complaints = []
        page = browser.new_context(reduced_motion="reduce").new_page()
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        visits = [invitees, scanner, inbox, console, templates, branding, batches, webhooks]
        for visit in [*visits, dead_letters, suppressions, keys, operator]:
            visit(page)
        without_scripts(browser.new_context(java_script_enabled=False).new_page())
        browser.close()
    # A page that is refused is said to be: that is what was asked for. All else is a mistake of ours.
    complaints = [one for one in complaints if "the server responded with a status of 4" not in one]
    assert not complaints, complaints
    print(f"{len(seen)} pages without barriers, in 2 sizes and 2 colour schemes: {', '.join(seen)}")


main()
