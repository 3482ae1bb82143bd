"""Whether a question is answered by its index: what the server says it reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.ledger.views.indexes import Index, hint
from services.ledger.views.walking import MOST_KEYS, Walk

SLACK = 100
"""Keys that are seen on the way from one run of the index to the next, of some ten runs."""


@dataclass(frozen=True)
class Explained:
    stages: tuple[str, ...]
    keys: int
    """Of the index, looked at."""
    documents: int
    """Read, of which `returned` were wanted."""
    returned: int

    @property
    def index_bound(self) -> bool:
        """Neither a look at everything nor a sort in memory, and never more keys than one page may skip."""
        in_bounds = self.documents <= self.keys <= MOST_KEYS + SLACK
        return in_bounds and not {"COLLSCAN", "SORT"} & set(self.stages)

    @property
    def hardly_in_vain(self) -> bool:
        """What was not wanted was seen in the index already."""
        return self.documents <= 2 * max(self.returned, 1)


async def explained(
    collection: Any, where: dict[str, Any], sort: tuple[str, int], limit: int, index: Index | None
) -> Explained:
    find = {"find": collection.name, "filter": where, "sort": dict([sort]), "limit": limit}
    if index is not None:
        find["hint"] = dict(hint(index))
    told = await collection.database.command("explain", find, verbosity="executionStats")
    stats = told["executionStats"]
    stages = tuple(_stages(stats["executionStages"]))
    return Explained(stages, stats["totalKeysExamined"], stats["totalDocsExamined"], stats["nReturned"])


async def walk_explained(collection: Any, walk: Walk, limit: int) -> Explained:
    return await explained(collection, walk.where, (walk.sort, walk.direction), limit, walk.index)


def _stages(stage: Any) -> Iterator[str]:
    if "stage" in stage:
        yield stage["stage"]
    for inner in (stage.get("inputStage"), *stage.get("inputStages", ())):
        if inner:
            yield from _stages(inner)
