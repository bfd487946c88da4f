"""How good the spike and silence alerts are, on brands, on made surges and on a real storm.

    python -m tests.bench.spikes [--shared FOLDER] [--out FOLDER] [--alerts FOLDER]

Needs the scorer and the counts (bench/spikes and data/spikes in FOLDER, ../shared unless named);
says so and stops where they are not. The alert files are left in --out. With --alerts it only
writes those of other brands (BRAND.csv with timestamp,value), for the scorer to judge.
"""

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from monitor.watch.detection import silence, spikes
from monitor.watch.detection.spikes import Opening, Settings, Severity, State, Verdict
from monitor.watch.detection.usual import Bools, Counts, Ints

BIG = ("AAPL", "AMZN", "FB")
SMALL = ("CRM", "CVS")
SPLITS = (("AAPL", "CRM", "CVS"), ("AMZN", "FB"))
SEEDS = (1, 2, 3)
DAY = 288
ONSETS = {
    "US Airways": "2015-02-22 03:00",
    "United": "2015-02-22 12:00",
    "Delta": "2015-02-22 14:00",
    "Southwest": "2015-02-21 18:00",
    "Virgin America": "2015-02-21 18:00",
    "American": "2015-02-22 20:00",
}
"""When the storm of February 2015 reached each airline; "Delta" is in truth JetBlue."""


class Bench:
    """The shared scorer, the data, and what is printed."""

    def __init__(self, shared: Path, out: Path) -> None:
        self.data, self.tools, self.out = shared / "data/spikes", shared / "bench/spikes", out
        self.score = load(self.tools / "score.py")

    def alerts(self, folder: Path, settings: Settings) -> Path:
        """Write one alert file for each brand of a folder, as the scorer wants them."""
        target = self.out / f"{folder.parent.name}-{folder.name}-{abs(hash(settings))}"
        if target.exists():
            return target
        target.mkdir(parents=True)
        brands = {name: counts_of(folder / f"{name}.csv") for name in brands_of(folder)}
        shortest = min(len(counts.complaints) for _, counts in brands.values())
        pooled = np.sum([c.complaints[:shortest] for _, c in brands.values()], axis=0)
        feed = silence.run(Counts(next(iter(brands.values()))[1].start, pooled))
        for name, (times, counts) in brands.items():
            paged = pages(spikes.run(counts, settings))
            table = {"timestamp": times, "alert": paged.astype(int), "feed": 0}
            written = pd.DataFrame(table)
            written.loc[: shortest - 1, "feed"] = feed.astype(int)
            written.to_csv(target / f"{name}.csv", index=False)
        return target

    def rows(self, folder: Path, settings: Settings, probation: bool = False) -> dict[str, Any]:
        """The scorer's row for each brand."""
        rows: dict[str, Any] = self.score.score_dir(
            folder, self.alerts(folder, settings), probation=probation
        )
        return rows

    def total(self, rows: Iterable[Any]) -> dict[str, Any]:
        """The rows added up."""
        total: dict[str, Any] = self.score.total(list(rows))
        return total


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Figures of the spike and silence alerts.")
    root = Path(__file__).resolve().parents[2]
    parser.add_argument("--shared", type=Path, default=root.parent / "shared")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--alerts", type=Path, help="only write the alerts of another folder")
    asked = parser.parse_args()
    if not (asked.shared / "bench/spikes/score.py").exists():
        sys.exit(f"Not run: no scorer in {asked.shared}; name its folder with --shared.")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(asked.shared, asked.out or Path(folder, "alerts"))
        settings = Settings()
        if asked.alerts:
            print(f"Alert files in {bench.alerts(asked.alerts.resolve(), settings)}")
            return
        open_brands(bench, settings)
        cross_validation(bench, settings)
        made = Path(folder, "made")
        inject = load(bench.tools / "inject.py")
        for seed in SEEDS:
            inject.main(bench.data, made / f"seed{seed}", seed)
        injected(bench, made, settings)
        backlog_and_shift(bench, made, settings)
        dead_feeds(bench, made, settings)
    low_volume(settings)
    flood(bench, settings)
    airlines(bench, settings)
    cost(bench, settings)


def open_brands(bench: Bench, settings: Settings) -> None:
    """Surges of the open brands, beside what the report measured of others."""
    print("Open brands: windows, surges paged, delay, false and unexplained pages a week a brand")
    rows = bench.rows(bench.data, settings)
    for title, names in (("all five", BIG + SMALL), *(("+".join(s), s) for s in SPLITS)):
        print(f"  {title:28} {told(bench.total(rows[name] for name in names))}")
    for name, row in rows.items():
        print(f"  {name:28} {told(bench.total([row]))}")
    print("  report: negbin, two windows  15/16  15/17   25 min  0.91  0.16")
    print("  report: ratio rule           12/16  12/17   12 min  0.69  0.00")
    print("  report: HTM (published)      12/16  13/17           0.43")
    cold = bench.rows(bench.data, settings, probation=True)
    early = sum(cold[name]["pages"] - rows[name]["pages"] for name in rows)
    print(f"Cold start: {early} pages of five brands in their first 2.6 days (report: 1.0 a brand)")


