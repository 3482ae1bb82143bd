"""Numbers that lead to a person: telephones, identity and bank cards, e-mail addresses, accounts."""

import re
from collections.abc import Iterator

from duban_contracts.masking.view import Cut

GAP = r"[ .\-_~()/]{1,3}"
OR_NOT = r"[ .\-_~()/]{0,3}"
_BEFORE = r"(?<!\d)(?<!\d-)"
_AFTER = r"(?!\d)(?!\.\d{1,4}(?!\d))(?! ?(?:元|万元|亿元|圆|块钱))"

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_HASH = r"(?=[0-9]*[a-fA-F])[0-9a-fA-F]{24,}"
_HANDS_OFF = re.compile(rf"(?<![0-9A-Za-z])(?:{_UUID}|{_HASH})(?![0-9A-Za-z])")

_MOBILE = re.compile(
    rf"(?<!\d)(?:(?:\+|00)?86{OR_NOT})?0?(?:"
    rf"1[3-9]\d{OR_NOT}\d{{4}}{OR_NOT}\d{{4}}"
    rf"|1[3-9]\d{OR_NOT}\d{{3}}{OR_NOT}\d{{5}}"
    rf"|1[3-9]\d{GAP}\d{{2}}(?:{GAP}\d{{2}}){{3}}"
    rf"|1[3-9]\d\d{GAP}\d{{4}}{GAP}\d{{3}}"
    rf"|1[3-9]\d\d{GAP}\d{{3}}{GAP}\d{{4}}"
    rf"|1[3-9]\d{{3}}{GAP}\d{{6}}"
    rf"|1[3-9](?:{GAP}\d\d){{4}}{GAP}\d"
    rf"|1{GAP}[3-9](?:{GAP}\d){{9}}"
    rf"){_AFTER}"
)
_LANDLINE = re.compile(
    rf"{_BEFORE}(?:(?:\+|00)86{OR_NOT})?[(]?0(?:10|2\d|[3-9]\d\d)[)]?{OR_NOT}"
    rf"(?:[2-9]\d{{2,3}}{OR_NOT}\d{{4}}|[2-9]\d{{6}})(?: ?(?:转|ext\.?|-) ?\d{{1,6}})?(?!\d)"
)
_FOREIGN_CODE_LANDLINE = re.compile(
    rf"(?<!\d)(?:\+|00)?86{GAP}(?:10|2\d|[3-9]\d\d){GAP}[2-9]\d{{2,3}}{OR_NOT}\d{{4}}(?!\d)"
)
_IDENTITY = re.compile(r"(?<!\d)(?=([1-9]\d{16}[\dXx])(?![\dA-Za-z]))")
_S = r"[ .\-]?"
_BORN = (
    rf"(?:1{_S}[89]|2{_S}0){_S}\d{_S}\d{_S}"
    rf"(?:0{_S}[1-9]|1{_S}[0-2]){_S}(?:0{_S}[1-9]|[12]{_S}\d|3{_S}[01])"
)
# The day of birth stands in the pattern: a text of nothing but single digits would match at each of them.
_IDENTITY_SPACED = re.compile(
    rf"(?<!\d)(?=([1-9](?:{_S}\d){{5}}{_S}{_BORN}(?:{_S}\d){{3}}{_S}[\dXx])(?![\dA-Za-z]))"
)
_IDENTITY_OLD = re.compile(r"(?<!\d)(?=([1-9]\d{14}|[1-9]\d{5}[ \-]\d{6}[ \-]\d{3})(?!\d))")
_CARD = re.compile(
    r"(?<!\d)(?=(\d{16,19}|\d{4}(?:[ \-.]\d{4}){3}(?:[ \-.]?\d{1,3})?|\d{6}[ \-.]\d{10,13})(?!\d))"
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})+")
LABELS = (
    r"身份证|证件|护照|通行证|驾驶证|驾照|社保卡?|医保卡?|银行卡|信用卡|存折|卡|账|帐|微信|QQ|qq|支付宝|"
    r"电话|手机|座机|联系方式|tel|Tel|TEL|phone|Phone"
)
_LABELLED = re.compile(
    rf"(?P<label>{LABELS})(?:号码|号|账号|帐号)?(?: ?[:是为] ?| )?"
    r"(?P<number>[A-Za-z0-9](?:[ \-_]?[A-Za-z0-9]){5,31})(?![A-Za-z0-9])"
)
_NICKNAMED = frozenset(("微信", "QQ", "qq", "支付宝"))
_SERVICE_NUMBER = re.compile(r"(?:400|800)[ \-]?\d{3,4}[ \-]?\d{3,4}|(?:95|96|10|11|12)\d{1,6}")
_PROVINCE = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
"""With which an identity number begins (GB/T 2260)."""
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def find_mobiles(text: str) -> Iterator[Cut]:
    for found in _outside(_MOBILE, text):
        yield (*found.span(), "[手机号]")


def find_landlines(text: str) -> Iterator[Cut]:
    for pattern in (_LANDLINE, _FOREIGN_CODE_LANDLINE):
        for found in _outside(pattern, text):
            yield (*found.span(), "[固定电话]")


def find_identities(text: str) -> Iterator[Cut]:
    for found in _outside(_IDENTITY, text):
        if _is_identity(found[1]):
            yield (*found.span(1), "[身份证号]")
    for found in _outside(_IDENTITY_SPACED, text):
        number = re.sub(r"[ .\-]", "", found[1])
        if _is_identity(number) and check_digit(number) == number[-1].upper():
            yield (*found.span(1), "[身份证号]")
    for found in _outside(_IDENTITY_OLD, text):
        number = re.sub(r"[ \-]", "", found[1])
        if _PROVINCE.match(number) and _is_day(number[8:10], number[10:12]):
            yield (*found.span(1), "[身份证号]")


def _is_identity(number: str) -> bool:
    """By its parts (GB 11643): a mistyped check digit leaves it as good as the number. 91 also begins the
    numbers of firms, so there it has to agree."""
    built = (
        _PROVINCE.match(number)
        and number[6:8] in ("18", "19", "20")
        and _is_day(number[10:12], number[12:14])
    )
    return bool(built) and (number[0] != "9" or check_digit(number) == number[-1].upper())


def _is_day(month: str, day: str) -> bool:
    return 1 <= int(month) <= 12 and 1 <= int(day) <= 31


def check_digit(number: str) -> str:
    """Of an identity number's first 17 digits (GB 11643, ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11]


def find_cards(text: str) -> Iterator[Cut]:
    for found in _outside(_CARD, text):
        number = re.sub(r"[ \-.]", "", found[1])
        if 16 <= len(number) <= 19 and re.match(r"[3-69]|2[2-7]", number) and luhn(number):
            yield (*found.span(1), "[银行卡号]")


def luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def find_emails(text: str) -> Iterator[Cut]:
    for found in _EMAIL.finditer(text):
        yield (*found.span(), "[邮箱]")


def find_labelled(text: str) -> Iterator[Cut]:
    for found in _LABELLED.finditer(text):
        number, label = found["number"], found["label"]
        digits = sum(sign.isdigit() for sign in number)
        if digits >= (1 if label in _NICKNAMED else 5) and not _SERVICE_NUMBER.fullmatch(number):
            yield (*found.span("number"), "[号码]")


def _outside(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Matches that are no part of a UUID or a hash."""
    kept: list[tuple[int, int]] | None = None
    for found in pattern.finditer(text):
        if kept is None:
            kept = [hands_off.span() for hands_off in _HANDS_OFF.finditer(text)]
        start = found.start()
        if not any(first <= start < last for first, last in kept):
            yield found
