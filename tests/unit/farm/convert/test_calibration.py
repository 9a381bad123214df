"""The images that a model is calibrated on: which, and as which tensors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm.convert.calibration import select_images
from farm.errors import SourceError
from tests.helpers.rknn_toolkit import Vendor, done, refused
from tests.unit.farm.convert.conftest import Job
from workers.images import preprocess as image
from workers.protocol.messages import FileRef
from workers.protocol.spec import BGR, CROP, LETTERBOX, NCHW, UINT8, InputSpec


@pytest.mark.parametrize("said", [{}, {"fit": LETTERBOX}, {"fit": CROP, "color": BGR}])
def test_calibration_sees_the_pixels_that_the_farm_sends(
    vendor: Vendor, job: Job, photos: Path, said: dict[str, Any]
) -> None:
    done(job(**said))
    spec = InputSpec(width=6, height=4, layout=NCHW, dtype=UINT8, **said)
    paths = sorted(photos.iterdir())
    assert len(vendor.tensors) == len(paths)
    for tensor, path in zip(vendor.tensors, paths, strict=True):
        assert tensor.dtype == np.uint8
        assert np.array_equal(tensor, image.load(FileRef(os.fsencode(path)), spec)[0])
    assert vendor.options("build")["do_quantization"] is True


def test_bad_images_are_counted_and_the_first_is_named(
    vendor: Vendor, job: Job, photos: Path
) -> None:
    (photos / "0.png").write_bytes(b"")
    (photos / "notes.jpg").write_text("no image")
    made, told = done(job())
    assert made.images == len(vendor.tensors) == 2
    (notice,) = told
    assert notice.startswith("2 of 4 ")
    assert f"{photos}/0.png: empty: " in notice


def test_without_a_usable_image_nothing_is_built(vendor: Vendor, job: Job, photos: Path) -> None:
    for path in photos.iterdir():
        path.write_bytes(b"no image")
    said = refused(job(), SourceError)
    assert said.startswith("3 of 3 ")
    assert f"{photos}/0.png: not_an_image: " in said
    assert "build" not in vendor.names()


@pytest.mark.parametrize("calibrate", ["no-such-folder", "-"])
def test_images_that_can_not_be_listed_are_refused(
    vendor: Vendor, job: Job, calibrate: str
) -> None:
    refused(job(calibrate=calibrate), SourceError)
    assert vendor.names() == ["release"]


def test_an_empty_list_of_images_is_refused(vendor: Vendor, job: Job, tmp_path: Path) -> None:
    (tmp_path / "list.txt").touch()
    said = refused(job(calibrate=str(tmp_path / "list.txt")), SourceError)
    assert str(tmp_path / "list.txt") in said
    assert vendor.names() == ["release"]


def test_of_many_images_some_are_taken_all_over_the_folder(tmp_path: Path) -> None:
    for number in range(1000):
        (tmp_path / f"{number:04d}.jpg").touch()
    told: list[str] = []
    refs = select_images(str(tmp_path), told.append)
    names = [int(Path(os.fsdecode(ref.path)).stem) for ref in refs if isinstance(ref, FileRef)]
    assert names == list(range(0, 1000, 5))
    (notice,) = told
    assert "200 of 1000" in notice
