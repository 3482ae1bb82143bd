"""The exit codes of `duban`, for scripts: one table, which `duban help exit-codes` and the README show."""

from collections.abc import Mapping
from enum import IntEnum

from services.console.i18n import N_


class Exit(IntEnum):
    """What scripts read; a code never changes its meaning."""

    DONE = 0
    REFUSED = 1
    MISUSE = 2
    UNREACHABLE = 3
    PARTLY = 4
    FAULT = 70
    """As EX_SOFTWARE of sysexits.h."""
    INTERRUPTED = 130
    """128 + SIGINT, as shells count."""
    PIPE_CLOSED = 141
    """128 + SIGPIPE."""


MEANINGS: Mapping[Exit, str] = {
    Exit.DONE: N_("done"),
    Exit.REFUSED: N_("refused: by a rule, or by the server for want of permission; nothing was done"),
    Exit.MISUSE: N_("bad usage: an option, a field, a file or a map that cannot be used; nothing was sent"),
    Exit.UNREACHABLE: N_("not reachable, not started, or no answer in time; safe to try again"),
    Exit.PARTLY: N_("partly done: some rows of an import were refused, or a check of `doctor` failed"),
    Exit.FAULT: N_("a fault in this program; DUBAN_DEBUG=1 shows where"),
    Exit.INTERRUPTED: N_("interrupted by Ctrl-C; `watch`, and `up` once it is ready, end with 0"),
    Exit.PIPE_CLOSED: N_("whoever read the output stopped reading"),
}
