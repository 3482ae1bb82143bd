"""Run `duban` as the console script does, in this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from services.console.cli import main
from services.console.i18n import Lang, use


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output, which must be exactly one JSON document."""
        return TypeAdapter(dict[str, Any]).validate_json(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # not the contexts of whoever tests
    monkeypatch.delenv("DUBAN_CONTEXT", raising=False)
    monkeypatch.setenv("DUBAN_LANG", "en")
    monkeypatch.delenv("DUBAN_NATS_URL", raising=False)

    def duban(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        told = capsys.readouterr()
        return Ran(int(ended.value.code or 0), told.out, told.err)

    yield duban
    use(Lang.EN)
