"""Wait for a condition, never for a time."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

Met = TypeVar("Met")


def until(condition: Callable[[], Met], seconds: float = 60) -> Met:
    """What the condition gave when it held; raises RetryError when it never does."""
    waiting = Retrying(
        retry=retry_if_result(lambda met: not met), wait=wait_fixed(0.05), stop=stop_after_delay(seconds)
    )
    return waiting(condition)
