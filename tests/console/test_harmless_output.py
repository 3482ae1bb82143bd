"""What others wrote steers no terminal, and shows nothing otherwise than it stands there."""

import json
import sys
from unicodedata import category

import pytest

from services.console.terminal import CONTROL, complain, harmless, say, say_json, say_long

JOINERS = "\u200c\u200d"
EVIL = "a\x1b]0;x\x07b\x9b31mc\u202ed\u2066e\u00adf\u2028g\U000e0041h\ud800i\x7fj"
CHINESE = "办事👨\u200d👩，\t第二行\n第三行 é ﷽"


def test_every_control_and_format_character_is_known() -> None:
    others = {chr(n) for n in range(sys.maxunicode + 1) if category(chr(n)) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    harmful = others - set("\t\n" + JOINERS)
    assert {each for each in harmful if not CONTROL.fullmatch(each)} == set()
    letters = ("L", "M", "N", "P", "S")
    assert not any(
        CONTROL.fullmatch(chr(n))
        for n in range(sys.maxunicode + 1)
        if category(chr(n))[0] in letters
        # Selectors of variants are marks that nobody sees.
        and not 0xE0100 <= n <= 0xE01EF
        and n not in (0xFFFC, 0xFFFD)
    )


def test_text_is_printed_without_them(capsys: pytest.CaptureFixture[str]) -> None:
    for print_it in (say, complain, say_long):
        print_it(EVIL + CHINESE)
        out, err = capsys.readouterr()
        assert (out + err).rstrip("\n") == "a]0;xb31mcdefghij" + CHINESE
    assert harmless(CHINESE) == CHINESE


@pytest.mark.parametrize("one_line", [True, False])
def test_json_is_printed_with_escapes(one_line: bool, capsys: pytest.CaptureFixture[str]) -> None:
    say_json({"body": EVIL + CHINESE, EVIL: 1}, one_line=one_line)
    printed = capsys.readouterr().out
    assert CONTROL.search(printed) is None
    assert "\\u009b" in printed
    assert "\\u202e" in printed
    assert "办事" in printed
    assert json.loads(printed) == {"body": EVIL + CHINESE, EVIL: 1}
