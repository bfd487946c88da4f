"""The model: measure it, let it learn from the team's labels, score open cases again."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from sqlmodel import Session

from monitor import schedule
from monitor.commands.shared import (
    DEFAULT_CONFIG,
    ConfigPath,
    console,
    errors,
    fail,
    figure,
    progress,
)
from monitor.config import load
from monitor.intake import learning
from monitor.intake.scoring import to_rescore
from monitor.model.evaluate import evaluate as measure
from monitor.model.evaluate import load as load_labelled
from monitor.model.layer import LEAST
from monitor.model.report import Row, learning_curve, report
from monitor.model.scorer import load_scorer
from monitor.store.db import connect, migrate


def rescore(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Score the posts of open cases again with today's model, and rank the cases anew."""
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    running = schedule.Engine.prepare(checked, database)
    with Session(database) as session:
        posts = to_rescore(session)
    cases = 0
    with progress("scoring again", posts) as advance:
        for posts_done, cases_done in running.rescore():
            advance(posts_done)
            cases += cases_done
    console.print(f"{posts} posts scored again by {running.scorer.name}; {cases} cases ranked.")


def learn(
    config: ConfigPath = DEFAULT_CONFIG,
    back: Annotated[
        bool, typer.Option("--back", help="Take the last thing learned back instead.")
    ] = False,
) -> None:
    """Learn from the labels that people gave; kept only if it ranks better. Exit 1 if it is not."""
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    running = schedule.Engine.prepare(checked, database)
    if back:
        with Session(database) as session:
            try:
                layer = learning.go_back(session, running.scorer.name)
            except LookupError as error:
                fail(str(error))
        console.print(f"Layer {layer.id} is used now." if layer else "The model alone is used now.")
        return
    with errors.status("Learning ..."):
        lesson = running.learn(again=True)
    if lesson.before is not None:
        console.print(
            f"average precision on labels not learned from: {figure(lesson.before)} before, "
            f"{figure(lesson.after)} after ({lesson.labels} labels)"
        )
    if lesson.learned is learning.Learned.TOO_FEW:
        fail(
            f"There are {lesson.labels} labels that this model can learn from; it needs at least "
            f"{LEAST}, of both kinds. Correct posts on the desk, the check page or the sample."
        )
    if lesson.learned is not learning.Learned.BETTER:
        fail("What could be learned is not better: nothing was changed.")
    console.print(f"Layer {lesson.version} is used from the next post on.")
    console.print("`monitor rescore` goes over the open cases; `monitor learn --back` undoes it.")


def evaluate(
    file: Annotated[
        Path | None, typer.Argument(help="Labelled .csv or .tsv: text, and complaint or label.")
    ] = None,
    data: Annotated[
        Path, typer.Option(help="The folder of public sets, measured when no file is given.")
    ] = Path("../shared/data"),
    model: Annotated[str, typer.Option(help="The model to measure.")] = "shipped",
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Beside three simple ones; needs '.[train]'.")
    ] = False,
) -> None:
    """Measure the model on labelled posts, or on the public sets beside simple baselines."""
    scorer = load_scorer(model)
    console.print(f"model {scorer.name}")
    if file is not None:
        table = Table(show_header=False, box=None)
        with errors.status("Measuring ..."):
            found = measure(scorer, load_labelled(file))
        for name, value in asdict(found).items():
            table.add_row(name.replace("_", " "), figure(value))
        console.print(table)
        return
    if not data.is_dir():
        fail(f"There is no {data}. Name a labelled file, or a folder with --data.")
    scorers = {"this model": scorer}
    if baselines:
        from monitor.model.baselines import BASELINES

        for name, make in BASELINES.items():
            with errors.status(f"Making ready: {name} ..."):
                scorers[name] = make(data)
    reports: dict[str, list[Row]] = {}
    for name, measured in scorers.items():
        with errors.status(f"Measuring {name}, about half a minute ..."):
            reports[name] = report(measured, data)
    table = Table("set", "measure", "posts", *scorers, box=None)
    for rows in zip(*reports.values(), strict=True):
        values = [figure(row.value) for row in rows]
        table.add_row(rows[0].data, rows[0].measure, str(rows[0].posts), *values)
    console.print(table)
    with errors.status("Learning from corrections ..."):
        learned = learning_curve(scorer, data)
    curve = Table("corrections of one airline", "average precision", "at 10% negative", box=None)
    for step in learned:
        curve.add_row(str(step.corrections), figure(step.average_precision), figure(step.live))
    console.print(curve)
