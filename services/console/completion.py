"""`duban completion SHELL`: the script that completes commands and options."""

from enum import StrEnum
from typing import Annotated

import typer

from services.console.i18n import N_


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[
        Shell,
        typer.Argument(
            help=N_('Put its script where the shell reads it, e.g. `eval "$(duban completion bash)"`')
        ),
    ],
) -> None:
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    typer.echo(get_completion_script(prog_name="duban", complete_var="_DUBAN_COMPLETE", shell=shell.value))
