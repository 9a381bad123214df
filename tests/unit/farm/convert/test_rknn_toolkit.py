"""Rockchip's PC tool: what it is asked, and what becomes of its errors."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion

from farm.convert.convert import quantized
from farm.errors import ConversionError
from tests.helpers.rknn_toolkit import INT64, Vendor, done, refused, tensor
from tests.unit.farm.convert.conftest import Job

STEPS = ["config", "load_onnx", "build", "export_rknn"]


@pytest.mark.parametrize("step", STEPS)
def test_a_code_of_any_step_is_an_error_with_the_logged_reason(
    vendor: Vendor, job: Job, step: str
) -> None:
    vendor.codes[step] = -1
    said = refused(job(), ConversionError)
    assert said.startswith(str(job().model))
    assert said.endswith(f" {step}: code -1: {step}: its reason")
    assert vendor.names()[-2:] == [step, "release"]


@pytest.mark.parametrize("step", STEPS)
def test_an_exception_of_any_step_is_an_error_with_its_last_line(
    vendor: Vendor, job: Job, step: str
) -> None:
    vendor.raises[step] = ValueError("Traceback (most recent ...):\n  File x\nValueError: bad op\n")
    said = refused(job(), ConversionError)
    assert said.startswith(str(job().model))
    assert said.endswith(f" {step}: ValueError: bad op")
    assert vendor.names()[-2:] == [step, "release"]


def test_an_exception_without_words_is_named_by_its_kind(vendor: Vendor, job: Job) -> None:
    vendor.raises["build"] = IndexError()
    assert refused(job(), ConversionError).endswith(" build: IndexError")


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
    vendor.inputs = [tensor("image", 0, 3, 4, 6)]
    done(job())
    options = vendor.options("load_onnx")
    assert options["inputs"] == ["image"]
    assert options["input_size_list"] == [[1, 3, 4, 6]]


def test_weights_listed_among_the_inputs_are_none(vendor: Vendor, job: Job) -> None:
    vendor.inputs += [tensor("w", 8, 3, 3, 3)]
    vendor.weights = ("w",)
    assert done(job())[0].images == 3


UNFIT: tuple[list[Any], ...] = (
    [],
    [tensor("a", 1, 3, 4, 6), tensor("b", 1)],
    [tensor("ids", 1, 128, kind=INT64)],
    [tensor("x", 1, 128)],
    [tensor("x", 1, 4, 6, 3)],
    [tensor("x", 1, 1, 4, 6)],
    [tensor("x", 8, 3, 4, 6)],
    [tensor("x", 0, 3, 0, 6)],
)


@pytest.mark.parametrize("inputs", UNFIT, ids=range(len(UNFIT)))
def test_a_model_that_takes_no_single_rgb_image_is_refused(
    vendor: Vendor, job: Job, inputs: list[Any]
) -> None:
    vendor.inputs = inputs
    said = refused(job(), ConversionError)
    assert all(each.name in said for each in inputs)
    assert vendor.names() == ["release"]


def test_what_is_said_of_such_models(
    vendor: Vendor, job: Job, model: Path, snapshot: SnapshotAssertion
) -> None:
    messages = []
    for vendor.inputs in UNFIT:
        messages.append(refused(job(), ConversionError).removeprefix(f"{model}: "))
    assert messages == snapshot


@pytest.mark.parametrize("dims", [(), (1, 10), (10,), (1, 10, 1, 1), (1, 1, 1, 10), (0, 10)])
def test_the_output_of_a_classifier_is_converted(
    vendor: Vendor, job: Job, dims: tuple[int, ...]
) -> None:
    vendor.outputs = [tensor("scores", *dims)]
    assert done(job())[0].images == 3


def test_a_model_with_an_output_of_other_numbers_is_refused(vendor: Vendor, job: Job) -> None:
    vendor.outputs = [tensor("x", 1, 10), tensor("y", 1, 10, kind=INT64)]
    assert "its output y is not of floats" in refused(job(), ConversionError)
    assert vendor.names() == ["release"]


@pytest.mark.parametrize("shape", [(1, 84, 21), (1, 63, 85), (0, 84, 21)])
def test_a_detector_whose_scores_int8_would_lose_is_refused(
    vendor: Vendor, job: Job, shape: tuple[int, ...]
) -> None:
    """Of 32 x 32 pixels, 21 cells: boxes in pixels and scores are in one output."""
    vendor.inputs, vendor.outputs = [tensor("x", 1, 3, 32, 32)], [tensor("y", *shape)]
    said = refused(job(), ConversionError)
    assert "its output y has a detector's boxes in pixels" in said
    assert vendor.names() == ["release"]


def test_a_detector_is_converted(vendor: Vendor, job: Job) -> None:
    vendor.outputs = [tensor("boxes", 1, 64, 8, 8), tensor("scores", 1, 80, 8, 8)]
    assert done(job())[0].images == 3


def test_a_file_that_is_no_onnx_model_is_refused(vendor: Vendor, job: Job, model: Path) -> None:
    model.write_bytes(b"rubbish")
    said = refused(job(), ConversionError)
    assert said.startswith(f"{model}: ")
    assert said.endswith(": DecodeError: Error parsing message")
    assert vendor.names() == ["release"]


def test_a_missing_model_is_refused(vendor: Vendor, job: Job, model: Path) -> None:
    model.unlink()
    said = refused(job(), ConversionError)
    assert said.startswith(f"{model}: ")
    assert os.strerror(errno.ENOENT) in said
    assert vendor.names() == ["release"]


@pytest.mark.parametrize("missing", ["rknn.api", "onnx"])
def test_without_the_tool_the_error_says_where_and_how(
    vendor: Vendor, job: Job, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    said = refused(job(), ConversionError)
    assert all(fact in said for fact in ("rknn-toolkit2", missing, "x86-64", "converter"))
    assert vendor.calls == []


def test_a_simulation_that_gives_nothing_is_an_error(vendor: Vendor, job: Job) -> None:
    vendor.codes["inference"] = -1
    with quantized(job(), lambda _: None) as (toolkit, _):
        toolkit.simulate()
        with pytest.raises(ConversionError, match="inference"):
            toolkit.infer(np.zeros((1, 4, 6, 3), np.uint8))
