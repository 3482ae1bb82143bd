"""What `deploy/storage.py` does in the container: volumes to an archive and back, a stream removed."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer

from services.console.deploying.storage import load, remove_stream

FILES = {"a/one.wt": b"\x00\x01", "two": b"", "a/b/three": "三".encode()}


def storage(*arguments: str, below: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-m", "services.console.deploying", "storage", *arguments]
    return subprocess.run([*program, "--below", str(below)], input=given, capture_output=True)


def fill(folder: Path) -> None:
    for name, content in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o600)


@pytest.mark.case("B13")
def test_a_volume_comes_back_from_its_archive_with_its_modes(tmp_path: Path) -> None:
    fill(tmp_path / "mongo-data")
    saved = storage("save", "mongo-data", below=tmp_path)
    assert (saved.returncode, saved.stderr) == (0, b"")
    empty = tmp_path / "elsewhere" / "mongo-data"
    empty.mkdir(parents=True)
    loaded = storage("load", "mongo-data", below=empty.parent, given=saved.stdout)
    assert (loaded.returncode, loaded.stderr) == (0, b"")
    assert {name: (empty / name).read_bytes() for name in FILES} == FILES
    assert all((empty / name).stat().st_mode & 0o777 == 0o600 for name in FILES)


@pytest.mark.case("B13")
def test_an_archive_is_never_loaded_over_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(tmp_path / "mongo-data")
    with pytest.raises(typer.Exit):
        load("mongo-data", below=tmp_path)
    assert capsys.readouterr().err == "the volume mongo-data is not empty\n"


@pytest.mark.case("B13")
def test_a_damaged_archive_fails(tmp_path: Path) -> None:
    (tmp_path / "mongo-data").mkdir()
    assert storage("load", "mongo-data", below=tmp_path, given=b"no archive").returncode != 0


@pytest.mark.case("B11")
def test_a_stream_of_commands_is_removed_from_the_store_and_no_other(tmp_path: Path) -> None:
    streams = tmp_path / "nats-data" / "jetstream" / "DUBAN" / "streams"
    for name in ("INTAKE_CMD", "LEDGER_CMD", "LEDGER_EVT"):
        fill(streams / name)
    remove_stream("INTAKE_CMD", below=tmp_path)
    for refused in ("INTAKE_CMD", "LEDGER_EVT", "../streams/LEDGER_CMD"):
        with pytest.raises(typer.Exit):
            remove_stream(refused, below=tmp_path)
    assert sorted(folder.name for folder in streams.iterdir()) == ["LEDGER_CMD", "LEDGER_EVT"]