def cross_validation(bench: Bench, settings: Settings) -> None:
    """Choose on some brands, read on the others: how far the choice itself flatters."""
    print("Leave brands out: the best of 27 neighbours on the one split, read on the other")
    neighbours = [
        replace(settings, fast_ratio=ratio, fast_odds=odds, slow_odds=slow)
        for ratio in (2.8, 3.1, 3.4)
        for odds in (2.0, 2.5, 3.0)
        for slow in (2.0, 2.5, 3.0)
    ]
    rows = [bench.rows(bench.data, neighbour) for neighbour in neighbours]
    for seen, unseen in (SPLITS, SPLITS[::-1]):
        totals = [bench.total(row[name] for name in seen) for row in rows]

        def worth(i: int, totals: Sequence[Any] = totals) -> tuple[int, float]:
            t = totals[i]
            return t["on_surge"], -t["false_per_week"] - t["false_unexplained_per_week"]

        best = max(range(len(neighbours)), key=worth)
        won = neighbours[best]
        print(f"  {won.fast_ratio} {won.fast_odds} {won.slow_odds} chosen on {'+'.join(seen)}")
        print(
            f"    read on {'+'.join(unseen):20} {told(bench.total(rows[best][n] for n in unseen))}"
        )
    totals = [bench.total(row.values()) for row in rows]
    for key, title in (
        ("on_surge", "surges paged"),
        ("false_per_week", "false a week"),
        ("false_unexplained_per_week", "unexplained a week"),
    ):
        values = [t[key] for t in totals]
        print(f"  {title} over the neighbours: {min(values):.2f} to {max(values):.2f}")


def injected(bench: Bench, made: Path, settings: Settings) -> None:
    """Surges of known size at random times, three seeds."""
    print("Made surges: paged within 6 hours, median delay (report: negbin, two windows)")
    report = {
        10: ("19/20 30", "15/20 40"),
        5: ("15/20 45", "10/20 72"),
        3: ("9/20 60", "1/20"),
        2: ("2/40", "of both"),
    }
    for size, others in report.items():
        cells = []
        for title, names, other in (("big", BIG, others[0]), ("small", SMALL, others[1])):
            rows = [
                bench.rows(made / f"seed{seed}/surge{size}", settings)[name]
                for seed in SEEDS
                for name in names
            ]
            t = bench.total(rows)
            delay = f"{t['delay_onset_min']:.0f} min" if t["on_surge"] else "-"
            cells.append(f"{title} {t['on_surge']}/{t['labels']} {delay:8} ({other})")
        print(f"  {size:2} times:  " + "   ".join(cells))


def backlog_and_shift(bench: Bench, made: Path, settings: Settings) -> None:
    """A backlog that comes in one bucket, and a level that stays."""
    artefacts = cases = 0
    for seed in SEEDS:
        folder = made / f"seed{seed}/flush"
        truth = bench.score.load_truth(folder)
        for name, record in truth.items():
            outages = bench.score.spans_of(record, "outages")[1:]
            alert = starts(bench, bench.alerts(folder, settings) / f"{name}.csv")
            cases += len(outages)
            artefacts += sum(
                any(begin <= at <= end + np.timedelta64(2, "h") for at in alert)
                for begin, end in outages
            )
    print(
        f"Backlog of two hours in one bucket: {artefacts} pages in {cases} cases (report: 3 of 30)"
    )
    for name in BIG + SMALL:
        before = starts(bench, bench.alerts(bench.data, settings) / f"{name}.csv")
        folder = made / "seed1/shift"
        after = starts(bench, bench.alerts(folder, settings) / f"{name}.csv")
        begin = pd.read_csv(folder / f"{name}.csv", parse_dates=["timestamp"]).timestamp[28 * DAY]
        new = [
            (at - begin.to_datetime64()) / np.timedelta64(1, "h")
            for at in after
            if at >= begin.to_datetime64()
            and not any(abs(at - old) < np.timedelta64(3, "h") for old in before)
        ]
        early = [f"{hours:.0f} h" for hours in new if hours <= 48]
        late = sum(48 < hours <= 7 * 24 for hours in new)
        print(
            f"  level x3, {name}: pages after {', '.join(early) or 'none'};"
            f" {late} more on days 3 to 7 that the unshifted series has not"
        )


