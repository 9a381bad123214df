"""ONNX to .rknn, on a fake of the vendor's tool that has the real one's habits."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from farm.convert import calibration
from farm.convert.convert import Conversion, Converted, convert, quantized
from farm.errors import ConfigError, ConversionError, FarmError, OutputError, SourceError
from workers.images import preprocess as image
from workers.protocol.messages import FileRef
from workers.protocol.spec import NCHW, UINT8, InputSpec

FLOAT, INT64 = 1, 7
STEPS = ["config", "load_onnx", "build", "export_rknn"]


def tensor_input(name: str, *dims: int, kind: int = FLOAT) -> Any:
    """What onnx.load tells of an input; a dimension of 0 is one that the model leaves open."""
    shape = SimpleNamespace(dim=[SimpleNamespace(dim_value=dim) for dim in dims])
    tensor_type = SimpleNamespace(elem_type=kind, shape=shape)
    return SimpleNamespace(name=name, type=SimpleNamespace(tensor_type=tensor_type))


@dataclass
class Vendor:
    """How the fake tool behaves, and what it was asked."""

    inputs: list[Any] = field(default_factory=lambda: [tensor_input("x", 1, 3, 4, 6)])
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
    """`RKNN`: each step gives a code or raises, and prints."""

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


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    made = Vendor()

    def load(path: str, *, load_external_data: bool) -> Any:
        assert not load_external_data
        if Path(path).read_bytes() != b"onnx":
            raise ValueError("Traceback ...\nDecodeError: Error parsing message")
        weights = [SimpleNamespace(name=name) for name in made.weights]
        return SimpleNamespace(graph=SimpleNamespace(input=made.inputs, initializer=weights))

    modules = {name: ModuleType(name) for name in ("rknn", "rknn.api", "onnx")}
    vars(modules["rknn.api"])["RKNN"] = lambda: FakeRKNN(made)
    vars(modules["onnx"])["load"] = load
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return made


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "net.onnx"
    path.parent.mkdir()
    path.write_bytes(b"onnx")
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (3, 9, 12, 3), np.uint8)
    for number, picture in enumerate(noise):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


Job = Callable[..., Conversion]


@pytest.fixture
def job(model: Path, photos: Path) -> Job:
    def made(**changes: Any) -> Conversion:
        flags = {"model": model, "platform": "rk3588", "calibrate": str(photos), **changes}
        return Conversion.from_flags(flags)

    return made


def done(job: Conversion) -> tuple[Converted, list[str]]:
    told: list[str] = []
    return convert(job, told.append), told


def refused(job: Conversion, kind: type[FarmError]) -> str:
    """Convert, which must fail with `kind` and leave nothing behind; gives the error's text."""
    before = sorted(job.model.parent.iterdir())
    with pytest.raises(kind) as caught:
        convert(job, lambda _: None)
    assert sorted(job.model.parent.iterdir()) == before
    return str(caught.value)


def test_a_converted_model_lies_beside_the_onnx_where_configs_look_for_it(
    vendor: Vendor, job: Job, model: Path
) -> None:
    made, told = done(job())
    assert made == Converted(path=model.with_name("net-rk3588.rknn"), platform="rk3588", images=3)
    assert made.path.read_bytes() == b"RKNN whole"
    assert sorted(model.parent.iterdir()) == sorted([model, made.path])
    assert vendor.names() == [*STEPS, "release"]
    assert told == []


@pytest.mark.parametrize(
    ("platform", "model_platform"), [("rk3582", "rk3588"), ("rk3568", "rk3566"), ("rk3562",) * 2]
)
def test_a_soc_gets_the_model_of_its_kind(
    vendor: Vendor, job: Job, platform: str, model_platform: str
) -> None:
    made, _ = done(job(platform=platform))
    assert made.path.name == f"net-{model_platform}.rknn"
    assert vendor.options("config")["target_platform"] == model_platform


