"""The adapter to Rockchip's package, on a fake that has the real one's traps."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.helpers.support import VENDOR, worker_spec
from workers.errors import RuntimeFailure
from workers.protocol.spec import InputHint, WorkerSpec
from workers.runtimes import rknn
from workers.runtimes.base import INSTALL_RKNN, OLDER_PYTHON
from workers.runtimes.rknn import RknnRuntime
from workers.shell import shell_command

NAMES = {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL"}


def forget_the_vendor() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rknnlite"]:
        del sys.modules[name]
    logging.getLogger(rknn.VENDOR_LOGGER).handlers.clear()


@pytest.fixture(autouse=True)
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(VENDOR)
    forget_the_vendor()
    yield
    forget_the_vendor()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tmp_path / "a model.rknn"


def spec(
    model: Path, core_mask: int | None = 2, hint: InputHint | None = None, **says: Any
) -> WorkerSpec:
    if says or not model.exists():
        small = {"input": (1, 4, 6, 3), "outputs": ((1, 10),), **says}
        model.write_text(json.dumps(small), encoding="utf-8")
    return worker_spec(
        core_mask=core_mask, runtime="rknn", model=str(model), input=hint or InputHint()
    )


def picture(*shape: int, dtype: str = "uint8", value: int = 0) -> npt.NDArray[Any]:
    return np.full(shape or (1, 4, 6, 3), value, dtype)


@pytest.fixture
def vendors(model: Path) -> Any:
    """The vendor's class, as the farm has imported it."""
    RknnRuntime(spec(model)).close()
    calls().clear()
    return sys.modules["rknnlite.api"].RKNNLite


def calls() -> list[tuple[Any, ...]]:
    asked: list[tuple[Any, ...]] = sys.modules["rknnlite.api"].CALLS
    return asked


def names() -> list[str]:
    return [call[0] for call in calls()]


def test_the_models_input_and_output_sizes_are_taken_over(model: Path) -> None:
    runtime = RknnRuntime(spec(model, outputs=((1, 10, 1, 1),)))
    assert (runtime.input.height, runtime.input.width) == (4, 6)
    assert (runtime.input.layout, runtime.input.dtype) == ("NHWC", "uint8")


@pytest.mark.parametrize("shape", [(1, 10), (10,), (1, 10, 1, 1), (1, 1, 1, 10)])
def test_an_output_has_the_models_shape(model: Path, shape: tuple[int, ...]) -> None:
    assert RknnRuntime(spec(model, outputs=(shape,))).infer(picture())[0].shape == shape


@pytest.mark.parametrize("mask", [1, 2, 4])
def test_the_core_mask_is_passed_where_the_soc_takes_one(model: Path, mask: int) -> None:
    RknnRuntime(spec(model, mask))
    assert calls() == [("load_rknn", str(model)), ("init_runtime", mask)]


