"""Where somebody is in the queue."""

from dataclasses import dataclass, field

from monitor.desk.work_queue import Filter, Position


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

    def look_again(self) -> None:
        """Draw the present order."""
        self.ids, self.cursor = [], 0
