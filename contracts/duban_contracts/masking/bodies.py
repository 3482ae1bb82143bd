"""Bodies and headers that perhaps nobody can read, for places outside of intake's database."""

import json
import re
from typing import Any
from urllib.parse import quote, unquote

from duban_contracts.masking.kinds import HIDDEN
from duban_contracts.masking.texts import NUMBERS, mask, mask_identifier
from duban_contracts.masking.view import View

PETITIONER_KEYS = frozenset({"petitioner", "on_behalf_of", "phone", "id_card", "identity_number", "address"})
_DEDICATED = re.compile(
    rf'("(?:{"|".join(sorted(PETITIONER_KEYS | {"name", "text"}))})"\s*:\s*)"(?:[^"\\]|\\.)*"?'
)

MOST_MASKED = 16_384
"""Characters of one body that are looked through; what stands behind them is left out. Anybody may send a
body as large as the broker takes, and at two microseconds for each character one would take a second."""
EDGE = 64
"""Characters before such a cut that are left out too: half a number is not recognised."""
LEFT_OUT = "…"


class _Budget:
    """What may still be looked through."""

    def __init__(self) -> None:
        self._left = MOST_MASKED

    def mask(self, text: str) -> str:
        if len(text) <= self._left:
            self._left = max(0, self._left - max(1, len(text)))
            return mask(text).text
        whole, self._left = mask(text[: self._left]).text, 0
        return whole[:-EDGE] + LEFT_OUT


def mask_body(body: bytes, service: str = "") -> bytes:
    """A body that perhaps nobody can read, for places outside of intake's database; the same bytes where
    nothing is found.

    Of JSON every text and number is masked, and what is meant for a person's data is hidden: `petitioner`
    always, the petitioner's words (`text`) where the body was for intake. Anything else is masked as text. Of
    what is larger than `MOST_MASKED` the rest is left out.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _mask_bytes(body)
    hidden = PETITIONER_KEYS | {"text"} if service == "intake" else PETITIONER_KEYS
    try:
        masked = _mask_json(document, hidden, _Budget())
    except RecursionError:
        return _mask_bytes(body)
    return body if masked == document else json.dumps(masked, ensure_ascii=False).encode()


def mask_unread(text: str, service: str = "") -> str:
    """Bytes as text, undecodable ones as surrogates: a body or a header that nobody could read."""
    return mask_body(text.encode(errors="surrogateescape"), service).decode(errors="surrogateescape")


def mask_header(value: str) -> str:
    """A header's value as it travels, percent-encoded or not."""
    masked = mask_identifier(mask(unquote(value)).text).text if "%" in value else mask(value).text
    return value if masked in (value, unquote(value)) else quote(masked)


def _mask_json(value: Any, hidden: frozenset[str], budget: _Budget) -> Any:
    match value:
        case str():
            return budget.mask(value)
        case bool() | None:
            return value
        case int() | float():
            written = str(value)
            masked = budget.mask(written)
            return value if masked == written else masked
        case list():
            return [_mask_json(each, hidden, budget) for each in value]
        case dict():
            return {
                budget.mask(key): _hide(each) if key in hidden else _mask_json(each, hidden, budget)
                for key, each in value.items()
            }
        case _:
            return value


def _hide(value: Any) -> Any:
    """The shape stays, so that one sees what was wrong with it."""
    match value:
        case None | bool() | "":
            return value
        case dict():
            return {key: _hide(each) for key, each in value.items()}
        case list():
            return [_hide(each) for each in value]
        case _:
            return HIDDEN


def _mask_bytes(body: bytes) -> bytes:
    for encoding in ("utf-8", "gb18030"):
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            continue
        masked = _DEDICATED.sub(rf'\1"{HIDDEN}"', _Budget().mask(text))
        return body if masked == text else masked.encode(encoding)
    # Neither: at least the digits stand where they stand in ASCII.
    text = body.decode("latin-1")
    masked = text[:MOST_MASKED]
    for _kind, _gate, find in NUMBERS:
        view = View(masked)
        masked = view.cut([(start, end, "*" * 4) for start, end, _mark in find(view.text)])
    if len(text) > MOST_MASKED:
        masked = masked[:-EDGE]
    return masked.encode("latin-1", "replace") if masked != text else body
