"""Renders the Helm chart with several values, and holds what comes out to Kubernetes and to our promises."""

import json
import os
import re
import sys

import helm_python
import kubernetes_validate
import yaml

from openings import check_ingress, check_network
from settings import ROOT, SAMPLES, VARIABLES, check_environment, check_samples

CHART = ROOT / "deploy/helm/welcomat"
VALUES = {path.stem: path for path in sorted((ROOT / "deploy/helm/values").glob("*.yaml"))}
#: The oldest that Chart.yaml allows, and a newer one.
KUBERNETES = ("1.30", "1.34")
#: What is not Kubernetes' own; held to what their documentation asks for, in check_foreign.
FOREIGN = {"ServiceMonitor", "PodMonitor", "ScaledObject", "TriggerAuthentication"}
SECRETS = "/run/secrets/welcomat/"

#: Values that the schema must refuse, over minimal.yaml, and a word of the answer.
REFUSED = [
    ({"publicUrl": ""}, "publicUrl"),
    ({"mailFrom": "nobody"}, "mailFrom"),
    ({"settings": {"database.url": "postgres://welcomat:secret@db/welcomat"}}, "database.url"),
    ({"worker": {"settings": {"mail.url": "smtp://welcomat:secret@mail"}}}, "mail.url"),
    ({"worker": {"replica": 3}}, "replica"),
    ({"worker": {"autoscaling": {"minReplicas": 0}}}, "minReplicas"),
    ({"api": {"secrets": {"jwt.secret": {"name": "tokens"}}}}, "key"),
    ({"image": {"tag": "latest"}}, "tag"),
    ({"ingress": {"paths": ["v1"]}}, "paths"),
    ({"networkPolicy": {"webhooks": {"ports": []}}}, "ports"),
]


class Rendered:
    """The objects of one set of values."""

    def __init__(self, chart, title, values):
        self.title, self.values = title, values
        self.objects = []
        for path, text in chart.render(values, name="acme", namespace="prod").items():
            if path.endswith(".yaml"):
                self.objects += [document for document in yaml.safe_load_all(text) if document]

    def of(self, kind):
        return [each for each in self.objects if each["kind"] == kind]

    def pods(self):
        """Name, labels and pod of everything that makes pods."""
        for each in self.of("Deployment") + self.of("Job"):
            template = each["spec"]["template"]
            yield each["metadata"]["name"], template["metadata"]["labels"], template["spec"]


