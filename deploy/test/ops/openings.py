"""Who may be talked to, and what is open to everybody: the chart's network policies and its ingress."""

import json
import re

from settings import ROOT

NAMES = 53


def check_network(rendered, complain):
    """Each program reaches all that its settings make it talk to; and the web only if they make it."""
    if not rendered.of("NetworkPolicy"):
        return
    pods = {labels["app.kubernetes.io/component"]: pod for _, labels, pod in rendered.pods()}
    policies = {each["metadata"]["labels"]["app.kubernetes.io/component"]: each["spec"] for each in rendered.of("NetworkPolicy")}
    if set(policies) != set(pods):
        complain(f"NetworkPolicy: there are {sorted(policies)} for {sorted(pods)}")
    for component, pod in pods.items():
        out = {port["port"] for rule in policies[component]["egress"] for port in rule["ports"]}
        required, allowed = talks_to(component, rendered.values, variables_of(pod))
        if missing := required - out:
            complain(f"NetworkPolicy {component}: the ports {sorted(missing)} are shut, which its settings need")
        if out & {80, 443, 8443} - allowed:
            complain(f"NetworkPolicy {component}: it may ask the whole web, and has nothing to ask")


def variables_of(pod):
    containers = pod.get("initContainers", []) + pod["containers"]
    return {each["name"]: each.get("value", "") for container in containers for each in container.get("env", [])}


def talks_to(component, values, variables):
    """The ports that a program must get out to, and those of the web that it may."""
    policy = values.get("networkPolicy", {})

    def ports(peer, default):
        return set(policy.get(peer, {}).get("ports", default))

    required = {NAMES} | ports("database", [5432])
    if component == "migration":
        return required, set()
    required |= ports("broker", [5671, 5672])
    if endpoint := variables.get("WELCOMAT_TRACES_ENDPOINT"):
        required.add(int(endpoint.rsplit(":", 1)[1].split("/")[0]))
    web = set()
    if component == "worker":
        required |= ports("mail", [25, 465, 587])
        web = ports_of_webhooks(variables)
    elif variables.get("WELCOMAT_FEEDBACK_SES_TOPICS") or variables.get("WELCOMAT_JWKS", "").startswith("https:"):
        web = {443}
    # Who has an issuer may have none of its keys at a URL yet.
    issuer = component == "api" and policy.get("issuer", {}).get("enabled", False)
    return required | web, web | ({443} if issuer else set())


def ports_of_webhooks(variables):
    """As the program is told, or by its default."""
    told = variables.get("WELCOMAT_WEBHOOKS_PORTS")
    row = re.search(r"^\| `webhooks\.ports` \| `\w+` \| `([^`]*)`", (ROOT / "docs/settings.md").read_text(), re.M)
    return {int(port) for port in (told.split(",") if told else json.loads(row.group(1)))}


#: For those inside, and for who writes the program.
INSIDE = {"/metrics", "/readyz", "/inbox"}


def check_ingress(rendered, complain):
    """Everything that is for people and clients can be asked for, and nothing that is for operators."""
    for ingress in rendered.of("Ingress"):
        (rule,) = ingress["spec"]["rules"]
        paths = rule["http"]["paths"]
        for path in served():
            inside = any(path == each or path.startswith(each + "/") for each in INSIDE)
            if inside == any(leads(each, path) for each in paths):
                complain(f"Ingress: {path} is {'open to everybody' if inside else 'shut'}")


def leads(entry, path):
    """Whether an entry of an Ingress is for a path, as Kubernetes has it."""
    begins = entry["path"].rstrip("/") + "/"
    return path == entry["path"] or entry["pathType"] == "Prefix" and path.startswith(begins)


def served():
    """What the API answers: what its document has, and what the routes have that is for browsers."""
    snapshot = (ROOT / "api/src/openapi/tests/snapshots/openapi.snap").read_text()
    document = json.loads(snapshot.split("---\n", 2)[2])
    routes = ROOT / "api/src/routes"
    folders = [routes / "assets.rs", *(file for name in ("docs", "pages", "inbox", "console") for file in (routes / name).rglob("*.rs"))]
    pages = {path for file in folders for path in re.findall(r'(?:resource|scope)\(\s*"(/[^"]*)"', file.read_text())}
    assert {"/console", "/docs", "/i/{token}", "/assets/pages.css"} <= pages, "the routes are written in another way"
    return {"/", "/openapi.json", *document["paths"], *pages}