def test_the_output_can_be_named_and_replaces_what_was_there(
    vendor: Vendor, job: Job, tmp_path: Path
) -> None:
    output = tmp_path / "mine.rknn"
    output.write_text("earlier")
    made, _ = done(job(output=output))
    assert made.path == output
    assert output.read_bytes() == b"RKNN whole"
    assert vendor.options("export_rknn")["export_path"] != str(output)


def test_without_mean_and_std_pixels_stay_as_they_are(vendor: Vendor, job: Job) -> None:
    done(job())
    assert vendor.options("config")["mean_values"] == [[0.0, 0.0, 0.0]]
    assert vendor.options("config")["std_values"] == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize("text", ["1.5,1.5,1.5", "[1.5, 1.5, 1.5]", "1.5"])
def test_mean_and_std_are_folded_into_the_model(vendor: Vendor, job: Job, text: str) -> None:
    done(job(mean=text, std=text))
    assert vendor.options("config")["mean_values"] == [[1.5, 1.5, 1.5]]
    assert vendor.options("config")["std_values"] == [[1.5, 1.5, 1.5]]


@pytest.mark.parametrize("text", ["", "1,2", "1,2,3,4", "a,b,c", "nan", "1,inf,1"])
@pytest.mark.parametrize("flag", ["mean", "std"])
def test_other_forms_of_mean_and_std_are_refused(job: Job, flag: str, text: str) -> None:
    with pytest.raises(ConfigError, match=rf"--{flag} .*: use three numbers"):
        job(**{flag: text})


def test_std_must_be_above_zero(job: Job) -> None:
    with pytest.raises(ConfigError, match=r"--std '1,0,1': use three numbers above 0"):
        job(std="1,0,1")


def test_calibration_sees_the_pixels_that_the_farm_sends(
    vendor: Vendor, job: Job, photos: Path
) -> None:
    done(job())
    spec = InputSpec(width=6, height=4, layout=NCHW, dtype=UINT8)
    paths = sorted(photos.iterdir())
    assert len(vendor.tensors) == len(paths)
    for tensor, path in zip(vendor.tensors, paths, strict=True):
        assert tensor.dtype == np.uint8
        assert np.array_equal(tensor, image.load(FileRef(os.fsencode(path)), spec))
    assert vendor.options("build")["do_quantization"] is True


def test_nothing_is_left_in_the_temporary_folder(vendor: Vendor, job: Job, run_dirs: Path) -> None:
    done(job())
    assert run_dirs in vendor.dataset.parents
    assert list(run_dirs.iterdir()) == []


def test_bad_images_are_counted_and_the_first_is_named(
    vendor: Vendor, job: Job, photos: Path
) -> None:
    (photos / "0.png").write_bytes(b"")
    (photos / "notes.md").write_text("no image")
    made, told = done(job())
    assert made.images == len(vendor.tensors) == 2
    assert told == [
        f"2 of 4 calibration images can't be used: {photos}/0.png: empty: the file is empty, ..."
    ]


def test_without_a_usable_image_nothing_is_built(vendor: Vendor, job: Job, photos: Path) -> None:
    for path in photos.iterdir():
        path.write_bytes(b"no image")
    said = refused(job(), SourceError)
    assert said.startswith(f"3 of 3 calibration images can't be used: {photos}/0.png: not_an_image")
    assert "build" not in vendor.names()


@pytest.mark.parametrize("calibrate", ["no-such-folder", "-"])
def test_images_that_can_not_be_listed_are_refused(
    vendor: Vendor, job: Job, calibrate: str
) -> None:
    refused(job(calibrate=calibrate), SourceError)
    assert vendor.calls == []


def test_an_empty_list_of_images_is_refused(vendor: Vendor, job: Job, tmp_path: Path) -> None:
    (tmp_path / "list.txt").touch()
    said = refused(job(calibrate=str(tmp_path / "list.txt")), SourceError)
    assert "no images to calibrate on" in said
    assert vendor.calls == []


