"""Models for where there is no torch: ONNX files, in float32, compared with the original, or int8.

An exported model takes what the network takes, ``images`` (N, 1, 28, 28) float32 in [0, 1], and
gives ``logits`` (N, 10); the normalisation is inside.
"""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tendigits.atomic import write_bytes
from tendigits.data import load_mnist
from tendigits.environment import package_version
from tendigits.errors import ExtraMissingError, SettingError, WeightsError
from tendigits.weights import load_model

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BATCH_SIZE = 1_000  # pictures that are in floating point at a time
CALIBRATION_COUNT = 1_000  # training pictures that set the ranges of int8 numbers
MOST_DIFFERENCE = 1e-4  # between logits; more means that the export is not the same network
CHECKED_COUNT = 256  # pictures that every float32 export is compared on


def export_model(model: Path, *, out: Path | None = None, int8: bool = False) -> Path:
    """Write a model file as ONNX.

    Args:
        model: A model file, or a run folder that holds one.
        out: The file to write; None for ``model.onnx`` or ``model-int8.onnx`` beside the model.
        int8: Compute in 8-bit integers, with ranges set by MNIST's training pictures.

    Returns:
        The file that was written.

    Raises:
        SettingError: `out` is no name of an ONNX file.
        WeightsError: The model file must not be used, or the export is not the same network.
        ExtraMissingError: ONNX or ONNX Runtime is not installed.
        OSError: `out` cannot be written.
    """
    if out is not None and out.suffix.lower() != ".onnx":
        raise SettingError(f"{out} cannot be exported to: expected a name that ends in .onnx")
    require_onnx()
    network = load_model(model).model
    if out is None:
        folder = model if model.is_dir() else model.parent
        out = folder / ("model-int8.onnx" if int8 else "model.onnx")
    pictures = load_mnist().train.images
    if not int8:
        export_onnx(network, out, pictures)
        return out
    with tempfile.TemporaryDirectory() as name:
        exact = Path(name) / "model.onnx"
        export_onnx(network, exact, pictures)
        export_int8(exact, out, pictures)
    return out


def export_onnx(model: nn.Module, path: Path, images: NDArray[np.uint8]) -> None:
    """Write `model` as a float32 ONNX file, once it is seen to give the same logits.

    Args:
        model: (N, 1, 28, 28) -> (N, 10), on the CPU.
        path: The file to write; its N is free.
        images: (N, 28, 28) uint8, some pictures to compare on.

    Raises:
        ExtraMissingError: ONNX or ONNX Runtime is not installed.
        WeightsError: The logits differ by more than 1e-4.
        OSError: The file system refused.
    """
    require_onnx()
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "model.onnx"
        trace(
            model.eval(),
            draft,
            example=torch.zeros(2, 1, 28, 28),
            names=("images", "logits"),
            free={0: torch.export.Dim("N")},
        )
        some = images[:CHECKED_COUNT]
        with torch.inference_mode():
            expected = model(torch.from_numpy(as_input(some))).numpy()
        difference = float(np.abs(run_onnx(draft, some) - expected).max())
        if not difference <= MOST_DIFFERENCE:
            raise WeightsError(
                f"{path}: the exported logits differ by up to {difference:.2g}: expected at most "
                f"{MOST_DIFFERENCE:g}; nothing was written"
            )
        write_bytes(path, draft.read_bytes())


def export_int8(float_path: Path, path: Path, images: NDArray[np.uint8]) -> None:
    """Write a float32 ONNX file with its weights and activations in int8.

    Ranges are set by running training pictures through the network (static quantisation, a scale
    for each channel of the weights), as ONNX Runtime does it.

    Args:
        float_path: What `export_onnx` wrote.
        path: The file to write.
        images: (N, 28, 28) uint8, training pictures; the first 1,000 are used.

    Raises:
        ExtraMissingError: ONNX or ONNX Runtime is not installed.
    """
    require_onnx()
    from onnxruntime import quantization

    class Pictures(quantization.CalibrationDataReader):  # type: ignore[misc]
        """Feeds pictures to the calibration, a hundred at a time."""

        def __init__(self) -> None:
            self.batches: Iterator[NDArray[np.uint8]] = iter(
                np.array_split(images[:CALIBRATION_COUNT], 10)
            )

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            batch = next(self.batches, None)
            return None if batch is None else {"images": as_input(batch)}

    with tempfile.TemporaryDirectory() as folder:
        prepared, draft = Path(folder) / "prepared.onnx", Path(folder) / "int8.onnx"
        quantization.shape_inference.quant_pre_process(str(float_path), str(prepared))
        quantization.quantize_static(
            str(prepared),
            str(draft),
            Pictures(),
            per_channel=True,
            # Processors multiply unsigned activations by signed weights (VNNI).
            activation_type=quantization.QuantType.QUInt8,
        )
        write_bytes(path, draft.read_bytes())


def run_onnx(path: Path, images: NDArray[np.uint8], *, threads: int = 0) -> NDArray[np.float32]:
    """Return the logits that an ONNX file gives.

    Args:
        path: What `export_onnx` or `export_int8` wrote.
        images: (N, 28, 28) uint8, ink = 255 on 0.
        threads: To compute with; 0 for one a core.

    Returns:
        (N, 10) float32.
    """
    session = open_session(path, threads=threads)
    parts = [
        session.run(["logits"], {"images": as_input(images[start : start + BATCH_SIZE])})[0]
        for start in range(0, len(images), BATCH_SIZE)
    ]
    return np.concatenate(parts)


def open_session(path: Path, *, threads: int = 0) -> "InferenceSession":
    """Return a session of ONNX Runtime for an ONNX file.

    Args:
        path: What `export_onnx` or `export_int8` wrote.
        threads: To compute with; 0 for one a core.

    Raises:
        ExtraMissingError: ONNX Runtime is not installed.
    """
    require_onnx()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def as_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures, (N, 28, 28) uint8, as a network takes them: (N, 1, 28, 28) in [0, 1]."""
    return images[:, None].astype(np.float32) / np.float32(255)


def require_onnx() -> None:
    """Raise an `ExtraMissingError` where what exports or runs ONNX files is not installed."""
    if None in (package_version("onnxscript"), package_version("onnxruntime")):
        raise ExtraMissingError("ONNX", "export")


def trace(
    model: nn.Module,
    path: Path,
    *,
    example: torch.Tensor,
    names: tuple[str, str],
    free: dict[int, Any],
) -> None:
    """Write a network as ONNX with torch's exporter, which talks more than it needs to.

    Args:
        model: In evaluation mode, on the CPU.
        path: The file to write.
        example: What it takes.
        names: Of what it takes and of what it gives.
        free: The axes of `example` that may have another length, as `torch.export` wants them.
    """
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns of torchvision, which is not used
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # between torch's own parts
            torch.onnx.export(
                model,
                (example,),
                path,
                input_names=names[:1],
                output_names=names[1:],
                dynamic_shapes=(free,),
                external_data=False,
                verbose=False,
            )
    finally:
        logger.setLevel(level)
