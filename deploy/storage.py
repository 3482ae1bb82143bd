#!/usr/bin/env python3
"""Back up and restore an installation on one machine; needs nothing but Python, docker and our own image.

    python3 deploy/storage.py backup [FOLDER]           default: run/backups/<time>
    python3 deploy/storage.py restore FOLDER            into an installation that is empty
    python3 deploy/storage.py restore FOLDER --replace  and delete what is there before
    python3 deploy/storage.py remove-stream STREAM      when `duban provision` says that it cannot be updated

A backup holds the volumes, the secrets, the town's charter and `.env`. Everything is stopped meanwhile, so
that both volumes are of the same moment; what ran is started again at the end, as it was. Personal data and
passwords are in it: its folder can be entered, and its files read, by their owner only.
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
SUMS, SECRETS_ARCHIVE, SETTINGS_ARCHIVE = "SHA256SUMS", "secrets.tar.gz", "settings.tar.gz"
CHARTERS, ENV = "deploy/charters", ".env"
SERVERS = ("nats", "mongo")
UP = "docker compose up -d --wait"


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
    with stopped(start):
        for volume in OWNERS:
            with private(folder / f"{volume}.tar.gz") as archive:
                storage("save", volume, stdout=archive)
        # Complete before anything is started: a start that fails spoils no backup.
        with packed(folder / SECRETS_ARCHIVE) as secrets:
            secrets.add(secrets_folder(), arcname=".")
        with packed(folder / SETTINGS_ARCHIVE) as settings:
            for name in settings_files():
                settings.add(ROOT / name, arcname=name)
        with private(folder / SUMS) as sums:
            for name in (*REQUIRED, SETTINGS_ARCHIVE):
                sums.write(f"{digest(folder / name)}  {name}\n".encode())
        sys.stdout.write(f"{folder}\n")


def restore(folder, replace):
    """What can be refused is refused before anything is stopped."""
    if SETTINGS_ARCHIVE in verify(folder):
        put_back(folder / SETTINGS_ARCHIVE)  # first: it says where the secrets are
    else:
        say("of an earlier release: it holds neither .env nor the town's charter; see that both are here")
    unpack_secrets(folder / SECRETS_ARCHIVE)
    if not replace:
        compose("up", "--no-start", "--no-recreate")  # makes the volumes, and stops nothing
        for volume in OWNERS:
            check_empty(volume)
    compose("down", *["--volumes"] * replace)
    try:
        compose("up", "--no-start")
        for volume in OWNERS:
            with (folder / f"{volume}.tar.gz").open("rb") as archive:
                storage("load", volume, stdin=archive)
    except BaseException:
        say(f"the restore is not complete and everything is stopped: run it again with --replace, not {UP!r}")
        raise
    compose("up", "-d", "--wait", "--no-build")


def remove_stream(stream):
    """`up` makes it again; a service without its stream is not ready."""
    with stopped(lambda _: compose("up", "-d", "--wait", "--no-build")):
        storage("remove-stream", stream, volume="nats-data")


REQUIRED = [*(f"{volume}.tar.gz" for volume in OWNERS), SECRETS_ARCHIVE]
"""Archives of every backup; the settings are missing in those of earlier releases."""


def verify(folder):
    """Names and digests of what the backup holds."""
    if not (folder / SUMS).is_file():
        sys.exit(f"{folder} holds no complete backup: there is no {SUMS}")
    told = dict(reversed(line.split()) for line in (folder / SUMS).read_text().splitlines())
    for name in {*REQUIRED, *told}:
        if not (folder / name).is_file() or digest(folder / name) != told.get(name):
            sys.exit(f"{folder / name} is missing or damaged")
    return told


def check_empty(volume):
    command = ("run", "--rm", "-T", "--no-deps", "--user", OWNERS[volume], "storage", "check-empty", volume)
    if not compose(*command, tried=True):
        sys.exit(
            f"the volume {volume} is not empty; nothing was stopped. To delete what is there and restore the "
            f"backup in its place, add --replace; to go on with what is there: {UP}"
        )


def settings_files():
    """The town's charter and `.env`, where there are any: neither is in the release."""
    named = known()["services"]["provision"]["command"][0].removeprefix("/charters/")
    return [name for name in (ENV, f"{CHARTERS}/{named}" if named else "") if (ROOT / name).is_file()]


def put_back(archive):
    """What is missing here. What differs stays as it is here, and that of the backup is laid beside it."""
    for name, (content, mode) in unpacked(archive).items():
        file = ROOT / name
        if file.exists() and file.read_bytes() == content:
            continue
        if file.exists():
            file = file.with_name(file.name + ".of-backup")
            say(f"{name} differs from that of the backup and stays; compare {file.name} beside it")
        else:
            say(f"{name} is put back from the backup")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            target.write(content)
        file.chmod(mode)  # a charter is read in a container, by another user


def unpacked(file):
    """Content and mode by name."""
    with tarfile.open(file) as archive:
        return {
            each.name.removeprefix("./"): (archive.extractfile(each).read(), each.mode)
            for each in archive
            if each.isfile()
        }


def unpack_secrets(file):
    """The database's own user has a password of this seed, so no other will do. What was rotated since the
    backup stays rotated: `up` gives the users of the services their passwords of today."""
    folder, files = secrets_folder(), unpacked(file)
    seed = folder / "seed.json"
    if seed.exists():
        if json.loads(seed.read_bytes())["seed"] != json.loads(files["seed.json"][0])["seed"]:
            sys.exit(f"{folder} holds the secrets of another installation; move that folder away first")
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, (content, _) in files.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o444)
    # Those that a backup of an earlier release does not hold follow from the seed.
    subprocess.run([sys.executable, ROOT / "deploy" / "init.py", "--dir", folder], check=True)


def secrets_folder():
    """Where compose finds them: by DUBAN_SECRETS in the environment or in `.env`, or by the default."""
    return Path(known()["secrets"]["seed"]["file"]).parent


def known():
    """The compose file, with the settings written into it."""
    return json.loads(compose("config", "--format", "json", stdout=subprocess.PIPE).stdout)


@contextmanager
def stopped(again):
    """Services before servers; `again` is given what ran and starts it, whatever happens meanwhile."""
    running = (
        compose("ps", "--services", "--status", "running", stdout=subprocess.PIPE).stdout.decode().split()
    )
    compose("stop", *(name for name in running if name not in SERVERS))
    compose("stop")
    try:
        yield
    finally:
        if running:
            try:
                again(running)
            except SystemExit:
                compose("start", *running, tried=True)
                raise


def start(ran):
    """The same containers, servers first: neither the charter on disk nor another image has a say in it."""
    for names in ([name for name in ran if name in SERVERS], [name for name in ran if name not in SERVERS]):
        if names:
            compose("up", "-d", "--wait", "--no-deps", "--no-recreate", "--no-build", *names)


@contextmanager
def packed(file):
    with private(file) as target, tarfile.open(fileobj=target, mode="w:gz") as archive:
        yield archive


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


def compose(*arguments, tried=False, **streams):
    """Standard input is ours only where an archive is read from it. `tried`: it may fail."""
    command = [*shlex.split(os.environ.get("COMPOSE", "docker compose")), *arguments]
    done = subprocess.run(command, cwd=ROOT, **{"stdin": subprocess.DEVNULL, **streams})
    if done.returncode and not tried:
        sys.exit(f"{shlex.join(command)}: failed")
    return None if done.returncode else done


def say(sentence):
    sys.stderr.write(sentence + "\n")


if __name__ == "__main__":
    main()
