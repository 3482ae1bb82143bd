#!/usr/bin/env python3
"""Make the secrets of an installation, once; needs nothing but Python, and running it again changes nothing.

    python3 deploy/init.py                      make what is missing in run/secrets
    python3 deploy/init.py credential USER      print USER's NATS address with its password
    python3 deploy/init.py rotate USER...       replace passwords in NATS, and of services in MongoDB

All passwords follow from one seed, so a station that the charter gains has its credential already.
"""

import argparse
import hmac
import json
import os
import secrets
import sys
from pathlib import Path

SERVICES = ("intake", "ledger", "rating", "supervision", "escalation")
ADMIN, PROVISION = "admin", "provision"
SECRETS = Path(__file__).resolve().parent.parent / "run" / "secrets"


def main(arguments=None):
    given = parse(arguments)
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
    parser.add_argument("--dir", type=Path, default=Path(os.environ.get("DUBAN_SECRETS", SECRETS)))
    verbs = parser.add_subparsers(dest="verb")
    credential = verbs.add_parser("credential")
    credential.add_argument("user")
    credential.add_argument("--host", default="127.0.0.1:4222", help="where the user finds NATS")
    verbs.add_parser("rotate").add_argument("users", nargs="+")
    return parser.parse_args(arguments)


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
    for user in (ADMIN, PROVISION):
        write(folder / (user + "_nats_url"), nats_url(seed, user, "nats:4222"))
    for service in SERVICES:
        write(folder / (service + "_nats_url"), nats_url(seed, service, "nats:4222"))
        write(folder / (service + "_mongo_url"), mongo_url(seed, service))


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


def password(seed, system, user):
    """As `services/console/deploying/seed.py` derives it."""
    name = system + "/" + user
    message = "{}/{}".format(name, seed["rotated"].get(name, 0))
    return hmac.new(seed["seed"].encode(), message.encode(), "sha256").hexdigest()[:40]


if __name__ == "__main__":
    main()
