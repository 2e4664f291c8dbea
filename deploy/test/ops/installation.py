"""A Welcomat that runs, to be used and to be spoilt: in one process with SQLite, or apart with PostgreSQL and RabbitMQ.

Its servers are those of deploy/test; deploy/test/with-servers takes down what is left of them.
"""

import contextlib
import http.client
import itertools
import json
import os
import random
import re
import socket
import subprocess
import time

from settings import PROGRAM, ROOT
from tape import Scrape

TESTS = ROOT / "deploy/test"
KEY = "wlc_test0test0test0test0test0"
SEAL_KEY = "k1:" + "A" * 43 + "="
#: What would take minutes takes a second.
SOON = {
    "WELCOMAT_MAIL_TIMEOUTS_FINAL_DOT": "1s",
    "WELCOMAT_WORKER_LEASE": "2s",
    "WELCOMAT_RETRY_BREAKER_MAX": "1s",
    "WELCOMAT_DATABASE_ACQUIRE_TIMEOUT": "1s",
    "WELCOMAT_BROKER_CONFIRM_TIMEOUT": "2s",
    "WELCOMAT_RELAY_LOCK": "5s",
    "WELCOMAT_LOG_FILTER": "warn",
}
LABEL = re.compile(r'(\w+)="([^"]*)"')


class InVain(Exception):
    """Something that should have happened did not."""


def until(what, look, seconds=60):
    """What somebody sees who looks until it is there."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise InVain(what)
        time.sleep(0.1)
    return found


def free_port():
    """Below those that the kernel gives to outgoing connections, and the same when a process is started anew."""
    for port in random.sample(range(20000, 32000), 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise InVain("no port is free")


def ask(port, method, path, body=None, timeout=20):
    """The status and the text of an answer."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)) as connection:
        head = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        connection.request(method, path, body and json.dumps(body), head)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


class Installation:
    """Its processes by their jobs, as Prometheus calls them; the first one is the API."""

    def __init__(self, work):
        self.work = work
        self.ports, self.running = {}, {}
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(work), **SOON}
        self.numbers = itertools.count(1)
        work.mkdir(mode=0o711)

    def place(self, kind):
        """Of a server: beside the others, where with-servers finds it."""
        return self.work.with_name(f"{self.work.name}-{kind}")

    def server(self, kind, verb, *arguments, text=None):
        """What the script of that server says."""
        command = [TESTS / kind, verb, self.place(kind), *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=self.work)
        if done.returncode:
            raise InVain(f"{kind} {verb}: {done.stderr}")
        return done.stdout.strip()

    def with_mail_server(self):
        url = self.server("smtp", "start")
        return {"WELCOMAT_MAIL_URL": f"{url}&ca={self.place('smtp')}/ca.pem"}

    def start(self, job, **settings):
        port = self.ports.setdefault(job, free_port())
        address = f"127.0.0.1:{port}"
        with open(self.work / f"{job}.log", "a") as log:
            self.running[job] = subprocess.Popen(
                [PROGRAM, self.commands[job]], cwd=self.work, stdout=log, stderr=log,
                env={**self.settings(job, address), **settings})

        def lives():
            if self.running[job].poll() is not None:
                raise InVain(f"{job} ended by itself")
            with contextlib.suppress(OSError):
                return ask(port, "GET", "/livez")[0] == 200

        until(f"{job} answers", lives)

    def end(self, job, by="terminate"):
        process = self.running.pop(job)
        getattr(process, by)()
        process.wait(45)

    def close(self):
        for job in list(self.running):
            self.end(job)

    def logs(self):
        return "\n".join(f"--- {log.name}\n" + log.read_text()[-3000:] for log in sorted(self.work.glob("*.log")))

    def api(self, method, path, body=None):
        return ask(next(iter(self.ports.values())), method, path, body)

    def own(self, method, path, body=None):
        """The same below the organization."""
        if not hasattr(self, "organization"):
            self.organization = json.loads(self.api("GET", "/v1/me")[1])["organization"]["id"]
        return self.api(method, f"/v1/organizations/{self.organization}{path}", body)

    def invite(self, words="", expect=201, **more):
        """Somebody else each time; words that the mail server knows come before the address."""
        status, text = self.own("POST", "/invitations", {"email": f"{words}ann@{next(self.numbers)}.example.com", **more})
        if status != expect:
            raise InVain(f"an invitation was answered with {status}, not {expect}: {text}")

    def metrics(self, job):
        if job in self.running:
            with contextlib.suppress(OSError):
                status, text = ask(self.ports[job], "GET", "/metrics")
                return text if status == 200 else None
        return None

    def scrape(self):
        scrape = Scrape(time.monotonic())
        for job, port in self.ports.items():
            scrape.add(job, f"127.0.0.1:{port}", self.metrics(job))
        return scrape

    def shown(self, metric, **labels):
        """The sum of a metric over all series that have these labels."""
        return sum(value for series, value in self.scrape().samples.items()
                   if series.split("{")[0] == metric and labels.items() <= dict(LABEL.findall(series)).items())

    @contextlib.contextmanager
    def counting(self, metric, **labels):
        """What is done within makes this count grow, in the end."""
        begin = self.shown(metric, **labels)
        yield
        until(f"{metric} {labels} grows", lambda: self.shown(metric, **labels) > begin)


class Embedded(Installation):
    """One process, with a mail server."""

    commands = {"welcomat": "serve"}

    def open(self):
        self.mail = self.with_mail_server()
        self.start("welcomat")

    def settings(self, job, address):
        return {**self.environment, **self.mail, "WELCOMAT_HTTP_BIND": address, "WELCOMAT_BOOTSTRAP_API_KEY": KEY,
                "WELCOMAT_WEBHOOKS_ALLOW_HTTP": "true", "WELCOMAT_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES": "true",
                "WELCOMAT_WEBHOOKS_PORTS": "", "WELCOMAT_WEBHOOKS_CONCURRENCY": "2"}


class Apart(Installation):
    """API and worker, each with a role of its own in the database."""

    commands = {"welcomat-api": "api", "welcomat-worker": "worker"}

    def open(self):
        self.broker = self.server("rabbitmq", "start")
        self.database = self.server("postgres", "start")
        self.mail = self.with_mail_server()
        self.sql((ROOT / "deploy/postgres/roles.sql").read_text())
        subprocess.run([PROGRAM, "migrate"], env={**self.environment, "WELCOMAT_DATABASE_URL": self.as_role("owner")},
                       check=True, capture_output=True, cwd=self.work)
        self.sql("SET ROLE welcomat_owner;\n" + (ROOT / "deploy/postgres/grants.sql").read_text())
        for job in self.commands:
            self.start(job)

    def as_role(self, role):
        return self.database.replace("//postgres@", f"//welcomat_{role}@")

    def sql(self, script):
        return self.server("postgres", "psql", "-qtA", "--set=ON_ERROR_STOP=1", text=script)

    def settings(self, job, address):
        both = {**self.environment, "WELCOMAT_BROKER_URL": self.broker, "WELCOMAT_SEAL_KEYS": SEAL_KEY,
                "WELCOMAT_PUBLIC_URL": "http://welcomat.example.com", "WELCOMAT_DATABASE_URL": self.as_role(self.commands[job])}
        if job == "welcomat-api":
            return {**both, "WELCOMAT_HTTP_BIND": address, "WELCOMAT_BOOTSTRAP_API_KEY": KEY}
        return {**both, **self.mail, "WELCOMAT_WORKER_HTTP_BIND": address}
