"""`run --annotate`: a copy of each image, whatever happens to the run; the images stay."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL.JpegImagePlugin import JpegImageFile

from farm.pictures.copies import MARK
from tests.helpers.programs import FAST, HOST, PROGRAM, SLOW, Programs, command, missing
from tests.helpers.support import children_of, wait_for


def copies(folder: Path) -> set[str]:
    """The copies in a folder, and below it."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found} - {MARK}


def paths_in(output: Path) -> list[str]:
    return [json.loads(line)["path"] for line in output.read_text().splitlines()]


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def tables(path: Path) -> object:
    with JpegImageFile(path) as opened:
        return opened.quantization


def test_every_image_has_a_copy_with_what_was_found_below_it(
    folder: str, renders: list[Path], tmp_path: Path
) -> None:
    before = digests(Path(folder))
    done = command(HOST, folder, "-q", "-r", "2", "--annotate", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert copies(tmp_path / "out") == {path.name for path in renders}
    assert f"Written: {tmp_path / 'out'}, copies of {len(renders)} images" in done.stderr
    assert digests(Path(folder)) == before
    for path in renders[:5]:
        copy = tmp_path / "out" / path.name
        image, drawn = cv2.imread(str(path)), cv2.imread(str(copy))
        assert image is not None
        assert drawn is not None
        assert len(drawn) > len(image) + 5 * 12
        top = drawn[: len(image), : image.shape[1]]
        assert np.abs(top[:-16].astype(int) - image[:-16]).mean() < 3
        assert tables(copy) == tables(path)


def test_images_of_one_name_have_each_their_copy(renders: list[Path], tmp_path: Path) -> None:
    for number, name in enumerate("ab"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(renders[number].read_bytes())
    (tmp_path / "b" / "bad.jpg").write_text("no image")
    done = command(HOST, "a", "b/", "--annotate", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert copies(tmp_path / "out") == {"a/1.jpg", "b/1.jpg"}
    assert "copies of 2 images; none of 1 image with an error" in done.stderr


def test_a_list_on_standard_input_will_do(renders: list[Path], tmp_path: Path) -> None:
    names = "".join(f"{path}\n" for path in renders[:3])
    done = command(*FAST, "-", "-q", "--annotate", str(tmp_path / "out"), input=names)
    assert done.returncode == 0, done.stderr
    assert copies(tmp_path / "out") == {f"_root{path}" for path in renders[:3]}


def test_copies_are_replaced_only_if_asked_for(folder: str, tmp_path: Path) -> None:
    arguments = (*FAST, folder, "-q", "--annotate", str(tmp_path / "out"))
    assert command(*arguments).returncode == 0
    first = digests(tmp_path / "out")
    again = command(*arguments)
    assert again.returncode == 2
    assert not missing(("--overwrite", "earlier run"), again.stderr)
    assert command(*arguments, "--overwrite").returncode == 0
    assert digests(tmp_path / "out").keys() == first.keys()


def test_a_folder_of_photos_is_no_place_for_copies(folder: str, renders: list[Path]) -> None:
    before = digests(Path(folder))
    for more in ((), ("--overwrite",)):
        done = command(*FAST, folder, "--annotate", folder, *more)
        assert done.returncode == 2
        assert "other files" in done.stderr
        assert "Processed" not in done.stderr
    assert digests(Path(folder)) == before
    assert len(before) == len(renders)


def started(programs: Programs, tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    """A slow run of many images, of which some have their line in results.jsonl."""
    output = tmp_path / "results.jsonl"
    process = programs.start(*PROGRAM, *SLOW, *arguments)
    assert wait_for(lambda: output.exists() and output.read_text().count("\n") > 5)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_line_in_the_results_has_its_copy_and_the_rest_follows(
    number: signal.Signals, folder: str, renders: list[Path], tmp_path: Path, programs: Programs
) -> None:
    output, out = tmp_path / "results.jsonl", tmp_path / "out"
    arguments = (folder, "-q", "-o", str(output), "--annotate", str(out))
    process = started(programs, tmp_path, *arguments)
    workers = children_of(process.pid)
    os.kill(process.pid, number)
    _, err = process.communicate()
    assert process.returncode == (130 if number == signal.SIGINT else -9), err
    whole = output.read_text().rpartition("\n")[0].splitlines()
    lines = [Path(json.loads(line)["path"]).name for line in whole]
    assert 5 < len(lines) < len(renders)
    assert set(lines) <= copies(out)
    assert all(cv2.imread(str(out / name)) is not None for name in lines)
    assert wait_for(lambda: not any(os.path.exists(f"/proc/{pid}/exe") for pid in workers))
    done = command(*FAST, *arguments, "--resume")
    assert done.returncode == 0, done.stderr
    assert sorted(paths_in(output)) == sorted(map(str, renders))
    assert {name for name in copies(out) if not name.endswith(".part")} == {p.name for p in renders}
