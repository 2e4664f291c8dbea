"""What is known of Welcomat's settings: their variables, and whether the program takes a set of them."""

import os
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROGRAM = TARGET / "debug/welcomat"

#: The settings of docs/settings.md, which a test holds to the program, by their variables.
VARIABLES = {variable: name for name, variable in re.findall(
    r"^\| `([^`]+)` \| `(WELCOMAT_\w+)` \|", (ROOT / "docs/settings.md").read_text(), re.M)}

#: Where a secret's text does not matter, what it has to look like for the program.
SAMPLES = {
    "WELCOMAT_DATABASE_URL": "postgres://welcomat:secret@postgres:5432/welcomat",
    "WELCOMAT_BROKER_URL": "amqp://welcomat:secret@rabbitmq:5672/welcomat",
    "WELCOMAT_MAIL_URL": "smtp://welcomat:secret@mail.example.com:587",
    "WELCOMAT_SEAL_KEYS": "k1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "WELCOMAT_JWT_SECRET": "a secret of at least thirty-two bytes",
    "WELCOMAT_SESSION_TOKEN_SECRET": "a secret of at least thirty-two bytes",
    "WELCOMAT_BOOTSTRAP_API_KEY": "wlc_test0test0test0test0test0",
    "WELCOMAT_BOOTSTRAP_INSTANCE_KEY": "wlc_test1test1test1test1test1",
    "WELCOMAT_FEEDBACK_POSTMARK_LOGIN": "postmark:at least sixteen bytes",
    "WELCOMAT_FEEDBACK_MAILGUN_KEY": "at least sixteen bytes",
    "WELCOMAT_FEEDBACK_DSN_SECRET": "at-least-sixteen-bytes",
    "WELCOMAT_MAIL_DKIM_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
}

#: What each program does not start without, or starts without to no use: with another than the default.
NEEDED = {
    "api": {"WELCOMAT_DATABASE_URL", "WELCOMAT_BROKER_URL", "WELCOMAT_PUBLIC_URL"},
    "worker": {"WELCOMAT_DATABASE_URL", "WELCOMAT_BROKER_URL", "WELCOMAT_MAIL_URL", "WELCOMAT_MAIL_FROM",
               "WELCOMAT_PUBLIC_URL", "WELCOMAT_SEAL_KEYS"},
    "migrate": {"WELCOMAT_DATABASE_URL"},
}

#: What a program must not be given: a secret that only others need.
NOT_FOR = {
    "api": {"WELCOMAT_MAIL_URL", "WELCOMAT_MAIL_DKIM_KEY"},
    "worker": {"WELCOMAT_BOOTSTRAP_API_KEY", "WELCOMAT_BOOTSTRAP_INSTANCE_KEY", "WELCOMAT_JWT_SECRET",
               "WELCOMAT_SESSION_TOKEN_SECRET", "WELCOMAT_FEEDBACK_POSTMARK_LOGIN", "WELCOMAT_FEEDBACK_MAILGUN_KEY",
               "WELCOMAT_FEEDBACK_DSN_SECRET"},
    "migrate": set(SAMPLES) - {"WELCOMAT_DATABASE_URL"},
}


def setting_of(name):
    """The variable without _FILE, and whether it had it."""
    if name not in VARIABLES and name.removesuffix("_FILE") in VARIABLES:
        return name.removesuffix("_FILE"), True
    return name, False


def check_environment(where, role, environment, complain):
    """Holds the variables of a process to what there is: names, values, secrets by file."""
    settings = {name: value for name, value in environment.items() if name.startswith("WELCOMAT_")}
    for name, value in settings.items():
        setting, from_file = setting_of(name)
        if setting not in VARIABLES:
            complain(f"{where}: {name} is no setting")
        elif setting in SAMPLES and not from_file:
            complain(f"{where}: {name} holds a secret; name a file that holds it, with {name}_FILE")
        if setting in NOT_FOR[role]:
            complain(f"{where}: {name} is not for this program")
        if not isinstance(value, str):
            complain(f"{where}: {name} is {value!r}, and not a text")
    for missing in sorted(NEEDED[role] - {setting_of(name)[0] for name in settings}):
        complain(f"{where}: {missing} is missing")
    problem = ask_program(settings)
    if problem:
        complain(f"{where}: {problem}")


def check_samples(complain):
    """The program takes all of them together, and takes each for a secret, which it hides."""
    more = {"WELCOMAT_MAIL_DKIM_SELECTOR": "s1", "WELCOMAT_MAIL_DKIM_DOMAIN": "example.com"}
    environment = {"PATH": os.environ["PATH"], **SAMPLES, **more}
    asked = subprocess.run([PROGRAM, "config", "check"], env=environment, capture_output=True, text=True)
    shown = tomllib.loads(asked.stdout)
    for variable in SAMPLES:
        value = shown
        for part in VARIABLES[variable].split("."):
            value = value.get(part, {})
        if "***" not in value:
            complain(f"{variable}: the program does not take it for a secret: {value or asked.stderr}")


def ask_program(settings):
    """What the program says against these variables, secrets filled in."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"]}
        for name, value in settings.items():
            setting, from_file = setting_of(name)
            if from_file:
                path = Path(folder) / setting
                path.write_text(SAMPLES.get(setting, "text"))
                value = str(path)
            environment[name] = str(value)
        asked = subprocess.run([PROGRAM, "config", "check"], env=environment, cwd=folder, capture_output=True, text=True)
        return asked.stderr.strip() if asked.returncode else None
