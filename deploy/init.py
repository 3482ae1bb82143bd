#!/usr/bin/env python3
"""Make the secrets of an installation, once; needs nothing but Python, and running it again changes nothing.

    python3 deploy/init.py                      make what is missing in run/secrets
    python3 deploy/init.py credential USER      print USER's NATS address with its password
    python3 deploy/init.py rotate USER...       replace passwords in NATS, and of services in MongoDB

All passwords follow from one seed, so a station that the charter gains has its credential already. A USER
is a program, or a station or an actor of the charter that DUBAN_CHARTER names. That and DUBAN_SECRETS are
taken from the environment or from `.env`.
"""

import argparse
import difflib
import hashlib
import hmac
import json
import os
import re
import secrets
import sys
from pathlib import Path

SERVICES = ("intake", "ledger", "rating", "supervision", "escalation")
STEPS = ("admin", "provision", "operator")
"""Whose credentials the step `provision` holds."""
PROGRAMS = (*SERVICES, *STEPS)
DEFAULT_CHARTER = "township-2024.yaml"
ROOT = Path(__file__).resolve().parent.parent
CHARTERS = ROOT / "deploy" / "charters"
SECRETS = ROOT / "run" / "secrets"


def main(arguments=None):
    given = parse(arguments)
    asked = given.users if given.verb == "rotate" else [given.user] if given.verb == "credential" else []
    if asked and not given.unchecked:
        check(asked, given.charter or charter())
    given.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    given.dir.chmod(0o700)
    seed = seed_in(given.dir)
    if given.verb == "rotate":
        rotate(seed, given.users)
    write_all(given.dir, seed)
    if given.verb == "credential":
        sys.stdout.write(nats_url(seed, given.user, given.host) + "\n")


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, default=ROOT / setting("DUBAN_SECRETS", SECRETS))
    verbs = parser.add_subparsers(dest="verb")
    credential = verbs.add_parser("credential")
    credential.add_argument("user")
    credential.add_argument("--host", default="127.0.0.1:4222", help="where the user finds NATS")
    replace = verbs.add_parser("rotate")
    replace.add_argument("users", nargs="+", metavar="user")
    for verb in (credential, replace):
        verb.add_argument("--charter", type=Path, help="whose stations and actors are users")
        verb.add_argument("--unchecked", action="store_true", help="also where no charter names the user")
    return parser.parse_args(arguments)


def charter():
    """The file that `docker compose` would take."""
    return CHARTERS / setting("DUBAN_CHARTER", DEFAULT_CHARTER)


def setting(name, default):
    """As `docker compose` finds it: in the environment, else in `.env`; empty is as good as none."""
    file = ROOT / ".env"
    value = os.environ.get(name)
    if value is None and file.exists():
        quoted, plain = r"'([^'\n]*)'|\"([^\"\n]*)\"", r"(.*?)[ \t]*(?:(?<=[ \t])#.*)?"
        line = rf"^[ \t]*(?:export[ \t]+)?{name}[ \t]*[=:][ \t]*(?:(?:{quoted})[ \t]*(?:#.*)?|{plain})$"
        found = re.findall(line, file.read_text("utf-8"), re.MULTILINE)
        literal, *expanded = found[-1] if found else [""]
        value = literal or os.path.expandvars("".join(expanded))
    return value or default


def check(users, file):
    """Ends the program where a user is nobody: a password for a name misspelled would open nothing."""
    try:
        known = [*PROGRAMS, *names(file.read_text("utf-8"))]
    except (OSError, ValueError) as error:
        sys.exit(
            f"the users cannot be read from {file}: {error}; name another with --charter FILE,\n"
            "or add --unchecked if you are sure of the names"
        )
    for user in users:
        if user not in known:
            near = difflib.get_close_matches(user, known, n=3, cutoff=0.5)
            hint = "did you mean {}?".format(" or ".join(near)) if near else "known are: " + ", ".join(known)
            sys.exit(f"{user}: neither a program nor in {file.name}; {hint}")


def names(text):
    """Stations and actors, without a YAML library: keys of the two blocks, as charters are written."""
    found = []
    for section in ("stations", "actors"):
        block = re.search(
            rf"^{section}:[ \t]*(?:#.*)?\n((?:[ \t]+.*\n|#.*\n|[ \t]*\n)*)", text + "\n", re.MULTILINE
        )
        keys = re.findall(
            r"^( +)[\"']?([\w-]+)[\"']?[ \t]*:(?:[ \t]|$)", block[1] if block else "", re.MULTILINE
        )
        if not keys:
            raise ValueError(f"no block `{section}:` with one name a line")
        found += [key for indent, key in keys if len(indent) == len(keys[0][0])]
    return found


def seed_in(folder):
    file = folder / "seed.json"
    if file.exists():
        return json.loads(file.read_text())
    return {"seed": secrets.token_hex(32), "rotated": {}}


def rotate(seed, users):
    for user in users:
        for name in ["nats/" + user] + ["mongo/" + user] * (user in SERVICES):
            seed["rotated"][name] = seed["rotated"].get(name, 0) + 1


def write_all(folder, seed):
    write(folder / "seed.json", json.dumps(seed) + "\n")
    if not (folder / "mongo_keyfile").exists():
        write(folder / "mongo_keyfile", secrets.token_hex(256))
    for user in STEPS:
        write(folder / (user + "_nats_url"), nats_url(seed, user, "nats:4222"))
    for service in SERVICES:
        write(folder / (service + "_nats_url"), nats_url(seed, service, "nats:4222"))
        write(folder / (service + "_mongo_url"), mongo_url(seed, service))
        write(folder / (service + ".env"), "DUBAN_CREDENTIALS=" + fingerprint(seed, service) + "\n")


def write(file, text):
    """Readable by all, in a folder that nobody else may enter: containers see files with the host's mode."""
    if file.exists() and file.read_text() == text:
        return
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.chmod(0o444)
    fresh.replace(file)


def nats_url(seed, user, host):
    return "nats://{}:{}@{}".format(user, password(seed, "nats", user), host)


def mongo_url(seed, service):
    known = password(seed, "mongo", service)
    return f"mongodb://{service}:{known}@mongo:27017/duban_{service}?replicaSet=rs0"


def fingerprint(seed, service):
    """No secret. Part of the container's environment, so that `up` makes it anew after a rotation."""
    both = password(seed, "nats", service) + password(seed, "mongo", service)
    return hashlib.sha256(both.encode()).hexdigest()[:12]


def password(seed, system, user):
    """As `services/console/deploying/seed.py` derives it."""
    name = system + "/" + user
    message = "{}/{}".format(name, seed["rotated"].get(name, 0))
    return hmac.new(seed["seed"].encode(), message.encode(), "sha256").hexdigest()[:40]


if __name__ == "__main__":
    main()
