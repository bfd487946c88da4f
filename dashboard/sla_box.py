"""Until when a case's next promise is to be kept, as a badge; and what one is told, beside it."""

from dashboard import resources, times
from dashboard.markup import Markup
from dashboard.widgets import badge
from monitor.desk.clock import sla
from monitor.store.models import Case, now


def due_badges(case: Case) -> list[Markup]:
    """'due in 40 min', 'late by 2 h': the case's earliest promise; nothing where none runs."""
    promised = sla.running(case)
    if not promised:
        return []
    config, at = resources.config(), now()
    due_at, _ = promised[0]
    left = due_at - at
    seconds = left.total_seconds()
    if seconds < 0:
        words, colour = f"late by {times.span(-seconds)}", "red"
    else:
        words = f"due in {times.span(seconds)}"
        colour = "amber" if left <= config.desk.warn_before else "gray"
    lines = [f"{kind}: {times.full(end, config.zone)}" for end, kind in promised]
    return [
        badge(words, colour, f"Promised by {case.sla or 'an earlier policy'}. " + "; ".join(lines))
    ]
