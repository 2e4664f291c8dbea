"""The labels of the metrics and their words, as the code has them; what a query asks for is held to them."""

import re

from openings import served
from settings import ROOT

METRICS = ROOT / "adapters/src/metrics"
# What Prometheus adds by itself, or counts with.
ADDED = {"job", "instance", "le"}
# A metric and its selector; a value may have braces.
SELECTOR = re.compile(r'\b((?:welcomat|process)_[a-z_]+|up|ALERTS)(?:\{((?:[^{}"]|"[^"]*")*)\})?')
MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
GROUPED = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
SUFFIXES = r"_(total|bucket|count|sum|info)$"


def words(path, kind):
    """What `as_str` of a type may say."""
    source = (ROOT / path).read_text()
    found = re.search(rf"\nimpl {kind} \{{.*?fn as_str\(.*?\{{(.*?)\n    \}}", source, re.DOTALL)
    said = set(re.findall(r'=> "(\w+)"', found.group(1))) if found else set()
    assert len(said) > 1, f"{path}: {kind}::as_str is written in another way"
    return said


def literals(path, pattern):
    said = set(re.findall(pattern, (ROOT / path).read_text()))
    assert said, f"{path}: has no {pattern}"
    return said


def registered():
    """The labels of each metric: a family's name is registered, its labels are the fields of a struct."""
    source = (METRICS / "mod.rs").read_text()
    labels = {name: tuple(re.findall(r"(\w+): ", fields)) for name, fields in re.findall(
        r"derive\([^)]*EncodeLabelSet\)\]\npub\(super\) struct (\w+) \{([^}]*)\}", (METRICS / "labels.rs").read_text())}
    families = dict(re.findall(r"\n    (\w+): (?:Family|Histograms)<(\w+)", source))
    metrics = {}
    for name, unit, field in re.findall(r'"(\w+)",\s*"[^"]*",\s*(Unit::Seconds,\s*)?self\.(\w+)\.clone\(\)', source):
        metric = f"welcomat_{name}{'_seconds' if unit else ''}"
        metrics[metric] = (families[field], labels[families[field]]) if field in families else (None, ())
    assert len([each for each, _ in metrics.values() if each]) == len(families) == len(labels), "a family of labels is overlooked"
    return metrics


def vocabulary():
    """The words of each label, by the struct that has it. Those of an outcome are by the kind of the job."""
    mine = "adapters/src/metrics/labels.rs"
    jobs = words(mine, "JobKind")
    sent = words("domain/src/outcome.rs", "SendOutcome")
    told = words("domain/src/webhook.rs", "WebhookOutcome") | literals("worker/src/webhooks.rs", r'map_or\("(\w+)", WebhookOutcome')
    methods = literals(mine, r'"([A-Z]+)"') | literals(mine, r'unwrap_or\("(\w+)"\)')
    heard = words("domain/src/feedback.rs", "Bounce") | literals("domain/src/feedback.rs", r'Some\("(\w+)"\)')
    return {
        "Request": {"method": methods, "route": served() | {"unknown"}, "status": {str(status) for status in range(100, 600)}},
        "Published": {"result": literals("adapters/src/metrics/mod.rs", r'count\("(\w+)"')},
        "Ended": {"result": words(mine, "SpanResult")},
        "Claim": {"kind": jobs, "result": words(mine, "ClaimResult")},
        "Heard": {"source": words(mine, "FeedbackSource"),
                  "kind": heard | literals("adapters/src/metrics/mod.rs", r'reason\(\)\.unwrap_or\("(\w+)"\)')},
        "Outcome": {"kind": jobs, "outcome": {kind: told if kind == "webhook" else sent for kind in jobs}},
        "Trouble": {"phase": words("domain/src/outcome.rs", "Phase"), "outcome": sent},
    }


def bounds():
    """The buckets that there are, of whichever histogram."""
    lists = literals("adapters/src/metrics/mod.rs", r"const \w+: \[f64; \d+\] =\s*\[([^\]]*)\];")
    return {float(number.replace("_", "")) for each in lists for number in each.split(",") if number.strip()} | {float("inf")}


KNOWN, WORDS, BOUNDS = registered(), vocabulary(), bounds()


def known_to(struct, label, given):
    said = WORDS[struct][label]
    if not isinstance(said, dict):
        return said
    return said[given["kind"]] if given.get("kind") in said else set().union(*said.values())


def check_labels(where, text):
    """Of a query or a series, or of what is written under a line."""
    allowed = set(ADDED)
    for name, selector in SELECTOR.findall(text):
        metric = re.sub(SUFFIXES, "", name)
        struct, labels = KNOWN.get(metric, (None, ()))
        matchers = MATCHER.findall(selector or "")
        allowed |= set(labels)
        given = {label: value for label, how, value in matchers if how == "="}
        for label, how, value in matchers:
            assert label in {*labels, *ADDED} or name == "ALERTS", f"{where}: {name} has no label {label}: {text}"
            assert label != "le" or float(value) in BOUNDS, f"{where}: {name} has no bucket of {value}: {text}"
            if label not in labels:
                continue
            said = known_to(struct, label, given)
            asked = value.split("|") if "~" in how else [re.escape(value)]
            unknown = [one for one in asked if not any(re.fullmatch(one, word) for word in said)]
            assert not unknown, f"{where}: {label} of {name} is never {unknown}: {text}"
    for names in GROUPED.findall(text):
        strange = {name.strip() for name in names.split(",")} - allowed
        assert not strange, f"{where}: groups by {strange}, which none of its metrics has: {text}"
    return allowed


def check_written(where, text, allowed):
    """The labels that a legend or an annotation writes out."""
    strange = set(re.findall(r"\{\{\s*(?:\$labels\.)?([a-z]\w*)\s*\}\}", text)) - allowed
    assert not strange, f"{where}: writes {strange}, which its query does not have: {text}"


def check_documented():
    rows = re.findall(r"^\| `(welcomat_[a-z_]+)(?:\{([^}]*)\})?`", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    for metric, labels in rows:
        if metric in KNOWN:
            told = tuple(labels.split(",")) if labels else ()
            assert told == KNOWN[metric][1], f"docs/metrics.md: the labels of {metric} are {KNOWN[metric][1]}"
