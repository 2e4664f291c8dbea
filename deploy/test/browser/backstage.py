"""A running service from behind: what is asked of its API, and what only time or an accident would do."""

import datetime
import json
import re
import sqlite3
import time
import urllib.request


def eventually(what, look):
    for _ in range(100):
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"it did not happen in 10 s: {what}")


def in_time(**delta):
    """A moment so far from now, as the database writes it."""
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(**delta)).isoformat()


class Site:
    """A service, and the organization that is looked at: the key's own, if it has one."""

    def __init__(self, url, database, key):
        self.url, self.database, self.key = url, database, key
        own = self.ask("GET", "/v1/me")["organization"]
        self.organization = own and own["id"]

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method)
        request.add_header("Authorization", f"Bearer {self.key}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def own(self, method, path, body=None):
        """The same below the organization."""
        return self.ask(method, f"/v1/organizations/{self.organization}{path}", body)

    def invite(self, email, **more):
        return self.own("POST", "/invitations", {"email": email, **more})["id"]

    def invitation(self, number):
        return self.own("GET", f"/invitations/{number}")

    def until(self, number, status):
        """Waits until the mail of the invitation stands there."""
        eventually(f"the mail is {status}", lambda: self.delivery(number)["status"] == status)

    def delivery(self, number):
        return self.invitation(number)["delivery"]

    def mails(self, email):
        """Those that were captured for this address, newest first."""
        return [mail for mail in self.ask("GET", "/inbox/messages") if mail["to"] == email]

    def link(self, email):
        """The link in the newest mail to this address, once there is one."""

        def find():
            mails = self.mails(email)
            return mails and re.search(r"/i/[0-9A-Z]+", mails[0]["text"])[0]

        return eventually(f"a mail to {email}", find)

    def change(self, statement, *values):
        """What only time, or an accident, would do to a row of the database."""
        with sqlite3.connect(self.database, timeout=10) as database:
            changed = database.execute(statement, values)
            assert changed.rowcount == 1, statement
        database.close()
