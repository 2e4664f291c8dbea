"""Holds deploy/compose.yaml, alone and with compose.production.yaml, to its schema and to what we promise of it."""

import copy
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from settings import ROOT, check_environment

DEPLOY = ROOT / "deploy"
BASE, PRODUCTION = DEPLOY / "compose.yaml", DEPLOY / "compose.production.yaml"
VARIABLES = {"SITE": "invite.acme.example", "ADMIN_EMAIL": "ann@acme.example", "SECRETS_DIR": "/nowhere",
             "MAIL_FROM": "Acme <invitations@acme.example>"}
VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::([-?])([^}]*))?\}")


def load(path, variables):
    """The file, its variables filled in as Compose does it."""

    def fill(match):
        if match.group(0) == "$$":
            return "$"
        name, kind, rest = match.groups()
        if name in variables:
            return variables[name]
        if kind != "-":
            raise KeyError(name)
        return rest

    return yaml.safe_load(VARIABLE.sub(fill, path.read_text()))


def merge(base, over):
    """An override on a base: maps are merged, lists appended, everything else replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(base)
        for key, value in over.items():
            replaced = key in ("command", "entrypoint", "test")
            merged[key] = merge(base[key], value) if key in base and not replaced else copy.deepcopy(value)
        return merged
    if isinstance(base, list) and isinstance(over, list):
        return base + over
    return copy.deepcopy(over)


def role_of(service):
    """Which of our programs a service is."""
    roles = {"welcomat-api": "api", "welcomat-worker": "worker", "welcomat migrate": "migrate"}
    return roles.get(" ".join(service.get("command", [])))


def has_health(service):
    check = service.get("healthcheck")
    # Ours has one in the image.
    return bool(check.get("test")) if check else role_of(service) == "api"


def check_service(name, service, stack, complain):
    image = service["image"]
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    if not re.search(r"\d+\.\d+\.\d+|\d+\.\d+-alpine", tag):
        complain(f"{name}: the image {image} has no tag that stays the same")
    wanted = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
    for key, value in wanted.items():
        if service.get(key) != value:
            complain(f"{name}: {key} is not {value}")
    if set(service.get("cap_add", [])) - {"NET_BIND_SERVICE"}:
        complain(f"{name}: cap_add")
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    for kind in ("cpus", "memory", "pids"):
        if kind not in limits:
            complain(f"{name}: no limit of {kind}")
    if "max-size" not in service.get("logging", {}).get("options", {}):
        complain(f"{name}: the log grows without end")
    job = service.get("restart") == "no"
    if not (job or has_health(service) or role_of(service) == "worker"):
        complain(f"{name}: no health check")
    if not service.get("networks"):
        complain(f"{name}: no network")
    for network in service.get("networks", []):
        if network not in stack["networks"]:
            complain(f"{name}: there is no network {network}")
    for port in service.get("ports", []):
        if name != "proxy" and not port.startswith("127.0.0.1:"):
            complain(f"{name}: port {port} is open to everybody")
    check_dependencies(name, service, stack, complain)
    check_volumes(name, service, stack, complain)
    check_secrets(name, service, stack, complain)


def check_dependencies(name, service, stack, complain):
    for other, how in service.get("depends_on", {}).items():
        needed = stack["services"].get(other)
        if needed is None or "profiles" in needed and "profiles" not in service:
            complain(f"{name}: depends on {other}, which is not started")
        elif how["condition"] == "service_healthy" and not has_health(needed):
            complain(f"{name}: waits for the health of {other}, which tells nothing of it")
        elif how["condition"] == "service_completed_successfully" and needed.get("restart") != "no":
            complain(f"{name}: waits for the end of {other}, which does not end")
        elif not set(service["networks"]) & set(needed["networks"]):
            complain(f"{name}: depends on {other} and shares no network with it")


def check_volumes(name, service, stack, complain):
    for volume in service.get("volumes", []):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            if not (DEPLOY / source).is_file():
                complain(f"{name}: {source} is mounted and not there")
            if mode != ["ro"]:
                complain(f"{name}: {source} could be changed by it")
        elif source not in stack["volumes"]:
            complain(f"{name}: there is no volume {source}")


def check_secrets(name, service, stack, complain):
    given = service.get("secrets", [])
    for secret in given:
        if secret not in stack["secrets"]:
            complain(f"{name}: there is no secret {secret}")
    texts = [str(value) for value in service.get("environment", {}).values()]
    texts += [str(word) for word in service.get("command", [])]
    for volume in service.get("volumes", []):
        if volume.startswith("./"):
            texts.append((DEPLOY / volume.split(":")[0]).read_text())
    used = set(re.findall(r"/run/secrets/(\w+)", " ".join(texts)))
    if used != set(given):
        complain(f"{name}: is given the secrets {sorted(given)} and uses {sorted(used)}")
    role = role_of(service)
    if role:
        check_environment(name, role, service["environment"], complain)
    elif any(variable.startswith("WELCOMAT_") for variable in service.get("environment", {})):
        complain(f"{name}: is none of our programs and has settings of theirs")


def check_stack(stack, secrets, complain):
    services = stack["services"]
    for name, service in services.items():
        check_service(name, service, stack, complain)
    subnet = stack["networks"]["edge"]["ipam"]["config"][0]["subnet"]
    trusted = services["api"]["environment"]["WELCOMAT_HTTP_TRUSTED_PROXIES"]
    if trusted != subnet:
        complain(f"api: believes {trusted}, and the proxy is in {subnet}")
    if {name for name, service in services.items() if "edge" in service["networks"]} != {"proxy", "api"}:
        complain("networks: others than the proxy could claim to be it")
    used = {secret for service in services.values() for secret in service.get("secrets", [])}
    used_volumes = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    for unused in (set(stack["secrets"]) - used) | (set(stack["volumes"]) - used_volumes):
        complain(f"{unused}: nobody uses it")
    for name, secret in stack["secrets"].items():
        if Path(secret["file"]).name != name or not (secrets / name).is_file():
            complain(f"{name}: new-secrets does not make {secret['file']}")
    if services["api"]["deploy"].get("replicas") != 2:
        complain("api: there are not two of them")


def main():
    complaints = []
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", BASE, PRODUCTION]
    if subprocess.run(schema, stdout=sys.stderr).returncode:
        sys.exit(1)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([DEPLOY / "compose/new-secrets", folder], check=True, stderr=subprocess.DEVNULL)
        base = load(BASE, {})
        production = merge(load(BASE, VARIABLES), load(PRODUCTION, VARIABLES))
        for title, stack in (("compose.yaml", base), ("with compose.production.yaml", production)):
            check_stack(stack, Path(folder), lambda problem: complaints.append(f"{title}: {problem}"))
    for name in ("SITE", "ADMIN_EMAIL", "MAIL_FROM", "SECRETS_DIR"):
        try:
            load(PRODUCTION, {key: value for key, value in VARIABLES.items() if key != name})
            complaints.append(f"compose.production.yaml: starts without {name}")
        except KeyError:
            pass
    for complaint in complaints:
        print(f"compose: {complaint}", file=sys.stderr)
    if complaints:
        sys.exit(1)
    print(f"compose: {len(base['services'])} services hold to the schema and to our rules, for a trial and in production")


if __name__ == "__main__":
    main()
