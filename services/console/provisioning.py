"""`duban provision`: the one step that creates and updates what the broker must hold."""

from typing import Annotated

import typer

from services.chassis.provision import STORE_GB, OldStream
from services.chassis.provision import provision as create_and_update
from services.console.i18n import N_, _
from services.console.terminal import Exit, Format, FormatOption, Stop, ending, on_system, say, say_json


def provision(
    ctx: typer.Context,
    replicas: Annotated[
        int, typer.Option("--replicas", min=1, max=5, help=N_("Copies on a NATS cluster: 1, 3 or 5"))
    ] = 1,
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
            on_system(ctx, lambda system: create_and_update(system.client, replicas, store_bytes=limit))
        except OldStream as old:
            sentence = _(
                "an older version made the stream {stream} as a work queue; let its service answer what is "
                "in it, stop the service, delete the stream, and provision again"
            )
            raise Stop(Exit.REFUSED, "old_stream", sentence.format(stream=old), stream=str(old)) from None
        if output is Format.JSON:
            return say_json({"provisioned": True, "replicas": replicas})
        return say(_("streams, consumers and buckets are as they must be"))