def check_kubernetes(rendered, complain):
    names = set()
    for each in rendered.objects:
        name = (each["kind"], each["metadata"]["name"])
        if name in names or not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name[1]):
            complain(f"{name}: is there twice, or is no name")
        names.add(name)
        if each["kind"] in FOREIGN:
            continue
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(each, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                complain(f"{name}: Kubernetes {version} does not take it: {error.message}")


def check_selectors(rendered, complain):
    """Whoever selects pods gets those meant, and no others."""
    pods = {name: labels for name, labels, _ in rendered.pods()}
    for kind, where in (("Deployment", ("selector", "matchLabels")), ("Service", ("selector",)),
                        ("PodDisruptionBudget", ("selector", "matchLabels")), ("NetworkPolicy", ("podSelector", "matchLabels"))):
        for each in rendered.of(kind):
            selector = each["spec"]
            for key in where:
                selector = selector[key]
            chosen = [name for name, labels in pods.items() if selector.items() <= labels.items()]
            if chosen != [each["metadata"]["name"]]:
                complain(f"{kind} {each['metadata']['name']}: selects {chosen}")
    for each in rendered.of("ServiceMonitor"):
        selector = each["spec"]["selector"]["matchLabels"]
        services = [service for service in rendered.of("Service") if selector.items() <= service["metadata"]["labels"].items()]
        ports = {port["name"] for service in services for port in service["spec"]["ports"]}
        if len(services) != 1 or any(endpoint["port"] not in ports for endpoint in each["spec"]["endpoints"]):
            complain("ServiceMonitor: watches nothing")
    for each in rendered.of("PodMonitor"):
        selector = each["spec"]["selector"]["matchLabels"]
        watched = [pod for pod in rendered.of("Deployment")
                   if selector.items() <= pod["spec"]["template"]["metadata"]["labels"].items()]
        ports = {port["name"] for pod in watched for port in pod["spec"]["template"]["spec"]["containers"][0]["ports"]}
        if len(watched) != 1 or any(one["port"] not in ports for one in each["spec"]["podMetricsEndpoints"]):
            complain("PodMonitor: watches nothing")
    deployments = {each["metadata"]["name"]: each for each in rendered.of("Deployment")}
    for each in rendered.of("HorizontalPodAutoscaler") + rendered.of("ScaledObject"):
        target = deployments.get(each["spec"]["scaleTargetRef"]["name"])
        if target is None:
            complain(f"{each['kind']}: scales what is not there")
        elif "replicas" in target["spec"]:
            complain(f"{each['kind']}: each upgrade undoes what it has scaled")
    for name, each in deployments.items():
        if each["spec"]["template"]["spec"]["serviceAccountName"] not in {a["metadata"]["name"] for a in rendered.of("ServiceAccount")}:
            complain(f"{name}: its service account is not there")
        for constraint in each["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            if constraint["labelSelector"]["matchLabels"] != each["spec"]["selector"]["matchLabels"]:
                complain(f"{name}: is spread by others' pods")


def check_pod(name, pod, served, complain):
    security = pod["securityContext"]
    if not (security["runAsNonRoot"] and security["runAsUser"] > 0 and security["seccompProfile"]["type"] == "RuntimeDefault"):
        complain(f"{name}: runs with more rights than it needs")
    if pod.get("automountServiceAccountToken") is not False or pod.get("enableServiceLinks") is not False:
        complain(f"{name}: is given a token, or variables of the cluster")
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    for container in pod.get("initContainers", []) + pod["containers"]:
        where = f"{name}/{container['name']}"
        rights = container["securityContext"]
        if rights != {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}:
            complain(f"{where}: has rights that it does not need")
        if "memory" not in container["resources"]["limits"] or "cpu" not in container["resources"]["requests"]:
            complain(f"{where}: no limit of memory, or nothing requested")
        if not re.search(r"(:\d+\.\d+\S*|@sha256:[0-9a-f]{64})$", container["image"]):
            complain(f"{where}: the image {container['image']} may change")
        for mount in container["volumeMounts"]:
            if mount["name"] not in volumes or mount.get("readOnly") is not True:
                complain(f"{where}: {mount['name']} is not there, or could be written to")
        check_program(where, container, volumes, complain)
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        own = {"api": {"http": served}, "worker": {"http": worker_port(container)}}.get(container["name"], {})
        if ports != own:
            complain(f"{where}: listens on {own}, and not on {ports}")
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asks = container.get(probe, {}).get("httpGet")
            if asks and (asks["path"] not in known_paths() or asks["port"] not in ports):
                complain(f"{where}: {probe} asks for what is not there: {asks}")
        probes = {"api": {"startupProbe", "livenessProbe", "readinessProbe"}, "worker": {"startupProbe", "livenessProbe"}}
        if not probes.get(container["name"], set()) <= set(container):
            complain(f"{where}: a probe is missing")
        variables = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
        drain = int(variables.get("WELCOMAT_HTTP_DRAIN_SECONDS", "0"))
        if container["name"] in ("api", "worker") and pod["terminationGracePeriodSeconds"] < drain + 35:
            complain(f"{where}: is killed before its grace is over")


def known_paths():
    """The paths of the health routes, as the API registers them."""
    return set(re.findall(r'resource\("(/\w+)"', (ROOT / "api/src/routes/health.rs").read_text()))


def check_program(where, container, volumes, complain):
    """The variables of one of our programs; every secret is a file that its volume has."""
    files = {item["path"] for source in volumes["secrets"]["projected"]["sources"] for item in source["secret"]["items"]}
    environment = {}
    for variable in container.get("env", []):
        if "value" not in variable:
            complain(f"{where}: {variable['name']} is not a plain value; secrets are files here")
        elif variable["name"] in environment:
            complain(f"{where}: {variable['name']} is there twice")
        environment[variable["name"]] = variable.get("value")
    named = {value.removeprefix(SECRETS) for value in environment.values() if value and value.startswith(SECRETS)}
    role = {"welcomat-api": "api", "welcomat-worker": "worker", "welcomat": "migrate"}.get(container["command"][0])
    if role:
        if named != files:
            complain(f"{where}: its secrets are {sorted(files)}, and its variables name {sorted(named)}")
        check_environment(where, role, environment, complain)
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    if mounts.get("secrets", "") + "/" != SECRETS:
        complain(f"{where}: the secrets are not at {SECRETS}")


def check_foreign(rendered, complain):
    """KEDA's and the Prometheus operator's objects, whose schemas are not to be had."""
    for each in rendered.of("ScaledObject"):
        prefix = rendered.values.get("settings", {}).get("broker.prefix", "welcomat")
        looked_at = {trigger["metadata"]["queueName"] for trigger in each["spec"]["triggers"]}
        if looked_at != {queue.replace("welcomat", prefix, 1) for queue in queues_of_jobs()}:
            complain(f"ScaledObject: the queues of jobs are others than {sorted(looked_at)}")
        if not 1 <= each["spec"]["minReplicaCount"] <= each["spec"]["maxReplicaCount"]:
            complain("ScaledObject: no worker may be left")
        logins = {login["metadata"]["name"]: login for login in rendered.of("TriggerAuthentication")}
        for trigger in each["spec"]["triggers"]:
            metadata = trigger["metadata"]
            if (trigger["type"], metadata["mode"]) != ("rabbitmq", "QueueLength"):
                complain(f"ScaledObject: does not look at the length of a queue: {trigger}")
            if not all(isinstance(value, str) for value in metadata.values()):
                complain("ScaledObject: KEDA takes texts only")
            login = logins.get(trigger["authenticationRef"]["name"])
            if not login or {ref["parameter"] for ref in login["spec"]["secretTargetRef"]} != {"host"}:
                complain("ScaledObject: KEDA has no login for the broker")


def queues_of_jobs():
    """What workers take jobs from: the queues that jobs are sent to."""
    bindings = json.loads((ROOT / "deploy/rabbitmq/definitions.json").read_text())["bindings"]
    return {each["destination"] for each in bindings if each["source"] == "welcomat.jobs.v1"}


def check_switches(rendered, complain):
    """What each set of values is there for."""
    kinds = {each["kind"] for each in rendered.objects}
    always = {"Deployment", "Service", "ServiceAccount", "Job"}
    more = {
        "minimal": set(),
        "defaults": {"ConfigMap", "NetworkPolicy", "PodDisruptionBudget"},
        "production": {"ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Ingress"},
        "everything": {"ConfigMap", "NetworkPolicy", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Ingress", *FOREIGN},
    }
    if kinds != always | more[rendered.title]:
        complain(f"there are {sorted(kinds ^ (always | more[rendered.title]))} too many or too few")
    if "ConfigMap" in kinds:
        (grants,) = rendered.of("ConfigMap")
        if grants["data"]["grants.sql"].strip() != (ROOT / "deploy/postgres/grants.sql").read_text().strip():
            complain("the grants are not those of deploy/postgres")
    for job in rendered.of("Job") + rendered.of("ConfigMap"):
        if job["metadata"]["annotations"].get("helm.sh/hook") != "pre-install,pre-upgrade":
            complain(f"{job['kind']}: is not made before the programs")


def served_port():
    found = re.search(r"WELCOMAT_HTTP_BIND=0\.0\.0\.0:(\d+)", (ROOT / "deploy/Dockerfile").read_text())
    return int(found.group(1))


def worker_port(container):
    """Where a worker listens, as it is told."""
    told = {each["name"]: each.get("value", "") for each in container.get("env", [])}
    found = re.fullmatch(r"0\.0\.0\.0:(\d+)", told.get("WELCOMAT_WORKER_HTTP_BIND", ""))
    return int(found.group(1)) if found else None


def quietly(action):
    """Helm says on standard error that it follows a link, each time; the link is ours."""
    saved, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        return action()
    finally:
        os.dup2(saved, 2)
        os.close(nothing)
        os.close(saved)


def main():
    complaints = []
    check_samples(complaints.append)
    schema = json.loads((CHART / "values.schema.json").read_text())
    if set(schema["$defs"]["settings"]["propertyNames"]["not"]["enum"]) != {VARIABLES[name] for name in SAMPLES}:
        complaints.append("values.schema.json: refuses other settings than those that hold a secret")
    values = {title: yaml.safe_load(path.read_text()) for title, path in VALUES.items()}
    values["defaults"] = {key: values["minimal"][key] for key in ("publicUrl", "mailFrom")}
    version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
    with quietly(lambda: helm_python.Chart.load(CHART)) as chart:
        if {chart.metadata["version"], chart.metadata["appVersion"]} != {version}:
            complaints.append(f"Chart.yaml: the version is not {version}")
        for title, given in values.items():
            report = quietly(lambda given=given: helm_python.chart.lint(CHART, given, strict=True, kube_version="v1.30.0"))
            complaints += [f"{title}: {found}" for found in report["messages"] + report["errors"] if
                           not isinstance(found, dict) or found["severity"] > 1]
            chart.validate_schema(given)
            rendered = Rendered(chart, title, given)

            def complain(problem, title=title):
                complaints.append(f"{title}: {problem}")

            check_kubernetes(rendered, complain)
            check_selectors(rendered, complain)
            for name, _, pod in rendered.pods():
                check_pod(name, pod, served_port(), complain)
            check_foreign(rendered, complain)
            check_network(rendered, complain)
            check_ingress(rendered, complain)
            check_switches(rendered, complain)
            for unreadable in (each for each in rendered.objects if "Secret" == each["kind"]):
                complain(f"{unreadable['metadata']['name']}: a secret is in the chart")
        for wrong, word in REFUSED:
            try:
                chart.validate_schema(values["defaults"] | wrong)
                complaints.append(f"values.schema.json: takes {wrong}")
            except helm_python.HelmError as error:
                if word not in str(error):
                    complaints.append(f"values.schema.json: refuses {wrong} without a word of {word}: {error}")
    for complaint in complaints:
        print(f"chart: {complaint}", file=sys.stderr)
    if complaints:
        sys.exit(1)
    print(f"chart: {len(values)} sets of values render, and hold to Kubernetes {' and '.join(KUBERNETES)} and to our rules")


if __name__ == "__main__":
    main()
