"""Whole lives of matters through all five services in memory: who hears each fact of them."""

import asyncio
from datetime import timedelta

from duban_contracts import applications, handling, intake, ledger, rating, supervision
from duban_contracts.charter import Limit
from duban_contracts.message import Fact, Message
from duban_contracts.topology import TOLD_TO_CHANNEL
from services.chassis.documents import Event
from tests.fuzz.town import CHARTER, MONDAY, FuzzTown

MATTER = "gateway:1"
REJECTED = rating.Rate(
    level=rating.Level.VERY_DISSATISFIED,
    dimensions={rating.Dimension.INTEGRITY: rating.Level.VERY_DISSATISFIED},
)


class Life:
    """One matter; hours pass between its acts, and what falls due meanwhile is told."""

    def __init__(self, category: str) -> None:
        self.town, self.at, self.category = FuzzTown(), MONDAY, category
        self.station = CHARTER.categories[category].lead

    @property
    def entry(self) -> str:
        return self.town.numbers[MATTER]

    @property
    def round(self) -> str:
        """The key of the first round that was struck off."""
        first = next(fact for fact in self.town.told if isinstance(fact, ledger.EntryStruckOff))
        return f"{first.entry}/{first.round}"

    async def do(self, message: Message, actor: str, key: str | None = None) -> list[Fact]:
        self.at += timedelta(hours=1)
        return await self.town.send(message, key or self.entry, actor, self.at)

    async def wait(self, days: int) -> None:
        for _ in range(days):
            self.at += timedelta(days=1)
            await self.town.wake(self.at, most=1_000)

    async def begin(self) -> None:
        await self.do(supervision.StartCampaign(), "office", "campaign/2024")
        required = CHARTER.categories[self.category].required
        said = intake.SubmitMatter(
            title="反映一事", category=self.category, materials=required, village="dongcun"
        )
        await self.do(said, "gateway", MATTER)

    async def closed(self) -> None:
        await self.do(ledger.Resolve(answer="已办"), self.station)
        await self.do(ledger.Verify(passed=True), "office")

    def about(self) -> list[Event]:
        """What names the matter, but for refusals, which go to who asked, and lists of several items."""
        events = self.town.events
        return [event for key, event in events if MATTER in (key, event.data) or self._names(key, event)]

    def _names(self, key: str, event: Event) -> bool:
        named = self.entry in key or self.entry in event.data or f'"{MATTER}"' in event.data
        several = '"items"' in event.data
        refusal = event.type.endswith((".command_refused.v1", ".personal_data_masked.v1"))
        return named and not several and not refusal and event.type.split(".")[1] in SERVICES


SERVICES = ("intake", "ledger", "rating", "supervision", "escalation")


async def a_long_life(category: str) -> Life:
    life = Life(category)
    await life.begin()
    await life.wait(8)  # nobody signs for it
    await life.do(ledger.Accept(), life.station)
    await life.do(handling.Hold(ground=handling.HoldGround.FORCE_MAJEURE, reason="大雨"), life.station)
    await life.wait(2)
    await life.do(handling.Resume(), life.station)
    await life.do(handling.ApplyExtension(length=Limit(amount=2), reason="待料"), life.station)
    await life.do(handling.DecideExtension(granted=True, reason="同意"), "office")
    await life.do(ledger.RecordProgress(note="在办", percent=50), life.station)
    await life.do(handling.ReportUp(to="上级部门", reason="需上级处理"), life.station)
    await life.wait(60)  # overdue
    await life.do(ledger.Resolve(answer="已办"), life.station)
    await life.do(ledger.Verify(passed=False, reason="未办实"), "office")
    await life.closed()
    await life.do(REJECTED, "gateway", life.round)
    await life.wait(30)  # neither called back nor rectified in time
    await life.do(rating.RecordCallback(result=rating.CallbackResult.CONFIRMED), "office", life.round)
    await life.do(rating.RecordRectification(note="已整改"), "office", life.round)
    await life.do(ledger.Accept(), life.station)
    await life.closed()
    await life.wait(60)  # the second round is not rated
    return life


async def short_lives() -> list[Life]:
    """A benefit through its stages, one that lacks papers and is declined, one handed over and taken back."""
    benefit, lacking, back = Life("temporary_relief"), Life("temporary_relief"), Life("garbage")
    for life in (benefit, back):
        await life.begin()
    first = CHARTER.procedures[CHARTER.categories["temporary_relief"].procedure or ""].stages[0].id
    await benefit.do(applications.CompleteStage(stage=first), benefit.station)
    lacks = intake.SubmitMatter(title="临时救助", category=lacking.category, village="dongcun")
    await lacking.do(lacks, "gateway", MATTER)
    declined = intake.DeclineMatter(reason=intake.DeclineReason.COURT, explanation="已在法院审理")
    await lacking.do(declined, "office", MATTER)
    await back.do(handling.Transfer(to="bianmin", reason="归口"), back.station)
    await back.do(intake.WithdrawMatter(reason="已自行解决"), "gateway", MATTER)
    return [benefit, lacking, back]


def test_every_fact_about_a_conduct_matter_is_restricted() -> None:
    life = asyncio.run(a_long_life("conduct"))
    told = {event.type.split(".")[1] for event in life.about()}
    assert told == {"intake", "ledger", "rating", "escalation"}
    assert {event.type for event in life.about() if not event.restricted} == set()


def test_what_the_channel_is_promised_of_its_matters_reaches_it() -> None:
    lives = [asyncio.run(a_long_life("conduct")), *asyncio.run(short_lives())]
    promised = {fact.type for fact in TOLD_TO_CHANNEL}
    told = [event for life in lives for _, event in life.town.events if event.type in promised]
    assert {event.type for event in told if event.channel != "gateway"} == set()
    only_by_a_new_charter = {handling.DeadlineRecomputed.type}
    assert promised - {event.type for event in told} == only_by_a_new_charter
