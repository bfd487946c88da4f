"""How fast is the shipped model, and where does the time go?

    python -m tests.bench.model [folder of weights]      (needs the extra [train])

Prints, in turns within one run on the same tweets: posts per second of the shipped model, in bulk
and one by one; of `transformers.pipeline` with a base-size classifier (random weights: speed does
not depend on them) at its batch 32 and 1; the ratios. Then the share of this machine's int8 matrix
limit, the time by kind of operation, the time to load in a fresh process and its memory, and what
copies and near-copies cost.
"""

import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from monitor.model.scorer import WEIGHTS, ShippedScorer
from monitor.model.text import clean

ROUNDS = 5
POSTS = 2_048
PIPELINE_POSTS = {32: 192, 1: 64}
TWEETS = Path(__file__).parents[3] / "shared" / "data" / "tweeteval" / "sentiment_val.tsv"
LAYER = (384, 1536)  # the two sides of the model's largest matrices
LOAD = """
import re, sys, time
began = time.perf_counter()
from pathlib import Path
from monitor.model.scorer import ShippedScorer
scorer = ShippedScorer(Path(sys.argv[1]))
loaded = time.perf_counter() - began
scorer([f"post number {number} is late again" for number in range(256)])
# The kernel's own mark: what getrusage tells includes the process that started this one.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(loaded, int(peak) / 1024)
"""


def main() -> None:
    """Print the figures."""
    folder = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else WEIGHTS
    if not TWEETS.exists():
        sys.exit(f"There is no {TWEETS}: the shared data is needed.")
    with TWEETS.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file, delimiter="\t")][:POSTS]
    scorer = ShippedScorer(folder)
    print(f"{scorer.name}, {len(texts)} tweets, median of {ROUNDS} rounds (lowest to highest)")
    bulk, single, usual = speeds(scorer, texts)
    show("in bulk, posts/s", bulk)
    show("one by one, posts/s", single)
    for size, found in usual.items():
        show(f"transformers.pipeline, base size, batch {size}, posts/s", found)
        show(f"  ours in bulk over it at batch {size}", ratios(bulk, found))
        show(f"  ours one by one over it at batch {size}", ratios(single, found))
    matrix_limit(folder, scorer, texts, bulk)
    profile(folder, texts)
    loads = [load(folder) for _ in range(ROUNDS)]
    show("load in a fresh process, libraries included, s", [seconds for seconds, _ in loads])
    show("its memory after 256 posts, MB", [memory for _, memory in loads])
    copies(folder, texts)


def speeds(
    scorer: ShippedScorer, texts: list[str]
) -> tuple[list[float], list[float], dict[int, list[float]]]:
    """Posts per second of ours in bulk and one by one, and of the usual way by batch size."""
    pipeline = usual_pipeline()
    cleaned = [clean(text) for text in texts]
    bulk: list[float] = []
    single: list[float] = []
    usual: dict[int, list[float]] = {size: [] for size in PIPELINE_POSTS}
    scorer.outputs(cleaned[:256])
    for _ in range(ROUNDS):
        # `outputs` and not a call: no verdict is remembered from the round before.
        bulk.append(speed(lambda: scorer.outputs([clean(text) for text in texts]), len(texts)))
        single.append(
            speed(lambda: [scorer.outputs([text]) for text in cleaned[:256]], len(cleaned[:256]))
        )
        for size, number in PIPELINE_POSTS.items():
            some = partial(pipeline, texts[:number], batch_size=size)
            usual[size].append(speed(some, number))
    return bulk, single, usual


def usual_pipeline() -> Any:
    """A text classification pipeline with a model of base size."""
    import torch
    import transformers

    library: Any = transformers  # It ships no types for what it makes.
    torch.manual_seed(1)
    tokenizer = library.PreTrainedTokenizerFast(
        tokenizer_file=str(WEIGHTS / "tokenizer.json"), pad_token="[PAD]", model_max_length=512
    )
    net = library.BertForSequenceClassification(library.BertConfig(num_labels=3)).eval()
    return library.pipeline("text-classification", model=net, tokenizer=tokenizer)


def matrix_limit(folder: Path, scorer: ShippedScorer, texts: list[str], bulk: list[float]) -> None:
    """Print the int8 matrix limit of this machine, and which share of it the model uses."""
    from concurrent.futures import ThreadPoolExecutor

    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    wide, deep = LAYER
    weights = np.random.default_rng(1).integers(-64, 64, (wide, deep), dtype=np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "limit",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, [None, wide])],
        [helper.make_tensor_value_info("c", TensorProto.INT32, [None, deep])],
        [onnx.numpy_helper.from_array(weights, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    rows = np.random.default_rng(2).integers(0, 255, (1024, wide), dtype=np.uint8)
    times = 200
    work = 2.0 * 1024 * wide * deep * times * 2
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: [session.run(None, {"a": rows}) for _ in range(times)], (1, 2)))
        found.append(work / (time.perf_counter() - began) / 1e9)
    show("int8 matrix limit on two threads, GOP/s", found)
    tokens = statistics.mean(scorer.tokens(clean(text)) for text in texts)
    nodes = onnx.load(str(folder / "model.onnx"), load_external_data=False).graph.node
    layers = sum(node.op_type == "QAttention" for node in nodes)
    used = 2.0 * tokens * layers * (4 * 384 * 384 + 2 * 384 * 1536) / 1e9
    share = statistics.median(bulk) * used / statistics.median(found)
    print(f"the model does {used:.2f} GOP a post of {tokens:.1f} tokens: {share:.0%} of the limit")


def profile(folder: Path, texts: list[str]) -> None:
    """Print which operations of the network take the time, on one thread."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as place:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_profiling = True
        options.profile_file_prefix = f"{place}/profile"
        scorer = ShippedScorer(folder, threads=1)
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        scorer._session = session
        scorer.outputs([clean(text) for text in texts[:512]])
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    spent: dict[str, float] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("kernel_time"):
            kind = event["args"]["op_name"]
            spent[kind] = spent.get(kind, 0.0) + event["dur"]
    whole = sum(spent.values())
    parts = sorted(spent.items(), key=lambda part: -part[1])[:8]
    print("time by operation: " + ", ".join(f"{kind} {t / whole:.0%}" for kind, t in parts))


def load(folder: Path) -> tuple[float, float]:
    """Seconds to load the model in a fresh process, and that process's memory in MB."""
    command = [sys.executable, "-c", LOAD, str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def copies(folder: Path, texts: list[str]) -> None:
    """Print how much faster a flood of near-copies is read than as many different posts."""
    some = texts[:512]
    flood = [f"@user{number} {some[number % 32].upper()}" for number in range(len(some))]
    different, same = [], []
    for _ in range(ROUNDS):
        different.append(speed(lambda: ShippedScorer(folder)(some), len(some)))
        same.append(speed(lambda: ShippedScorer(folder)(flood), len(flood)))
    show(
        "512 near-copies of 32 posts over 512 different ones, load included",
        ratios(same, different),
    )


def speed(call: Callable[[], object], number: int) -> float:
    """How many of `number` things a second a call does."""
    began = time.perf_counter()
    call()
    return number / (time.perf_counter() - began)


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Each round's ratio."""
    return [mine / its for mine, its in zip(ours, theirs, strict=True)]


def show(name: str, values: Sequence[float]) -> None:
    """A figure's median, lowest and highest."""
    print(f"{name}: {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})")


if __name__ == "__main__":
    main()
