"""What a map may say, field by field: `duban import --explain-map`."""

from collections.abc import Mapping

from services.console.i18n import N_, _

MAP: Mapping[str, str] = {
    "feed": N_("Where the cases come from, a token; keys are feed:id, so it must stay the same for ever"),
    "actor": N_("The charter's actor that is believed about the past; default: import"),
    "timezone": N_("In which the file's times are written, e.g. Asia/Shanghai"),
    "encoding": N_("Of a CSV file; default: utf-8-sig. Exports of Chinese programs are often gb18030"),
    "delimiter": N_("Between the cells of a CSV file; default: a comma"),
    "sheet": N_("Of a workbook; default: the first"),
    "header_row": N_("The row with the headings; default: 1"),
    "columns": N_("Which heading of the file is which field of a case; see below"),
    "date_formats": N_(
        "How dates are written, tried in this order: strptime directives like '%Y-%m-%d %H:%M', or a word: "
        "chinese reads 2024年5月3日 9时30分 and its like, excel and excel1904 the days of spreadsheets"
    ),
    "statuses": N_(
        "What each word of the status column means: closed (true or false) and of a closed one its outcome. "
        'The word "" is an empty cell; without it an empty status is refused'
    ),
    "closed_when": N_(
        "Instead of a status column. `filled`: closed and solved where the closing time is filled in, open "
        "where it is empty. Or column, filled and empty: a column, and what a filled and an empty cell mean"
    ),
    "categories": N_("Their word, our token. Absent: cells are tokens of the charter already"),
    "stations": N_("Their word, our token. Absent: cells are tokens of the charter already"),
    "villages": N_("Their word, our token. Absent: cells are tokens of the charter already"),
    "channels": N_("Their word, our channel. Absent: cells are channels already"),
    "yes": N_("Words that mean yes in the columns urgent, hardship and safety"),
    "no": N_("Words that mean no there; an empty cell means no too"),
    "defaults": N_("category, station, village, channel: what holds for an empty cell, or without a column"),
}
COLUMNS: Mapping[str, str] = {
    "id": N_("Required. Their number of the case: text, never a number of a workbook, which has 15 digits"),
    "title": N_("Required. What it is about, without names; or a template of several headings in braces"),
    "submitted_at": N_("Required. When it came in"),
    "category": N_("An empty cell means defaults.category; without that the row is refused"),
    "station": N_("Who has it. An empty cell means the category's lead"),
    "status": N_("Absent: every case is open, unless closed_when says otherwise"),
    "due_on": N_("The last day in time; of a time only the day counts. An empty cell: the charter's limit"),
    "due_at": N_("The first instant that is too late; goes before due_on. A day alone counts as that day"),
    "closed_at": N_(
        "When it was closed. An empty cell of a closed case: not recorded, in no rate of lateness"
    ),
    "village": N_("An empty cell means none"),
    "channel": N_("How it came in. An empty cell means other"),
    "text": N_("The petitioner's own words; stay in intake's database"),
    "urgent": N_("Yes or no; an empty cell means no"),
    "hardship": N_("Yes or no; an empty cell means no"),
    "safety": N_("Yes or no; an empty cell means no"),
    "petitioner": N_("Who brought it: a name, which stays in intake's database"),
    "phone": N_("How to reach the petitioner; stays in intake's database"),
    "answer": N_("What the petitioner of a closed case was told, without names"),
}
EXAMPLE = """\
feed: hotline
timezone: Asia/Shanghai
columns:
  id: 编号
  title: 诉求标题
  category: 诉求类别
  station: 承办单位
  submitted_at: 受理时间
  due_at: 截止时间
  closed_at: 办结时间
date_formats: [chinese]
closed_when: filled
categories: {道路: road}
stations: {村建站: cunjian}
"""


def explained() -> str:
    lines = [_("A map is a YAML file; `duban import --init FILE` proposes one. Its fields:"), ""]
    lines += [f"{name}: {_(text)}" for name, text in MAP.items()]
    lines += ["", _("Fields of columns, each the heading of a column:"), ""]
    lines += [f"  {name}: {_(text)}" for name, text in COLUMNS.items()]
    return "\n".join([*lines, "", _("For example:"), "", EXAMPLE])
