"""The frame of the command line: options, languages, contexts, exit codes, and what every failure says."""

import asyncio
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from duban_contracts.intake import MatterIncomplete
from duban_contracts.queries import AnswerGiven, ToldFact
from services.console import cli, contexts, terminal
from services.console.asking import tell
from services.console.cli import COMMANDS, hoisted
from services.console.client import Misasked
from services.console.exit_codes import MEANINGS, Exit
from services.console.i18n import Lang, chosen, use
from services.console.sentences import Town
from services.console.stuck import FORBIDDEN, _ask_all
from services.console.tables import text_width
from services.console.terminal import Stop, confirm, stop_for
from tests.console.conftest import Run
from tests.interrupts import interruptible

LEAVES = [
    ("submit",),
    ("do",),
    ("why",),
    ("up",),
    ("import",),
    ("ledger", "list"),
    ("ledger", "export"),
    ("report", "laggards"),
    ("charter", "apply"),
    ("context", "add"),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("DUBAN_CONTEXT", "DUBAN_ACTOR", "NO_COLOR", "CLICOLOR"):
        monkeypatch.delenv(name, raising=False)


# --- options


@pytest.mark.case("C16")
@pytest.mark.parametrize("words", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_h_is_help_everywhere(words: tuple[str, ...], run: Run) -> None:
    assert run(*words, "-h") == run(*words, "--help")
    assert run(*words, "-h").status == 0


@pytest.mark.case("C16")
def test_version_is_told(run: Run) -> None:
    assert run("--version").out.startswith("duban ")


@pytest.mark.case("C16")
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shells_completion_is_printed(shell: str, run: Run) -> None:
    assert "_DUBAN_COMPLETE" in run("completion", shell).out


@pytest.mark.case("C16")
def test_a_shell_is_told_the_commands_without_importing_them(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_DUBAN_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "duban co")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run().out.split() == ["context", "completion"]


@pytest.mark.case("C16")
@pytest.mark.parametrize("option", ["--format", "--output", "-o"])
def test_the_output_option_has_the_names_that_people_try(option: str, run: Run) -> None:
    assert "ledger.accept" in run("do", "--list", option, "json").document


def test_options_alone_are_as_bare_as_no_words(run: Run) -> None:
    ran = run("--lang", "zh")
    assert (ran.status, "用法" in ran.out) == (0, True)


@pytest.mark.case("C16")
def test_options_of_every_command_may_stand_anywhere() -> None:
    words = ["ledger", "list", "--no-pager", "--context", "office", "--lang=zh", "--", "--nats", "x"]
    expected = ["--no-pager", "--context", "office", "--lang=zh", "ledger", "list", "--", "--nats", "x"]
    assert hoisted(words) == expected


@pytest.mark.case("C16")
def test_help_explains_commands_below_a_group_and_topics(run: Run) -> None:
    assert run("help", "ledger", "list").out.startswith("Usage: duban ledger list")
    assert "DUBAN_ACTOR" in run("help", "environment").out
    assert run("help", "nothing").status == 2


# --- exit codes


@pytest.mark.case("C12")
def test_every_exit_code_is_told_and_stands_in_the_readme(run: Run) -> None:
    shown = run("help", "exit-codes").out
    readme = (Path(cli.__file__).parent / "README.md").read_text("utf-8")
    for code, meaning in MEANINGS.items():
        assert f"| {int(code)} | {meaning} |" in readme
        assert str(int(code)) in shown
    assert set(MEANINGS) == set(Exit)


@pytest.mark.case("C12")
def test_an_incomplete_matter_is_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    fact = MatterIncomplete(at=datetime.now(UTC), submission="hotline:1", missing=("photo",))
    told = ToldFact(type=fact.type, time=fact.at.isoformat(), data=fact.model_dump_json())
    given = AnswerGiven(key="hotline:1", message="1", facts=(told,))
    with pytest.raises(typer.Exit) as end:
        tell(given, Town(None), terminal.Format.TEXT)
    assert end.value.exit_code == 1
    assert "photo" in capsys.readouterr().out


@pytest.mark.case("A12", "C12")
@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (Stop(Exit.REFUSED, "no", "no"), 1),
        (FileNotFoundError(2, "No such file", "map.yaml"), 2),
        (PermissionError(13, "Permission denied", "/root/x"), 2),
        (ConnectionRefusedError(111, "refused"), 3),
        (TimeoutError(), 3),
        (OSError(28, "No space left on device"), 3),
        (ZeroDivisionError("a phone number"), 70),
    ],
    ids=lambda each: type(each).__name__,
)
def test_each_kind_of_trouble_has_its_code(trouble: Exception, status: int) -> None:
    stop = stop_for(trouble)
    assert stop.status == status
    assert "a phone number" not in str(stop)