def test_of_many_images_some_are_taken_all_over_the_folder(tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"{number:04d}").touch()
    told: list[str] = []
    refs = calibration.chosen(str(tmp_path), told.append)
    names = [int(Path(os.fsdecode(ref.path)).name) for ref in refs if isinstance(ref, FileRef)]
    assert names == list(range(0, 1000, 5))
    assert told == ["calibrating on 200 of 1000 images, evenly spread"]


@pytest.mark.parametrize("step", STEPS)
def test_a_code_of_any_step_is_an_error_with_the_logged_reason(
    vendor: Vendor, job: Job, step: str
) -> None:
    vendor.codes[step] = -1
    said = refused(job(), ConversionError)
    assert said.endswith(f"net.onnx: rknn-toolkit2 failed in {step}: code -1: {step}: its reason")
    assert vendor.names()[-2:] == [step, "release"]


@pytest.mark.parametrize("step", STEPS)
def test_an_exception_of_any_step_is_an_error_with_its_last_line(
    vendor: Vendor, job: Job, step: str
) -> None:
    vendor.raises[step] = ValueError("Traceback (most recent ...):\n  File x\nValueError: bad op\n")
    said = refused(job(), ConversionError)
    assert said.endswith(f"net.onnx: rknn-toolkit2 failed in {step}: ValueError: bad op")
    assert vendor.names()[-2:] == [step, "release"]


def test_an_exception_without_words_is_named_by_its_kind(vendor: Vendor, job: Job) -> None:
    vendor.raises["build"] = IndexError()
    assert refused(job(), ConversionError).endswith("build: IndexError")


def test_an_earlier_file_outlives_a_failed_conversion(
    vendor: Vendor, job: Job, model: Path
) -> None:
    earlier = model.with_name("net-rk3588.rknn")
    earlier.write_text("earlier")
    vendor.codes["export_rknn"] = -1
    refused(job(), ConversionError)
    assert earlier.read_text() == "earlier"


@pytest.mark.usefixtures("vendor")
def test_the_tools_chatter_stays_off_standard_output(
    job: Job, capfd: pytest.CaptureFixture[str]
) -> None:
    done(job())
    ctypes.CDLL(None).fflush(None)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err.count("chatter in C") == len(STEPS)
    assert "chatter of a new one" in captured.err
    print("ours")
    assert capfd.readouterr().out == "ours\n"


def test_a_fixed_model_is_loaded_as_it_is(vendor: Vendor, job: Job, model: Path) -> None:
    done(job())
    assert vendor.options("load_onnx") == {"model": str(model)}


def test_a_model_of_any_number_of_images_is_loaded_for_one(vendor: Vendor, job: Job) -> None:
    vendor.inputs = [tensor_input("image", 0, 3, 4, 6)]
    done(job())
    options = vendor.options("load_onnx")
    assert options["inputs"] == ["image"]
    assert options["input_size_list"] == [[1, 3, 4, 6]]


def test_weights_listed_among_the_inputs_are_none(vendor: Vendor, job: Job) -> None:
    vendor.inputs += [tensor_input("w", 8, 3, 3, 3)]
    vendor.weights = ("w",)
    assert done(job())[0].images == 3


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "its inputs are none; a model of one image is needed"),
        ([tensor_input("a", 1, 3, 4, 6), tensor_input("b", 1)], "its inputs are a, b; a model of"),
        ([tensor_input("ids", 1, 128, kind=INT64)], "its input ids is 1 x 128, not of float32"),
        ([tensor_input("x", 1, 128)], "its input x is 1 x 128; one RGB image"),
        ([tensor_input("x", 1, 4, 6, 3)], "x is 1 x 4 x 6 x 3; one RGB image, 1 x 3 x height"),
        ([tensor_input("x", 1, 1, 4, 6)], "x is 1 x 1 x 4 x 6; one RGB image"),
        ([tensor_input("x", 8, 3, 4, 6)], "x is 8 x 3 x 4 x 6; one RGB image"),
        ([tensor_input("x", 0, 3, 0, 6)], "x is ? x 3 x ? x 6; export the model with a fixed"),
    ],
)
def test_a_model_that_takes_no_single_rgb_image_is_refused(
    vendor: Vendor, job: Job, inputs: list[Any], said: str
) -> None:
    vendor.inputs = inputs
    assert said in refused(job(), ConversionError)
    assert vendor.names() == ["release"]


