"""The network in torch: an encoder with its heads, as it is taught. Needs the extra `[train]`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModel

from monitor.model.data import Example
from monitor.model.text import MAX_TOKENS

COOLING = 2.0
CONTRAST = 0.07  # the temperature of the published recipe


class Net(nn.Module):  # type: ignore[misc, unused-ignore]  # torch may be absent
    """An encoder and its heads: sentiment, complaint and severity logits, and the vector."""

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


def load_encoder(base: Path) -> Any:
    """Return the base encoder; the plain attention is the one that the exporter can fuse."""
    return AutoModel.from_pretrained(
        base, attn_implementation="eager", add_pooling_layer=False, local_files_only=True
    )


def tokenize(tokenizer: Any, texts: list[str], longest: int = MAX_TOKENS) -> dict[str, Any]:
    """Return `texts` as padded tensors of token numbers and their mask."""
    tokens = tokenizer(
        texts, padding=True, truncation=True, max_length=longest, return_tensors="pt"
    )
    return {name: tokens[name] for name in ("input_ids", "attention_mask")}


def loss_of(outputs: tuple[Any, ...], batch: Sequence[Example]) -> Any:
    """Return the loss against the labels: each head's sum over what it knows, by the posts."""
    sentiment, complaint, severity = (output.float() for output in outputs[:3])
    unknown = -100
    loss = torch.zeros(())
    for logits, labels in (
        (sentiment, [example.sentiment for example in batch]),
        (complaint, [example.complaint for example in batch]),
    ):
        wanted = torch.tensor([unknown if label is None else label for label in labels])
        loss = loss + functional.cross_entropy(
            logits, wanted, ignore_index=unknown, reduction="sum"
        )
    rated = [place for place, example in enumerate(batch) if example.severity is not None]
    if rated:
        levels = torch.tensor([batch[place].severity for place in rated])
        loss = loss + functional.binary_cross_entropy_with_logits(
            severity[rated], levels, reduction="sum"
        )
    return loss / len(batch)


def joined(outputs: tuple[Any, ...]) -> Any:
    """Return the logits of sentiment (3), complaint (2) and severity (1) side by side."""
    sentiment, complaint, severity = (output.float() for output in outputs[:3])
    return torch.cat([sentiment, complaint, severity.unsqueeze(1)], dim=1)


def distance(outputs: tuple[Any, ...], said: Any) -> Any:
    """Return how far the heads are from what a teacher said, its logits (posts, 6), by the posts.

    Rows of NaN say nothing. After Hinton et al. (2015): both sides are cooled, which shows what the
    teacher thinks of the classes that it does not choose.
    """
    known = ~said.isnan().any(1)
    if not known.any():
        return torch.zeros(())
    logits, wanted = joined(outputs)[known], said[known]
    loss = functional.binary_cross_entropy_with_logits(
        logits[:, 5], wanted[:, 5].sigmoid(), reduction="sum"
    )
    for start, end in ((0, 3), (3, 5)):
        loss = loss + COOLING**2 * functional.kl_div(
            functional.log_softmax(logits[:, start:end] / COOLING, dim=1),
            functional.softmax(wanted[:, start:end] / COOLING, dim=1),
            reduction="sum",
        )
    return loss / len(said)


def apart(vectors: Any, faults: Sequence[str]) -> Any:
    """Return how badly vectors of one fault lie together, against those of the other faults.

    The supervised contrastive loss of Khosla et al. (2020), over posts that share their fault.
    """
    same = torch.tensor([[one == other for other in faults] for one in faults])
    itself = torch.eye(len(faults), dtype=torch.bool)
    likeness = (vectors.float() @ vectors.float().T / CONTRAST).masked_fill(itself, -1e9)
    chance = functional.log_softmax(likeness, dim=1)
    pairs = same & ~itself
    return -(chance * pairs).sum(1).div(pairs.sum(1).clamp(min=1)).mean()
