"""Everything about a period and the one before it, counted side by side."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlmodel import Session

from monitor.config import Config
from monitor.watch.trends import response, volumes
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.counting import conditions, incidents
from monitor.watch.trends.measures import Asked
from monitor.watch.trends.periods import Period
from monitor.watch.trends.response import Age, Response, Work
from monitor.watch.trends.topics import Topics, own_words, rising
from monitor.watch.trends.volumes import Volumes

T = TypeVar("T")


@dataclass(frozen=True)
class Overview:
    """What the page, the report and the digest tell."""

    at: datetime
    period: Period
    before: Period
    by: str
    titles: dict[str, str]
    """Of incidents, by their ids, where these are what is broken down by."""
    volumes: Volumes
    response: Response
    response_before: Response
    work: list[Work]
    ages: list[Age]

    def asked(self, measure: str, *, before: bool = False) -> Asked:
        """A number of the period, or of the one before, as what it counts."""
        period = self.before if before else self.period
        return Asked(measure, period.begins, period.ends)


def rules_of(config: Config, threshold: float) -> Rules:
    """What the settings say that numbers depend on."""
    ours = own_words((config.company.name, *config.company.accounts))
    return Rules(threshold, config.hours, ours)


def overview(
    database: sa.Engine,
    period: Period,
    by: str,
    rules: Rules,
    at: datetime,
    *,
    hourly: bool = False,
) -> Overview:
    """Count a period and the one before.

    Its three dear parts are counted at the same time, each in a session of its own: both databases
    read in parallel, and the page is there in the time of the longest.
    """
    before = period.before(at)

    def run(part: Callable[[Session], T]) -> T:
        with Session(database) as session:
            return part(session)

    with ThreadPoolExecutor(3) as pool:
        counted = pool.submit(
            run, lambda one: volumes.volumes(one, period, by, rules, at, hourly=hourly)
        )
        present = pool.submit(
            run, lambda one: response.response(one, period.begins, period.ends, rules)
        )
        then = pool.submit(
            run, lambda one: response.response(one, before.begins, before.ends, rules)
        )
        with Session(database) as session:
            work = response.workload(session, period.begins, period.ends, rules)
            ages = response.ages(session, at, rules)
            numbers = counted.result()
            values = [part.value for part in numbers.parts]
            titles = incidents(session, values) if by == "incident" else {}
        return Overview(
            at=at,
            period=period,
            before=before,
            by=by,
            titles=titles,
            volumes=numbers,
            response=present.result(),
            response_before=then.result(),
            work=work,
            ages=ages,
        )


def whats_new(session: Session, period: Period, before: Period, rules: Rules) -> Topics:
    """Topics that rose from the period before to this one."""
    present, then = (
        conditions(Asked("complaints", one.begins, one.ends), rules) for one in (period, before)
    )
    return rising(session, present, then, rules)
