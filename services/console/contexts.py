"""Contexts: which system, as whom, in which language, under a name, as `nats context` has them.

One JSON file each in `$XDG_CONFIG_HOME/duban/context` (default `~/.config`), for their owner only since they
may hold a credential; `context.txt` beside the folder names the selected one. What an option or the
environment says goes before the context, and the context before the defaults.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from services.console.exit_codes import Exit
from services.console.i18n import _, value_of
from services.console.lazy import LazyCommands
from services.console.terminal import Stop, misuse

DEFAULT_SERVER = "nats://127.0.0.1:4222"
NATS, ACTOR = "nats", "actor"
"""The parser's names of the options that a context stands in for."""
WITHOUT_ACTOR = ("context", "help", "completion")
"""Commands that no context stands in for; the first two are also names of options of every command."""
GROUP_PARAMETERS = ("help",)
"""What the parser asks the defaults of a group for, beside the names of its commands."""
NAME = re.compile(r"[\w][\w.-]{0,63}")


@dataclass(frozen=True)
class Context:
    """What stands in the file of a context; all of it is optional."""

    server: str | None = None
    """The address of NATS, with the credential or without."""
    credential: str | None = None
    """A file that holds `user:password`, or an address that does; read anew each time."""
    actor: str | None = None
    lang: str | None = None

    def url(self) -> str | None:
        """The address with the credential in it; raises Stop where the credential cannot be read."""
        if not self.credential:
            return self.server
        told = _secret(Path(self.credential))
        address = told if "://" in told else f"//{_quoted(told)}@{urlsplit(DEFAULT_SERVER).netloc}"
        given = urlsplit(address)
        if not self.server:
            return urlunsplit(("nats", given.netloc, "", "", ""))
        scheme, netloc, *rest = urlsplit(self.server)
        user = given.netloc.rpartition("@")[0]
        host = netloc.rpartition("@")[2]
        return urlunsplit((scheme, f"{user}@{host}" if user else host, *rest))

    def defaults(self, commands: LazyCommands) -> dict[str, Any]:
        """What the parser takes where neither an option nor the environment says otherwise."""
        if not any((self.server, self.credential, self.actor)):
            return {}
        own = {ACTOR: self.actor} if self.actor else {}
        below: dict[str, Any] = {
            each.name: _Below(own) if each.is_group else own
            for each in commands.lines()
            if each.name not in WITHOUT_ACTOR
        }
        url = self.url()
        return {**below, **own, **({NATS: url} if url else {})}


class _Below(dict[str, Any]):
    """The defaults of a group: those of each of its commands."""

    def get(self, name: str, default: Any = None) -> Any:
        return default if name in GROUP_PARAMETERS else dict(self)


def asker(url: str, defaults: Mapping[str, Any]) -> str | None:
    """Who asks by the context; None where the environment or the user of another address says it."""
    if os.environ.get("DUBAN_ACTOR") or (url != defaults.get(NATS) and urlsplit(url).username):
        return None
    actor = defaults.get(ACTOR)
    return str(actor) if actor else None


def folder() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "duban" / "context"


def selected() -> str | None:
    """The name of the selected context, if there is one."""
    try:
        return _selection().read_text("utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def in_force(arguments: Sequence[str] = ()) -> Context:
    """The one that `--context` names, else DUBAN_CONTEXT, else the selected one, else an empty one.

    Raises Stop where it cannot be read; a selected one that is gone counts as none.
    """
    named = value_of("--context", arguments) or os.environ.get("DUBAN_CONTEXT")
    if named:
        return read(named)
    name = selected()
    return read(name) if name and _file(name).exists() else Context()


def names() -> list[str]:
    return sorted(file.stem for file in folder().glob("*.json"))


def read(name: str) -> Context:
    """Raises Stop."""
    file = _file(name)
    try:
        held = json.loads(file.read_text("utf-8"))
        known = {field.name for field in fields(Context)}
        return Context(**{key: str(value) for key, value in held.items() if key in known and value})
    except FileNotFoundError:
        raise misuse(_("there is no context {name!r}").format(name=name) + _near(name)) from None
    except (OSError, ValueError, AttributeError):
        raise misuse(_("{file} is not a context; remove it and add it again").format(file=file)) from None


def write(name: str, context: Context) -> Path:
    """For its owner only. Raises Stop."""
    file = _file(name)
    held = {key: value for key, value in asdict(context).items() if value}
    text = json.dumps(held, ensure_ascii=False, indent=2) + "\n"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_for_owner(file, text)
    except OSError as error:
        raise _unwritable(file, error) from None
    return file


def select(name: str) -> None:
    """Raises Stop where there is none of this name."""
    read(name)
    try:
        _write_for_owner(_selection(), f"{name}\n")
    except OSError as error:
        raise _unwritable(_selection(), error) from None


def remove(name: str) -> None:
    """Raises Stop where there is none of this name."""
    file = _file(name)
    if not file.exists():
        raise misuse(_("there is no context {name!r}").format(name=name) + _near(name))
    try:
        file.unlink()
        if selected() == name:
            _selection().unlink()
    except OSError as error:
        raise _unwritable(file, error) from None


def _file(name: str) -> Path:
    if not NAME.fullmatch(name):
        raise misuse(_("{name!r} cannot name a context: letters, digits, - _ . only").format(name=name))
    return folder() / f"{name}.json"


def _selection() -> Path:
    return folder().parent / "context.txt"


def _write_for_owner(file: Path, text: str) -> None:
    """Never readable for others, not even for a moment; replaced as a whole."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    beside.replace(file)


def _unwritable(file: Path, error: OSError) -> Stop:
    return misuse(_("{file} cannot be written: {why}").format(file=file, why=error.strerror))


def _secret(file: Path) -> str:
    try:
        return file.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        sentence = _("the credential {file} of the context cannot be read: {why}")
        raise Stop(Exit.MISUSE, "misuse", sentence.format(file=file, why=why)) from None


def _quoted(told: str) -> str:
    user, colon, password = told.partition(":")
    return f"{quote(user, safe='')}{colon}{quote(password, safe='')}"


def _near(name: str) -> str:
    from difflib import get_close_matches

    known = names()
    near = get_close_matches(name, known) or known[:5]
    return _("; did you mean {names}?").format(names=_(", ").join(near)) if near else ""
