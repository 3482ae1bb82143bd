"""`duban stuck` and `duban dead-letters` against the running system."""

import asyncio
import json
import subprocess
import sys
from uuid import uuid4

import pytest

from duban_contracts.intake import SubmitMatter
from services.console.client import duban
from tests.waiting import until

SUBMIT = "cmd.intake.submit_matter.v1.gateway"


@pytest.fixture
def run(system):
    def called(*arguments, lang="en"):
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "services.console.cli",
                "--nats",
                system.nats_url,
                "--lang",
                lang,
                *arguments,
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return called


@pytest.fixture
def letter(system, run):
    """A fresh one: a command whose media type nobody reads."""
    mark = uuid4().hex

    async def sent():
        headers = {
            "ce-id": mark,
            "ce-source": "/test",
            "ce-type": SubmitMatter.type,
            "ce-subject": f"dead:{mark}",
            "content-type": "text/xml",
        }
        async with duban(system.nats_url) as town:
            ack = await town.client.jetstream().publish(
                SUBMIT, f"<matter>{mark}</matter>".encode(), headers=headers
            )
            return f"INTAKE_CMD.intake.{ack.seq}"

    name = asyncio.run(sent())
    until(lambda: name in run("dead-letters", "list", "--service", "intake").stdout)
    return name


def test_a_dead_letter_is_shown_not_replayed_while_unreadable_and_dropped_with_a_reason(run, letter):
    shown = run("dead-letters", "show", letter)
    assert shown.returncode == 0
    assert "<matter>" in shown.stdout
    replayed = run("dead-letters", "replay", letter)
    assert replayed.returncode == 1
    assert "still unreadable: unsupported_content" in replayed.stderr
    assert run("dead-letters", "drop", letter).returncode == 2
    assert run("dead-letters", "drop", letter, "--reason", "a test").returncode == 0
    assert letter not in run("dead-letters", "list").stdout
    everything = run("dead-letters", "list", "--all", "--format", "json")
    [card] = [each for each in json.loads(everything.stdout)["letters"] if each["letter"] == letter]
    assert (card["state"], card["by"], card["outcome"]) == ("dropped", "operator", "a test")


def test_stuck_says_that_letters_wait_in_either_language(run, letter):
    english, chinese = run("stuck"), run("stuck", lang="zh")
    assert "see `duban dead-letters list`" in english.stdout
    assert "待处理" in chinese.stdout
    assert json.loads(run("stuck", "--format", "json").stdout)["intake"]["dead_letters"] >= 1


@pytest.mark.parametrize("name", ["17", "INTAKE_CMD.nobody.3"])
def test_what_is_no_name_of_a_letter_is_misuse(run, name):
    wrong = run("dead-letters", "show", name)
    assert wrong.returncode == 2
    assert "INTAKE_CMD.intake.17" in wrong.stderr
    assert run("dead-letters", "show", "INTAKE_CMD.intake.999999999").returncode == 1
