"""What befalls an installation, and what somebody does to it: each takes the installation and ends once it is to be seen."""

import http.server
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from installation import InVain, until
from settings import ROOT

ATTEMPTS = "welcomat_attempt_duration_seconds_count"
#: How long jobs and mails have waited; 0 where none does.
WAITS = ("welcomat_outbox_oldest_due_seconds", "welcomat_mail_oldest_queued_seconds")


def nothing(_):
    pass


def probes(site):
    """Nobody but those who watch."""
    for path in ("/livez", "/readyz"):
        site.api("GET", path)


def invited(words="", outcome="sent", kind="email", **more):
    """Somebody is invited, and what follows from it ends so."""

    def happens(site):
        probes(site)
        with site.counting(ATTEMPTS, kind=kind, outcome=outcome):
            site.invite(words, **more)

    return happens


ordinary = invited()


def mended(by):
    """Also for those that wait since."""

    def change(site):
        by(site)
        until("nothing waits any more", lambda: not any(site.shown(age) for age in WAITS))

    return change


def killed(job):
    return lambda site: site.end(job, by="kill")


def started(job):
    return lambda site: site.start(job)


def restarted(**settings):
    """The one process, with these settings beside the others."""

    def change(site):
        site.end("welcomat")
        site.start("welcomat", **settings)

    return change


def server(kind, verb):
    return lambda site: site.server(kind, verb)


def grown(site, age):
    """Until it is seen that this age grows."""
    begin = site.shown(age)
    until(f"{age} grows", lambda: site.shown(age) >= begin + 3)


# Jobs and the broker.


def waits_in_broker(site):
    with site.counting("welcomat_outbox_published_total", result="confirmed"):
        site.invite()
    grown(site, "welcomat_mail_oldest_queued_seconds")


def without_broker(site):
    site.server("rabbitmq", "kill")
    site.invite()
    until("a job waits", lambda: site.shown("welcomat_outbox_oldest_due_seconds"))


def waits_in_outbox(site):
    probes(site)
    grown(site, "welcomat_outbox_oldest_due_seconds")


def worker_may(word):
    """LOGIN or NOLOGIN; whoever is there is sent away."""
    sessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'welcomat_worker'"
    return lambda site: site.sql(f"ALTER ROLE welcomat_worker {word}; {sessions}")


def cannot_claim(site):
    with site.counting("welcomat_jobs_claimed_total", kind="email", result="failed"):
        site.invite()


# The database, and requests.


def refused_with_503(site):
    probes(site)
    site.invite(expect=503)


def database_is_back(site):
    site.server("postgres", "start")
    until("the API is ready", lambda: site.api("GET", "/readyz")[0] == 200)


def behind_a_long_transaction(site):
    """Of somebody who keeps others from the table for two seconds."""
    locks = "SELECT count(*) FROM pg_locks WHERE relation = 'invitation'::regclass AND mode = 'AccessExclusiveLock' AND granted"
    with ThreadPoolExecutor(1) as other:
        transaction = other.submit(site.sql, "BEGIN; LOCK TABLE invitation; SELECT pg_sleep(2); COMMIT")
        until("the table is locked", lambda: site.sql(locks) == "1")
        ordinary(site)
        transaction.result()


# Mails.


def mails_wait(site):
    probes(site)
    site.invite()
    until("it is known that no mail can be sent", lambda: site.shown("welcomat_mail_trouble"))


def sent_after_a_minute(site):
    """The mail server comes back when the mail has waited for so long."""
    asked = time.monotonic()
    site.invite()
    until("a minute has passed", lambda: time.monotonic() > asked + 61, seconds=70)
    with site.counting(ATTEMPTS, kind="email", outcome="sent"):
        site.server("smtp", "start")
    until("mails can be sent", lambda: not site.shown("welcomat_mail_trouble"))


def with_a_template_of_somebody(site):
    """What it wants to tell editors is not there; as long as there was none, nobody saw it."""
    folder = site.work / "templates"
    (folder / "mail").mkdir(parents=True)
    name = "mail/invitation.text.txt.hbs"
    (folder / name).write_text((ROOT / "templates" / name).read_text() + '{{#if (eq role "editor")}}{{guide.url}}{{/if}}\n')
    restarted(WELCOMAT_TEMPLATES_DIR=str(folder))(site)


# Webhooks.


class Told(http.server.BaseHTTPRequestHandler):
    """Answers as its server says, in its time."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.pause)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


def told(status=204, pause=0):
    """Somebody is told of new invitations from now on, and answers so."""

    def change(site):
        if not hasattr(site, "endpoint"):
            site.endpoint = endpoint(site)
        site.endpoint.status, site.endpoint.pause = status, pause

    return change


def endpoint(site):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Told)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    body = {"url": f"http://127.0.0.1:{server.server_port}/", "event_types": ["invitation.created"]}
    status, text = site.own("POST", "/webhooks", body)
    if status != 201:
        raise InVain(f"no webhook was made: {status} {text}")
    return server


def many_at_once(site):
    """More than may be on their way to one endpoint: the others are put off."""
    with site.counting(ATTEMPTS, kind="webhook", outcome="put_off"), site.counting(ATTEMPTS, kind="webhook", outcome="taken"):
        for _ in range(6):
            site.invite()
