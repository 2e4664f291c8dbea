"""Builds the tree of deploy/Dockerfile and runs the program in it; deploy/test/image starts this."""

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from dockerfile import context, every, last, stages
from settings import ROOT, TARGET

UID = "65532"
MEBIBYTE = 1024 * 1024
LARGEST = 40 * 1000 * 1000


def check(good, complaint):
    if not good:
        sys.exit(f"image: {complaint}")


def program():
    """The program to put into the tree, and whether its size counts."""
    for profile, counts in (("release", True), ("debug", False)):
        path = TARGET / profile / "welcomat"
        if path.exists():
            return path, counts
    sys.exit("image: there is no program; run cargo build first")


def check_build_stage(build, work):
    """The build stage can be followed up to the compiler: its manifests and sources are all there."""
    toolchain = tomllib.loads((ROOT / "rust-toolchain.toml").read_text())["toolchain"]["channel"]
    check(f"/rust:{toolchain}-" in build[0].rest, f"the builder is not Rust {toolchain}, as rust-toolchain.toml is")
    kept = context(ROOT)
    source, builds = work / "src", 0
    for step in build:
        if step.word == "COPY":
            copy(step, kept, source)
        elif step.word == "RUN" and "cargo build" in step.rest:
            builds += 1
            for command in step.rest.split("&&"):
                if "cargo" not in command:
                    subprocess.run(["bash", "-euc", command], cwd=source, check=True)
            manifests(source)
    check(builds == 2, "the dependencies have no layer of their own")
    sources = dependencies()
    check("app/src/main.rs" in sources, f"Cargo did not write down what the program was built from: {len(sources)} files")
    for path in sources:
        check((source / path).is_file(), f"the program is built from {path}, which is not in the image's context")


def copy(step, kept, source):
    """COPY from the context."""
    sources, destination = step.paths()
    for wanted in sources:
        found = [path for path in kept if wanted == "." or path == wanted or path.startswith(wanted + "/")]
        check(found, f"COPY {wanted}: nothing of it is in the context (.dockerignore?)")
        for path in found:
            inside = path if wanted == "." else Path(path).name
            to = source / destination / inside
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, to)


def manifests(source):
    """Cargo takes the manifests, and the lock file fits them. Of its commands without a compiler, this one looks closest."""
    asked = subprocess.run(["cargo", "fetch", "--locked", "--offline"], cwd=source, capture_output=True, text=True)
    check(asked.returncode == 0, f"Cargo does not take the manifests in the image:\n{asked.stderr}")


def dependencies():
    """The files that the program was built from, as Cargo wrote them down; what build scripts have made is made anew."""
    written = (program()[0].parent / "welcomat.d").read_text().split(": ", 1)[1]
    ours = [path for path in shlex.split(written) if path.startswith(f"{ROOT}/") and not path.startswith(f"{TARGET}/")]
    return [path.removeprefix(f"{ROOT}/") for path in ours]


def make_tree(build, final, work):
    """The last stage's files, made by the script that the build stage runs."""
    run = every(build, "RUN")[-1].rest.split()
    check(run[0] == "deploy/image/tree" and run[1] == "target/release/welcomat", "the tree is made in another way")
    made = {run[2]: work / "image", run[3]: work / "state"}
    subprocess.run([ROOT / run[0], program()[0], *made.values()], cwd=ROOT, check=True)
    places = {}
    for step in every(final, "COPY"):
        check(step.flags.get("from") == "build", "the last stage copies from elsewhere")
        (wanted,), destination = step.paths()
        check(wanted in made, f"COPY {wanted}: deploy/image/tree makes no such folder")
        places[destination] = (made[wanted], step.flags.get("chown"))
    check(set(places) == {"/", "/var/lib/welcomat"}, f"the image has other places than expected: {set(places)}")
    check(places["/"][1] is None, "the programs belong to somebody else than root")
    check(places["/var/lib/welcomat"][1] == f"{UID}:{UID}", "the state does not belong to the user")
    (places["/"][0] / "var/lib/welcomat").mkdir()
    return places["/"][0], places["/var/lib/welcomat"][0]


