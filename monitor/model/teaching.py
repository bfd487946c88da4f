"""How a net is taught: batches of like length, a rate that falls, a state to go on from.

Needs the extra `[train]`.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

BATCH = 32
POOL = 64 * BATCH  # Posts are sorted by length inside pools of this size, which saves padding.
WARM_UP = 0.06
SAVE_EVERY = 200  # steps


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast the parts of a net learn."""

    top: float  # the encoder's last layer
    decay: float  # factor from each layer to the one below
    heads: float
    frozen: int = 0  # layers from the bottom, with the words below them, that do not learn


def batches(numbers: Sequence[int], lengths: Sequence[int], seed: int) -> list[list[int]]:
    """Return `numbers` in a seeded order, in batches of posts of about one length."""
    order = random.Random(seed)
    shuffled = list(numbers)
    order.shuffle(shuffled)
    found = []
    for start in range(0, len(shuffled), POOL):
        near = sorted(shuffled[start : start + POOL], key=lambda number: lengths[number])
        found += [near[i : i + BATCH] for i in range(0, len(near), BATCH)]
    order.shuffle(found)
    return found


def groups(net: Any, rates: Rates) -> Iterator[dict[str, Any]]:
    """Yield the parameters that learn with their rates: heads fast, lower layers slowly."""
    layers = net.encoder.config.num_hidden_layers
    for name, parameter in net.named_parameters():
        rate = rates.heads
        if name.startswith("encoder."):
            layer = int(name.split(".layer.")[1].split(".")[0]) + 1 if ".layer." in name else 0
            rate = rates.top * rates.decay ** (layers - layer)
            if layer <= rates.frozen and rates.frozen:
                parameter.requires_grad_(False)
                continue
        elif name.startswith("vector."):
            rate = rates.top
        decay = 0.01 if parameter.ndim > 1 else 0.0
        yield {"params": [parameter], "lr": rate, "rate": rate, "weight_decay": decay}


def teach(
    net: Any,
    steps: Sequence[list[int]],
    loss_of: Callable[[int, list[int]], Any],
    rates: Rates,
    saved: Path,
    name: str,
) -> None:
    """Teach `net` over all `steps`, each a batch of post numbers; `name` labels the bar.

    `loss_of` is given the number of the step and its batch.
    The state is kept in the file `saved`, and a run that was stopped goes on from there.
    """
    optimizer = torch.optim.AdamW(groups(net, rates))
    first = 0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        first = state["step"]

    net.train()
    smooth = math.nan
    bar = tqdm(total=len(steps), initial=first, desc=name, mininterval=5)
    for number in range(first, len(steps)):
        done = number / len(steps)
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(number, steps[number])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        smooth = loss.item() if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss.item()
        bar.set_postfix(loss=f"{smooth:.3f}", refresh=False)
        bar.update()
        if (number + 1) % SAVE_EVERY == 0:
            state = {"net": net.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state | {"step": number + 1}, saved.with_suffix(".new"))
            saved.with_suffix(".new").replace(saved)
    bar.close()
    net.eval()
