"""Holds the systemd units to systemd itself, to our settings, and to what the program really calls."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from settings import PROGRAM, ROOT, check_environment

UNITS = ROOT / "deploy/systemd"
#: Of ten, in tenths: the exposure that systemd-analyze sees must not be greater.
THRESHOLD = 15
INSTANCES = {"welcomat-api@.service": "8081", "welcomat-worker@.service": "1"}
#: Which program each is; the first has the secrets of both, in one process.
ROLES = {"welcomat-api@.service": "api", "welcomat-worker@.service": "worker", "welcomat-migrate.service": "migrate"}
#: What a start of the all-in-one program needs beside the settings that have a default.
ALONE = {"WELCOMAT_PUBLIC_URL", "WELCOMAT_MAIL_FROM", "WELCOMAT_MAIL_URL_FILE", "WELCOMAT_DATA_DIR"}


def directives(path):
    """The directives of a unit as pairs, in their order."""
    text = path.read_text().replace("\\\n", " ")
    return [tuple(line.split("=", 1)) for line in text.splitlines() if re.match(r"[A-Z]\w*=", line)]


def verify(complain):
    """systemd reads them without a word, on a machine where the programs are installed."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
        for program in ("usr/local/bin/welcomat", "usr/local/bin/welcomat-api", "usr/local/bin/welcomat-worker", "bin/sh"):
            (root / program).parent.mkdir(parents=True, exist_ok=True)
            (root / program).touch(0o755)
        places = root / "etc/systemd/system"
        places.mkdir(parents=True)
        for unit in UNITS.glob("*.service"):
            instance = INSTANCES.get(unit.name)
            shutil.copy(unit, places)
            name = unit.name.replace("@.", f"@{instance}.")
            said = subprocess.run(["systemd-analyze", "verify", f"--root={root}", "--man=no", "--recursive-errors=no", name],
                                  capture_output=True, text=True)
            if said.returncode or said.stderr.strip():
                complain(f"{unit.name}: {said.stderr.strip() or said.returncode}")
            # As an instance: systemd-analyze looks at no template.
            copy = root / name
            shutil.copy(unit, copy)
            said = subprocess.run(["systemd-analyze", "security", "--offline=true", f"--threshold={THRESHOLD}", "--no-pager", copy],
                                  capture_output=True, text=True)
            if said.returncode:
                complain(f"{unit.name}: {said.stdout.strip().splitlines()[-1]}")


def check_settings(unit, secrets, complain):
    """Variables are settings; each secret comes by a credential that the unit is given."""
    pairs = directives(unit)
    environment = {}
    if ("EnvironmentFile", "/etc/welcomat/welcomat.env") in pairs:
        lines = (UNITS / "welcomat.env").read_text().splitlines()
        environment = dict(shlex.split(line)[0].split("=", 1) for line in lines if line and not line.startswith("#"))
    for value in (value for key, value in pairs if key == "Environment"):
        name, value = value.split("=", 1)
        environment[name] = value.replace("%i", INSTANCES.get(unit.name, "")).replace("%S", "/var/lib")
    given = {value.split(":")[0] for key, value in pairs if key == "LoadCredential"}
    named = {value.removeprefix("%d/") for value in environment.values() if value.startswith("%d/")}
    if given != named:
        complain(f"{unit.name}: is given {sorted(given)}, and its variables name {sorted(named)}")
    for unmade in given - secrets:
        complain(f"{unit.name}: new-secrets makes no {unmade}")
    for key, value in pairs:
        if key == "LoadCredential" and value.split(":")[1] != f"/etc/welcomat/secrets/{value.split(':')[0]}":
            complain(f"{unit.name}: {value} is elsewhere than the other secrets")
    if unit.name in ROLES:
        check_environment(unit.name, ROLES[unit.name], environment, complain)
    elif not set(environment) >= ALONE:
        complain(f"{unit.name}: misses {ALONE - set(environment)}")


def check_command(where, words, complain):
    """A shell's words are a script, and a file of ours has its name."""
    if words[0] != "/bin/sh":
        return
    script = words[-1].replace("$$", "$")
    if subprocess.run(["sh", "-nc", script], capture_output=True).returncode:
        complain(f"{where}: the shell does not understand {script}")
    for name in re.findall(r"--file=/usr/local/share/welcomat/(\S+)", script):
        if not (ROOT / "deploy/postgres" / name).is_file():
            complain(f"{where}: {name} is no file of deploy/postgres")


def allowed_calls(pairs):
    """The system calls that the unit's filter leaves, by systemd's own lists."""

    def expand(name, seen=()):
        if not name.startswith("@"):
            return {name}
        lines = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True).stdout
        words = [line.strip() for line in lines.splitlines()[1:] if line.strip() and not line.strip().startswith("#")]
        return set().union(*(expand(word) for word in words))

    allowed = set()
    for value in (value for key, value in pairs if key == "SystemCallFilter"):
        calls = set().union(*(expand(name) for name in value.lstrip("~").split()))
        allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed


def used_calls():
    """What the program calls from its start to a mail that is sent."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        # As root, SQLite gives its files to the owner of the database; no unit runs as root.
        user = []
        if os.geteuid() == 0:
            os.chown(folder, 65532, 65532)
            user = ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups"]
        program = shutil.copy(PROGRAM, folder)
        subprocess.run([*user, "strace", "--follow-forks", "--quiet=all", "--output", trace, program, "demo", "--once", "--json"],
                       check=True, capture_output=True, cwd=folder)
        calls = re.findall(r"^\d+ +(?:<\.\.\. )?(\w+)[( ]", trace.read_text(), re.M)
    return set(calls)


def main():
    complaints = []
    verify(complaints.append)
    used = used_calls()
    if len(used) < 40 or "execve" not in used:
        complaints.append(f"strace saw only {sorted(used)}")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([ROOT / "deploy/compose/new-secrets", folder], check=True, stderr=subprocess.DEVNULL)
        secrets = {path.name for path in Path(folder).iterdir()}
    for unit in sorted(UNITS.glob("*.service")):
        check_settings(unit, secrets, complaints.append)
        pairs = directives(unit)
        # The manager executes the program before the filter counts for it.
        refused = used - allowed_calls(pairs) - {"execve", "exited", "resumed"}
        if refused:
            complaints.append(f"{unit.name}: the program calls {sorted(refused)}, which its filter refuses")
        for words in (shlex.split(value) for key, value in pairs if key == "ExecStart"):
            check_command(unit.name, words, complaints.append)
    for complaint in complaints:
        print(f"units: {complaint}", file=sys.stderr)
    if complaints:
        sys.exit(1)
    print(f"units: {len(list(UNITS.glob('*.service')))} systemd units are understood, are exposed to {THRESHOLD / 10} of 10 at"
          f" most, and leave the program its {len(used)} system calls")


if __name__ == "__main__":
    main()
