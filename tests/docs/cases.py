"""The table of docs/cases.md: which test names which case.

`python -m tests.docs.cases` writes the last column.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "cases.md"
ROW = re.compile(r"^\| ([A-C]\d+) \|.* \| ([^|]*) \|$")
OPEN = "open"
"""In the last column: no test names this case yet."""


def named_cases() -> dict[str, list[str]]:
    """Case -> the files with a test, class or module that is marked `@pytest.mark.case("…")`."""
    files: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        source = path.read_text("utf-8")
        if "mark.case(" not in source:
            continue
        for case in _marked(ast.parse(source)):
            files[case].add(path.relative_to(ROOT).as_posix())
    return {case: sorted(found) for case, found in files.items()}


def _marked(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.case":
            yield from (str(ast.literal_eval(argument)) for argument in node.args)


def rows() -> dict[str, str]:
    """Case -> what its last column says."""
    found = map(ROW.match, TABLE.read_text("utf-8").splitlines())
    return {match[1]: match[2].strip() for match in found if match}


def last_columns() -> dict[str, str]:
    """Case -> what its last column should say."""
    named = named_cases()
    return {case: ", ".join(f"`{file}`" for file in named.get(case, ())) or OPEN for case in rows()}


def write() -> None:
    wanted = last_columns()
    lines = []
    for line in TABLE.read_text("utf-8").splitlines():
        match = ROW.match(line)
        lines.append(line[: match.start(2)] + wanted[match[1]] + " |" if match else line)
    TABLE.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    write()