def dead_feeds(bench: Bench, made: Path, settings: Settings) -> None:
    """The real outage and made ones, over all brands and for each."""
    rows = bench.rows(bench.data, settings)
    t = rows["AAPL"]  # the pooled feed is in every file
    print(
        f"Dead feed, five brands together: {t['outages_caught']}/{t['outages']} real outage,"
        f" after {statistics.median(t['delay_outage_min']):.0f} min;"
        f" {t['feed_false']} other alerts in 8 weeks (a true gap of 10 minutes on 12 March);"
        f" {sum(row['artefacts'] for row in rows.values())} spike pages in it or 2 h after"
    )
    for name in BIG + SMALL:
        false = found = cases = artefacts = 0
        delays: list[float] = []
        for seed in SEEDS:
            folder = made / f"seed{seed}/dead"
            record = bench.score.load_truth(folder)[name]
            times, counts = counts_of(folder / f"{name}.csv")
            alert = pages(spikes.run(counts, settings))
            row = bench.score.score_file(times, alert, record, silence.run(counts))
            false += row["feed_false"]
            found += row["outages_caught"]
            cases += row["outages"]
            delays += row["delay_outage_min"]
            artefacts += row["artefacts"]
        delay = f"{statistics.median(delays):.0f} min" if delays else "-"
        rate = counts.complaints.sum() / len(counts.complaints) * 12
        print(
            f"  {name} alone ({rate:.0f} an hour), dead 12 h: {found}/{cases} found, {delay};"
            f" {false / 24:.2f} false a week; {artefacts} spike pages"
        )


def low_volume(settings: Settings) -> None:
    """Brands of few complaints: no page without a surge, and a page for 15 in half an hour."""
    print(
        "Low volume, 12 brands, 7 weeks (report: 0, 0, 0.01 a week; 12, 11, 8 of 12 in 20-25 min)"
    )
    for rate in (0.5, 1.0, 2.0):
        false = caught = 0
        delays: list[float] = []
        for brand in range(12):
            rng = np.random.default_rng([brand, int(rate * 10)])
            x = quiet_brand(rng, rate, 49)
            false += len(opened(pages(spikes.run(counted(x), settings))))
            at = int(rng.integers(30 * DAY, 45 * DAY))
            x[at : at + 6] += rng.multinomial(15, [1 / 6] * 6)
            after = [i - at for i in opened(pages(spikes.run(counted(x), settings)))]
            hits = [i for i in after if 0 <= i < 24]
            caught += bool(hits)
            delays += [(hits[0] + 1) * 5.0] if hits else []
        delay = f"{statistics.median(delays):.0f} min" if delays else "-"
        print(f"  {rate} an hour: {false / 84:.3f} pages a week; 15 more: {caught}/12 in {delay}")


def flood(bench: Bench, settings: Settings) -> None:
    """A robot that posts in bursts: folded to one author it never pages, unfolded it does."""
    _, counts = counts_of(bench.data / "CRM.csv")
    rng = np.random.default_rng(7)
    bursts = np.zeros(len(counts.complaints), np.int64)
    for at in rng.integers(3 * DAY, len(bursts) - 12, 50):
        bursts[at : at + int(rng.integers(6, 13))] = 160
    base = len(opened(pages(spikes.run(counts, settings))))
    raw = len(opened(pages(spikes.run(replace(counts, complaints=counts.complaints + bursts)))))
    once = (bursts > 0).astype(np.int64)
    once[1:] &= bursts[:-1] == 0
    folded = len(opened(pages(spikes.run(replace(counts, complaints=counts.complaints + once)))))
    weeks = len(bursts) / (7 * DAY)
    print(
        f"Robot, 50 bursts in 8 weeks on CRM: {(raw - base) / weeks:.1f} more pages a week as is,"
        f" {(folded - base) / weeks:.1f} when one author counts once"
    )


