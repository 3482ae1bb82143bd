#!/usr/bin/env python3
"""Back up and restore an installation on one machine; needs nothing but Python, docker and our own image.

    python3 deploy/storage.py backup [FOLDER]           volumes and secrets; default: run/backups/<time>
    python3 deploy/storage.py restore FOLDER            into an installation that is empty
    python3 deploy/storage.py restore FOLDER --replace  and delete what is there before
    python3 deploy/storage.py remove-stream STREAM      when `duban provision` says that it cannot be updated

Everything is stopped meanwhile, so that both volumes are of the same moment, and started again at the end. A
backup holds personal data and passwords: its folder can be entered, and its files read, by their owner only.
"""

import argparse
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tarfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BACKUPS = ROOT / "run" / "backups"
OWNERS = {"mongo-data": "999:999", "nats-data": "10001:10001"}
"""As whom the server of each volume runs, by docker-compose.yml."""
SUMS, SECRETS_ARCHIVE = "SHA256SUMS", "secrets.tar.gz"


def main(arguments=None):
    given = parse(arguments)
    if given.verb == "backup":
        backup(given.folder or BACKUPS / time.strftime("%Y%m%d-%H%M%S"))
    elif given.verb == "restore":
        restore(given.folder, given.replace)
    else:
        remove_stream(given.stream)


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("backup").add_argument("folder", type=Path, nargs="?")
    restoring = verbs.add_parser("restore")
    restoring.add_argument("folder", type=Path)
    restoring.add_argument("--replace", action="store_true", help="delete what is there before")
    verbs.add_parser("remove-stream").add_argument("stream")
    return parser.parse_args(arguments)


def backup(folder):
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with stopped():
        for volume in OWNERS:
            with private(folder / f"{volume}.tar.gz") as archive:
                storage("save", volume, stdout=archive)
        # Complete before anything is started: a start that fails spoils no backup.
        with (
            private(folder / SECRETS_ARCHIVE) as archive,
            tarfile.open(fileobj=archive, mode="w:gz") as secrets,
        ):
            secrets.add(secrets_folder(), arcname=".")
        with private(folder / SUMS) as sums:
            for name in archives():
                sums.write(f"{digest(folder / name)}  {name}\n".encode())
        sys.stdout.write(f"{folder}\n")


def restore(folder, replace):
    verify(folder)
    unpack_secrets(folder / SECRETS_ARCHIVE)
    compose("down", *["--volumes"] * replace)
    compose("up", "--no-start")  # makes the volumes, each with its owner
    for volume in OWNERS:
        with (folder / f"{volume}.tar.gz").open("rb") as archive:
            storage("load", volume, stdin=archive)
    compose("up", "-d", "--wait", "--no-build")


def remove_stream(stream):
    with stopped():
        storage("remove-stream", stream, volume="nats-data")


def archives():
    return [*(f"{volume}.tar.gz" for volume in OWNERS), SECRETS_ARCHIVE]


def verify(folder):
    if not (folder / SUMS).is_file():
        sys.exit(f"{folder} holds no complete backup: there is no {SUMS}")
    told = dict(reversed(line.split()) for line in (folder / SUMS).read_text().splitlines())
    for name in archives():
        if not (folder / name).is_file() or digest(folder / name) != told.get(name):
            sys.exit(f"{folder / name} is missing or damaged")


def unpack_secrets(file):
    """The database's own user has a password of this seed, so no other will do. What was rotated since the
    backup stays rotated: `up` gives the users of the services their passwords of today."""
    with tarfile.open(file) as archive:
        files = {Path(each.name).name: archive.extractfile(each).read() for each in archive if each.isfile()}
    folder = secrets_folder()
    seed = folder / "seed.json"
    if seed.exists():
        if json.loads(seed.read_bytes())["seed"] != json.loads(files["seed.json"])["seed"]:
            sys.exit(f"{folder} holds the secrets of another installation; move that folder away first")
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o444)


def secrets_folder():
    """Where compose finds them: by DUBAN_SECRETS in the environment or in `.env`, or by the default."""
    known = json.loads(compose("config", "--format", "json", stdout=subprocess.PIPE).stdout)
    return Path(known["secrets"]["seed"]["file"]).parent


@contextmanager
def stopped():
    """Services before servers; started again whatever happens, if they ran."""
    running = compose("ps", "--services", "--status", "running", stdout=subprocess.PIPE).stdout.split()
    compose("stop", *(name.decode() for name in running if name not in (b"nats", b"mongo")))
    compose("stop")
    try:
        yield
    finally:
        if running:
            compose("up", "-d", "--wait", "--no-build")


@contextmanager
def private(file):
    """Appears under its name when it is complete."""
    unfinished = file.with_name(file.name + ".part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        yield target
    unfinished.rename(file)


def digest(file):
    known = hashlib.sha256()
    with file.open("rb") as content:
        for block in iter(lambda: content.read(1 << 20), b""):
            known.update(block)
    return known.hexdigest()


def storage(verb, what, volume=None, **streams):
    owner = OWNERS[volume or what]
    compose("run", "--rm", "-T", "--no-deps", "--user", owner, "storage", verb, what, **streams)


def compose(*arguments, **streams):
    """Standard input is ours only where an archive is read from it."""
    command = [*shlex.split(os.environ.get("COMPOSE", "docker compose")), *arguments]
    done = subprocess.run(command, cwd=ROOT, **{"stdin": subprocess.DEVNULL, **streams})
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: failed")
    return done


if __name__ == "__main__":
    main()
