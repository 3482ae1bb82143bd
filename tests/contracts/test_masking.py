"""Personal data in free text is found and masked; everything else stays as it was written."""

import json
import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from duban_contracts.charter import Token
from duban_contracts.intake import Petitioner, SubmitMatter
from duban_contracts.ledger import RecordProgress
from duban_contracts.masking import (
    HIDDEN,
    MOST_MASKED,
    Masked,
    PersonalData,
    check_digit,
    free_text_fields,
    known_values,
    luhn,
    mask,
    mask_body,
    mask_header,
    mask_identifier,
    mask_message,
)
from duban_contracts.message import Command, Key
from tests.contracts.catalogue import MESSAGES

pytestmark = pytest.mark.case("A10")

MOBILE = "13812345678"
IDENTITY = "11010119900307758"
IDENTITY += check_digit(IDENTITY)
CARD = "621700123456789012"
CARD += next(digit for digit in "0123456789" if luhn(CARD + digit))


@pytest.mark.parametrize(
    ("text", "masked", "kind"),
    [
        (f"请打{MOBILE}找我", "请打[手机号]找我", "mobile_number"),
        ("请打138-1234-5678找我", "请打[手机号]找我", "mobile_number"),
        ("请打 138 1234 5678 找我", "请打 [手机号] 找我", "mobile_number"),
        ("请打1 3 8 1 2 3 4 5 6 7 8找我", "请打[手机号]找我", "mobile_number"),
        ("请打(138)1234-5678找我", "请打([手机号]找我", "mobile_number"),
        (f"请打+86{MOBILE}找我", "请打[手机号]找我", "mobile_number"),
        (f"请打0086 {MOBILE}找我", "请打[手机号]找我", "mobile_number"),
        ("请打１３８１２３４５６７８找我", "请打[手机号]找我", "mobile_number"),
        ("请打①③⑧①②③④⑤⑥⑦⑧找我", "请打[手机号]找我", "mobile_number"),
        ("请打一三八一二三四五六七八找我", "请打[手机号]找我", "mobile_number"),
        ("请打138一二三四5678找我", "请打[手机号]找我", "mobile_number"),
        ("请打幺三八幺二三四五六七八找我", "请打[手机号]找我", "mobile_number"),
        ("请打138\u200b1234\u20605678找我", "请打[手机号]找我", "mobile_number"),
        ("tel13812345678", "tel[手机号]", "mobile_number"),
        ("13812345678、13912345678", "[手机号]、[手机号]", "mobile_number"),
        ("座机0571-87654321", "座机[固定电话]", "landline_number"),
        ("座机（0571）8765 4321转801", "座机[固定电话]", "landline_number"),
        ("座机057187654321", "座机[固定电话]", "landline_number"),
        ("座机010-87654321", "座机[固定电话]", "landline_number"),
        ("座机+86-571-87654321", "座机[固定电话]", "landline_number"),
        ("电话 8765432", "电话 [号码]", "account"),
        (f"证件{IDENTITY}", "证件[身份证号]", "identity_number"),
        ("证件110101 19900307 7758", "证件[身份证号]", "identity_number"),
        ("证件110101900307775", "证件[身份证号]", "identity_number"),
        ("证件11010519491231002x", "证件[身份证号]", "identity_number"),
        (f"打到{CARD}", "打到[银行卡号]", "bank_card_number"),
        ("打到6222 0212 3456 7890 128", "打到[银行卡号]", "bank_card_number"),
        ("打到卡号62170012345678901", "打到卡号[号码]", "account"),
        ("写信到wang.xm@example.cn", "写信到[邮箱]", "email"),
        ("写信到wang＠example．cn", "写信到[邮箱]", "email"),
        ("加微信wang_xm88", "加微信[号码]", "account"),
        ("幸福路12号3单元502室漏水", "幸福路某号某单元某室漏水", "address"),
        ("锦绣花园5幢2单元301室漏水", "锦绣花园某幢某单元某室漏水", "address"),
        ("东村三组五号门前积水", "东村三组某号门前积水", "address"),
        ("东村3组15号门前积水", "东村3组某号门前积水", "address"),
        ("住址：和平街7号", "住址：和平街某号", "address"),
        ("联系人：张三", "联系人：某某", "name"),
        ("联系人：欧阳建国，男", "联系人：某某，男", "name"),
        ("联系人张三反映", "联系人某某反映", "name"),
        ("投诉人:李小红电话", "投诉人:某某电话", "name"),
        ("姓名：买买提·艾力", "姓名：某某", "name"),
        ("王女士来电", "某女士来电", "name"),
        ("高建国先生来电", "某某先生来电", "name"),
        ("周日张先生来电", "周日某先生来电", "name"),
    ],
)
def test_personal_data_is_masked_and_the_sentence_stays(text: str, masked: str, kind: str) -> None:
    found = mask(text)
    assert found.text.replace("([", "[") == masked.replace("([", "[")
    assert PersonalData(kind) in found.kinds


