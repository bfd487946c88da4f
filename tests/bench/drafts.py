"""How often each rule of the draft check is right, on real answers and on written ones.

    python -m tests.bench.drafts [DATA] [--unjudged]

DATA is the folder with conversations/conversations.jsonl; ../shared/data if left out. A person read
each hit (60 a rule at most, drawn with a seed) and wrote into drafts_judged.csv whether it was
right. Of the written cases only those count on which no rule was improved. No text of a real answer
is kept here, only ids. --unjudged prints the hits without a verdict.
"""

import csv
import html
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monitor.answer.checking.drafts import PRECISE_ENOUGH, Context, all_rules, check
from tests.monitor.draft_cases import written

HERE = Path(__file__).parent
JUDGED = HERE / "drafts_judged.csv"
SEED, MOST = 7, 60
ENOUGH = 10
"""Judged real hits from which they alone count."""


@dataclass(frozen=True)
class Turn:
    """One answer of a company with what stood before it."""

    id: str
    text: str
    context: Context


def main() -> None:
    """Print the figures, or why there are none of real answers."""
    arguments = [word for word in sys.argv[1:] if not word.startswith("--")]
    data = Path(arguments[0]) if arguments else HERE.parents[2] / "shared" / "data"
    path = data / "conversations" / "conversations.jsonl"
    turns = list(read(path)) if path.exists() else []
    if not turns:
        print(f"Real answers skipped: there is no {path}.")
    hits = real_hits(turns)
    if "--unjudged" in sys.argv:
        show_unjudged(turns, hits)
        return
    verdicts = judged()
    print(f"{len(turns)} real answers. Right of judged hits; then the cases written for the rule.")
    print(
        f"{'rule':18}{'hits':>6}{'judged':>8}{'right':>7}{'real':>8}{'written':>9}  counts     on"
    )
    for rule in all_rules():
        marks = [verdicts[key] for key in sample(rule.id, hits[rule.id]) if key in verdicts]
        right, wrong, missed = on_written(rule.id)
        by_written = right / (right + wrong) if right + wrong else 0.0
        by_real = sum(marks) / len(marks) if marks else 0.0
        real = len(marks) >= ENOUGH
        counts = by_real if real else by_written
        n = len(marks) if real else right + wrong
        told = "real" if real else "written"
        on = "on" if counts >= PRECISE_ENOUGH else "off"
        note = f", finds {right} of {right + missed} written" if right + missed else ""
        stale = (
            " (file says otherwise)"
            if turns and (rule.on != (on == "on") or abs(rule.precision - counts) > 0.005
                          or rule.n != n or rule.measured != told)
            else ""
        )  # fmt: skip
        print(
            f"{rule.id:18}{len(hits[rule.id]):6}{len(marks):8}{sum(marks):7}"
            f"{f'{by_real:.0%}' if marks else '-':>8}"
            f"{f'{by_written:.0%}' if right + wrong else '-':>9}"
            f"  {told:8} n={n:<3} {on}{note}{stale}"
        )
    measure_time(turns)


def read(path: Path) -> Iterator[Turn]:
    """Every answer of a company, with the customer's posts and its own earlier answers."""
    for line in path.read_text(encoding="utf-8").splitlines():
        session = json.loads(line)
        turns = [*session["turns"], {**session["last_reply"], "from": "company"}]
        posts: list[str] = []
        said: list[str] = []
        for turn in turns:
            text = html.unescape(turn["text"])
            # A few of the turns marked as the company's were written by passers-by: they have no
            # account's name, or another's.
            if turn["from"] != "company":
                posts.append(text)
                continue
            if "handle" in turn and turn["handle"] != session["company"]:
                continue
            yield Turn(
                turn["id"],
                text,
                Context(posts=tuple(posts), earlier=tuple(said), in_thread=tuple(said)),
            )
            said.append(text)


def real_hits(turns: list[Turn]) -> dict[str, list[str]]:
    """The ids of the answers that each rule finds, whether it is on or off."""
    hits: dict[str, list[str]] = defaultdict(list)
    for turn in turns:
        for name in {finding.rule for finding in check(turn.text, turn.context, all_rules())}:
            hits[name].append(turn.id)
    return hits


def sample(rule: str, hits: list[str]) -> list[tuple[str, str]]:
    """The hits that are judged: all, or as many as a person reads."""
    drawn = hits if len(hits) <= MOST else random.Random(SEED).sample(sorted(hits), MOST)
    return [(name, rule) for name in drawn]


def judged() -> dict[tuple[str, str], bool]:
    """What a person said of each hit."""
    with JUDGED.open(encoding="utf-8", newline="") as file:
        return {(row["turn"], row["rule"]): row["right"] == "1" for row in csv.DictReader(file)}


def on_written(rule: str) -> tuple[int, int, int]:
    """Of the cases that count for a rule: found rightly, found wrongly, missed."""
    right = wrong = missed = 0
    for case in written():
        if case.rule != rule or case.tuned:
            continue
        found = any(f.rule == rule for f in check(case.text, case.context, all_rules()))
        right += found and case.found
        wrong += found and not case.found
        missed += case.found and not found
    return right, wrong, missed


def show_unjudged(turns: list[Turn], hits: dict[str, list[str]]) -> None:
    """Print what nobody has judged yet, to be read beside drafts_judged.csv."""
    known, by_id = judged(), {turn.id: turn for turn in turns}
    for rule in all_rules():
        for key in sample(rule.id, hits[rule.id]):
            if key not in known:
                turn = by_id[key[0]]
                found = [f.phrase for f in check(turn.text, turn.context, [rule])]
                asked = turn.context.posts[-1] if turn.context.posts else ""
                print(f"{key[0]},{rule.id},\n   Q {asked!r}\n   A {turn.text!r}\n   = {found}")


def measure_time(turns: list[Turn]) -> None:
    """Print how long a draft takes with the rules that are on, in processor time."""
    drafts = [(t.text, t.context) for t in turns] or [(c.text, c.context) for c in written()]
    check(*drafts[0])
    took = []
    for text, context in drafts:
        began = time.process_time()
        check(text, context)
        took.append((time.process_time() - began) * 1000)
    p95 = statistics.quantiles(took, n=20)[-1]
    print(
        f"{len(took)} drafts: median {statistics.median(took):.2f} ms of processor time, "
        f"95 % within {p95:.2f} ms"
    )


if __name__ == "__main__":
    main()
