"""What counts as another answer than the one that a release gave."""

from tests.upgrade.answers import differences


def test_a_new_field_is_no_difference():
    assert differences({"entry": [{"a": 1}]}, {"entry": [{"a": 1, "b": 2}], "more": None}) == []


def test_a_changed_missing_or_longer_answer_is_a_difference():
    assert differences({"a": 1}, {"a": 2}, "x") == ["x.a is 2 instead of 1"]
    assert differences({"a": None}, {}, "x") == ["x.a is gone"]
    assert differences([1], [1, 2], "x") == ["x has 2 instead of 1"]


def test_a_body_is_compared_by_what_it_says():
    assert differences({"data": '{"a":1}'}, {"data": '{"b":2,"a":1}'}) == []
    assert differences({"data": '{"a":1}'}, {"data": '{"a":2}'}) == [".data:.a is 2 instead of 1"]
