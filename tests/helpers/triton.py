"""A real client of the Open Inference Protocol, Triton's, and what it sends and reads."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput


@contextmanager
def connected(url: str, **options: Any) -> Iterator[InferenceServerClient]:
    """A client of the server at this URL."""
    with InferenceServerClient(url.removeprefix("http://"), **options) as client:
        yield client


def encoded(*images: bytes, binary: bool = True, column: bool = False) -> InferInput:
    """Images' files as an input; in JSON they are base64."""
    values = np.empty((len(images), 1) if column else len(images), dtype=np.object_)
    values.flat[:] = images if binary else [b64encode(each).decode() for each in images]
    given = InferInput("images", list(values.shape), "BYTES")
    return given.set_data_from_numpy(values, binary_data=binary)


def pixels(rgb: npt.NDArray[np.uint8], *, binary: bool = True) -> InferInput:
    """Images' pixels as an input: n x height x width x 3."""
    given = InferInput("pixels", list(rgb.shape), "UINT8")
    return given.set_data_from_numpy(rgb, binary_data=binary)


def outputs(*names: str, binary: bool = True, classes: int = 0) -> list[InferRequestedOutput]:
    """The outputs that are asked for."""
    return [InferRequestedOutput(name, binary_data=binary, class_count=classes) for name in names]


def texts(values: npt.NDArray[np.object_]) -> list[Any]:
    """The texts of an output; a client has binary ones as bytes."""
    flat = [each.decode() if isinstance(each, bytes) else each for each in values.flatten()]
    found: list[Any] = np.array(flat, dtype=np.object_).reshape(values.shape).tolist()
    return found
