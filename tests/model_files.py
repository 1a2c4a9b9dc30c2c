"""Model files that somebody else has changed."""

import json
from pathlib import Path

import safetensors.torch
import torch

from tendigits.weights import ModelInfo, model_sha256

INFO = ModelInfo(recipe="article-mlp", seed=3, data="mnist", train_fingerprint="00")


def rewrite(
    path: Path,
    *,
    honest: bool = True,
    tensors: dict[str, torch.Tensor] | None = None,
    **changes: object,
) -> None:
    """Change a model file, and its sha256 as well if the writer is honest."""
    tensors = safetensors.torch.load_file(path) if tensors is None else tensors
    with safetensors.safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["tendigits"])
    stated = description.pop("sha256")
    description |= changes
    description["sha256"] = model_sha256(tensors, description) if honest else stated
    path.write_bytes(safetensors.torch.save(tensors, {"tendigits": json.dumps(description)}))
