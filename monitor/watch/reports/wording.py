"""Numbers in words, the same on the page, in the report and in the digest."""

NOT_MEASURED = "not measured"


def change(present: float, before: float) -> str:
    """How a count stands to the one before: '12 more than 40 (+30%)'."""
    if present == before:
        return f"as before ({before:,.0f})"
    by = abs(present - before)
    words = f"{by:,.0f} {'more' if present > before else 'fewer'} than {before:,.0f}"
    share_of = round(100 * (present - before) / before) if before else 0
    # Thousands of percent of next to nothing tell less than the two numbers.
    return f"{words} ({share_of:+}%)" if share_of and abs(share_of) < 1000 else words


def share(value: float | None) -> str:
    """A share of a whole, in percent."""
    return NOT_MEASURED if value is None else f"{value:.0%}"


def share_change(present: float | None, before: float | None) -> str:
    """How a share stands to the one before, in percentage points."""
    if present is None or before is None:
        return f"before: {share(before)}"
    points = round(100 * present) - round(100 * before)
    if points == 0:
        return f"as before ({before:.0%})"
    noun = "point" if abs(points) == 1 else "points"
    return f"{abs(points)} {noun} {'more' if points > 0 else 'less'} than {before:.0%}"


def length(seconds: float | None) -> str:
    """A length of time, exact enough to be compared with last week's."""
    if seconds is None:
        return NOT_MEASURED
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"


def length_change(present: float | None, before: float | None) -> str:
    """How a length stands to the one before."""
    if present is None or before is None:
        return f"before: {length(before)}"
    if length(present) == length(before):
        return f"as before ({length(before)})"
    return f"{'slower' if present > before else 'faster'} than {length(before)}"


def counted(value: int, noun: str) -> str:
    """'1 post', '2 posts'."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"
