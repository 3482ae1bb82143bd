"""What is asked about the category of a matter and about several that are the same, as commands for numbers.

What is decided for a merged entry concerns the one that it was merged into, and the other way round: the
ledger hears its own facts about that.
"""

from collections.abc import Iterable

from duban_contracts import merging, reclassifying
from duban_contracts.charter import Charter
from services.chassis.heard import Handlers, Heard
from services.ledger.decider import (
    Command,
    FollowSurvivor,
    LinkMerged,
    Merge,
    Reclassify,
    Survivor,
    UnlinkMerged,
)

Wanted = Iterable[tuple[str, Command]]


def reclassify_matter(heard: Heard[reclassifying.ReclassifyMatter], _: Charter) -> Wanted:
    said = heard.data
    yield heard.key, Reclassify(heard.asked, said.category, said.kind, said.reason)


def merge_matter(heard: Heard[merging.MergeMatter], _: Charter) -> Wanted:
    survivor = heard.found if isinstance(heard.found, Survivor) else None
    yield heard.key, Merge(heard.asked, heard.data.into, heard.data.reason, survivor)


def matter_merged(heard: Heard[merging.MatterMerged], _: Charter) -> Wanted:
    said = heard.data
    yield said.into, LinkMerged(heard.now, said.entry, said.nth, said.restricted)


def matter_unmerged(heard: Heard[merging.MatterUnmerged], _: Charter) -> Wanted:
    said = heard.data
    yield said.was_into, UnlinkMerged(heard.now, said.entry, said.nth)


def survivor_ended(heard: Heard[merging.SurvivorEnded], _: Charter) -> Wanted:
    said = heard.data
    yield (
        said.entry,
        FollowSurvivor(
            heard.now,
            said.survivor,
            said.station,
            said.struck_off,
            said.by,
            said.outcome,
            said.answer,
            said.resolved_at,
        ),
    )


HEARS: Handlers = {
    reclassifying.ReclassifyMatter: reclassify_matter,
    merging.MergeMatter: merge_matter,
    merging.MatterMerged: matter_merged,
    merging.MatterUnmerged: matter_unmerged,
    merging.SurvivorEnded: survivor_ended,
}
