"""Turns a taught net into the files that are shipped, and writes down how good they are.

The file is fused and reduced to int8 with a reduced range: a quarter of the size and twice the
speed of the net, with the same figures, also on processors without the newest instructions.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
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
from monitor.model.report import learning_curve, report
from monitor.model.scorer import ShippedScorer, complaint_odds, probabilities, sigmoid

NAME = "minilm-complaint"
VERSION = "2.1.0"
SPARED_PRECISION = 0.005
TEMPERATURES = [round(0.5 + 0.05 * step, 2) for step in range(51)]
SHIFTS = [round(-2 + 0.1 * step, 1) for step in range(41)]
LEANS = [round(-0.6 + 0.1 * step, 1) for step in range(22)]
THRESHOLDS = [round(0.05 * step, 2) for step in range(1, 20)]


def export(
    net: Any,
    splits: data.Splits,
    base: Path,
    work: Path,
    shared: Path,
    out: Path,
    name: str = NAME,
) -> None:
    """Write model.onnx, tokenizer.json, model.json and metrics.json of `net` to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    write_onnx(net, work / "net.onnx")
    reduce(net, work / "net.onnx", work / "fused.onnx", out / "model.onnx")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)

    description: dict[str, Any] = {
        "name": name,
        "version": VERSION,
        "labels": {
            "sentiment": ["negative", "neutral", "positive"],
            "complaint": ["other", "complaint"],
        },
        "temperatures": {"sentiment": 1.0, "complaint": 1.0},
        "languages": ["en"],
        "lean": [0.0, 0.0, 0.0],
        "tone": 0.0,
        "shift": 0.0,
        "threshold": 0.5,
        "sha256": {name: data.digest(out / name) for name in ("model.onnx", "tokenizer.json")},
    }
    write_json(out / "model.json", description)
    description |= calibrate(ShippedScorer(out), splits.dev)
    write_json(out / "model.json", description)

    whole = work / "float"  # the same net before it was reduced, to see what that cost
    whole.mkdir(exist_ok=True)
    shutil.copy(work / "fused.onnx", whole / "model.onnx")
    shutil.copy(out / "tokenizer.json", whole)
    digests = {name: data.digest(whole / name) for name in ("model.onnx", "tokenizer.json")}
    write_json(whole / "model.json", description | {"sha256": digests})

    metrics = {
        "base_sha256": data.digest(base / "model.safetensors"),
        "posts": {
            "general": len(splits.general),
            "companies": len(splits.companies),
            "dev": len(splits.dev),
        },
        "dev": dev_figures(ShippedScorer(out), splits.dev, description["threshold"]),
        "report": [asdict(row) for row in report(ShippedScorer(out), shared)],
        "report before int8": [asdict(row) for row in report(ShippedScorer(whole), shared)],
        "after corrections": [
            asdict(learning) for learning in learning_curve(ShippedScorer(out), shared)
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
    """Return the lean, the tone, the temperatures, the shift and the threshold that suit `dev`.

    The lean is what is added to the sentiment's logits before the largest is taken: negative
    tweets are the rarest in training, and the measure counts all three tones alike. The tone is
    the largest that costs less than SPARED_PRECISION of average precision: it is what carries
    over to unseen companies. Probabilities are fitted to strangers' posts that are addressed to
    companies. The threshold goes by F1: what is doubtful below it is not lost, but shown to a
    person on the check page.
    """
    toned = [example for example in dev if example.sentiment is not None]
    outputs = scorer.outputs([example.text for example in toned])
    sentiments = [example.sentiment or 0 for example in toned]
    cooled = min(TEMPERATURES, key=lambda t: surprise(outputs["sentiment"] / t, sentiments))

    tweets = np.asarray([not example.addressed for example in toned])
    lean = max(
        ([negative, 0.0, positive] for negative, positive in product(LEANS, LEANS)),
        key=lambda lean: evaluate.class_scores(
            (outputs["sentiment"] + lean).argmax(axis=1)[tweets].tolist(),
            np.asarray(sentiments)[tweets].tolist(),
        )[0],
    )

    known = [example for example in dev if example.complaint is not None]
    labels = np.asarray([example.complaint == 1 for example in known])
    addressed = np.asarray([example.addressed and not example.written for example in known])
    outputs = scorer.outputs([example.text for example in known])
    tones = {
        tone: evaluate.average_precision(complaint_odds(outputs, tone), list(labels)) or 0.0
        for tone in (round(0.1 * step, 1) for step in range(11))
    }
    floor = max(tones.values()) - SPARED_PRECISION
    tone = max(tone for tone, precision in tones.items() if precision >= floor)
    odds = complaint_odds(outputs, tone)
    temperature, shift = min(
        product(TEMPERATURES, SHIFTS),
        key=lambda pair: surprise(
            np.stack([np.zeros_like(odds), odds / pair[0] + pair[1]], axis=1)[addressed],
            labels[addressed],
        ),
    )
    said = sigmoid(odds / temperature + shift)
    scores = {step: f1(said >= step, labels) for step in THRESHOLDS}
    return {
        "lean": lean,
        "tone": tone,
        "shift": shift,
        "temperatures": {"sentiment": cooled, "complaint": temperature},
        "threshold": max(THRESHOLDS, key=lambda step: scores[step]),
    }


def f1(found: Any, wanted: Any) -> float:
    """Return the harmonic mean of precision and recall."""
    return float(2 * (found & wanted).sum() / (wanted.sum() + found.sum()))


def surprise(logits: Any, wanted: Any) -> float:
    """Return the mean negative log probability of the `wanted` classes."""
    rows = probabilities(logits, temperature=1.0)
    return float(-np.log(rows[np.arange(len(rows)), np.asarray(wanted, dtype=int)] + 1e-12).mean())


def dev_figures(
    scorer: ShippedScorer, dev: Sequence[data.Example], threshold: float
) -> dict[str, Any]:
    """Return how the complaint and severity heads do on `dev`."""
    known = [e for e in dev if e.complaint is not None and not e.written]
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


def write_json(path: Path, content: Any) -> None:
    """Write `content` as readable JSON."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
