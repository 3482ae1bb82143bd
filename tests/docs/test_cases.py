"""Every case that came out wrong has a test that names it, and docs/cases.md says which."""

from tests.docs.cases import last_columns, named_cases, rows


def test_the_table_of_cases_names_the_tests_that_name_them():
    assert rows() == last_columns(), "run `python -m tests.docs.cases`"


def test_a_test_names_only_cases_of_the_table():
    assert named_cases().keys() <= rows().keys()