@pytest.mark.case("A12")
@pytest.mark.parametrize(
    ("trouble", "status"), [(KeyboardInterrupt(), 130), (ZeroDivisionError(), 70), (OSError(5, "x", "f"), 2)]
)
def test_what_goes_wrong_in_a_command_is_a_code_and_no_traceback(
    trouble: BaseException, status: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_words: object) -> None:
        raise trouble

    monkeypatch.setattr("services.console.asking.show_commands", broken)
    ran = run("do", "--list")
    assert ran.status == status
    assert "Traceback" not in ran.out + ran.err


@pytest.mark.case("A12", "C16")
def test_a_reader_that_stops_reading_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stdout", Gone())
    monkeypatch.setattr(cli, "discard_output", lambda: None)
    status = cli.status_of(["do", "--list"])
    monkeypatch.undo()
    assert status == 141


@pytest.mark.case("A12", "C16")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_it_waits_ends_it_with_130() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"nats://127.0.0.1:{silent.getsockname()[1]}"
        words = [sys.executable, "-m", "services.console.cli", "--lang", "zh", "report", "laggards"]
        with interruptible():
            process = subprocess.Popen(
                words,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"DUBAN_NATS_URL": address},
            )
        with process, silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "被 Ctrl-C 中断\n")


@pytest.mark.case("A12", "C16")
@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_takes_one_line_gets_no_complaint(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "services.console.cli", "do", "--list"]
    with (tmp_path / "err").open("w+") as err:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=err)
        assert process.stdout
        process.stdout.close()
        status = process.wait(30)
        err.seek(0)
        assert (status, err.read()) == (141, "")


@pytest.mark.case("C16")
def test_something_turns_while_a_person_waits_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "SPINNER_AFTER", 0)
    monkeypatch.setenv("TERM", "xterm")
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)

    async def waited() -> None:
        async with terminal.spinning():
            while not shown.getvalue():  # noqa: ASYNC110 - a terminal tells nobody that it was written to
                await asyncio.sleep(0)

    asyncio.run(waited())
    assert "waiting" in shown.getvalue()
    assert shown.getvalue().endswith("\r\x1b[K")
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    asyncio.run(terminal.spinning().__aenter__())
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


# --- languages


