"""A fake of Rockchip's PC tool with the real one's habits, and conversions with it."""

from __future__ import annotations

import ctypes
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from farm.convert.convert import Conversion, Converted, convert
from farm.errors import FarmError

FLOAT, INT64 = 1, 7


def tensor(name: str, *dims: int, kind: int = FLOAT) -> Any:
    """Return an input or output as onnx.load does; 0 is a dimension that the model leaves open."""
    shape = SimpleNamespace(dim=[SimpleNamespace(dim_value=dim) for dim in dims])
    tensor_type = SimpleNamespace(elem_type=kind, shape=shape)
    return SimpleNamespace(name=name, type=SimpleNamespace(tensor_type=tensor_type))


@dataclass
class Vendor:
    """How the fake tool behaves, and what it was asked."""

    inputs: list[Any] = field(default_factory=lambda: [tensor("x", 1, 3, 4, 6)])
    outputs: list[Any] = field(default_factory=lambda: [tensor("y", 1, 10)])
    weights: tuple[str, ...] = ()
    codes: dict[str, int] = field(default_factory=dict)
    raises: dict[str, BaseException] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    tensors: list[npt.NDArray[Any]] = field(default_factory=list)
    dataset: Path = Path()

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def options(self, step: str) -> dict[str, Any]:
        (found,) = (options for name, options in self.calls if name == step)
        return found

    def step(self, name: str, options: dict[str, Any]) -> int:
        self.calls.append((name, options))
        print(f"chatter of {name}")
        ctypes.CDLL(None).puts(b"chatter in C")
        if name in self.raises:
            raise self.raises[name]
        code = self.codes.get(name, 0)
        if code:
            logging.getLogger("rknnLogger").error("\x1b[1;31m%s: its reason\x1b[0m", name)
        return code


class FakeRKNN:
    """`RKNN`: each step returns a code or raises, and prints."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        print("chatter of a new one")

    def config(self, **options: Any) -> int:
        return self._vendor.step("config", options)

    def load_onnx(self, **options: Any) -> int:
        return self._vendor.step("load_onnx", options)

    def build(self, **options: Any) -> int:
        self._vendor.dataset = Path(options["dataset"])
        lines = self._vendor.dataset.read_text().splitlines()
        self._vendor.tensors = [np.load(self._vendor.dataset.with_name(name)) for name in lines]
        return self._vendor.step("build", options)

    def export_rknn(self, export_path: str) -> int:
        Path(export_path).write_bytes(b"RKNN half")
        code = self._vendor.step("export_rknn", {"export_path": export_path})
        Path(export_path).write_bytes(b"RKNN whole")
        return code

    def init_runtime(self) -> int:
        return self._vendor.step("init_runtime", {})

    def inference(self, **options: Any) -> Any:
        self._vendor.step("inference", options)
        return None if self._vendor.codes.get("inference") else [np.eye(1, 5, 3)]

    def release(self) -> None:
        self._vendor.calls.append(("release", {}))


def install(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    """Put the fake, and an `onnx` that reads only b"onnx", in the place of the real ones."""
    made = Vendor()

    def load(path: str, *, load_external_data: bool) -> Any:
        assert not load_external_data
        if Path(path).read_bytes() != b"onnx":
            raise ValueError("Traceback ...\nDecodeError: Error parsing message")
        weights = [SimpleNamespace(name=name) for name in made.weights]
        graph = SimpleNamespace(input=made.inputs, output=made.outputs, initializer=weights)
        return SimpleNamespace(graph=graph)

    modules = {name: ModuleType(name) for name in ("rknn", "rknn.api", "onnx")}
    vars(modules["rknn.api"])["RKNN"] = lambda: FakeRKNN(made)
    vars(modules["onnx"])["load"] = load
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return made


def done(job: Conversion) -> tuple[Converted, list[str]]:
    """Convert; return what was made and the notices."""
    told: list[str] = []
    return convert(job, told.append), told


def refused(job: Conversion, kind: type[FarmError]) -> str:
    """Convert, which must fail with `kind` and leave nothing behind; return the message."""
    before = sorted(job.model.parent.iterdir())
    with pytest.raises(kind) as caught:
        convert(job, lambda _: None)
    assert sorted(job.model.parent.iterdir()) == before
    return str(caught.value)