@pytest.mark.parametrize(
    "text",
    [
        "见2024-000123和2024-1000123",
        "2024-04-15 10:30:00起，至2024年5月3日9时30分",
        "20240415103000",
        "请拨12345、110、12315或96110",
        "电话12345无人接听",
        "热线400-800-8888",
        "补偿13800138000元，另付3.5万元、1,380,013,800.50元",
        "共1 500 000 2024",
        "坐标116.397482,39.908722；E120.15507000 N30.27415000",
        "措施1-2-3和measure_1_2",
        "编号550e8400-e29b-41d4-a716-138001380001",
        "照片d41d8cd98f00b204e9800998ecf8427e.jpg",
        "中山路12号门口积水",
        "东村5号路灯不亮",
        "7号楼电梯坏了，3号线停运",
        "户外广告100平方米，室内500平方米",
        "第3组已完成5户外墙",
        "联系人：村委会",
        "联系人：不详",
        "当事人情绪激动",
        "王书记和李主任到场",
        "统一社会信用代码91330106MA2B12345X",
        "百分之一百二十",
        "一二三四五六七",
        "二〇二四年四月十五日",
        "",
    ],
)
def test_what_is_nobodys_is_left_alone(text: str) -> None:
    assert mask(text) == Masked(text)


digits = st.text("0123456789")
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
landlines = st.from_regex(r"0(10|2[0-9]|[3-9][0-9]{2})-?[2-9][0-9]{6}", fullmatch=True)
identities = st.builds(
    lambda region, born, order: region + born.strftime("%Y%m%d") + f"{order:03}",
    st.sampled_from(["110101", "330106", "440305", "513221"]),
    st.dates(date(1920, 1, 1), date(2023, 12, 31)),
    st.integers(0, 999),
).map(lambda seventeen: seventeen + check_digit(seventeen))
cards = st.from_regex(r"(62|4[0-9]|5[1-5])[0-9]{13,16}", fullmatch=True).map(
    lambda start: start + next(digit for digit in "0123456789" if luhn(start + digit))
)
emails = st.from_regex(r"[a-z][a-z0-9.]{0,10}[a-z0-9]@[a-z]{2,8}\.(com|cn|com\.cn)", fullmatch=True)
planted = st.one_of(mobiles, landlines, identities, cards, emails)
widths = st.sampled_from([None, {code: code + 0xFEE0 for code in range(0x30, 0x3A)}])
around = st.text(
    st.sampled_from("我的号码是，。；请联系谢垃圾路村\n!?") | st.characters(categories=["Lo", "So"])
)


@given(around, planted, widths, around)
def test_every_planted_number_disappears(before, value, width, after):
    shown = value.translate(width) if width else value
    masked = mask(f"{before} {shown} {after}").text
    assert value not in masked
    assert shown not in masked
    assert not re.search(r"\d{7}", masked.translate({code + 0xFEE0: code for code in range(0x30, 0x3A)}))


@given(around, mobiles, st.sampled_from([" ", "-", ".", "  ", "－", "·", "\u3000"]), around)
def test_a_grouped_mobile_number_disappears(before, mobile, gap, after):
    grouped = gap.join((mobile[:3], mobile[3:7], mobile[7:]))
    masked = mask(f"{before}，{grouped}，{after}").text
    assert mobile[3:7] not in masked
    assert grouped not in masked


