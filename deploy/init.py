#!/usr/bin/env python3
"""Make the secrets of an installation, once; needs nothing but Python, and running it again changes nothing.

    python3 deploy/init.py                      make what is missing in run/secrets
    python3 deploy/init.py credential USER      print USER's NATS address with its password
    python3 deploy/init.py rotate USER...       replace passwords in NATS, and of services in MongoDB

All passwords follow from one seed, so a station that the charter gains has its credential already. A USER
is a program, or a station or an actor of the charter that DUBAN_CHARTER names. That and DUBAN_SECRETS are
taken from the environment or from `.env`. What was done is said on the error output.

Where docker has volumes of the installation and the seed is not there, no other is made, for the database
knows the passwords of the first one only; --new-seed makes one all the same.
"""

import argparse
import difflib
import hashlib
import hmac
import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

SERVICES = ("intake", "ledger", "rating", "supervision", "escalation")
STEPS = ("admin", "provision", "operator")
"""Whose credentials the step `provision` holds."""
PROGRAMS = (*SERVICES, *STEPS)
DEFAULT_CHARTER = "township-2024.yaml"
ROOT = Path(__file__).resolve().parent.parent
CHARTERS = ROOT / "deploy" / "charters"
PROJECT = "duban"
"""As docker-compose.yml names it."""
SECRETS = ROOT / "run" / "secrets"


def main(arguments=None):
    given = parse(arguments)
    asked = given.users if given.verb == "rotate" else [given.user] if given.verb == "credential" else []
    if asked and not given.unchecked:
        check(asked, given.charter or charter())
    if not (given.dir / "seed.json").exists() and not given.new_seed and ours(given.dir):
        check_no_volumes(given.dir)
    given.dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    given.dir.chmod(0o700)
    seed = seed_in(given.dir)
    if given.verb == "rotate":
        rotate(seed, given.users)
    told(given, write_all(given.dir, seed))
    if given.verb == "credential":
        sys.stdout.write(nats_url(seed, given.user, given.host) + "\n")


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dir", type=Path, default=ROOT / setting("DUBAN_SECRETS", SECRETS))
    parser.add_argument("--new-seed", action="store_true", help="also where volumes are there already")
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


def ours(folder):
    """Whether compose takes its secrets there."""
    return folder.resolve() == (ROOT / setting("DUBAN_SECRETS", SECRETS)).resolve()


def check_no_volumes(folder):
    """Ends the program where docker has volumes of this installation; where it cannot be asked, goes on."""
    project = setting("COMPOSE_PROJECT_NAME", PROJECT)
    labels = [f"label=com.docker.compose.{key}" for key in (f"project={project}", "volume=mongo-data")]
    command = ["docker", "volume", "ls", "--quiet", "--filter", labels[0], "--filter", labels[1]]
    try:
        asked = subprocess.run(command, capture_output=True, text=True, timeout=10, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return
    if volumes := asked.stdout.split():
        sys.exit(
            f"{folder / 'seed.json'} is missing, and the volume {volumes[0]} holds data, which only the\n"
            "passwords of its own seed open. Put that back from a backup:\n"
            f"  mkdir -m 0700 -p {folder} && tar -xzf BACKUP/secrets.tar.gz -C {folder}\n"
            "To begin with nothing, `docker compose down --volumes` deletes all data. --new-seed makes\n"
            "another seed all the same."
        )


def told(given, written):
    """What was done, and what is to be done."""
    if "seed.json" in written and given.verb != "rotate":
        say(f"{given.dir}: new secrets, from a new seed; keep a copy of seed.json where nobody else reads it")
    elif written:
        say(f"{given.dir}: written: " + ", ".join(written))
    elif given.verb is None:
        say(f"{given.dir}: everything is there already")
    if given.verb == "rotate":
        say(
            "until `docker compose up -d --wait` the former passwords hold; replaced: "
            + ", ".join(given.users)
        )


def say(sentence):
    sys.stderr.write(sentence + "\n")


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
    """The names of the files that changed."""
    files = {"seed.json": json.dumps(seed) + "\n"}
    if not (folder / "mongo_keyfile").exists():
        files["mongo_keyfile"] = secrets.token_hex(256)
    for user in (*STEPS, *SERVICES):
        files[user + "_nats_url"] = nats_url(seed, user, "nats:4222")
    for service in SERVICES:
        files[service + "_mongo_url"] = mongo_url(seed, service)
        files[service + ".env"] = "DUBAN_CREDENTIALS=" + fingerprint(seed, service) + "\n"
    return [name for name, text in files.items() if write(folder / name, text)]


def write(file, text):
    """Whether it changed. Readable by all, in a folder that nobody else may enter: containers see files with
    the host's mode."""
    if file.exists() and file.read_text() == text:
        return False
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)  # of a run that was cut off, and closed to writing
    fresh.write_text(text)
    fresh.chmod(0o444)
    fresh.replace(file)
    return True


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