@pytest.mark.case("C11")
@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8", "LC_CTYPE": "C.UTF-8"}, Lang.ZH),
        ({"LC_ALL": "zh_CN.UTF-8", "LANG": "C"}, Lang.ZH),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_US.UTF-8"}, Lang.ZH),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, Lang.EN),
        ({"LC_CTYPE": "zh_CN.UTF-8"}, Lang.EN),
        ({"LANGUAGE": "zh_CN:en", "LANG": "en_US.UTF-8"}, Lang.ZH),
        ({"LANGUAGE": "zh_CN", "LANG": "C.UTF-8"}, Lang.EN),
    ],
    ids=str,
)
def test_the_locale_counts_whether_it_is_installed_or_not(
    environment: dict[str, str], expected: Lang, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DUBAN_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert chosen([]) is expected


@pytest.mark.case("C11")
def test_output_is_utf8_whatever_the_locale_says(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    cli.write_utf8()
    print("督办 \udcff", flush=True)  # noqa: T201
    assert raw.getvalue() == "督办 \\udcff\n".encode()


WRONG = [
    ("sumbit",),
    ("ledger", "lst"),
    ("do", "--kye", "1"),
    ("do", "--wait"),
    ("up", "--port", "x"),
    ("up", "--port", "70000"),
    ("up", "--clock", "fast"),
    ("up", "--charter", "/nowhere.yaml"),
    ("up", "extra"),
    ("why",),
    ("submit", "--title", "t"),
    ("watch", "--once=1"),
]


@pytest.mark.case("C11")
@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_option_is_told_in_chinese(words: tuple[str, ...], run: Run) -> None:
    ran = run("--lang", "zh", *words)
    assert ran.status == 2
    first = ran.err.splitlines()[0]
    for english in ("No such", "Missing", "Invalid", "requires", "does not", "should be", "unexpected"):
        assert english not in first
    assert any("\u4e00" <= char <= "\u9fff" for char in first)


@pytest.mark.case("C16")
@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_a_wrong_option_is_told_with_the_way_to_help(words: tuple[str, ...], run: Run) -> None:
    ran = run(*words)
    assert (ran.status, ran.out) == (2, "")
    assert "Traceback" not in ran.err


@pytest.mark.case("C16")
@pytest.mark.parametrize("option", ["--format=json", "--output=json", "-o=json"])
def test_a_program_is_told_a_wrong_option_as_a_document(option: str, run: Run) -> None:
    ran = run("ledger", "list", "--limit", "x", *option.split("="))
    assert ran.status == 2
    assert ran.document["error"] == {"code": "misuse", "message": "--limit: a whole number is needed"}


@pytest.mark.case("C4", "C11")
@pytest.mark.parametrize("lang", list(Lang))
@pytest.mark.parametrize("words", [(), *LEAVES], ids=" ".join)
def test_help_fits_80_columns(
    words: tuple[str, ...], lang: Lang, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("--lang", lang, *words, "--help").out.splitlines()
    assert max(map(text_width, lines)) <= 80
    assert not [line for line in lines if len(line.strip()) == 1]


# --- contexts


@pytest.mark.case("C8")
def test_a_context_is_added_selected_shown_and_removed(run: Run) -> None:
    assert run("context", "add", "town", "--server", "nats://town:4222", "--actor", "office").status == 0
    run("context", "add", "other", "--server", "other:4222", "--language", "zh")
    assert run("context", "list", "-o", "json").document["selected"] == "town"
    run("context", "select", "other")
    assert run("context", "show", "-o", "json").document["server"] == "nats://other:4222"
    assert "* " in run("context", "list").out
    assert run("context", "remove", "other").status == 0
    assert contexts.selected() is None
    assert run("context", "show", "other").status == 2


@pytest.mark.case("C8")
def test_a_context_is_for_its_owner_only_and_shows_no_password(run: Run) -> None:
    run("context", "add", "town", "--server", "nats://office:secret@town:4222")
    file = contexts.folder() / "town.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    for words in (("show", "town"), ("list",)):
        assert "secret" not in run("context", *words).out


@pytest.mark.case("C8")
def test_the_credential_of_a_context_comes_from_its_file(tmp_path: Path) -> None:
    secret = tmp_path / "office.txt"
    secret.write_text("office:p@ss:word\n", "utf-8")
    context = contexts.Context(server="nats://town:4222", credential=str(secret))
    assert context.url() == "nats://office:p%40ss%3Aword@town:4222"
    secret.write_text("nats://office:pw@elsewhere:4333", "utf-8")
    assert context.url() == "nats://office:pw@town:4222"
    assert contexts.Context(credential=str(secret)).url() == "nats://office:pw@elsewhere:4333"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are connected to; nothing is."""
    addresses: list[str] = []

    def connect(url: str, actor: str | None = None) -> object:
        addresses.append(url)
        raise Stop(Exit.UNREACHABLE, "unreachable", "nobody there")

    monkeypatch.setattr(terminal, "duban", connect)
    return addresses


@pytest.mark.case("C8")
def test_an_option_goes_before_the_environment_and_that_before_the_context(
    run: Run, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts.write("town", contexts.Context(server="nats://context:1"))
    contexts.write("other", contexts.Context(server="nats://other:1"))
    run("watch", "--once")
    contexts.select("town")
    run("watch", "--once")
    run("watch", "--once", "--context", "other")
    monkeypatch.setenv("DUBAN_CONTEXT", "other")
    run("watch", "--once")
    monkeypatch.setenv("DUBAN_NATS_URL", "nats://environment:1")
    run("watch", "--once")
    run("watch", "--once", "--nats", "nats://option:1")
    hosts = ["127.0.0.1:4222", "context:1", "other:1", "other:1", "environment:1", "option:1"]
    assert [address.removeprefix("nats://") for address in asked] == hosts


@pytest.mark.case("C8")
def test_the_actor_comes_from_the_option_the_environment_or_the_context(
    run: Run, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("do", "accept", "--key", "2026-000001")
    assert "--actor is missing" in run(*words).err
    contexts.write("town", contexts.Context(actor="bianmin"))
    contexts.select("town")
    assert run(*words).status == 3
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("DUBAN_ACTOR", "bianmin")
    assert run(*words).status == 3
    assert len(asked) == 2


@pytest.mark.case("C8")
@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_parses_under_a_context(name: str, run: Run) -> None:
    contexts.write("town", contexts.Context(server="nats://town:1", actor="bianmin"))
    contexts.select("town")
    assert run(name, "--help").status == 0
    below = list(getattr(COMMANDS[name], "commands", {}))
    assert all(run(name, each, "--help").status == 0 for each in below)
    defaults = contexts.in_force().defaults(COMMANDS)
    root: Any = typer.main.get_command(cli.app)
    with root.make_context("duban", [name], default_map=defaults) as top:
        command = root.commands[name]
        if not below:
            parsed(command, name, top)
            return
        with command.make_context(name, [below[0]], parent=top) as group:
            for each in below:
                parsed(command.commands[each], each, group)


def parsed(command: Any, name: str, above: Any) -> None:
    """Its options take what the context says."""
    words = list[str]()
    for each in command.params:
        if each.required:
            value = "bash" if name == "completion" else "x"
            words += [value] if each.param_type_name == "argument" else [each.opts[0], value]
    with command.make_context(name, words, parent=above) as context:
        if "actor" in context.params and above.info_name != "context":
            assert context.params["actor"] == "bianmin"


@pytest.mark.case("C8", "C11")
def test_the_language_of_the_context_goes_before_the_locale(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DUBAN_LANG")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    contexts.write("town", contexts.Context(lang="zh"))
    contexts.select("town")
    assert run("--help").out.startswith("用法：")
    assert run("--help", "--lang", "en").out.startswith("Usage: ")


@pytest.mark.case("C8")
@pytest.mark.parametrize("name", ["../x", "", "a/b", "-x", "a b"])
def test_a_name_that_is_no_file_is_no_context(name: str, run: Run) -> None:
    assert run("context", "select", "--", name).status == 2


@pytest.mark.case("C8")
@pytest.mark.parametrize("content", ["{", "[1]", "\x00"])
def test_a_broken_context_is_a_sentence(content: str, run: Run) -> None:
    contexts.write("town", contexts.Context(server="nats://town:1"))
    (contexts.folder() / "town.json").write_text(content, "utf-8")
    ran = run("--context", "town", "watch", "--once")
    assert ran.status == 2
    assert "town.json" in ran.err


# --- asking first, and pages


@pytest.mark.case("C16")
def test_where_nobody_can_be_asked_only_grave_steps_need_yes() -> None:
    confirm("?", yes=True, grave=True)
    confirm("?", yes=False)
    with pytest.raises(Stop) as stopped:
        confirm("?", yes=False, grave=True)
    assert stopped.value.status == 2


@pytest.mark.case("C16")
def test_a_person_is_asked_and_no_ends_it_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setattr("services.console.asking.show_commands", lambda *_: confirm("?", yes=False))
    assert cli.status_of(["do", "--list"]) == 1


@pytest.mark.case("C16")
def test_a_pipe_gets_no_pager_and_no_colour(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "false")
    out = run("do", "--list").out
    assert "ledger.accept" in out
    assert "\x1b" not in out


@pytest.mark.case("C16")
def test_clicolor_0_says_what_no_color_says(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICOLOR", "0")
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.delenv("NO_COLOR")
    run("--version")
    assert json.dumps(terminal._console().no_color) == "true"
    use(Lang.EN)


# --- what is near


@pytest.mark.case("C7")
@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("help", "exit-code"), "exit-codes"),
        (("help", "ladders"), "ladder"),
        (("help", "chater"), "charter"),
        (("help", "charter", "chek"), "check"),
        (("submit", "--vilage", "x"), "--village"),
    ],
)
def test_what_is_near_is_named_first(words: tuple[str, ...], near: str, run: Run) -> None:
    ran = run(*words)
    assert ran.status == 2
    assert f"did you mean {near}" in ran.err


@pytest.mark.case("C7")
def test_the_rungs_of_the_ladder_are_a_topic(run: Run) -> None:
    lines = run("help", "ladder").out.splitlines()
    assert [line[0] for line in lines if line[:1].isdigit()] == list("01234")


class Forbidding:
    """Answers every question as a service does to an actor who may not ask it."""

    actor = "office"

    async def ask(self, *_asked: object, **_more: object) -> None:
        raise Misasked("office may not ask this", FORBIDDEN)


@pytest.mark.case("C7")
async def test_who_may_not_ask_what_is_stuck_is_refused_in_one_sentence() -> None:
    system: Any = Forbidding()
    with pytest.raises(Stop) as stopped:
        await _ask_all(system)
    assert stopped.value.status == Exit.REFUSED
    assert "office may not ask what is stuck" in str(stopped.value)