def check_tree(tree):
    """What is in it, and how large it is, without what other images have from their base: the C library and certificates."""
    files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    own = sum(path.stat().st_size for path in files if path.parent == tree / "usr/bin")
    for path in files:
        check(not path.stat().st_mode & 0o6022, f"{path} has rights that nobody should have")
    check({path.name for path in (tree / "usr/bin").iterdir()} == {"welcomat", "welcomat-api", "welcomat-worker"},
          "there are other programs in the image than ours")
    check((tree / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100_000, "there are no certificates")
    packages = sorted(path.name for path in (tree / "var/lib/dpkg/status.d").iterdir())
    check("libc6" in packages, f"the C library is missing: {packages}")
    _, counts = program()
    print(f"image: {own / MEBIBYTE:.1f} MiB of our own, {size / MEBIBYTE:.1f} MiB with {', '.join(packages)}"
          + ("" if counts else " (a debug build: its size does not count)"))
    check(not counts or own <= LARGEST, f"the image has {own} bytes of our own, more than {LARGEST}")


class Container:
    """Runs commands as the image would: its user, its variables, its tree as a read-only root."""

    def __init__(self, final, tree, state):
        self.variables = {}
        for step in every(final, "ENV"):
            self.variables |= step.pairs()
        user = last(final, "USER").rest
        check(user == f"{UID}:{UID}", f"the image's user is {user}; Kubernetes wants to see a number that is not 0")
        self.prefix = []
        if os.geteuid() == 0:
            os.chown(state, int(UID), int(UID))
            self.prefix = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--no-new-privs"]
        self.prefix += ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent",
                        "--uid", UID, "--gid", UID, "--cap-drop", "ALL", "--ro-bind", str(tree), "/", "--proc", "/proc",
                        "--dev", "/dev", "--tmpfs", "/tmp", "--bind", str(state), "/var/lib/welcomat", "--clearenv",
                        "--chdir", last(final, "WORKDIR").rest]
        for name, value in self.variables.items():
            self.prefix += ["--setenv", name, value]

    def run(self, command):
        return subprocess.run([*self.prefix, "--", *command], capture_output=True, text=True, timeout=60)

    @contextlib.contextmanager
    def running(self, command, log):
        with open(log, "w") as output:
            process = subprocess.Popen([*self.prefix, "--", *command], stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def use(container, final, work):
    """Serves, answers its own health check, and does the main job."""
    health = last(final, "HEALTHCHECK").words()
    check(container.run(health).returncode == 1, "the health check is content although nothing runs")
    with container.running(last(final, "CMD").words(), work / "log") as server:
        until = time.monotonic() + 30
        while (answer := container.run(health)).returncode != 0:
            log = (work / "log").read_text()
            check(server.poll() is None, f"the program ended:\n{log}")
            check(time.monotonic() < until, f"the program does not get healthy: {answer.stderr}\n{log}")
            time.sleep(0.1)
    demo = container.run(["welcomat", "demo", "--once", "--json"])
    check(demo.returncode == 0, f"the demo failed:\n{demo.stderr}")
    check(json.loads(demo.stdout)["email_sent"] is True, f"the demo sent no mail: {demo.stdout}")
    for name, asked in (("welcomat-api", "serve"), ("welcomat-worker", "broker.url")):
        said = container.run([name])
        check(said.returncode == 1 and asked in said.stderr, f"{name} is not the program of that name: {said.stderr}")
    print(f"image: {' '.join(last(final, 'CMD').words())} is healthy, and the demo's mail was sent,"
          f" as user {UID} on a read-only root")


def check_labels(final):
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    check(f"VERSION={version}" in [step.rest for step in every(final, "ARG")], f"the image's version is not {version}")
    labels = last(final, "LABEL").pairs()
    for name in ("title", "description", "licenses", "version", "revision"):
        check(f"org.opencontainers.image.{name}" in labels, f"the image has no label {name}")


def main():
    build, final = stages(ROOT / "deploy/Dockerfile")
    check("@sha256:" in build[0].rest, "the builder is not pinned by its digest")
    check(final[0].rest == "scratch", "the image has a base; its size and what is in it are not looked at here")
    check_labels(final)
    with tempfile.TemporaryDirectory(prefix="welcomat-image.") as folder:
        work = Path(folder)
        work.chmod(0o755)
        check_build_stage(build, work)
        tree, state = make_tree(build, final, work)
        check_tree(tree)
        use(Container(final, tree, state), final, work)


main()
