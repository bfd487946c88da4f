"""Where somebody is in the queue."""

from dataclasses import dataclass, field

from monitor.desk.queue.work_queue import Filter, Position


@dataclass
class Place:
    """Where somebody is in the queue, and which cases were drawn there.

    What is drawn stays where it is, however the queue moves, until they ask for the present order.
    """

    chosen: Filter
    stack: list[Position] = field(default_factory=list)
    """The last row of every page before this one."""
    ids: list[int] = field(default_factory=list)
    cursor: int = 0
    """The row that the keys work on."""
    jumped: bool = False
    """Whether the keys just moved, and their row has to be in sight."""
    picked: dict[int, None] = field(default_factory=dict)
    """The selected cases, in the order in which they were selected."""
    picked_all: bool = False
    """Whether these are all that match, as far as one action goes."""
    more: bool = False
    """Whether there are pages after this one."""

    @property
    def after(self) -> Position | None:
        """Where this page begins."""
        return self.stack[-1] if self.stack else None

    def move(self, by: int) -> None:
        """Go down or up by rows."""
        self.cursor = max(0, min(len(self.ids) - 1, self.cursor + by))
        self.jumped = True

    def turn(self, last: Position | None) -> None:
        """Go to the page after `last`; None: back by one."""
        if last is not None:
            self.stack.append(last)
        elif self.stack:
            self.stack.pop()
        self.look_again()
        self.jumped = True

    def pick(self, case_id: int) -> None:
        """Select a case, or let it go."""
        if case_id in self.picked:
            del self.picked[case_id]
        else:
            self.picked[case_id] = None
        self.picked_all = False

    def pick_current(self) -> None:
        """Select the case that the keys are at, or let it go."""
        if self.ids:
            self.pick(self.ids[min(self.cursor, len(self.ids) - 1)])

    def pick_page(self) -> None:
        """Select every case that is shown; if they are selected already, let them go."""
        if all(case_id in self.picked for case_id in self.ids):
            self.picked = {case_id: None for case_id in self.picked if case_id not in self.ids}
        else:
            self.picked |= dict.fromkeys(self.ids)
        self.picked_all = False

    def pick_none(self) -> None:
        """Let all go."""
        self.picked, self.picked_all = {}, False

    def look_again(self) -> None:
        """Draw the present order."""
        self.ids, self.cursor = [], 0
