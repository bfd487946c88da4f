"""How much of the bare model's speed is left end to end: import, score and queue real tweets.

    python -m tests.bench.throughput [posts.csv]

Prints posts per second of the model alone on the texts and of collect + score + triage of the same
file into a fresh SQLite database, in turns within one run, and their ratio (medians). Then what a
second import adds, and the peak memory of `monitor import` as its own process.
"""

import csv
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlmodel import Session

from monitor.config import load
from monitor.desk.queue.work_queue import counts_by_status
from monitor.model.scorer import load_scorer
from monitor.schedule import Engine
from monitor.store.db import connect, migrate

ROUNDS = 3
AIRLINE = Path(__file__).parents[3] / "shared" / "data" / "airline" / "airline.csv"
CONFIG = """
[company]
name = "Airlines"
[sources.airline]
connector = "file"
path = "{path}"
columns = {{ id = "tweet_id", text = "text", author = "name", created_at = "tweet_created" }}
every_seconds = 0.001
"""


def main() -> None:
    """Print the figures."""
    path = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else AIRLINE
    if not path.exists():
        sys.exit(f"There is no {path}: name a CSV with these columns.")
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    scorer = load_scorer()
    scorer(texts[:256])
    bare, whole = [], []
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_text(CONFIG.format(path=path.as_posix()), encoding="utf-8")
        for number in range(ROUNDS):
            began = time.perf_counter()
            scorer(texts)
            bare.append(len(texts) / (time.perf_counter() - began))
            began = time.perf_counter()
            posts, again = end_to_end(config, f"{number}.db")
            whole.append(posts / (time.perf_counter() - began))
        show("the model alone, posts/s", bare)
        show("import, score and queue, posts/s", whole)
        show("ratio", [mine / its for mine, its in zip(whole, bare, strict=True)])
        print(f"posts stored: {posts} of {len(texts)} rows; a second import added {again}")
        command = [sys.executable, "-m", "monitor", "import", str(path), "-c", str(config)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of `monitor import`: {peak:.0f} MB")


def end_to_end(config: Path, name: str) -> tuple[int, int]:
    """Import into a fresh database: posts stored, and those a second import adds."""
    database = connect(f"sqlite:///{config.parent / name}")
    migrate(database)
    engine = Engine.prepare(load(config), database)
    engine.collect("airline")
    stored = sum(engine.work_through())
    engine.collect("airline")
    again = sum(engine.work_through())
    with Session(database) as session:
        assert sum(counts_by_status(session).values()) > 0
    database.dispose()
    return stored, again


def show(name: str, values: list[float]) -> None:
    """A figure's minimum, median and maximum."""
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{name}: {middle:.2f} (of {len(values)}, {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