def airlines(bench: Bench, settings: Settings) -> None:
    """The storm of February 2015, from hand-labelled complaints in quarters of an hour."""
    print("Airline storm: first page, from the third day (report: +2.0, +1.5, +1.75, +4.25 h)")
    table = pd.read_csv(bench.data / "airline_counts.csv", parse_dates=["bucket"])
    for name, rows in table.groupby("airline"):
        times = rows.bucket.to_numpy()
        begin = pd.Timestamp(times[0]).tz_localize("UTC").to_pydatetime()
        counts = Counts(
            begin, rows.complaints.to_numpy(np.int64), mentions=rows.mentions.to_numpy(np.int64)
        )
        verdicts = spikes.run(counts, replace(settings, bucket=15))
        cells = []
        for title, alert in (
            ("page", pages(verdicts)),
            ("ticket", np.array([v.opening is not None for v in verdicts])),
        ):
            at = [times[i] + np.timedelta64(15, "m") for i in opened(alert)]
            onset = np.datetime64(ONSETS[str(name)])
            hours = [(t - onset) / np.timedelta64(1, "h") for t in at]
            before = sum(h < -1 for h in hours)
            after = [f"{h:+.2f} h" for h in hours if h >= -1]
            cells.append(f"{title} {', '.join(after) or 'none'} ({before} earlier)")
        joke = [
            v
            for t, v in zip(times, verdicts, strict=True)
            if np.datetime64("2015-02-23T18:00") <= t <= np.datetime64("2015-02-23T23:00")
        ]
        told_joke = ""
        if name == "Delta":
            told_joke = f"; joke: {'paged' if any(v.opening for v in joke) else 'not paged'}"
        print(f"  {name:15} {'; '.join(cells)}{told_joke}")


def cost(bench: Bench, settings: Settings) -> None:
    """Processor time of one verdict with six weeks of history, and of a back-test."""
    _, counts = counts_of(bench.data / "AAPL.csv")
    counts = replace(counts, mentions=counts.complaints * 2)
    opening = Opening(counts.start, Severity.PAGE, spikes.Kind.FAST)
    spent = []
    for _ in range(300):
        began = time.process_time()
        spikes.verdict(counts, opening, settings)
        spent.append(time.process_time() - began)
    began = time.process_time()
    spikes.run(counts, settings)
    days = len(counts.complaints) / DAY
    each = counts.complaints[-settings.history :].astype(np.int32).nbytes / 1024
    print(
        f"Processor time: {statistics.median(spent) * 1000:.2f} ms a brand and tick"
        f" (best {min(spent) * 1000:.2f}); a back-test of {days:.0f} days"
        f" {time.process_time() - began:.2f} s; history {each:.0f} KB a brand"
    )


def told(t: dict[str, Any]) -> str:
    """The scorer's totals in one line."""
    delay = "-" if t["delay_onset_min"] is None else f"{t['delay_onset_min']:.0f} min"
    return (
        f"{t['caught']}/{t['windows']}  {t['on_surge']}/{t['labels']}  {delay:>7}"
        f"  {t['false_per_week']:.2f}  {t['false_unexplained_per_week']:.2f}"
        f"  (>=10x {t['x10_paged']}/{t['x10']}, 5-10x {t['x5_paged']}/{t['x5']},"
        f" NAB {t.get('nab_standard', 0):.0f})"
    )


def load(path: Path) -> Any:
    """A Python file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def brands_of(folder: Path) -> list[str]:
    """The brands of a folder; their files are in capitals."""
    return sorted(path.stem for path in folder.glob("*.csv") if path.stem.isupper())


def counts_of(path: Path) -> tuple[Any, Counts]:
    """The times and the counts of a file; the odd seconds of its buckets are dropped."""
    table = pd.read_csv(path, parse_dates=["timestamp"])
    begin = table.timestamp[0].tz_localize("UTC").floor("5min").to_pydatetime()
    return table.timestamp.to_numpy(), Counts(begin, table.value.to_numpy(np.int64))


def counted(x: Ints) -> Counts:
    """Counts that begin on a Monday."""
    return Counts(datetime(2026, 3, 2, tzinfo=UTC), x)


def quiet_brand(rng: np.random.Generator, rate: float, days: int) -> Ints:
    """Complaints of a small brand: a daily and a weekly rhythm, and hours that are busier."""
    at = np.arange(days * DAY)
    rhythm = 1 + 0.7 * np.sin(2 * np.pi * (at / DAY - 0.3))
    rhythm *= np.where(at // DAY % 7 >= 5, 0.6, 1.16)
    mood = np.repeat(rng.gamma(4, 1 / 4, days * 24), 12)
    made: Ints = rng.poisson(rate / 12 * rhythm * mood).astype(np.int64)
    return made


def pages(verdicts: Sequence[Verdict]) -> Bools:
    """Where a page is open."""
    return np.array(
        [
            v.state is State.FIRING
            and v.opening is not None
            and v.opening.severity is Severity.PAGE
            for v in verdicts
        ]
    )


def opened(alert: Bools) -> list[int]:
    """The buckets in which an alert opens."""
    return [int(i) for i in np.flatnonzero(np.diff(np.concatenate([[0], alert.astype(int)])) == 1)]


def starts(bench: Bench, path: Path) -> list[Any]:
    """When the alerts of a written file opened, without the first 2.6 days."""
    table = pd.read_csv(path, parse_dates=["timestamp"])
    return [table.timestamp.to_numpy()[i] for i in opened(table.alert.to_numpy() > 0) if i >= 750]


if __name__ == "__main__":
    main()