WORDS = st.sampled_from(
    [
        "手机",
        "电话：",
        "姓名：",
        "张三",
        "先生",
        "住址",
        "号",
        "室",
        "3",
        "12",
        "村",
        "组",
        "138",
        "1234",
        "5678",
        "0571",
        "-",
        " ",
        "@",
        "a.cn",
        "8765",
        "4321",
        "，",
        "[手机号]",
        "某",
        "一",
        "二",
        "欧阳",
        "女士",
        "110101",
        "19900307",
    ]
)
texts = (
    st.text()
    | st.lists(WORDS, max_size=14).map("".join)
    | st.builds("{}{}{}".format, around, planted, around)
)


@given(texts)
@example("姓名：张三先生")
def test_masking_again_changes_nothing(text):
    once = mask(text).text
    assert mask(once) == Masked(once)


@given(texts, st.lists(st.text(max_size=12), max_size=3))
def test_a_masked_text_is_never_longer(text, known):
    masked = mask(text, known)
    assert len(masked.text) <= len(text)
    assert bool(masked.kinds) == (masked.text != text)


@given(
    st.lists(
        st.one_of(
            st.dates().map(str),
            st.dates(date(1990, 1, 1), date(2030, 1, 1)).map("{0.year}年{0.month}月{0.day}日".format),
            st.builds("{:04}-{:06}".format, st.integers(1990, 2100), st.integers(0, 999_999)),
            st.builds("{:,.2f}元".format, st.floats(0, 1e9)),
            st.builds("{:.6f},{:.6f}".format, st.floats(73, 135), st.floats(18, 54)),
            st.sampled_from(["12345", "110", "119", "120", "96110", "400-800-8888"]),
            st.builds("{}-{}-{}".format, *[st.integers(1, 20)] * 3),
            st.uuids().map(str),
            st.sampled_from(["垃圾", "已清运", "路灯", "积水", "施工噪声"]),
        ),
        max_size=6,
    ).map("，".join)
)
def test_text_without_personal_data_is_unchanged(text):
    assert mask(text) == Masked(text)


