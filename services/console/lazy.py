"""Commands that are imported when they are named: help and completion know them by their line in a table."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from services.console.help_text import help_text
from services.console.i18n import _

COMMAND_SETTINGS = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True)
class LazyCommand:
    """`target` is `module:attribute` below services.console: a function, or a typer.Typer for a group."""

    name: str
    target: str
    help: str

    @property
    def is_group(self) -> bool:
        return self.target.endswith(":app")

    def load(self) -> Any:
        """A module may have `CONTEXT_SETTINGS` for its command, and `explain`, which gives a page of help."""
        name, _colon, attribute = self.target.partition(":")
        module = import_module(f"services.console.{name}")
        found = getattr(module, attribute)
        if isinstance(found, typer.Typer):
            command: Any = get_group(found)
        else:
            single = typer.Typer(add_completion=False)
            settings = COMMAND_SETTINGS | getattr(module, "CONTEXT_SETTINGS", {})
            single.command(self.name, help=self.help, context_settings=settings)(found)
            command = get_command(single)
        command.name, command.help = self.name, self.help
        prepared(command)
        if explain := getattr(module, "explain", None):
            _explained(command, explain)
        return command


def _explained(command: Any, explain: Callable[[list[str]], str | None]) -> None:
    """`--help` is answered before the words around it are parsed, so they are kept aside for it."""
    parse = command.parse_args

    def parse_args(ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = list(args)
        return list(parse(ctx, args))

    command.parse_args = parse_args
    command.get_help = lambda ctx: explain(ctx.meta.get(WORDS, [])) or help_text(command, ctx)


WORDS = "duban.words"


class LazyCommands(dict[str, Any]):
    """The commands by name; looking one up imports it, iterating over the names imports nothing."""

    def __init__(self, *commands: LazyCommand) -> None:
        super().__init__({each.name: each for each in commands})

    def lines(self) -> Iterator[LazyCommand]:
        return (super(LazyCommands, self).__getitem__(name) for name in self)

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name).load()

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - that is this method


class LazyGroup(TyperGroup):
    """The root: its commands come from the table in `cli`."""

    def __init__(self, **attributes: Any) -> None:
        from services.console.cli import COMMANDS

        super().__init__(**attributes)
        self.commands = COMMANDS
        prepared(self, below=False)

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        return list(self.commands)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        from typer._click.shell_completion import CompletionItem

        lines: Iterable[LazyCommand] = self.commands.lines()  # type: ignore[attr-defined]
        named = [
            CompletionItem(each.name, help=_(each.help)) for each in lines if each.name.startswith(incomplete)
        ]
        return [*named, *super(TyperGroup, self).shell_complete(ctx, incomplete)]


def prepared(command: Any, below: bool = True) -> Any:
    """Its help, and that of the commands below it, in the language in use and laid out by `help_text`."""
    command.help = _(command.help) if command.help else command.help
    command.rich_markup_mode = None
    command.get_help = lambda ctx: help_text(command, ctx)
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = _(parameter.help)
    if below:
        for each in getattr(command, "commands", {}).values():
            prepared(each)
    return command
