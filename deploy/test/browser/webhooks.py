"""An endpoint that is told of events, here in this process, and its pages in the console."""

import contextlib
import http.server
import threading

from playwright.sync_api import Page, expect

from .backstage import Site, eventually
from .console import at, sign_in
from .look import look


class Told(http.server.BaseHTTPRequestHandler):
    """Keeps what it is told, and answers with the status of its server."""

    def do_POST(self):
        self.server.requests.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def endpoint(site: Site, status, **more):
    """One that the organization tells of new invitations, and what it was told."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told)
    server.requests, server.status = [], status
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/answers-{status}"
    site.own("POST", "/webhooks", {"url": url, "event_types": ["invitation.created"], **more})
    yield server.requests
    server.shutdown()


def webhooks(page: Page, site: Site):
    sign_in(page, site)
    with endpoint(site, 204) as told:
        at(page, "Webhooks")
        page.locator("tbody a").click()
        expect(page.locator("main")).to_contain_text("Nothing so far.")
        look(page, "console-webhook-nothing")
        page.get_by_role("link", name="← Webhooks").click()
        site.invite("kim@example.com")
        eventually("the webhook is told", lambda: len(told) == 1)
        look(page, "console-webhooks")
        page.locator("tbody a").click()
        page.get_by_role("button", name="Replay").click()
        expect(page.get_by_role("status")).to_contain_text("on its way again")
        eventually("the webhook is told again", lambda: len(told) == 2)
        assert told[0] == told[1]
        look(page, "console-webhook")
        page.get_by_role("button", name="Switch off").click()
        expect(page.locator(".states")).to_contain_text("since")
        look(page, "console-webhook-disabled")


def any_disabled(site: Site):
    return any(one["status"] == "disabled" for one in site.own("GET", "/webhooks")["data"])


def webhooks_that_fail(page: Page, site: Site):
    """One that has trouble, and one that wants no more."""
    with endpoint(site, 500, description="Payroll") as told, endpoint(site, 410) as gone:
        site.invite("liv@example.com")
        eventually("both are told", lambda: told and gone)
        eventually("one is switched off", lambda: any_disabled(site))
        at(page, "Webhooks")
        expect(page.locator("tbody .state.disabled")).to_have_count(1)
        look(page, "console-webhooks-failing")
        page.get_by_role("link", name="answers-500").click()
        expect(page.locator(".states")).to_contain_text("failing since")
        expect(page.locator("tbody .state.retrying")).to_have_count(1)
        page.locator("tbody summary").click()
        expect(page.locator("tbody .timeline")).to_contain_text("500")
        look(page, "console-webhook-failing")
        page.get_by_role("link", name="← Webhooks").click()
        page.get_by_role("link", name="answers-410").click()
        expect(page.locator(".states")).to_contain_text("gone")
        look(page, "console-webhook-gone")