def test_a_file_that_is_no_onnx_model_is_refused(vendor: Vendor, job: Job, model: Path) -> None:
    model.write_bytes(b"rubbish")
    said = refused(job(), ConversionError)
    assert said == f"{model}: not an ONNX model: DecodeError: Error parsing message"
    assert vendor.names() == ["release"]


def test_a_missing_model_is_refused(vendor: Vendor, job: Job, model: Path) -> None:
    model.unlink()
    said = refused(job(), ConversionError)
    assert said == f"{model}: can't be read: No such file or directory"
    assert vendor.names() == ["release"]


@pytest.mark.parametrize("platform", ["host", "rk9999", ""])
def test_a_platform_without_an_npu_of_ours_is_refused(
    vendor: Vendor, job: Job, platform: str
) -> None:
    said = refused(job(platform=platform), ConfigError)
    assert said.startswith(f"--platform {platform}: use one of rk3588, rk3582, rk3576")
    assert vendor.calls == []


def test_a_folder_that_is_not_there_is_known_before_the_work(
    vendor: Vendor, job: Job, tmp_path: Path
) -> None:
    output = tmp_path / "gone" / "net.rknn"
    said = refused(job(output=output), OutputError)
    assert said == f"--output {output}: cannot create the file: No such file or directory"
    assert vendor.calls == []


def test_an_output_that_is_no_file_or_no_rknn_is_refused(
    vendor: Vendor, job: Job, tmp_path: Path
) -> None:
    (tmp_path / "folder.rknn").mkdir()
    assert "not a file" in refused(job(output=tmp_path / "folder.rknn"), OutputError)
    assert "must end in .rknn" in refused(job(output=tmp_path / "net.onnx"), OutputError)
    assert vendor.calls == []


def test_an_output_that_disappears_meanwhile_is_an_error(
    vendor: Vendor, job: Job, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    said = refused(job(), OutputError)
    assert said == (
        f"--output {model.with_name('net-rk3588.rknn')}: cannot write the file: "
        "No space left on device"
    )
    assert vendor.names()[-1] == "release"


def test_an_interrupt_leaves_nothing_behind(
    vendor: Vendor, job: Job, model: Path, run_dirs: Path
) -> None:
    vendor.raises["build"] = SystemExit(130)
    with pytest.raises(SystemExit):
        convert(job(), lambda _: None)
    assert list(model.parent.iterdir()) == [model]
    assert list(run_dirs.iterdir()) == []
    assert vendor.names()[-1] == "release"


@pytest.mark.parametrize("missing", ["rknn.api", "onnx"])
def test_without_the_tool_the_error_says_where_and_how(
    vendor: Vendor, job: Job, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    said = refused(job(), ConversionError)
    assert said.startswith("rknn-toolkit2 can't be imported")
    assert "on an x86-64 PC, not on the board" in said
    assert "make converter" in said
    assert vendor.calls == []


def test_what_was_quantised_can_be_simulated(vendor: Vendor, job: Job) -> None:
    picture = np.zeros((1, 4, 6, 3), np.uint8)
    with quantized(job(), lambda _: None) as (toolkit, images):
        toolkit.simulate()
        assert np.array_equal(toolkit.infer(picture), np.eye(1, 5, 3))
    assert images == 3
    options = vendor.options("inference")
    assert options["inputs"][0] is picture
    assert options["data_format"] == ["nhwc"]


def test_a_simulation_that_gives_nothing_is_an_error(vendor: Vendor, job: Job) -> None:
    vendor.codes["inference"] = -1
    with quantized(job(), lambda _: None) as (toolkit, _):
        toolkit.simulate()
        with pytest.raises(ConversionError, match="inference: it gave nothing"):
            toolkit.infer(np.zeros((1, 4, 6, 3), np.uint8))
