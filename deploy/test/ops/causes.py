"""Causes what each alert is there for: programs and servers run and are spoilt, and Prometheus's rules are asked what
they make of the metrics that were scraped meanwhile.

    causes.py PROMTOOL DIRECTORY

The servers are made below DIRECTORY. For each cause there is a minute in which all is well, one or more in which
something is wrong, and one after it was mended as docs/runbook.md says; at the end of each, exactly the alerts that are
named here fire, and no other. Time alone is made up: each minute that happened is played again for an hour (tape.py), so
that an alert that waits `for: 10m` sees what it would see if things went on like this. Names, labels and values of all
series are those of the programs; `up` is whether one answered.
"""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import yaml

from installation import Apart, Embedded
from settings import ROOT
from tape import Tape
from trouble import (
    behind_a_long_transaction, cannot_claim, database_is_back, invited, killed, mails_wait, many_at_once, mended, nothing,
    ordinary, probes, refused_with_503, restarted, sent_after_a_minute, server, started, told, waits_in_broker, waits_in_outbox,
    with_a_template_of_somebody, without_broker, worker_may)

RULES = ROOT / "deploy/prometheus/welcomat.rules.yaml"
#: In minutes: longer than any alert looks back and waits.
HOUR = 70


@dataclass
class Minute:
    """What somebody does first, what happens in this minute then, and which alerts fire if it goes on like this."""

    fires: set
    happens: Callable
    first: Callable = nothing
    #: Whether it happens in each of the minutes that follow, and how many these are.
    again: bool = True
    lasts: int = HOUR


@dataclass
class Cause:
    name: str
    wrong: list
    mend: Callable = nothing


APART = [
    Cause("a worker is killed", [
        Minute({"WelcomatDown"}, probes, first=killed("welcomat-worker")),
        # One mail is enough.
        Minute({"WelcomatDown", "WelcomatNobodyClaims"}, waits_in_broker, again=False),
    ], mend=started("welcomat-worker")),
    Cause("an API is killed", [
        Minute({"WelcomatDown"}, nothing, first=killed("welcomat-api")),
    ], mend=started("welcomat-api")),
    Cause("the database does not let workers in", [
        Minute({"WelcomatNobodyClaims"}, cannot_claim, first=worker_may("NOLOGIN")),
    ], mend=worker_may("LOGIN")),
    Cause("the broker is killed", [
        Minute({"WelcomatJobsNotPublished"}, waits_in_outbox, first=without_broker),
    ], mend=server("rabbitmq", "start")),
    Cause("the database is stopped", [
        Minute({"WelcomatRequestsFail"}, refused_with_503, first=server("postgres", "stop")),
    ], mend=database_is_back),
    Cause("a transaction holds a table", [
        Minute({"WelcomatRequestsSlow"}, behind_a_long_transaction),
    ]),
]

EMBEDDED = [
    Cause("mails go to people who are not there", [
        Minute({"WelcomatMailsFail"}, invited("550-", outcome="no_such_recipient")),
    ]),
    Cause("a mail server takes nothing for now", [
        Minute({"WelcomatMailsPutOff"}, invited("450-", outcome="deferred")),
    ]),
    Cause("a template asks for what is not there", [
        # One mail is enough, and nothing of the kind was ever counted.
        Minute({"WelcomatMailsUnrenderable"}, invited(outcome="unrenderable", role="editor"), first=with_a_template_of_somebody,
               again=False, lasts=10),
        Minute({"WelcomatMailsUnrenderable", "WelcomatMailsFail"}, invited(outcome="unrenderable", role="editor")),
    ], mend=restarted()),
    Cause("an endpoint fails", [
        Minute(set(), invited(outcome="taken", kind="webhook"), first=told()),
        Minute({"WelcomatWebhooksFail"}, invited(outcome="not_taken", kind="webhook"), first=told(status=500)),
        Minute(set(), invited(outcome="taken", kind="webhook"), first=told()),
        # It takes everything, if slowly.
        Minute(set(), many_at_once, first=told(pause=0.3)),
    ], mend=told()),
    Cause("the mail server is stopped for more than a minute", [
        Minute({"WelcomatMailServerUnusable"}, mails_wait, first=server("smtp", "stop")),
        Minute({"WelcomatMailsLate"}, sent_after_a_minute),
    ]),
]


def play(cause, site):
    """The test of promtool that this cause makes."""
    tape, looks = Tape(), []
    before, after = Minute(set(), ordinary), Minute(set(), ordinary, first=mended(cause.mend))
    for minute in [before, *cause.wrong, after]:
        minute.first(site)
        begin = site.scrape()
        tape.record(begin)
        minute.happens(site)
        tape.record(site.scrape())
        tape.go_on(begin, minute.lasts, minute.again)
        looks.append({
            "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
            "eval_time": f"{len(tape.minutes) - 1}m",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(minute.fires)],
        })
    return {"name": cause.name, "interval": "1m", "input_series": tape.series(looked_at()), "promql_expr_test": looks}


def play_all(kind, causes, work):
    tests = []
    with contextlib.closing(kind(work)) as site:
        try:
            site.open()
            for cause in causes:
                tests.append(play(cause, site))
        except Exception as problem:
            where = causes[len(tests)].name
            sys.exit(f"causes: {where}: {problem!r}\n{site.logs()}")
    return tests


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def looked_at():
    """The series that the rules name."""
    return {name for rule in rules() for name in re.findall(r"\b(?:welcomat_\w+|up)\b", rule["expr"])}


def complaint(promtool, test):
    """What promtool has against a test."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}, file)
        file.flush()
        done = subprocess.run([promtool, "test", "rules", file.name], capture_output=True, text=True)
    return f"causes: {test['name']}: {done.stdout}{done.stderr}" if done.returncode else None


def main(promtool, directory):
    caused = {name for cause in APART + EMBEDDED for minute in cause.wrong for name in minute.fires}
    names = {rule["alert"] for rule in rules()}
    if caused != names:
        sys.exit(f"causes: nothing causes {sorted(names - caused)}, and there is no {sorted(caused - names)}")
    work = pathlib.Path(directory)
    with ThreadPoolExecutor() as pool:
        apart = pool.submit(play_all, Apart, APART, work / "apart")
        embedded = pool.submit(play_all, Embedded, EMBEDDED, work / "embedded")
    tests = apart.result() + embedded.result()
    complaints = [text for test in tests if (text := complaint(promtool, test))]
    if complaints:
        sys.exit("\n".join(complaints))
    print(f"causes: {len(tests)} things really went wrong; each of {len(names)} alerts fired for its own, and was quiet otherwise")


main(*sys.argv[1:])
