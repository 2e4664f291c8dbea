"""What the program is made of, as Cargo knows it: an SBOM in CycloneDX 1.6, on standard output.

    python3 deploy/sbom.py TRIPLE

Every crate that is linked into the program for that kind of machine, with licence, checksum and what it
needs; not those that only tests and build scripts need. It says nothing about the moment or the machine it was made on, so that the
same commit gives the same bytes.
"""

import json
import os
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CARGO = os.environ.get("CARGO", "cargo")


def metadata(triple):
    said = subprocess.run(
        [CARGO, "metadata", "--format-version=1", "--locked", f"--filter-platform={triple}"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return json.loads(said.stdout)


def linked(resolve, root):
    """What each crate that is linked into `root` needs, by its id."""
    nodes = {node["id"]: node for node in resolve["nodes"]}
    found, to_see = {}, [root]
    while to_see:
        crate = to_see.pop()
        if crate in found:
            continue
        found[crate] = sorted(dependency["pkg"] for dependency in nodes[crate]["deps"] if any(
            kind["kind"] is None for kind in dependency["dep_kinds"]))
        to_see += found[crate]
    return found


def main(triple):
    data = metadata(triple)
    packages = {package["id"]: package for package in data["packages"]}
    root = next(package["id"] for package in packages.values()
                if package["name"] == "app" and package["source"] is None)
    checksums = {(package["name"], package["version"]): package["checksum"]
                 for package in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"] if "checksum" in package}
    needs = linked(data["resolve"], root)

    def reference(crate):
        package = packages[crate]
        own = "" if package["source"] else "?vcs_url=welcomat"
        return f"pkg:cargo/{package['name']}@{package['version']}{own}"

    def component(crate):
        package = packages[crate]
        told = {"type": "library", "bom-ref": reference(crate), "name": package["name"], "version": package["version"]}
        if package["license"]:
            # Older crates write MIT/Apache-2.0 for what SPDX calls MIT OR Apache-2.0.
            told["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        if checksum := checksums.get((package["name"], package["version"])):
            told["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package["source"]:
            told["purl"] = reference(crate)
        return told

    crates = sorted(needs, key=reference)
    version = packages[root]["version"]
    product = {"type": "application", "bom-ref": reference(root), "name": "welcomat", "version": version,
               "licenses": [{"expression": packages[root]["license"]}]}
    bom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": product, "properties": [{"name": "welcomat:target", "value": triple}]},
        "components": [component(crate) for crate in crates if crate != root],
        "dependencies": [{"ref": reference(crate), "dependsOn": [reference(need) for need in needs[crate]]}
                         for crate in crates],
    }
    bom["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bom, sort_keys=True))}"
    json.dump(bom, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(*sys.argv[1:])
