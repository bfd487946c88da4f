"""Rows as a CSV or XLSX file in which nothing that a stranger wrote can run.

A spreadsheet takes a cell that begins with = + - @, a tab or a line's end for a formula. In CSV
such a text gets a ' in front; in XLSX it is a cell of type text, which is never reckoned. Where a
spreadsheet parts CSV at ; or tab, a cell may begin within a text: there too.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.utils import get_column_letter

Value = str | int | float | bool | datetime | None

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that begins so is a formula to a spreadsheet; the wide ones in East Asian versions."""

WITHIN = re.compile(r'([;\t\r\n][\s"]*)(?=[=+\-@＝＋－＠])')
"""What stands in a text before a formula, where a cell or a row may begin; marks of quotation fall
away there."""

LONGEST = 32_767
"""Characters that a cell of XLSX holds."""

ROWS = 1_048_575
"""Rows that a sheet holds below its head."""


class TooLongError(Exception):
    """There are more rows than a sheet holds. The text says what to do."""


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Value]], zone: ZoneInfo) -> bytes:
    """A CSV file in UTF-8, with the mark at the front by which spreadsheets know it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_inert(_plain(value, zone)) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def to_xlsx(columns: Sequence[str], rows: Sequence[Sequence[Value]], zone: ZoneInfo) -> bytes:
    """An XLSX file of one sheet. Raises TooLongError where a sheet does not hold the rows."""
    if len(rows) > ROWS:
        raise TooLongError(too_long(len(rows)))
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rows")
    sheet.freeze_panes = "A2"
    for number, name in enumerate(columns, 1):
        width = 60 if name in ("text", "reply", "promise") else 18
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.append(list(columns))
    for row in rows:
        sheet.append([_cell(sheet, value, zone) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def too_long(number: int) -> str:
    """What to do where a sheet does not hold so many rows."""
    return f"{number:,} rows are more than a sheet of XLSX holds: take CSV, or a shorter period."


def _cell(sheet: Any, value: Value, zone: ZoneInfo) -> Any:
    if isinstance(value, datetime):
        # A spreadsheet knows no zones: the team's clock.
        cell = WriteOnlyCell(sheet, value.astimezone(zone).replace(tzinfo=None))
        cell.number_format = "yyyy-mm-dd hh:mm:ss"
        return cell
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST])
    cell.data_type = "s"
    return cell


def _plain(value: Value, zone: ZoneInfo) -> Value:
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(" ", "seconds")
    return value


def _inert(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    guarded = WITHIN.sub(r"\1'", value)
    return f"'{guarded}" if value.startswith(FORMULA) else guarded
