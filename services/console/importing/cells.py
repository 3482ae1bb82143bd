"""What a cell of a file can hold, and what a file that cannot be read says."""

from datetime import date, datetime


class NumberText(str):
    """A number that a workbook keeps as a number, written as a person sees it: 123 where it is whole.

    A workbook keeps 15 digits of a number and no leading zeros, so it is no place for ids.
    """

    __slots__ = ()


Cell = str | datetime | date
"""Text without blanks around it; or, from a workbook, a date or a time that was typed as such."""


class BadFile(Exception):
    """The file cannot be read, or not to its end; the message says where and what to do."""
