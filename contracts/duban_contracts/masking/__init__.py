"""Personal data in free text: found, and masked so that a reader still understands the sentence. Pure.

Officials and citizens write what they should not into titles, notes and answers. Every free text of a command
is masked before anything is decided (`services/chassis/inbox.py`), so no fact holds it. What is found:

| kind | found | becomes |
|---|---|---|
| mobile_number | 11 digits, with +86, in full-width or Chinese digits, in groups | `[手机号]` |
| landline_number | with its area code; without one after a label such as 电话 | `[固定电话]`, `[号码]` |
| identity_number | 15 or 18 digits with a birth date; in groups with the check digit | `[身份证号]` |
| bank_card_number | 16 to 19 digits that pass the Luhn check, in groups too | `[银行卡号]` |
| email | an address | `[邮箱]` |
| account | what follows a label such as 微信, QQ, 护照号, 账号 | `[号码]` |
| address | the numbers of a dwelling: `12号3单元502室` | `某号某单元某室` |
| name | after a label (姓名：…), before 先生 or 女士; what the petitioner said of himself | `某某` |

In an identifier (a key, a token) digits become zeros: it keeps its form and its length.
Nothing of a number is left: the last digits here and the first ones there would make it whole again. A masked
text is never longer than it was, and masking it again changes nothing. Left alone: numbers of the register
(`2024-000123`), dates, amounts, service numbers (12345, 110, 400-…), coordinates, UUIDs and hashes.

What cannot be recognised is listed in `contracts/README.md`.
"""

from duban_contracts.masking.bodies import LEFT_OUT, MOST_MASKED, mask_body, mask_header, mask_unread
from duban_contracts.masking.kinds import (
    HIDDEN,
    IDENTIFIER,
    PERSONAL,
    Identifier,
    Masked,
    Personal,
    PersonalData,
)
from duban_contracts.masking.messages import MaskedPlace, free_text_fields, known_values, mask_message
from duban_contracts.masking.numbers import check_digit, luhn
from duban_contracts.masking.texts import mask, mask_identifier

__all__ = [
    "HIDDEN",
    "IDENTIFIER",
    "LEFT_OUT",
    "MOST_MASKED",
    "PERSONAL",
    "Identifier",
    "Masked",
    "MaskedPlace",
    "Personal",
    "PersonalData",
    "check_digit",
    "free_text_fields",
    "known_values",
    "luhn",
    "mask",
    "mask_body",
    "mask_header",
    "mask_identifier",
    "mask_message",
    "mask_unread",
]
