"""What every runtime checks: what a model takes, and what it is given."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.helpers.support import worker_spec
from workers.errors import RuntimeFailure
from workers.protocol.spec import InputHint, InputSpec, WorkerSpec
from workers.runtimes.base import check_inputs, check_tensor, from_hint, input_from
from workers.runtimes.registry import open_runtime

Dims = tuple[int | None, ...]
NHWC: Dims = (1, 120, 160, 3)
NCHW: Dims = (1, 3, 120, 160)
OPEN: Dims = (None, None, None, None)


def spec(**changes: Any) -> InputSpec:
    return InputSpec(**{"width": 160, "height": 120, "layout": "NHWC", "dtype": "uint8", **changes})


def worker(runtime: str) -> WorkerSpec:
    return worker_spec(runtime=runtime, model="none.onnx")


@pytest.mark.parametrize(("dims", "layout"), [(NHWC, "NHWC"), (NCHW, "NCHW")])
def test_the_place_of_the_channels_tells_the_layout(dims: Dims, layout: str) -> None:
    assert input_from(dims, "uint8", InputHint()) == spec(layout=layout)


def test_an_open_batch_is_one_image() -> None:
    assert input_from((None, 120, 160, 3), "uint8", InputHint()) == spec()


@pytest.mark.parametrize("dims", [NHWC, NCHW, OPEN, (None, 120, None, None)])
def test_a_config_that_agrees_changes_nothing_and_fills_what_is_open(dims: Dims) -> None:
    layout = "NCHW" if dims == NCHW else "NHWC"
    hint = InputHint(width=160, height=120, layout=layout, dtype="uint8")
    assert input_from(dims, "uint8", hint) == spec(layout=layout)


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_the_config_decides_where_both_layouts_fit(layout: str) -> None:
    hint = InputHint(layout=layout)
    found = input_from((1, 3, 7, 3), "uint8", hint)
    width, height = (7, 3) if layout == "NHWC" else (3, 7)
    assert found == spec(layout=layout, width=width, height=height)


@pytest.mark.parametrize("dims", [(1, 3, 160, 3), (1, None, None, None), OPEN])
def test_a_layout_that_could_be_either_must_be_set(dims: Dims) -> None:
    with pytest.raises(RuntimeFailure, match=r"input\.layout"):
        input_from(dims, "uint8", InputHint(width=160, height=3))


@pytest.mark.parametrize(("dims", "layout"), [(NHWC, "NCHW"), (NCHW, "NHWC")])
def test_a_layout_that_contradicts_the_model_is_refused(dims: Dims, layout: str) -> None:
    with pytest.raises(RuntimeFailure, match=rf"{re.escape(str(list(dims)))}.*{layout}"):
        input_from(dims, "uint8", InputHint(layout=layout))


@pytest.mark.parametrize("layout", [None, "NHWC", "NCHW"])
@pytest.mark.parametrize("dims", [(1, 28, 28, 1), (1, 1, 28, 28), (1, 224, 224, 4)])
def test_a_model_that_takes_no_three_channels_is_refused(dims: Dims, layout: str | None) -> None:
    with pytest.raises(RuntimeFailure, match=re.escape(str(list(dims)))):
        input_from(dims, "uint8", InputHint(layout=layout))


@pytest.mark.parametrize("layout", [None, "NHWC", "NCHW"])
@pytest.mark.parametrize(
    ("dims", "said"),
    [
        ((1, 1, 32, 32), "one channel"),
        ((1, 28, 28, 1), "one channel"),
        ((1, 8, 8, 4), "4 channels"),
    ],
)
def test_the_number_of_channels_is_said(dims: Dims, said: str, layout: str | None) -> None:
    with pytest.raises(RuntimeFailure, match=rf"{said}; three \(RGB\) are needed"):
        input_from(dims, "float32", InputHint(layout=layout))


@pytest.mark.parametrize("count", [0, 2])
def test_a_model_with_another_number_of_inputs_is_refused(count: int) -> None:
    with pytest.raises(RuntimeFailure, match=rf"^net\.onnx has {count} inputs; .* one"):
        check_inputs("net.onnx", count)


def test_a_model_with_one_input_is_taken() -> None:
    check_inputs("net.onnx", 1)


@pytest.mark.parametrize("key", ["width", "height"])
def test_a_size_that_stays_open_must_be_set(key: str) -> None:
    known: dict[str, Any] = {"width": 160, "height": 120}
    del known[key]
    with pytest.raises(RuntimeFailure, match=rf"input\.{key}\b"):
        input_from((1, None, None, 3), "uint8", InputHint(**known))


@pytest.mark.parametrize(("key", "given", "taken"), [("width", 99, 160), ("height", 98, 120)])
@pytest.mark.parametrize("dims", [NHWC, NCHW])
def test_a_size_that_contradicts_the_model_is_refused(
    dims: Dims, key: str, given: int, taken: int
) -> None:
    config: dict[str, Any] = {key: given}
    with pytest.raises(RuntimeFailure, match=rf"input\.{key}\b.*\b{given}\b.*\b{taken}\b"):
        input_from(dims, "uint8", InputHint(**config))


@pytest.mark.parametrize("batch", [0, 2, 8])
def test_a_model_for_another_batch_size_is_refused(batch: int) -> None:
    with pytest.raises(RuntimeFailure, match=rf"\[{batch}, 120, 160, 3\]"):
        input_from((batch, 120, 160, 3), "uint8", InputHint())


@pytest.mark.parametrize("dims", [(), (1, 1000), (120, 160, 3), (1, 1, 120, 160, 3)])
def test_a_model_without_four_dimensions_is_refused(dims: Dims) -> None:
    with pytest.raises(RuntimeFailure, match=re.escape(str(list(dims)))):
        input_from(dims, "uint8", InputHint())


def test_mean_and_std_reach_a_float_model() -> None:
    scaling: dict[str, Any] = {"mean": (1.0, 2.0, 3.0), "std": (4.0, 5.0, 6.0)}
    expected = spec(dtype="float32", **scaling)
    assert input_from(NHWC, "float32", InputHint(**scaling)) == expected


@pytest.mark.parametrize("said", [{}, {"fit": "letterbox"}, {"color": "bgr"}])
def test_fit_and_color_are_what_the_config_says(said: dict[str, Any]) -> None:
    expected = spec(**{"fit": "stretch", "color": "rgb", **said})
    assert input_from(NHWC, "uint8", InputHint(**said)) == expected


@pytest.mark.parametrize("hint", [InputHint(mean=(0.0, 0.0, 1.0)), InputHint(std=(1.0, 1.0, 58.0))])
def test_mean_or_std_for_a_uint8_model_is_refused(hint: InputHint) -> None:
    with pytest.raises(RuntimeFailure, match=r"input\.mean.*input\.std"):
        input_from(NHWC, "uint8", hint)


@pytest.mark.parametrize("dtype", ["int8", "float16", "tensor(double)"])
def test_a_model_with_another_input_type_is_refused(dtype: str) -> None:
    with pytest.raises(RuntimeFailure, match=re.escape(dtype)):
        input_from(NHWC, dtype, InputHint())


def test_a_dtype_that_contradicts_the_model_is_refused() -> None:
    with pytest.raises(RuntimeFailure, match=r"input\.dtype\b.*float32.*uint8"):
        input_from(NHWC, "uint8", InputHint(dtype="float32"))


def test_a_hint_fills_a_default_where_it_says_something() -> None:
    said: dict[str, Any] = {"width": 8, "layout": "NCHW", "dtype": "float32", "mean": (1.0,) * 3}
    said |= {"fit": "crop", "color": "bgr"}
    assert from_hint(InputHint(), spec()) == spec()
    assert from_hint(InputHint(**said), spec()) == spec(**said)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize(
    ("layout", "shape"), [("NHWC", (1, 120, 160, 3)), ("NCHW", (1, 3, 120, 160))]
)
def test_the_right_tensor_passes(layout: str, shape: tuple[int, ...], dtype: str) -> None:
    check_tensor(np.zeros(shape, dtype), spec(layout=layout, dtype=dtype))


@pytest.mark.parametrize(
    "shape", [(1, 160, 120, 3), (1, 3, 120, 160), (2, 120, 160, 3), (120, 160, 3), (1, 121, 160, 3)]
)
def test_a_tensor_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(RuntimeFailure, match=re.escape(str(list(shape)))):
        check_tensor(np.zeros(shape, np.uint8), spec())


@pytest.mark.parametrize("dtype", ["int8", "float32", "float64"])
def test_a_tensor_of_another_dtype_is_refused(dtype: str) -> None:
    with pytest.raises(RuntimeFailure, match=f"{dtype}.*uint8"):
        check_tensor(np.zeros((1, 120, 160, 3), dtype), spec())


def test_an_unknown_runtime_is_refused_by_name() -> None:
    with pytest.raises(RuntimeFailure, match=r"'tpu'.*rknn.*onnx.*simulated"):
        open_runtime(worker("tpu"))
