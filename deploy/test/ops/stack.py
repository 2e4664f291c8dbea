"""Runs what deploy/compose.yaml describes without a container engine, by its own files and commands.

PostgreSQL, RabbitMQ and Caddy are those of the machine, the mail catcher is aiosmtpd; everything else,
from the secrets to the proxy's settings, is what Compose would use. deploy/test/stack starts this in
a network of its own, where each service has its port and its name, and the secrets their place.
"""

import contextlib
import email.policy
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compose import BASE, DEPLOY, load
from settings import PROGRAM

WORK = Path(sys.argv[1])
TESTS = DEPLOY / "test"
# The addresses of the two APIs are in the hosts file that deploy/test/stack makes.
APIS = ("127.0.0.11", "127.0.0.12")
# Where the proxy comes from; the clients below do not.
STACK = load(BASE, {"EDGE_SUBNET": "127.0.0.0/24"})
SERVICES = STACK["services"]


def eventually(what, attempt, seconds=60):
    until = time.monotonic() + seconds
    while not (found := attempt()):
        if time.monotonic() > until:
            sys.exit(f"stack: in vain: {what}\n" + logs())
        time.sleep(0.1)
    return found


def check(good, complaint):
    if not good:
        sys.exit(f"stack: {complaint}\n{logs()}")


def logs():
    return "\n".join(f"--- {path.name}\n" + path.read_text()[-3000:] for path in sorted(WORK.glob("*.log")))


def mounted(service):
    """The files of the repository that a service sees, by the path that it sees them at."""
    pairs = (volume.split(":")[:2] for volume in SERVICES[service].get("volumes", []) if volume.startswith("."))
    return {target: (DEPLOY / source).resolve() for source, target in pairs}


def command_of(service):
    """The words of a service's command, with the files where they are here."""
    words = SERVICES[service].get("entrypoint", []) + SERVICES[service]["command"]
    for target, source in mounted(service).items():
        words = [word.replace(target, str(source)) for word in words]
    if words[0].startswith("welcomat-"):
        return [str(PROGRAM), words[0].removeprefix("welcomat-")]
    return [str(PROGRAM), *words[1:]] if words[0] == "welcomat" else words


def environment_of(service, **more):
    return {"PATH": os.environ["PATH"], "HOME": str(WORK), **SERVICES[service].get("environment", {}), **more}


