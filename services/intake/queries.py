"""Who the petitioner is, for somebody whose reading was put on record a moment ago."""

from duban_contracts.intake import Duty, PetitionerShown
from duban_contracts.masking import known_values, mask
from duban_contracts.queries import AskPetitioner, HistoryOf, PetitionerFound, PetitionerRead
from services.chassis.service import Query, Reading
from services.intake.decider import ENTRY
from services.intake.decider.situations import Submission, SubmissionKept


async def petitioner(reading: Reading, question: AskPetitioner) -> PetitionerFound:
    """Nothing unless a `show_petitioner` of the same asker was granted, and not long ago.

    The record comes first: it is a fact that is stored before anything is read.
    """
    shown = await _recorded(reading, question.entry)
    if shown is None:
        return PetitionerFound()
    found = await reading.states("intake", [shown.submission])
    _version, state = found.get(shown.submission, (0, None))
    if not isinstance(state, Submission):
        return PetitionerFound()
    return PetitionerFound(read=_read(shown, state.kept))


async def _recorded(reading: Reading, entry: str) -> PetitionerShown | None:
    """The asker's latest reading that is not over."""
    page, latest = HistoryOf(key=f"{ENTRY}{entry}"), None
    while True:
        answers = await reading.history(None, page)
        for told in (told for answer in answers.answers for told in answer.facts):
            if told.type == PetitionerShown.type:
                shown = PetitionerShown.model_validate_json(told.data)
                if shown.by == reading.actor and shown.until > reading.now():
                    latest = shown
        if answers.next is None:
            return latest
        page = page.model_copy(update={"after": answers.next})


def _read(shown: PetitionerShown, kept: SubmissionKept) -> PetitionerRead:
    submitted = kept.submitted
    withheld = bool(submitted.petitioner and submitted.petitioner.confidential) and shown.duty not in (
        Duty.CALLBACK,
        Duty.ASSIGNMENT,
    )
    known = known_values(submitted) if withheld else ()
    return PetitionerRead(
        entry=shown.entry,
        submission=shown.submission,
        title=mask(submitted.title, known).text if withheld else submitted.title,
        text=mask(submitted.text, known).text if withheld else submitted.text,
        petitioner=None if withheld else submitted.petitioner,
        withheld=withheld,
        channel=submitted.channel,
        submitted_at=kept.at,
    )


QUERIES = {"petitioner": Query(AskPetitioner, petitioner)}
