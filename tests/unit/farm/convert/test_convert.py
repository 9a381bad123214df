"""ONNX to .rknn: flags, where the file goes, what stays after a failure."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest

from farm.convert.convert import Converted, convert, quantized
from farm.errors import ConfigError, ConversionError, OutputError
from farm.hardware.platforms import SOCS
from tests.helpers.rknn_toolkit import Vendor, done, refused
from tests.unit.farm.convert.conftest import Job

STEPS = ["config", "load_onnx", "build", "export_rknn"]


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
    ("content", "part"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"RKNN\0\0\0\0" + bytes(56), ".rknn"),
        (b"", "empty"),
    ],
)
def test_a_file_that_is_no_model_is_named_before_the_vendors_tool_opens_it(
    vendor: Vendor, job: Job, model: Path, content: bytes, part: str
) -> None:
    model.write_bytes(content)
    assert part in refused(job(), ConversionError)
    assert vendor.names() == []


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
    with pytest.raises(ConfigError, match=rf"--{flag} {re.escape(repr(text))}"):
        job(**{flag: text})


def test_std_must_be_above_zero(job: Job) -> None:
    with pytest.raises(ConfigError, match=r"--std '1,0,1'"):
        job(std="1,0,1")


def test_nothing_is_left_in_the_temporary_folder(vendor: Vendor, job: Job, run_dirs: Path) -> None:
    done(job())
    assert run_dirs in vendor.dataset.parents
    assert list(run_dirs.iterdir()) == []


def test_an_earlier_file_outlives_a_failed_conversion(
    vendor: Vendor, job: Job, model: Path
) -> None:
    earlier = model.with_name("net-rk3588.rknn")
    earlier.write_text("earlier")
    vendor.codes["export_rknn"] = -1
    refused(job(), ConversionError)
    assert earlier.read_text() == "earlier"


@pytest.mark.parametrize("platform", ["host", "rk9999", ""])
def test_a_platform_without_an_npu_of_ours_is_refused(
    vendor: Vendor, job: Job, platform: str
) -> None:
    said = refused(job(platform=platform), ConfigError)
    assert said.startswith(f"--platform {platform}: ")
    assert all(name in said for name in SOCS)
    assert vendor.calls == []


def test_a_folder_that_is_not_there_is_known_before_the_work(
    vendor: Vendor, job: Job, tmp_path: Path
) -> None:
    output = tmp_path / "gone" / "net.rknn"
    said = refused(job(output=output), OutputError)
    assert said.startswith(f"--output {output}: ")
    assert os.strerror(errno.ENOENT) in said
    assert vendor.calls == []


def test_an_output_that_is_no_file_or_no_rknn_is_refused(
    vendor: Vendor, job: Job, tmp_path: Path
) -> None:
    (tmp_path / "folder.rknn").mkdir()
    for name in ("folder.rknn", "net.onnx"):
        output = tmp_path / name
        assert refused(job(output=output), OutputError).startswith(f"--output {output}: ")
    assert vendor.calls == []


def test_an_output_that_disappears_meanwhile_is_an_error(
    vendor: Vendor, job: Job, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_space)
    said = refused(job(), OutputError)
    assert said.startswith(f"--output {model.with_name('net-rk3588.rknn')}: ")
    assert os.strerror(errno.ENOSPC) in said
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


def test_what_was_quantised_can_be_simulated(vendor: Vendor, job: Job) -> None:
    picture = np.zeros((1, 4, 6, 3), np.uint8)
    with quantized(job(), lambda _: None) as (toolkit, images):
        toolkit.simulate()
        (scores,) = toolkit.infer(picture)
        assert np.array_equal(scores, np.eye(1, 5, 3))
    assert images == 3
    options = vendor.options("inference")
    assert options["inputs"][0] is picture
    assert options["data_format"] == ["nhwc"]
