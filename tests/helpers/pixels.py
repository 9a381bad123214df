"""The pixels or the tensor of an image alone, without its size and its place."""

from __future__ import annotations

from workers.images import jpeg, preprocess
from workers.images.preprocess import Image, Source, Tensor
from workers.images.sizes import Size
from workers.protocol.spec import EXACT, InputSpec


def pixels(source: Source, least: Size | None = None) -> Image:
    """The pixels of an item; a JPEG's may be reduced to no less than `least`."""
    return preprocess.pixels(source, wanted(least))[0]


def decode(data: bytes, least: Size | None = None) -> Image:
    """The same of a file's bytes."""
    return preprocess.decode(data, wanted(least))[0]


def wanted(least: Size | None) -> jpeg.Needed | None:
    """What a decoder asks how small a picture may be."""
    return None if least is None else lambda _: least


def tensor_of(source: Source, spec: InputSpec, mode: str = EXACT) -> Tensor:
    """The input tensor that an item becomes."""
    return preprocess.load(source, spec, mode)[0]
