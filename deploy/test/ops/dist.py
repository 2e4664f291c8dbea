"""Packs a release of the program in target/debug, unpacks it, and looks at what came of it."""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

from settings import PROGRAM, ROOT, TARGET

#: What an archive has to have, besides a manual page for each command.
NEEDED = {
    "LICENSE-MIT", "LICENSE-APACHE", "README.md", "CHANGELOG.md", "bin/welcomat", "bin/welcomat-api", "bin/welcomat-worker",
    "completions/welcomat.bash", "completions/welcomat.fish", "completions/welcomat.zsh", "man/man1/welcomat.1",
    "systemd/welcomat-api@.service", "systemd/welcomat-worker@.service", "systemd/welcomat-migrate.service",
    "systemd/welcomat.service", "systemd/welcomat.env", "postgres/grants.sql", "postgres/roles.sql", "rabbitmq/definitions.json",
}


def pack(program):
    said = subprocess.run([ROOT / "deploy/dist", "--program", program], check=True, stdout=subprocess.PIPE, text=True)
    archive = Path(said.stdout.strip())
    return archive, [archive, *(archive.parent / archive.name.replace(".tar.gz", end) for end in (".cdx.json", ".sha256"))]


def complaints(program, folder):
    archive, files = pack(program)
    first = [file.read_bytes() for file in files]
    if subprocess.run(["sha256sum", "--check", "--quiet", files[2].name], cwd=archive.parent).returncode:
        yield "the checksums are wrong"
    pack(program)
    for file, bytes_before in zip(files, first):
        if file.read_bytes() != bytes_before:
            yield f"{file.name}: packed twice, it differs"
    with tarfile.open(archive) as packed:
        top = archive.name.removesuffix(".tar.gz")
        names = {member.name.removeprefix(f"{top}/") for member in packed.getmembers()}
        if any(member.uid or member.gid for member in packed.getmembers()):
            yield "the archive names who packed it"
    subprocess.run(["tar", "--extract", "--gzip", "--file", archive, "--directory", folder], check=True)
    if missing := NEEDED - names:
        yield f"the archive misses {sorted(missing)}"
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    for name in ("welcomat", "welcomat-api", "welcomat-worker"):
        command = [folder / top / "bin" / name, *(["--version"] if name != "welcomat-api" else ["--config", "/no/file"])]
        ran = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
        said = ran.stdout + ran.stderr
        if name == "welcomat-api":
            if "--config" not in said or "/no/file" not in said:
                yield f"bin/{name} is another program: {said!r}"
        elif version not in said:
            yield f"bin/{name} --version says {said!r}"
    yield from in_the_bill(json.loads(files[1].read_text()), version)
    yield from of_the_workflow(version, folder)


def of_the_workflow(version, folder):
    """What .github/workflows/release.yml relies on, in a copy whose changelog tells of a release."""
    image = re.search(r"^FROM (\S+) AS build$", (ROOT / "deploy/Dockerfile").read_text(), re.M).group(1)
    if f"container: {image}\n" not in (ROOT / ".github/workflows/release.yml").read_text():
        yield "release.yml does not pack in the image of the Dockerfile"
    changelog = (ROOT / "CHANGELOG.md").read_text()
    (folder / "deploy").mkdir()
    for file in ("Cargo.toml", "deploy/release-notes"):
        shutil.copy(ROOT / file, folder / file)
    for tag, heading, told in (
            (f"v{version}", f"## [{version}] - 2026-12-01", True),
            (f"v{version}", "## [Unreleased]", False), (f"v{version}9", f"## [{version}9]", False)):
        (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n{heading}\n\n- This.\n\n## [0.0.1]\n\n- That.\n")
        ran = subprocess.run([folder / "deploy/release-notes", tag], capture_output=True, text=True)
        if (ran.returncode == 0, ran.stdout.strip()) != (told, "- This." if told else ""):
            yield f"release-notes {tag} with {heading!r} says {ran.stdout!r} {ran.stderr!r}"
    if f"## [{version}]" not in changelog and "## [Unreleased]" not in changelog:
        yield "CHANGELOG.md has no section that can become a release"


def in_the_bill(bom, version):
    product = bom["metadata"]["component"]
    if (bom["bomFormat"], product["name"], product["version"]) != ("CycloneDX", "welcomat", version):
        yield f"the SBOM is of {product}"
    crates = {component["name"] for component in bom["components"]}
    if missing := {"tokio", "sea-orm", "rustls", "opentelemetry", "domain"} - crates:
        yield f"the SBOM misses {sorted(missing)}"
    if tests := {"proptest", "insta", "divan"} & crates:
        yield f"the SBOM has what only tests need: {sorted(tests)}"
    for component in bom["components"]:
        own = "purl" not in component
        if not component.get("licenses") or not (own or component.get("hashes")):
            yield f"the SBOM says too little of {component['name']}"
    known = {component["bom-ref"] for component in bom["components"]} | {product["bom-ref"]}
    named = {need for entry in bom["dependencies"] for need in entry["dependsOn"]}
    if unknown := named - known:
        yield f"the SBOM names what is not in it: {sorted(unknown)[:3]}"


def main():
    with tempfile.TemporaryDirectory(dir=TARGET) as folder:
        # As a release is: what it is made of is the same, and it is a third as large.
        program = Path(folder) / "welcomat"
        subprocess.run(["strip", "-o", program, PROGRAM], check=True)
        found = list(complaints(program, Path(folder)))
    for complaint in found:
        print(f"dist: {complaint}", file=sys.stderr)
    if found:
        sys.exit(1)
    print("dist: the archive has everything and is the same each time; checksums and SBOM fit it; so does what the workflow does")


main()
