"""Whether a question is answered by its index: what the server says it reads."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.ledger.views.indexes import Index, hint


@dataclass(frozen=True)
class Explained:
    stages: tuple[str, ...]
    examined: int
    """Documents read, of which `returned` were wanted."""
    returned: int

    @property
    def index_bound(self) -> bool:
        """Neither a look at everything nor a sort in memory, and hardly a document read in vain."""
        return not {"COLLSCAN", "SORT"} & set(self.stages) and self.examined <= 2 * max(self.returned, 1)


async def explained(
    collection: Any, where: dict[str, Any], sort: tuple[str, int], limit: int, index: Index | None
) -> Explained:
    find = {"find": collection.name, "filter": where, "sort": dict([sort]), "limit": limit}
    if index is not None:
        find["hint"] = dict(hint(index))
    told = await collection.database.command("explain", find, verbosity="executionStats")
    stats = told["executionStats"]
    stages = tuple(_stages(stats["executionStages"]))
    return Explained(stages, stats["totalDocsExamined"], stats["nReturned"])


def _stages(stage: Any) -> Iterator[str]:
    if "stage" in stage:
        yield stage["stage"]
    for inner in (stage.get("inputStage"), *stage.get("inputStages", ())):
        if inner:
            yield from _stages(inner)
