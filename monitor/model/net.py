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


def tokenize(tokenizer: Any, texts: list[str]) -> dict[str, Any]:
    """Return `texts` as padded tensors of token numbers and their mask."""
    tokens = tokenizer(
        texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
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
