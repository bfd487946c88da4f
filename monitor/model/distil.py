"""A net is taught by what others say of the posts: itself once more, or half of its layers.

A net that learns from its elder's opinions beside the labels does better than that elder, after
Furlanello et al. (2018), "Born-Again Neural Networks"; half of the layers nearly keep up, at twice
the speed. Needs the extra `[train]`.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from monitor.model import data
from monitor.model.net import Net, apart, distance, joined, loss_of, tokenize
from monitor.model.teaching import BATCH, Rates, teach

# The lowest layer knows the words, and the heads were taught on the highest.
KEPT = (0, 2, 5)
# What the elder says weighs more than the labels, and its vectors most: they are small numbers.
LOGITS, VECTORS = 2, 4


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of some posts, a row for each."""

    logits: Any  # (posts, 6)
    vectors: Any  # (posts, 384), of length one


def said_by(net: Net, tokenizer: Any, texts: Sequence[str], kept: Path) -> Said:
    """Return what `net` says of `texts`; the file `kept` remembers it."""
    if not kept.exists():
        logits = np.empty((len(texts), 6), np.float32)
        vectors = np.empty((len(texts), net.vector.out_features), np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            starts = range(0, len(order), BATCH)
            for start in tqdm(starts, desc="the elder reads", mininterval=5):
                batch = order[start : start + BATCH]
                outputs = net(**tokenize(tokenizer, [texts[number] for number in batch]))
                logits[batch] = joined(outputs).numpy()
                vectors[batch] = outputs[3].float().numpy()
        np.savez(kept, logits=logits, vectors=vectors)
    found = np.load(kept)
    return Said(torch.from_numpy(found["logits"]), torch.from_numpy(found["vectors"]))


def with_teacher(elder: Said, teacher: Any) -> Said:
    """Return `elder` with the mean of both logits where the `teacher` says something, not NaN."""
    silent = teacher.isnan().any(1, keepdim=True)
    return Said(torch.where(silent, elder.logits, (elder.logits + teacher) / 2), elder.vectors)


def halved(net: Net) -> Net:
    """Return a copy of `net` that has its KEPT layers only."""
    small = deepcopy(net)
    layers = small.encoder.encoder.layer
    small.encoder.encoder.layer = nn.ModuleList([layers[number] for number in KEPT])
    small.encoder.config.num_hidden_layers = len(KEPT)
    return small


def distil(
    net: Net,
    tokenizer: Any,
    posts: Sequence[data.Example],
    steps: Sequence[list[int]],
    said: Said,
    faults: Sequence[list[data.Example]],
    rates: Rates,
    done: Path,
) -> None:
    """Teach `net` over `steps` by the labels and by what was `said`; the file `done` keeps it.

    `said` has a row for each of `posts`. The batches of `faults` are spread over the steps. A
    stopped run goes on from beside `done`.
    """
    if done.exists():
        net.load_state_dict(torch.load(done, weights_only=True))
        net.eval()
        return
    every = len(steps) // len(faults)

    def loss(step: int, numbers: list[int]) -> Any:
        batch = [posts[number] for number in numbers]
        outputs = net(**tokenize(tokenizer, [example.text for example in batch]))
        away = 1 - (outputs[3].float() * said.vectors[numbers]).sum(-1)
        total = loss_of(outputs, batch) + LOGITS * distance(outputs, said.logits[numbers])
        total = total + VECTORS * away.mean()
        if step % every == 0 and step // every < len(faults):
            told = faults[step // every]
            vectors = net(**tokenize(tokenizer, [example.text for example in told]))[3]
            total = total + apart(vectors, [example.fault for example in told])
        return total

    teach(net, steps, loss, rates, done.with_suffix(".state"), done.stem)
    torch.save(net.state_dict(), done)
