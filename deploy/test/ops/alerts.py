"""Alerts and dashboard: every one fires, every figure and label exists, and for each alert it is said what to do.

    alerts.py PROMTOOL
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

from labels import check_documented, check_labels, check_written

ROOT = pathlib.Path(__file__).resolve().parents[3]
RULES = ROOT / "deploy/prometheus/welcomat.rules.yaml"
TESTS = ROOT / "deploy/prometheus/welcomat.rules.test.yaml"
DASHBOARD = ROOT / "deploy/grafana/welcomat.json"
# What Prometheus itself counts.
OWN = {"up", "ALERTS"}
SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_info")


def promtool(*arguments):
    done = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def documented():
    """The metrics that the guide has, which a test of the program holds it to."""
    rows = re.findall(r"^\| `([a-z_]+)", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    return set(rows)


def named(expression):
    """The metrics that an expression names."""
    # Labels and their values are no metrics.
    bare = re.sub(r"\{[^}]*\}", "", re.sub(r'"[^"]*"', '""', expression))
    found = set(re.findall(r"\b(?:welcomat|process)_[a-z_]+\b|\bup\b", bare))
    return {re.sub(f"({'|'.join(SUFFIXES)})$", "", name) for name in found}


def check_names(where, expressions):
    for expression in expressions:
        names = named(expression)
        assert names, f"{where}: names no metric of ours: {expression}"
        unknown = names - documented() - OWN
        assert not unknown, f"{where}: docs/metrics.md does not have {unknown}: {expression}"
        check_labels(where, expression)


def check_rules():
    promtool("check", "rules", str(RULES))
    promtool("test", "rules", str(TESTS))
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    check_names(RULES.name, [rule["expr"] for rule in rules])
    for rule in rules:
        for text in rule["annotations"].values():
            check_written(rule["alert"], text, check_labels(rule["alert"], rule["expr"]))
    tests = yaml.safe_load(TESTS.read_text())["tests"]
    # A rule that fires for what is never counted shows nothing.
    for series in (one["series"] for test in tests for one in test["input_series"]):
        check_labels(TESTS.name, series)
    fired = {
        one["alertname"]
        for test in tests
        for one in test.get("alert_rule_test", [])
        if one["exp_alerts"]
    }
    names = {rule["alert"] for rule in rules}
    assert fired == names, f"no test makes these fire: {names - fired}"
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    assert set(sections) == names, f"docs/runbook.md and the rules differ: {set(sections) ^ names}"
    for rule in rules:
        place = f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook"] == place, rule["alert"]
    return len(rules)


def check_dashboard():
    dashboard = json.loads(DASHBOARD.read_text())
    panels = dashboard["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    check_names(DASHBOARD.name, expressions)
    for target in (target for panel in panels for target in panel["targets"]):
        check_written(DASHBOARD.name, target["legendFormat"], check_labels(DASHBOARD.name, target["expr"]))
    # Prometheus reads them as rules, once Grafana's own variables have a value.
    rules = [
        {"record": f"panel:{at}", "expr": expression.replace("$__rate_interval", "5m")}
        for at, expression in enumerate(expressions)
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}, file)
        file.flush()
        promtool("check", "rules", file.name)
    places = [tuple(panel["gridPos"][key] for key in "xywh") for panel in panels]
    assert all(x + w <= 24 for x, _, w, _ in places), "a panel is wider than the page"
    assert len({panel["id"] for panel in panels}) == len(panels), "two panels have one id"
    return len(panels)


check_documented()
alerts, panels = check_rules(), check_dashboard()
print(f"alerts: {alerts} fire when they should, with a chapter each; {panels} panels show what is counted, by labels that there are")
