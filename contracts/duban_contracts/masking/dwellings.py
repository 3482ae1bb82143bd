"""Addresses down to the door. Street, village and group stay, for the matter has to be found."""

import re
from collections.abc import Iterator

from duban_contracts.masking.view import Cut

_COUNT = r"(?:\d{1,5}(?:-\d{1,4}){0,2}|[一二三四五六七八九十百零〇]{1,6}|[A-Za-z]\d{0,3}|[甲乙丙丁东南西北])"
_INSIDE = r"(?:号楼|号院|幢|栋|座|单元|门|楼|层)"
_PUBLIC = "线|路|桥|井|泵|机|楼|文|台|公|灯|杆|站|坑|塘|地"
"""What has a number as well, and nobody lives in it."""
_DWELLING = re.compile(
    # a room, with everything that leads to it
    rf"(?:{_COUNT}(?:号|弄|巷) ?)?(?:{_COUNT}{_INSIDE} ?){{0,4}}{_COUNT}(?:室|户)(?!外|内)"
    rf"|(?:{_COUNT}(?:号|弄) ?)?(?:{_COUNT}(?:号楼|幢|栋|座) ?){_COUNT}单元(?: ?{_COUNT}号?)?"
    # a house in a village
    rf"|(?<=[村屯组队寨庄湾坪坝])(?: ?{_COUNT}(?:组|队|社))? ?{_COUNT}号(?!{_PUBLIC})"
    # whatever is said to be somebody's home
    rf"|(?:(?<=住址)|(?<=地址)|(?<=家住)|(?<=住在)|(?<=居住)|(?<=门牌))[^，,。；;\n]{{0,30}}?{_COUNT}号"
)
MAY_BE_DWELLING = re.compile(r"(?:\d|[A-Za-z一二三四五六七八九十百零〇甲乙丙丁东南西北])(?:[室户号]|单元)")
"""How what leads to a dwelling ends: all that `find_dwellings` finds holds this."""
_IN_DWELLING = re.compile(rf"{_COUNT}(?= ?(?:号|弄|巷|幢|栋|座|单元|门|楼|层|室|户))|{_COUNT}$")


def find_dwellings(text: str) -> Iterator[Cut]:
    """The numbers alone: street, village and group stay, for the matter has to be found."""
    for found in _DWELLING.finditer(text):
        for number in _IN_DWELLING.finditer(found[0]):
            if number[0]:
                yield (found.start() + number.start(), found.start() + number.end(), "某")
