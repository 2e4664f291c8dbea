"""Reads a Dockerfile into its stages, for those who check it where no engine runs."""

import fnmatch
import json
import re
import shlex
from pathlib import Path


class Instruction:
    """One instruction: its word, its flags and the rest."""

    def __init__(self, line):
        self.word, _, rest = line.partition(" ")
        self.word = self.word.upper()
        self.flags = {}
        rest = rest.strip()
        while self.word != "HEALTHCHECK" and rest.startswith("--"):
            flag, _, rest = rest.partition(" ")
            name, _, value = flag[2:].partition("=")
            self.flags[name] = value
        self.rest = rest.strip()

    def paths(self):
        """The sources and the destination of a COPY."""
        *sources, destination = self.rest.split()
        return sources, destination

    def words(self):
        """The words of a command in its JSON form, the only one that needs no shell."""
        return json.loads(self.rest[self.rest.index("["):])

    def pairs(self):
        """What ENV or LABEL sets."""
        return dict(word.split("=", 1) for word in shlex.split(self.rest))


def stages(path):
    """The stages of the Dockerfile in order, each a list of instructions that begins with its FROM."""
    text = re.sub(r"^\s*#.*\n", "", Path(path).read_text(), flags=re.M).replace("\\\n", " ")
    found = []
    for line in filter(str.strip, text.splitlines()):
        instruction = Instruction(line.strip())
        if instruction.word == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def every(stage, word):
    """All instructions of a kind."""
    return [instruction for instruction in stage if instruction.word == word]


def last(stage, word):
    """The one that counts."""
    return every(stage, word)[-1]


def context(root):
    """The files that .dockerignore leaves in the context, of those that git knows or could know."""
    import subprocess

    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout.split("\0")
    rules = []
    for line in (Path(root) / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            rules.append((line.lstrip("!"), line.startswith("!")))
    return [path for path in listed if path and (Path(root) / path).is_file() and _kept(path, rules)]


def _kept(path, rules):
    kept = True
    parts = path.split("/")
    above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    for pattern, keep in rules:
        if any(_matches(name, pattern) for name in above):
            kept = keep
    return kept


def _matches(path, pattern):
    """As Docker does it: a star stays within its folder, two cross any number of them."""
    wanted, given = pattern.split("/"), path.split("/")
    if wanted[0] == "**":
        return any(_same(given[start:], wanted[1:]) for start in range(len(given)))
    return _same(given, wanted)


def _same(given, wanted):
    return len(given) == len(wanted) and all(map(fnmatch.fnmatchcase, given, wanted))
