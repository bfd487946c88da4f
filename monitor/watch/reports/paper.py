"""What a printed page is made of: escaped text, tables, and the look."""

import html
import re
from collections.abc import Iterable, Sequence

from monitor.watch.trends.measures import NONE

QUOTED = 240
"""Characters of a post that stands for its topic."""

STYLE = """
.weekly { font: 10.5pt/1.4 system-ui, sans-serif; color: #1c2530; background: #fff;
  max-width: 190mm; margin: 0 auto; padding: 4mm; }
.weekly h1 { font-size: 17pt; margin: 0 0 1mm; }
.weekly h2 { font-size: 12pt; margin: 6mm 0 2mm; border-bottom: 1px solid #9aa5b1; }
.weekly p { margin: 1mm 0 2mm; }
.weekly table { border-collapse: collapse; width: 100%; }
.weekly th, .weekly td { text-align: left; padding: 1mm 3mm 1mm 0; vertical-align: top;
  border: 0; border-bottom: 1px solid #dfe4ea; color: #1c2530; }
.weekly th { font-weight: 600; color: #4b5763; }
.weekly .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.weekly .muted { color: #4b5763; }
.weekly bdi { overflow-wrap: anywhere; }
.weekly td:first-child { min-width: 6.5em; }
.weekly .bars { display: flex; align-items: flex-end; gap: 3mm; }
.weekly .bars div { flex: 1; display: flex; flex-direction: column; align-items: center; }
.weekly .bars i { width: 100%; border-bottom: 0 solid #0072b2; }
.weekly th.n { white-space: normal; }
.weekly section { break-inside: avoid; }
@page { size: A4; margin: 14mm; }
@media print { .weekly { max-width: none; padding: 0; } }
"""

# Marks that turn the direction of everything after them, and what is no character at all.
_DISTURBING = re.compile(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Html(str):
    """Escaped already."""

    __slots__ = ()


def table(
    columns: Iterable[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()
) -> str:
    """A table; the columns of `numbers` stand right. Cells that are plain text are escaped."""
    right = frozenset(numbers)

    def cell(name: str, place: int, text: str) -> str:
        kind = ' class="n"' if place in right else ""
        inner = text if isinstance(text, Html) else escaped(text)
        return f"<{name}{kind}>{inner}</{name}>"

    def line(name: str, cells: Iterable[str]) -> str:
        return "<tr>" + "".join(cell(name, *one) for one in enumerate(cells)) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return f"<table><thead>{line('th', columns)}</thead><tbody>{body}</tbody></table>"


def nothing(words: str) -> str:
    """Words of ours in place of a table that would be empty."""
    return f'<p class="muted">{words}</p>'


def named(value: str) -> str:
    """A value of a dimension."""
    return "unknown" if value == NONE else value


def short(text: str) -> str:
    """The beginning of a post, on one line."""
    plain = " ".join(text.split())
    return plain if len(plain) <= QUOTED else plain[: QUOTED - 1].rstrip() + "…"


def escaped(text: str) -> Html:
    """Text as it may stand in HTML, without characters that disturb what is around."""
    return Html(html.escape(_DISTURBING.sub("", text)))


def foreign(text: str) -> Html:
    """A stranger's words: as text, apart from what stands around them."""
    return Html(f'<bdi dir="auto">{escaped(text)}</bdi>')
