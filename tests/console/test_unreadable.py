"""Why a message could not be read, in Chinese: whatever the contracts say of one."""

from collections.abc import Iterator

import pytest

from duban_contracts.envelope import Poison, decode
from duban_contracts.faults import SENTENCES
from services.console.i18n import Lang, use
from services.console.unreadable import why_unreadable

SUBJECT = "cmd.intake.submit_matter.v1.gateway"
NEEDED = {
    "ce-id": "1",
    "ce-source": "/hotline",
    "ce-type": "duban.intake.submit_matter.v1",
    "ce-subject": "hotline:1",
}
BODY = b'{"title": "x", "category": "garbage"}'

pytestmark = pytest.mark.case("C11")


@pytest.fixture(autouse=True)
def in_chinese() -> Iterator[None]:
    use(Lang.ZH)
    yield
    use(Lang.EN)


@pytest.mark.parametrize(
    ("headers", "body", "subject"),
    [
        ({"ce-type": "duban.intake.nothing.v1"}, BODY, SUBJECT),
        ({"content-type": "application/cloudevents+json"}, BODY, SUBJECT),
        ({"content-type": "text/xml"}, BODY, SUBJECT),
        ({}, b"\xef\xbb\xbf{}", SUBJECT),
        ({"CE-ID": "2"}, BODY, SUBJECT),
        ({"ce-id": ""}, BODY, SUBJECT),
        ({"ce-specversion": "0.3"}, BODY, SUBJECT),
        ({"ce-id": "%zz"}, BODY, SUBJECT),
        ({"ce-id": "%ff"}, BODY, SUBJECT),
        ({"ce-id": "%00"}, BODY, SUBJECT),
        ({"ce-id": "x" * 300}, BODY, SUBJECT),
        ({"ce-actingfor": "镇清洁办"}, BODY, SUBJECT),
        ({"ce-time": "2024-04-15"}, BODY, SUBJECT),
        ({"ce-time": "0001-01-01T00:00:00Z"}, BODY, SUBJECT),
        ({"ce-charterrevision": "x"}, BODY, SUBJECT),
        ({}, BODY, "cmd.intake.withdraw_matter.v1.gateway"),
        ({}, b"", SUBJECT),
        ({}, b"[]", SUBJECT),
        ({}, b'{"title": "", "channel": "phone", "village": "\xe4\xb8\x9c\xe6\x9d\x91"}', SUBJECT),
        ({}, b'{"title": 7, "category": "garbage", "due_on": "2024", "due_at": 5, "materials": 1}', SUBJECT),
        ({}, b'{"title": "x\\u0007", "category": "garbage", "due_on": "0001-01-01"}', SUBJECT),
        ({}, b'{"title": "x", "category": "garbage", "materials": [%s]}' % b",".join([b'""'] * 20), SUBJECT),
    ],
)
def test_what_the_contracts_refuse_is_said_in_chinese(
    headers: dict[str, str], body: bytes, subject: str
) -> None:
    with pytest.raises(Poison) as poison:
        decode(subject, NEEDED | headers, body)
    said = why_unreadable(poison.value.detail)
    assert said != poison.value.detail
    assert not any(f": {sentence}" in said for sentence in SENTENCES.values())


def test_what_is_missing_is_said_field_by_field() -> None:
    detail = "title: is missing, add it; channel: has to be one of 'web', 'app' or 'other'; and 2 more faults"
    assert why_unreadable(detail) == (
        "title: 缺少，请补上；channel: 须为以下之一：'web', 'app' 或 'other'；另有 2 处错误"
    )


@pytest.mark.parametrize("detail", ["", "a newer service says something else", "title: 13 [手机号]"])
def test_what_is_in_no_form_stays(detail: str) -> None:
    assert why_unreadable(detail) == detail
