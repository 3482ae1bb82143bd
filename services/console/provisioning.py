"""`duban provision`: the one step that creates and updates what the broker must hold."""

from typing import Annotated

import typer

from services.chassis.provision import STORE_GB, WAITS, Kept, NoRoom, NotUpdatable
from services.chassis.provision import provision as create_and_update
from services.console.i18n import N_, _
from services.console.terminal import (
    Exit,
    Format,
    FormatOption,
    Stop,
    complain,
    ending,
    on_system,
    say,
    say_json,
)


def provision(
    ctx: typer.Context,
    replicas: Annotated[
        int | None,
        typer.Option(
            "--replicas", min=1, max=5, help=N_("Copies on a NATS cluster: 1, 3 or 5; default: as they are")
        ),
    ] = None,
    store: Annotated[
        float,
        typer.Option(
            "--store",
            envvar="DUBAN_STORE_GB",
            min=0.1,
            help=N_("Gigabytes for all streams together; less than the server may store"),
        ),
    ] = STORE_GB,
    output: FormatOption = Format.TEXT,
) -> None:
    with ending(output):
        try:
            limit = int(store * 1e9)
            kept = on_system(
                ctx, lambda system: create_and_update(system.client, replicas, store_bytes=limit)
            )
        except NoRoom as refused:
            sentence = _(
                "{store} GB for all streams is more than the server may store ({name}: {reason}); lower "
                "--store (DUBAN_STORE_GB), or raise max_file in deploy/nats/nats.conf and restart NATS"
            )
            details = {"store": f"{store:g}", "name": refused.name, "reason": refused.reason}
            raise Stop(Exit.REFUSED, "no_room", sentence.format(**details), **details) from None
        except NotUpdatable as refused:
            sentence = _("the server refuses what {name} needs: {reason}; see {guide}")
            details = {"name": refused.name, "reason": refused.reason, "guide": GUIDE}
            raise Stop(Exit.REFUSED, "not_updatable", sentence.format(**details), **details) from None
        if output is Format.JSON:
            return say_json({"provisioned": True, "kept": [setting._asdict() for setting in kept]})
        for setting in kept:
            complain(_kept(setting))
        return say(_("streams, consumers and buckets are up to date"))


GUIDE = 'deploy/README.md ("A stream that cannot be updated")'


def _kept(kept: Kept) -> str:
    if kept.setting == WAITS:
        waiting = _(
            "warning: many commands wait in {stream}, so it is not limited for each actor yet; let the "
            "service answer them, then run `duban provision` again"
        )
        return waiting.format(stream=kept.stream)
    sentence = _(
        "warning: {stream} keeps {setting}={present} of an older version; the server cannot change it to "
        "{wanted}. It works like that; to make the stream anew, see {guide}"
    )
    return sentence.format(**kept._asdict(), guide=GUIDE)