def job(service):
    done = subprocess.run(command_of(service), env=environment_of(service), cwd=WORK, capture_output=True, text=True)
    check(done.returncode == 0, f"{service} failed:\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def process(name, command, environment):
    with open(WORK / f"{name}.log", "w") as log:
        started = subprocess.Popen(command, env=environment, cwd=WORK, stdout=log, stderr=log)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
            started.wait(45)


@contextlib.contextmanager
def server(kind, port_file, ports, environment=None):
    """One of the servers of deploy/test, on the ports that the stack wants."""
    folder = WORK / kind
    folder.mkdir()
    (folder / port_file).write_text(ports)
    environment = {**os.environ, "WELCOMAT_TEST_SERVERS": "installed", **(environment or {})}
    try:
        subprocess.run([TESTS / kind, "start", folder], env=environment, cwd=WORK, check=True,
                       stdout=subprocess.DEVNULL)
        yield folder
    finally:
        subprocess.run([TESTS / kind, "destroy", folder], env=environment, check=False)


def psql(*arguments, user="postgres", database="welcomat"):
    return subprocess.run(
        ["psql", "--no-psqlrc", "--quiet", "--host=127.0.0.1", f"--username={user}", f"--dbname={database}", *arguments],
        check=True, capture_output=True, text=True, cwd=WORK)


def set_up_database(folder):
    """What the image does on its first start: the database, then the files in their order."""
    psql("--command=CREATE DATABASE welcomat", database="postgres")
    scripts = {target: source for target, source in mounted("postgres").items() if "/docker-entrypoint-initdb.d/" in target}
    for target in sorted(scripts):
        psql("--set=ON_ERROR_STOP=1", f"--file={scripts[target]}")
    # From now on only those are let in who know their password.
    access = folder / "data/pg_hba.conf"
    ours = "welcomat_owner,welcomat_api,welcomat_worker"
    access.write_text(f"host all {ours} 127.0.0.1/32 scram-sha-256\n" + access.read_text())
    psql("--command=SELECT pg_reload_conf()")


def request(method, path, body=None, source="127.0.9.1", headers=None, host="127.0.0.1", port=80):
    connection = http.client.HTTPConnection(host, port, timeout=60, source_address=(source, 0))
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def invite(key):
    """The main job, through the proxy, until the mail is with the catcher."""
    key = {"Authorization": f"Bearer {key}"}
    status, me = request("GET", "/v1/me", headers=key)
    check(status == 200, f"/v1/me answered {status}: {me}")
    path = f"/v1/organizations/{json.loads(me)['organization']['id']}/invitations"
    status, text = request("POST", path, {"email": "bob@example.com"}, headers={**key, "Prefer": "wait=20"})
    invitation = json.loads(text)
    check(status == 201 and invitation["email_sent"], f"the mail is not sent: {status} {text}")
    mails = list((WORK / "mails/new").iterdir())
    check(len(mails) == 1, f"{len(mails)} mails came")
    mail = email.message_from_bytes(mails[0].read_bytes(), policy=email.policy.default)
    public = SERVICES["worker"]["environment"]["WELCOMAT_PUBLIC_URL"]
    check(f"{public}/" in mail.get_body(("plain",)).get_content(), f"no link of {public} is in the mail")
    return path, key


def inside_is_for_those_inside():
    """The proxy keeps to itself what is for operators, however it is spelt, and lets /livez through."""
    for path in ("/readyz", "/metrics", "/metrics?", "/%6Detrics", "/METRICS", "//metrics", "/v1/../metrics", "/livez/../readyz"):
        status, text = request("GET", path)
        check(status in (400, 404) and b"welcomat_" not in text and b"outbox" not in text, f"{path} is open to everybody: {status}")
    check(request("GET", "/livez")[0] == 200, "/livez is shut")
    status, text = request("GET", "/readyz", host=APIS[0], port=8080)
    check(status == 200 and json.loads(text)["status"] == "ready", f"{status} {text}")
    status, text = request("GET", "/metrics", host=APIS[0], port=8080)
    check(status == 200 and b"welcomat_invitations_created_total" in text, f"the metrics are not to be had inside: {status}")


def clients_are_told_apart():
    """X-Forwarded-For is the proxy's word, and nobody else's."""
    accept = {"token": "0123456789abcdefghjkmnpqrs", "password": "correct horse battery staple"}

    def guess(number, source):
        pretended = {"X-Forwarded-For": f"203.0.113.{number % 250}"}
        return request("POST", "/v1/invitations/accept", accept, source, pretended)[0]

    # Each API counts by itself, to 60 a minute: so many that one of them has more, wherever a minute ends.
    guesses = [guess(number, "127.0.9.2") for number in range(300)]
    check(guesses[0] != 429 and 429 in guesses, f"whoever makes up X-Forwarded-For may guess for ever: {set(guesses)}")
    others = {guess(number, "127.0.9.3") for number in range(20)}
    check(429 not in others, f"one client's guesses are counted for another: {others}")


def rolling_restart(apis, start, path, key):
    """One API after the other, while people are invited through the proxy."""
    going, answers = [True], []

    def ask(client):
        for number in itertools.count():
            if not going[0]:
                return
            mine = {**key, "Idempotency-Key": f"{client}-{number}"}
            answers.append(request("POST", path, {"email": f"{number}@{client}.example.com"}, headers=mine)[0])

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, client) for client in "abcd"]
        for address, api in list(apis.items()):
            api.send_signal(signal.SIGTERM)
            api.wait(45)
            apis[address] = start(address)
            eventually(f"{address} is back", lambda address=address: healthy(address))
        going[0] = False
        for each in asking:
            each.result()
    check(set(answers) == {201}, f"a restart was noticed: {[answer for answer in answers if answer != 201][:5]}")
    return len(answers)


def healthy(address):
    """The image's health check, at this API."""
    environment = environment_of("api", WELCOMAT_HTTP_BIND=f"{address}:8080")
    asked = subprocess.run([PROGRAM, "health"], env=environment, capture_output=True)
    return asked.returncode == 0