def test_a_long_text_is_masked_in_bounded_time():
    for unit in ("1", "a", "a.", "1-", "村1", "138 ", "一", "姓名：张", "@", "3号"):
        mask(unit * (10_000 // len(unit)))


def test_what_the_petitioner_said_of_himself_is_found_in_other_fields():
    said = "王小明反映，王 小明的电话是8765 4321"
    masked = mask(said, ("王小明", "87654321"))
    assert masked.text == "某某反映，某某的电话是[号码]"
    assert masked.kinds == (PersonalData.PETITIONER,)


def test_a_name_of_one_sign_or_a_short_number_is_nothing_to_go_by():
    assert mask("高温天气打12345", ("高", "12345", "")).text == "高温天气打12345"


@pytest.mark.parametrize(
    "value", ["2024-000123", "bianmin-2026-1", "2024-000123/1", "0a13812345678bc", "finding/1f2e", "1-2"]
)
def test_an_identifier_of_ours_is_left_alone(value: str) -> None:
    assert mask_identifier(value) == Masked(value)


@pytest.mark.parametrize("value", [MOBILE, f"tel:{MOBILE}", IDENTITY, CARD, "0571-87654321"])
def test_a_persons_number_in_an_identifier_is_masked(value: str) -> None:
    masked = mask_identifier(value)
    assert masked.kinds
    assert not re.search("[1-9]", masked.text)


def matter(**fields):
    return SubmitMatter(**{"title": "垃圾无人清运", "category": "garbage", **fields})


def test_fields_meant_for_a_person_are_empty_in_the_masked_message():
    person = Petitioner(name="王小明", phone=MOBILE, on_behalf_of="李红")
    whole = matter(title=f"王小明({MOBILE})投诉", text="我是王小明", petitioner=person)
    assert known_values(whole) == ("王小明", MOBILE, "李红")
    masked, places = mask_message(whole)
    assert (masked.title, masked.text, masked.petitioner) == ("某某([号码])投诉", "", None)
    assert [place.field for place in places] == ["title"]


def test_a_message_without_personal_data_is_the_very_same():
    message = RecordProgress(note="已清运三车", evidence=("IMG_20240415_103000.jpg",))
    assert mask_message(message)[0] is message


def test_every_text_field_of_every_command_is_masked():
    """Whatever is not an enumeration is: free text as text, names of things as identifiers."""
    for command in (each for each in MESSAGES.values() if issubclass(each, Command)):
        for name in free_text_fields(command):
            assert command.model_fields[name].annotation is not None
    assert free_text_fields(RecordProgress) == ("note", "evidence")
    assert free_text_fields(SubmitMatter) == ("title", "materials", "solved_on_the_spot")


def test_keys_and_tokens_are_identifiers():
    class Names(Command):
        key: Key
        maybe: Token | None = None
        many: tuple[Key, ...] = ()

    assert free_text_fields(Names) == ()
    masked, places = mask_message(Names(key=MOBILE, maybe=MOBILE, many=("2024-000123", MOBILE)))
    assert (masked.key, masked.maybe, masked.many) == ("0" * 11, "0" * 11, ("2024-000123", "0" * 11))
    assert [place.field for place in places] == ["key", "maybe", "many"]


BODY = {
    "title": f"打{MOBILE}",
    "petitioner": {"name": "王小明", "phone": 13812345678},
    "text": "王小明说",
    "n": 7,
}


def test_the_body_of_a_dead_letter_is_masked_and_stays_json():
    masked = json.loads(mask_body(json.dumps(BODY).encode(), "intake"))
    hidden = {"name": HIDDEN, "phone": HIDDEN}
    assert masked == {"title": "打[手机号]", "petitioner": hidden, "text": HIDDEN, "n": 7}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig"])
def test_a_body_that_is_no_json_is_masked_as_text(encoding):
    broken = json.dumps(BODY, ensure_ascii=False)[:-1].encode(encoding)
    masked = mask_body(broken, "intake")
    assert MOBILE.encode() not in masked
    assert "王小明".encode(encoding) not in masked


def test_bytes_that_are_no_text_lose_their_numbers():
    assert MOBILE.encode() not in mask_body(b"\xff\xfe" + MOBILE.encode() + b"\x80\x81\xff")


@pytest.mark.parametrize(
    "body", [b"\xff\xfe not even text", b'{"title": 7, "category": "garbage"}', b"", b"[" * 5_000]
)
def test_a_body_without_personal_data_keeps_its_bytes(body):
    assert mask_body(body, "intake") == body


def test_a_header_is_masked_whether_it_is_escaped_or_not():
    assert MOBILE not in mask_header(f"hotline:{MOBILE}")
    assert MOBILE not in mask_header(f"%E7%AC%AC{MOBILE}")
    assert mask_header("%E7%AC%AC1%E5%8F%B7") == "%E7%AC%AC1%E5%8F%B7"


@pytest.mark.case("B6")
@pytest.mark.parametrize("before", range(MOST_MASKED - 90, MOST_MASKED + 2, 7))
@pytest.mark.parametrize(
    "whole",
    [
        lambda text: text.encode(),
        lambda text: b"\xff\xfe\x81" + text.encode(),
        lambda text: json.dumps({"note": text}).encode(),
        lambda text: json.dumps(["x", text, text]).encode(),
    ],
)
def test_of_a_body_that_is_too_large_no_half_number_is_left(
    before: int, whole: Callable[[str], bytes]
) -> None:
    masked = mask_body(whole("x" * before + f" {MOBILE} " + "y" * MOST_MASKED), "ledger")
    assert len(masked) <= MOST_MASKED + 200
    assert MOBILE[:6].encode() not in masked


@pytest.mark.case("B6")
@pytest.mark.parametrize("between", ["", "x", 7])
def test_what_is_looked_through_is_bounded_whatever_stands_between_the_texts(between: object) -> None:
    texts = [part for _ in range(20) for part in ("y" * (MOST_MASKED // 2), between)]
    masked = mask_body(json.dumps(texts).encode(), "ledger")
    assert masked.count(b"y") <= MOST_MASKED
