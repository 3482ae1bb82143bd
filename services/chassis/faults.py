"""How an error is written down: its type and its code, never its text.

The texts of pymongo and pydantic repeat what was written or read, and that may be a petitioner's name.
"""

import traceback
from types import TracebackType
from typing import Any

LONGEST_CHAIN = 5


def fault(error: BaseException) -> str:
    """E.g. `BulkWriteError(121)`: the type, and the number that the server or the system gave it."""
    code = _code(error)
    return type(error).__name__ if code is None else f"{type(error).__name__}({code})"


def where(error: BaseException) -> list[str]:
    """The frames of the traceback, innermost last, as `module:line function`; neither text nor values."""
    return frames(error.__traceback__)


def frames(trace: TracebackType | None) -> list[str]:
    found = traceback.extract_tb(trace)[-8:]
    return [f"{'/'.join(frame.filename.split('/')[-3:])}:{frame.lineno} {frame.name}" for frame in found]


def _code(error: BaseException) -> Any:
    details = getattr(error, "details", None)
    if isinstance(details, dict) and details.get("writeErrors"):
        return details["writeErrors"][0].get("code")
    for name in ("err_code", "code", "errno"):
        code = getattr(error, name, None)
        if isinstance(code, int | str) and len(str(code)) <= 20:
            return code
    return None
