"""The adapter to Rockchip's package, on a fake that has the real one's traps."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.support import worker_spec
from workers.errors import RuntimeFailure
from workers.rknn import RknnRuntime
from workers.spec import InputHint, WorkerSpec

STALE = np.full((1, 10), 0.1, np.float32)
FRESH = np.eye(10, dtype=np.float32)[3:4]


class TensorAttribute(ctypes.Structure):
    """What get_tensor_attr gives, as far as it is read: 16 dimensions, n_dims of them in use."""

    _fields_ = (("n_dims", ctypes.c_uint32), ("dims", ctypes.c_uint32 * 16))


@dataclass
class Board:
    """How the fake vendor's package behaves, and what it was asked."""

    load_code: int = 0
    init_code: int = 0
    run_code: int = 0
    input_dims: tuple[int, ...] = (1, 4, 6, 3)
    output_dims: tuple[int, ...] = (1, 10)
    set_inputs_raises: str | None = None
    outputs_none: bool = False
    buffer: npt.NDArray[np.float32] = field(default_factory=STALE.copy)
    calls: list[tuple[Any, ...]] = field(default_factory=list)

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]


class FakeRuntime:
    """`RKNNLite.rknn_runtime`: outputs can be had after a failed run, and are the old ones."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def get_tensor_attr(self, index: int, is_output: bool = False) -> TensorAttribute:
        if self._board.init_code != 0:
            raise ctypes.ArgumentError("argument 1: wrong type")
        assert index == 0
        dims = self._board.output_dims if is_output else self._board.input_dims
        return TensorAttribute(len(dims), (*dims, *(77,) * (16 - len(dims))))

    def set_inputs(self, inputs: list[Any], data_type: Any, data_format: Any) -> int:
        self._board.calls.append(("set_inputs", inputs, data_type, data_format))
        if self._board.set_inputs_raises is not None:
            raise Exception(self._board.set_inputs_raises)
        return 0

    def run(self, get_frame_id: bool) -> Any:
        self._board.calls.append(("run",))
        if self._board.run_code == 0:
            self._board.buffer = FRESH.copy()
        return (self._board.run_code, 1) if get_frame_id else self._board.run_code

    def get_outputs(self, get_frame_id: bool, reuse_outputs: bool = True) -> Any:
        self._board.calls.append(("get_outputs", reuse_outputs))
        if self._board.outputs_none:
            return None
        outputs = [self._board.buffer if reuse_outputs else self._board.buffer.copy()]
        return (outputs, 1) if get_frame_id else outputs


class FakeLite:
    """`RKNNLite`: nothing raises, codes tell, and `inference` hides the code of a failed run."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.rknn_runtime: FakeRuntime | None = None

    def load_rknn(self, path: str) -> int:
        self._board.calls.append(("load_rknn", path))
        return self._board.load_code

    def init_runtime(self, **options: Any) -> int:
        self._board.calls.append(("init_runtime", options))
        self.rknn_runtime = FakeRuntime(self._board)
        return self._board.init_code

    def inference(self, inputs: list[Any], **_options: Any) -> Any:
        assert self.rknn_runtime is not None
        self.rknn_runtime.set_inputs(inputs, None, None)
        self.rknn_runtime.run(False)
        return self.rknn_runtime.get_outputs(False)

    def release(self) -> None:
        self._board.calls.append(("release",))


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Board:
    made = Board()
    api = ModuleType("rknnlite.api")
    vars(api)["RKNNLite"] = lambda: FakeLite(made)
    monkeypatch.setitem(sys.modules, "rknnlite", ModuleType("rknnlite"))
    monkeypatch.setitem(sys.modules, "rknnlite.api", api)
    return made


def spec(core_mask: int | None = 2, hint: InputHint | None = None) -> WorkerSpec:
    return worker_spec(
        npu_core=1,
        core_mask=core_mask,
        runtime="rknn",
        model="/models/glyphs-rk3588.rknn",
        input=hint or InputHint(),
    )


def picture(*shape: int, dtype: str = "uint8") -> npt.NDArray[Any]:
    return np.zeros(shape or (1, 4, 6, 3), dtype)


def test_the_vendors_input_and_output_sizes_are_taken_over(board: Board) -> None:
    board.output_dims = (1, 5, 1, 2)
    runtime = RknnRuntime(spec())
    assert (runtime.input.height, runtime.input.width) == (4, 6)
    assert (runtime.input.layout, runtime.input.dtype) == ("NHWC", "uint8")
    assert runtime.classes == 10


def test_the_model_is_loaded_before_the_runtime_is_started(board: Board) -> None:
    RknnRuntime(spec())
    assert board.calls[0] == ("load_rknn", "/models/glyphs-rk3588.rknn")
    assert board.names() == ["load_rknn", "init_runtime"]


@pytest.mark.parametrize("mask", [1, 2, 4])
def test_the_core_mask_is_passed_where_the_soc_takes_one(board: Board, mask: int) -> None:
    RknnRuntime(spec(mask))
    assert board.calls[1] == ("init_runtime", {"core_mask": mask})


def test_no_core_mask_is_passed_where_the_soc_takes_none(board: Board) -> None:
    RknnRuntime(spec(None))
    assert board.calls[1] == ("init_runtime", {})


