"""Turns a taught net into the files that are shipped, and writes down how good they are.

The file is fused and reduced to int8 with a reduced range: a quarter of the size and twice the
speed of the net, with the same figures, also on processors without the newest instructions.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from tokenizers import Tokenizer

from monitor.model import data, evaluate
from monitor.model.scorer import ShippedScorer, probabilities

NAME = "minilm-complaint"
VERSION = "1.0.0"
WANTED_RECALL = 0.9


def export(net: Any, splits: data.Splits, base: Path, work: Path, shared: Path, out: Path) -> None:
    """Write model.onnx, tokenizer.json, model.json and metrics.json of `net` to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    write_onnx(net, work / "net.onnx")
    reduce(net, work / "net.onnx", work / "fused.onnx", out / "model.onnx")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)

    description: dict[str, Any] = {
        "name": NAME,
        "version": VERSION,
        "labels": {
            "sentiment": ["negative", "neutral", "positive"],
            "complaint": ["other", "complaint"],
        },
        "temperatures": {"sentiment": 1.0, "complaint": 1.0},
        "threshold": 0.5,
        "sha256": {name: digest(out / name) for name in ("model.onnx", "tokenizer.json")},
    }
    write_json(out / "model.json", description)
    description |= calibrate(ShippedScorer(out), splits.dev)
    write_json(out / "model.json", description)

    metrics = {
        "base_sha256": digest(base / "model.safetensors"),
        "examples": {"train": len(splits.train), "dev": len(splits.dev)},
        "dev": dev_figures(ShippedScorer(out), splits.dev, description["threshold"]),
        "report": [
            {"data": row.data, "measure": row.measure, "posts": row.posts, "value": row.value}
            for row in evaluate.report(ShippedScorer(out), shared)
        ],
    }
    write_json(out / "metrics.json", metrics)


def write_onnx(net: Any, path: Path) -> None:
    """Trace `net` to an ONNX file; only the old exporter gives a graph that can be fused."""
    ids = torch.ones(2, 16, dtype=torch.long)
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        net,
        (ids, torch.ones_like(ids)),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["sentiment", "complaint", "severity", "vector"],
        dynamic_axes={
            "input_ids": axes,
            "attention_mask": axes,
            **{name: {0: "batch"} for name in ("sentiment", "complaint", "severity", "vector")},
        },
        opset_version=17,
        dynamo=False,
    )


def reduce(net: Any, traced: Path, fused: Path, out: Path) -> None:
    """Fuse the layers of the `traced` file and write its int8 form to `out`."""
    config = net.encoder.config
    options = FusionOptions("bert")
    options.enable_embed_layer_norm = False  # Fused, the word embeddings could not become int8.
    model = optimize_model(
        str(traced),
        model_type="bert",
        num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size,
        optimization_options=options,
    )
    model.save_model_to_file(str(fused))
    quantize_dynamic(
        fused,
        out,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        # Without Gather the word embeddings stay float and the file is 36 MB larger.
        op_types_to_quantize=["MatMul", "Attention", "Gather"],
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def calibrate(scorer: ShippedScorer, dev: Sequence[data.Example]) -> dict[str, Any]:
    """Return the temperatures that fit `dev` best, and the threshold for opening a case.

    A complaint that is missed costs a customer, one too many costs a glance: the threshold is
    the highest, in steps of 0.05, that still finds WANTED_RECALL of the complaints.
    """
    outputs = scorer.outputs([example.text for example in dev])
    temperatures = {}
    for head in ("sentiment", "complaint"):
        labels = [getattr(example, head) for example in dev]
        known = [place for place, label in enumerate(labels) if label is not None]
        logits, wanted = outputs[head][known], [labels[place] for place in known]
        temperatures[head] = min(
            (round(0.5 + 0.05 * step, 2) for step in range(51)),
            key=lambda temperature: surprise(logits, wanted, temperature),
        )
    said = probabilities(outputs["complaint"], temperatures["complaint"])[:, 1]
    found = [said[place] for place, example in enumerate(dev) if example.complaint == 1]
    steps = [round(0.05 * step, 2) for step in range(1, 20)]
    threshold = max(
        (step for step in steps if np.mean(np.asarray(found) >= step) >= WANTED_RECALL),
        default=steps[0],
    )
    return {"temperatures": temperatures, "threshold": threshold}


def surprise(logits: Any, wanted: Sequence[int], temperature: float) -> float:
    """Return the mean negative log probability of the `wanted` classes."""
    rows = probabilities(logits, temperature)
    return float(-np.log(rows[np.arange(len(wanted)), wanted] + 1e-12).mean())


def dev_figures(
    scorer: ShippedScorer, dev: Sequence[data.Example], threshold: float
) -> dict[str, Any]:
    """Return how the complaint and severity heads do on `dev`."""
    known = [example for example in dev if example.complaint is not None]
    labelled = [evaluate.Labelled(e.text, e.complaint == 1) for e in known]
    metrics = evaluate.evaluate(scorer, labelled, threshold)
    rated = [example for example in dev if example.severity is not None]
    scores = scorer([example.text for example in rated])
    levels: dict[float, list[float]] = {}
    for example, score in zip(rated, scores, strict=True):
        levels.setdefault(example.severity or 0.0, []).append(score.severity)
    return {
        "posts": metrics.posts,
        "complaints": metrics.complaints,
        "precision": metrics.precision,
        "recall": metrics.recall,
        "average precision": metrics.average_precision,
        "calibration error": metrics.calibration_error,
        "mean severity by level": {
            f"{level:.2f}": float(np.mean(said)) for level, said in sorted(levels.items())
        },
    }


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_json(path: Path, content: Any) -> None:
    """Write `content` as readable JSON."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
