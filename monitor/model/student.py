"""A student: half of a taught net's layers, taught by what the whole net says.

It is twice as fast and a little less right. Needs the extra `[train]`.
"""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast

from monitor.model import data
from monitor.model.net import Net, distance, joined, loss_of, tokenize
from monitor.model.teaching import BATCH, Rates, batches, teach

NAME = "minilm-complaint-half"
# The lowest layer knows the words, and the heads were taught on the highest.
KEPT = (0, 2, 5)
RATES = Rates(top=2e-4, decay=0.95, heads=5e-4)
SEED = 22


def halved(net: Net) -> Net:
    """Return a copy of `net` that has its KEPT layers only."""
    small = deepcopy(net)
    layers = small.encoder.encoder.layer
    small.encoder.encoder.layer = nn.ModuleList([layers[number] for number in KEPT])
    small.encoder.config.num_hidden_layers = len(KEPT)
    return small


def teach_student(
    net: Net, posts: Sequence[data.Example], lessons: Sequence[int], base: Path, work: Path
) -> Net:
    """Return a student of `net`, taught over `lessons`, which are places in `posts`.

    It learns from the labels, from the logits of `net` (cooled, after Hinton et al. 2015) and from
    its vectors. The state is kept in `work`, to go on from.
    """
    torch.manual_seed(SEED)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base, local_files_only=True)
    logits, vectors = _said(net, tokenizer, [example.text for example in posts], work)
    small = halved(net)
    steps = batches(lessons, [len(example.text) for example in posts], SEED)

    def loss(_: int, numbers: list[int]) -> Any:
        batch = [posts[number] for number in numbers]
        outputs = small(**tokenize(tokenizer, [example.text for example in batch]))
        away = 1 - (outputs[3].float() * vectors[numbers]).sum(-1)
        return loss_of(outputs, batch) + 2 * distance(outputs, logits[numbers]) + 4 * away.mean()

    teach(small, steps, loss, RATES, work / "state-student.pt", "the student learns")
    return small


def _said(net: Net, tokenizer: Any, texts: Sequence[str], work: Path) -> tuple[Any, Any]:
    """Return the logits (texts, 6) and the vectors (texts, 384) of `net`, kept in `work`."""
    kept = work / "whole.npz"
    if not kept.exists():
        logits = np.empty((len(texts), 6), np.float32)
        vectors = np.empty((len(texts), net.vector.out_features), np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            for start in tqdm(
                range(0, len(order), BATCH), desc="the whole net reads", mininterval=5
            ):
                batch = order[start : start + BATCH]
                outputs = net(**tokenize(tokenizer, [texts[number] for number in batch]))
                logits[batch] = joined(outputs).numpy()
                vectors[batch] = outputs[3].float().numpy()
        np.savez(kept, logits=logits, vectors=vectors)
    found = np.load(kept)
    return torch.from_numpy(found["logits"]), torch.from_numpy(found["vectors"])