def backup_and_restore():
    """By the commands of docs/deploy.md, into a second database: what was there is there, and so are the rights."""

    def run(program, *arguments):
        return subprocess.run([program, "--host=127.0.0.1", "--username=postgres", *arguments],
                              check=True, capture_output=True, cwd=WORK)

    def invitations(database, user="postgres"):
        secret = {"PGPASSWORD": re.search(r":([^:@]+)@", Path("/run/secrets/api_database_url").read_text()).group(1)}
        counted = subprocess.run(
            ["psql", "--no-psqlrc", "--tuples-only", "--host=127.0.0.1", f"--username={user}", f"--dbname={database}",
             "--command=SELECT count(*) FROM invitation"], check=True, capture_output=True, text=True, env={**os.environ, **secret})
        return int(counted.stdout)

    run("pg_dump", "--format=custom", "--file=welcomat.dump", "welcomat")
    run("createdb", "restored")
    run("pg_restore", "--exit-on-error", "--dbname=restored", "welcomat.dump")
    check(invitations("restored", "welcomat_api") == invitations("welcomat") > 1, "the restored database is another")


def main():
    key = Path("/run/secrets/bootstrap_api_key").read_text().strip()
    with contextlib.ExitStack() as running:
        enter = running.enter_context
        broker_settings = str(mounted("rabbitmq")["/etc/rabbitmq/conf.d/50-welcomat.conf"])
        (WORK / "conf.d").mkdir()
        (WORK / "conf.d/50-welcomat.conf").write_text(Path(broker_settings).read_text())
        enter(server("rabbitmq", "ports", "port=5672 dist_port=25672 epmd_port=24369\n",
                     {"RABBITMQ_CONFIG_FILES": str(WORK / "conf.d")}))
        database = enter(server("postgres", "port", "5432\n"))
        set_up_database(database)
        job("migrate")
        job("grants")
        enter(process("mailpit", [os.environ["SMTP_PYTHON"], "-m", "aiosmtpd", "-n", "-l", "127.0.0.1:1025",
                                  "-c", "aiosmtpd.handlers.Mailbox", str(WORK / "mails")], dict(os.environ)))

        def start_api(address):
            environment = environment_of("api", WELCOMAT_HTTP_BIND=f"{address}:8080", WELCOMAT_HTTP_WORKERS="1")
            return enter(process(f"api-{address}", command_of("api"), environment))

        apis = {address: start_api(address) for address in APIS}
        for number in range(int(SERVICES["worker"]["deploy"]["replicas"])):
            enter(process(f"worker-{number}", command_of("worker"), environment_of("worker")))
        for address in APIS:
            eventually(f"{address} is healthy", lambda address=address: healthy(address))
        version = subprocess.run([os.environ["CADDY"], "version"], check=True, capture_output=True, text=True).stdout.split()[0]
        check(f"caddy:{version[1:]}-" in SERVICES["proxy"]["image"], f"Caddy {version} is not that of the stack")
        (caddyfile,) = mounted("proxy").values()
        (WORK / "config").mkdir()
        enter(process("proxy", [os.environ["CADDY"], "run", "--config", str(caddyfile), "--adapter", "caddyfile"],
                      environment_of("proxy", XDG_DATA_HOME=str(WORK / "data"), XDG_CONFIG_HOME=str(WORK / "config"))))
        ping = SERVICES["proxy"]["healthcheck"]["test"][-1]
        port = int(re.search(r":(\d+)/$", ping).group(1))

        def proxy_answers():
            with contextlib.suppress(OSError):
                return request("GET", "/", source="127.0.0.1", port=port)[0] == 200

        eventually("the proxy is healthy", proxy_answers)
        path, key = invite(key)
        inside_is_for_those_inside()
        clients_are_told_apart()
        answered = rolling_restart(apis, start_api, path, key)
        backup_and_restore()
        for log in WORK.glob("[aw]*.log"):
            for word in ("permission denied", "ACCESS_REFUSED", "PRECONDITION_FAILED", '"ERROR"', "is not believed"):
                check(word not in log.read_text(), f"{log.name} has {word}")
    print(f"stack: an invitation went from the proxy to the mail; {answered} more"
          " during a rolling restart of the APIs, and no request failed; all were in the restored backup")


main()
