"""What personal data there is, and how fields are marked that hold it or cannot."""

from enum import StrEnum
from typing import NamedTuple


class PersonalData(StrEnum):
    """Kinds of personal data, as a channel is told of them."""

    MOBILE_NUMBER = "mobile_number"
    LANDLINE_NUMBER = "landline_number"
    IDENTITY_NUMBER = "identity_number"
    BANK_CARD_NUMBER = "bank_card_number"
    EMAIL = "email"
    ACCOUNT = "account"
    ADDRESS = "address"
    NAME = "name"
    PETITIONER = "petitioner"
    """What the submission says about its own petitioner, found again in another field."""


class Masked(NamedTuple):
    text: str
    kinds: tuple[PersonalData, ...] = ()
    """Sorted, without doubles; empty where nothing was found."""


class Identifier:
    """Marks a text field as a name of something: only a whole number of a person is masked in it."""


class Personal:
    """Marks a field that is meant for personal data: it stays in intake, and no other service is given it."""


IDENTIFIER, PERSONAL = Identifier(), Personal()
HIDDEN = "[隐去]"
"""Takes the place of what stood in a field meant for personal data."""