def test_a_run_gives_the_scores_of_its_own_input(board: Board) -> None:
    runtime = RknnRuntime(spec())
    tensor = picture()
    assert np.array_equal(runtime.infer(tensor), FRESH)
    _, (sent,), data_type, data_format = board.calls[2]
    assert sent is tensor
    assert (data_type, data_format) == (None, None)
    assert board.names()[2:] == ["set_inputs", "run", "get_outputs"]


def test_scores_are_not_overwritten_by_the_next_run(board: Board) -> None:
    runtime = RknnRuntime(spec())
    scores = runtime.infer(picture())
    board.buffer[:] = 0.5
    assert np.array_equal(scores, FRESH)
    assert board.calls[-1] == ("get_outputs", False)


@pytest.mark.parametrize("code", [-1, -6, 1])
def test_a_failed_run_never_gives_the_scores_of_the_run_before(board: Board, code: int) -> None:
    runtime = RknnRuntime(spec())
    runtime.infer(picture())
    board.run_code = code
    with pytest.raises(RuntimeFailure, match=f"run returned {code}"):
        runtime.infer(picture())


def test_a_run_after_a_failed_one_works_again(board: Board) -> None:
    runtime = RknnRuntime(spec())
    board.run_code = -1
    with pytest.raises(RuntimeFailure):
        runtime.infer(picture())
    board.run_code = 0
    assert np.array_equal(runtime.infer(picture()), FRESH)


def test_inputs_that_the_vendor_refuses_are_a_failure_and_nothing_runs(board: Board) -> None:
    runtime = RknnRuntime(spec())
    board.set_inputs_raises = "The input shape is wrong!"
    with pytest.raises(RuntimeFailure, match="The input shape is wrong!"):
        runtime.infer(picture())
    assert "run" not in board.names()


def test_a_run_without_outputs_is_a_failure(board: Board) -> None:
    runtime = RknnRuntime(spec())
    board.outputs_none = True
    with pytest.raises(RuntimeFailure, match="get_outputs"):
        runtime.infer(picture())


@pytest.mark.parametrize(
    "tensor",
    [
        picture(1, 8, 6, 3),
        picture(1, 6, 4, 3),
        picture(1, 3, 4, 6),
        picture(4, 6, 3),
        picture(2, 4, 6, 3),
        picture(dtype="float32"),
        picture(dtype="int8"),
    ],
    ids=lambda tensor: f"{tensor.dtype}{tensor.shape}",
)
def test_a_wrong_tensor_is_refused_before_anything_is_sent(
    board: Board, tensor: npt.NDArray[Any]
) -> None:
    runtime = RknnRuntime(spec())
    with pytest.raises(RuntimeFailure, match="needed"):
        runtime.infer(tensor)
    assert board.names() == ["load_rknn", "init_runtime"]


def test_a_model_that_can_not_be_loaded_is_a_failure_and_is_released(board: Board) -> None:
    board.load_code = -1
    with pytest.raises(RuntimeFailure, match=r"load_rknn\('/models/glyphs-rk3588\.rknn'\).* -1"):
        RknnRuntime(spec())
    assert board.names() == ["load_rknn", "release"]


def test_a_refused_init_is_a_failure_and_is_released(board: Board) -> None:
    board.init_code = -1
    with pytest.raises(RuntimeFailure, match=r"init_runtime\(core_mask=2\) returned -1"):
        RknnRuntime(spec())
    assert board.names() == ["load_rknn", "init_runtime", "release"]


@pytest.mark.parametrize("dims", [(1, 3, 4, 6), (4, 4, 6, 3), (1, 10), (1, 4, 6, 1)])
def test_a_model_that_takes_no_single_nhwc_image_is_refused_and_released(
    board: Board, dims: tuple[int, ...]
) -> None:
    board.input_dims = dims
    with pytest.raises(RuntimeFailure, match="the model"):
        RknnRuntime(spec())
    assert board.names()[-1] == "release"


def test_a_config_for_another_size_is_refused_and_released(board: Board) -> None:
    with pytest.raises(RuntimeFailure, match=r"input\.width is 224"):
        RknnRuntime(spec(hint=InputHint(width=224)))
    assert board.names()[-1] == "release"


def test_a_float_input_is_the_configs_choice(board: Board) -> None:
    hint = InputHint(dtype="float32", mean=(1.0, 1.0, 1.0))
    runtime = RknnRuntime(spec(hint=hint))
    assert (runtime.input.dtype, runtime.input.mean) == ("float32", (1.0, 1.0, 1.0))
    assert np.array_equal(runtime.infer(picture(dtype="float32")), FRESH)
    assert "set_inputs" in board.names()


def test_closing_releases_the_vendors_context(board: Board) -> None:
    runtime = RknnRuntime(spec())
    assert "release" not in board.names()
    runtime.close()
    assert board.names()[-1] == "release"
    runtime.close()


def test_without_the_vendors_package_the_reason_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "rknnlite", None)
    monkeypatch.setitem(sys.modules, "rknnlite.api", None)
    with pytest.raises(RuntimeFailure, match="pip install rknn-toolkit-lite2"):
        RknnRuntime(spec())