def test_no_core_mask_is_passed_where_the_soc_takes_none(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SOC", "rk3566")
    RknnRuntime(spec(model, None, soc="rk3566"))
    assert calls()[1] == ("init_runtime", 0)  # the vendor's own default
    with pytest.raises(RuntimeFailure, match=r"core_mask=1\b.*-1\b.*The core mode 1 is not"):
        RknnRuntime(spec(model, 1))


def test_a_run_gives_the_scores_of_its_own_input(model: Path) -> None:
    runtime = RknnRuntime(spec(model))
    tensor = picture()
    black = runtime.infer(tensor)[0]
    _, (sent,), data_type, data_format = calls()[2]
    assert sent is tensor
    assert (data_type, data_format) == (None, None)
    assert names()[2:] == ["set_inputs", "run", "get_outputs"]
    grey = runtime.infer(picture(value=9))[0]
    assert not np.array_equal(black, grey)
    assert np.array_equal(black, runtime.infer(picture())[0])


def test_scores_are_not_overwritten_by_the_next_run(model: Path) -> None:
    runtime = RknnRuntime(spec(model))
    scores = runtime.infer(picture())[0]
    before = scores.copy()
    runtime.infer(picture(value=1))
    assert np.array_equal(scores, before)


def test_a_failed_run_gives_the_librarys_code_and_never_old_scores(model: Path) -> None:
    runtime = RknnRuntime(spec(model, fault="run-2"))
    runtime.infer(picture())
    with pytest.raises(RuntimeFailure, match=r"RKNNLite\.run\b.*-1$"):
        runtime.infer(picture(value=1))
    assert names()[-1] == "run"


def test_the_fakes_inference_would_have_hidden_it(model: Path) -> None:
    RknnRuntime(spec(model, fault="run-2"))
    lite = sys.modules["rknnlite.api"].RKNNLite()
    lite.load_rknn(str(model))
    lite.init_runtime(2)
    old = lite.inference([picture()])
    assert np.array_equal(old, lite.inference([picture(value=1)]))


def test_a_run_without_outputs_is_a_failure(model: Path) -> None:
    runtime = RknnRuntime(spec(model, fault="no-outputs"))
    with pytest.raises(RuntimeFailure, match=r"RKNNLite\.get_outputs\b"):
        runtime.infer(picture())


def test_inputs_that_the_vendor_refuses_are_a_failure_and_nothing_runs(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = RknnRuntime(spec(model))
    monkeypatch.setattr(rknn, "check_tensor", lambda *_: None)
    with pytest.raises(RuntimeFailure, match=r"RKNNLite\.set_inputs\b.*shape is wrong"):
        runtime.infer(picture(4, 6, 3))
    assert "run" not in names()


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
    model: Path, tensor: npt.NDArray[Any]
) -> None:
    runtime = RknnRuntime(spec(model))
    with pytest.raises(RuntimeFailure, match=re.escape(f"{list(tensor.shape)} {tensor.dtype}")):
        runtime.infer(tensor)
    assert names() == ["load_rknn", "init_runtime"]


def test_a_missing_model_is_a_failure_and_is_released(model: Path) -> None:
    told = spec(model)
    model.unlink()
    with pytest.raises(RuntimeFailure, match=r"a model\.rknn: .*: No such file"):
        RknnRuntime(told)
    assert names() == ["release"]


def test_a_model_that_goes_as_it_is_opened_fails_with_the_vendors_words_and_is_released(
    model: Path, vendors: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = vendors.load_rknn

    def load_nothing(lite: Any, path: str) -> Any:
        model.unlink()
        return load(lite, path)

    monkeypatch.setattr(vendors, "load_rknn", load_nothing)
    with pytest.raises(RuntimeFailure, match=r"load_rknn\('.*a model\.rknn'\).*-1\b.*Inval"):
        RknnRuntime(spec(model))
    assert names() == ["load_rknn", "release"]


def test_what_is_opened_is_known_by_its_digest(model: Path) -> None:
    assert RknnRuntime(spec(model)).model == sha256(model.read_bytes()).hexdigest()


@pytest.mark.parametrize("call", ["load_rknn", "init_runtime"])
def test_a_model_that_changes_as_it_is_opened_is_refused_and_is_released(
    model: Path, vendors: Any, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    function = getattr(vendors, call)

    def changing(*args: Any, **options: Any) -> Any:
        code = function(*args, **options)
        model.write_bytes(model.read_bytes() + b" ")
        return code

    monkeypatch.setattr(vendors, call, changing)
    with pytest.raises(RuntimeFailure, match=r"a model\.rknn was changed while it was opened"):
        RknnRuntime(spec(model))
    assert names() == ["load_rknn", "init_runtime", "release"]


def test_a_refused_init_gives_the_reason_in_the_vendors_traceback_and_is_released(
    model: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model.write_bytes(b"\0junk")
    with pytest.raises(RuntimeFailure) as caught:
        RknnRuntime(spec(model))
    reason = "Exception: RKNN init failed. error code: RKNN_ERR_MODEL_INVALID"
    assert re.match(rf"RKNNLite\.init_runtime\(core_mask=2\).*-1: {reason}$", str(caught.value))
    assert names() == ["load_rknn", "init_runtime", "release"]
    # The vendor's own handler is gone: what it logged is told once, by us.
    assert "Traceback" not in capfd.readouterr().err


def test_a_reason_is_that_of_its_own_call_alone(model: Path) -> None:
    runtime = RknnRuntime(spec(model, fault="run-2"))
    logging.getLogger(rknn.VENDOR_LOGGER).error("something earlier")
    runtime.infer(picture())
    with pytest.raises(RuntimeFailure) as caught:
        runtime.infer(picture())
    assert "something earlier" not in str(caught.value)


@pytest.mark.parametrize("dims", [(1, 3, 4, 6), (4, 4, 6, 3), (1, 10), (1, 4, 6, 1)])
def test_a_model_that_takes_no_single_nhwc_image_is_refused_and_released(
    model: Path, dims: tuple[int, ...]
) -> None:
    with pytest.raises(RuntimeFailure, match=re.escape(str(list(dims)))):
        RknnRuntime(spec(model, input=dims))
    assert names()[-1] == "release"


def test_a_model_that_wants_nchw_bytes_is_refused_even_if_its_sizes_would_fit(model: Path) -> None:
    with pytest.raises(RuntimeFailure, match="NCHW"):
        RknnRuntime(spec(model, input=(1, 3, 6, 3), input_format=0))
    assert names()[-1] == "release"


def test_a_model_with_more_than_one_input_is_refused(model: Path) -> None:
    with pytest.raises(RuntimeFailure, match=re.escape(str(model))):
        RknnRuntime(spec(model, inputs=2))
    assert names()[-1] == "release"


def test_all_outputs_are_returned(model: Path) -> None:
    outputs = RknnRuntime(spec(model, outputs=((1, 10), (1, 4)))).infer(picture())
    assert [output.shape for output in outputs] == [(1, 10), (1, 4)]


def test_a_config_for_another_size_is_refused_and_released(model: Path) -> None:
    with pytest.raises(RuntimeFailure, match=r"input\.width\b.*\b224\b"):
        RknnRuntime(spec(model, hint=InputHint(width=224)))
    assert names()[-1] == "release"


def test_a_float_input_is_the_configs_choice(model: Path) -> None:
    hint = InputHint(dtype="float32", mean=(1.0, 1.0, 1.0))
    runtime = RknnRuntime(spec(model, hint=hint))
    assert (runtime.input.dtype, runtime.input.mean) == ("float32", (1.0, 1.0, 1.0))
    runtime.infer(picture(dtype="float32"))
    assert "set_inputs" in names()


def test_closing_releases_the_vendors_context(model: Path) -> None:
    runtime = RknnRuntime(spec(model))
    assert "release" not in names()
    runtime.close()
    assert names()[-1] == "release"
    runtime.close()


def test_an_interrupted_start_is_released(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rknn, "check_inputs", interrupt)
    with pytest.raises(KeyboardInterrupt):
        RknnRuntime(spec(model))
    assert names()[-1] == "release"


def test_the_names_of_log_levels_stay_what_they_were(model: Path) -> None:
    RknnRuntime(spec(model))
    assert {level: logging.getLevelName(level) for level in NAMES} == NAMES


def test_the_library_does_not_make_the_worker_more_urgent_than_its_user_did(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nice = [5]
    monkeypatch.setattr(os, "getpriority", lambda _which, _who: nice[-1])
    monkeypatch.setattr(os, "setpriority", lambda _which, _who, value: nice.append(value))
    RknnRuntime(spec(model, fault="nice"))
    assert nice == [5, -19, 5]


def test_each_call_of_the_start_is_announced_before_it_is_made(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, list[str]]] = []
    monkeypatch.setattr("workers.protocol.startup.begin", lambda step: said.append((step, names())))
    RknnRuntime(spec(model))
    assert said == [
        (f"opening {model}", []),
        (f"RKNNLite.load_rknn({str(model)!r})", []),
        ("RKNNLite.init_runtime(core_mask=2)", ["load_rknn"]),
    ]


@pytest.mark.parametrize(
    ("python", "fix"), [((3, 12), INSTALL_RKNN), ((3, 13), OLDER_PYTHON), ((3, 14), OLDER_PYTHON)]
)
def test_without_the_vendors_package_the_reason_says_what_to_do(
    python: tuple[int, int], fix: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rknnlite", None)
    monkeypatch.setitem(sys.modules, "rknnlite.api", None)
    monkeypatch.setattr("sys.version_info", (*python, 0))
    with pytest.raises(RuntimeFailure, match=re.escape(shell_command(fix))):
        RknnRuntime(spec(model))
