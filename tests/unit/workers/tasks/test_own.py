"""A task of the user's: how it is found, made, called, and what it may return."""

from __future__ import annotations

import datetime
import enum
import importlib
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workers.errors import RuntimeFailure
from workers.images.fit import ImageInfo
from workers.protocol.messages import LARGEST_OUTPUT, ItemError, Output
from workers.tasks.own import MOST_WORDS, find, pack
from workers.tasks.task import Model

INFO = ImageInfo(640, 480, (0.5, 0.5), (0.0, 40.0), "/photos/a.jpg")
MODEL = Model("net.onnx", (np.zeros((1, 84, 21), np.float32),), 320, 320)
TASKS = """
import asyncio
import sys
import numpy as np

def shapes(outputs, image):
    return [list(output.shape) for output in outputs]

def kinds(outputs, image):
    return [output.dtype.name for output in outputs]

def info(outputs, image, *, more=0):
    return [image.width, image.height, image.path, more]

def raises(outputs, image):
    return 1 / 0

def leaves(outputs, image):
    sys.exit("no more")

def array(outputs, image):
    return outputs[0]

def number(outputs, image):
    return {"deep": [np.float32(0.5)]}

def deep(outputs, image):
    value = 1
    for _ in range(101):
        value = {"in": value}
    return value

def without_image(outputs):
    return 1

class Wordless(Exception):
    def __str__(self):
        raise KeyError("no words")

def wordless(outputs, image):
    raise Wordless

def cancelled(outputs, image):
    raise asyncio.CancelledError("by a time limit")

def large(outputs, image):
    return [1, 2 ** 64]

async def later(outputs, image):
    return 1

def place(outputs, image):
    return image.path

class Above:
    def __init__(self, model, *, threshold):
        if model.outputs[0].shape[1] != 84:
            raise ValueError("84 channels are needed")
        self.threshold = threshold
        self.size = (model.path, model.width, model.height)

    def __call__(self, outputs, image):
        return {"above": int((outputs[0] > self.threshold).sum()), "of": self.size}

class Uncallable:
    def __init__(self, model):
        pass

word = "no function"
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module `mine` in the current folder, forgotten afterwards."""
    (tmp_path / "mine.py").write_text(TASKS, encoding="utf-8")
    (tmp_path / "broken.py").write_text("x = 1\nimport nothing_of_that_name\n", encoding="utf-8")
    (tmp_path / "wrong.py").write_text("def f(:\n", encoding="utf-8")
    (tmp_path / "leaving.py").write_text("raise SystemExit(3)\n", encoding="utf-8")
    (tmp_path / "stopped.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    (tmp_path / "lazy.py").write_text(
        "def __getattr__(name):\n    raise ImportError(f'{name} needs more')\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in ("mine", "broken", "wrong", "leaving", "stopped", "lazy"):
        sys.modules.pop(name, None)


def answer(name: str, output: Any = MODEL.outputs[0], **options: Any) -> Any:
    (found,) = find(name, options)(MODEL).answer([((output,), INFO)])
    return found.value() if isinstance(found, Output) else found


def refusal(name: str, model: Model = MODEL, **options: Any) -> str:
    with pytest.raises(RuntimeFailure) as caught:
        find(name, options)(model)
    return str(caught.value)


def test_a_function_gets_all_outputs_in_their_shapes() -> None:
    (found,) = find("mine:shapes", {})(MODEL).answer([((np.zeros((1, 3)), np.zeros(7)), INFO)])
    assert isinstance(found, Output)
    assert found.value() == [[1, 3], [7]]


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.uint8, np.int64])
def test_outputs_are_float32_whatever_the_model_gives(dtype: type[np.generic]) -> None:
    assert answer("mine:kinds", np.zeros((1, 2), dtype)) == ["float32"]


def test_it_gets_the_images_size_and_path_and_its_options() -> None:
    assert answer("mine:info", more=3) == [640, 480, "/photos/a.jpg", 3]


def test_a_class_is_made_once_with_the_model_and_its_options() -> None:
    task = find("mine:Above", {"threshold": 0.5})(MODEL)
    images = [((np.full((1, 84, 21), value, np.float32),), INFO) for value in (0.25, 0.75)]
    found = [each.value() for each in task.answer(images) if isinstance(each, Output)]
    assert found == [{"above": count, "of": ["net.onnx", 320, 320]} for count in (0, 84 * 21)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raises", "ZeroDivisionError: division by zero"),
        ("leaves", "SystemExit: no more"),
        ("array", "a numpy.ndarray; return plain data, as its .tolist() does"),
        ("number", "a numpy.float32; return plain data, as its .tolist() does"),
        ("deep", "101 deep in each other; 100 are the most"),
        ("wordless", "Wordless: (its words can't be told: KeyError)"),
        ("cancelled", "CancelledError: by a time limit"),
        ("large", "an int of more than 64 bits; return it as a float or a str"),
    ],
)
def test_a_task_that_fails_ends_its_image_with_its_own_words(name: str, said: str) -> None:
    found = answer(f"mine:{name}")
    assert isinstance(found, ItemError)
    assert found.kind == "task_failed"
    assert f"mine:{name}" in found.message
    assert said in found.message


def test_the_line_that_raised_is_told() -> None:
    line = TASKS.splitlines().index("    return 1 / 0") + 1
    assert f"mine.py, line {line})" in answer("mine:raises").message


def test_of_what_can_not_be_packed_no_line_is_told() -> None:
    assert "line" not in answer("mine:array").message


def test_names_of_files_that_are_not_utf_8_come_back() -> None:
    info = ImageInfo(640, 480, (1.0, 1.0), (0.0, 0.0), "/photos/\udcff.jpg")
    (found,) = find("mine:place", {})(MODEL).answer([(MODEL.outputs, info)])
    assert isinstance(found, Output)
    assert found.value() == "/photos/\udcff.jpg"


def test_workers_that_have_imported_other_source_read_differently(tmp_path: Path) -> None:
    def reading(source: str) -> str:
        sys.modules.pop("mine", None)
        (tmp_path / "mine.py").write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        return find("mine:info", {})(MODEL).reading

    first = reading(TASKS)
    assert first.startswith("mine ")
    assert reading(TASKS + "# more\n") != first
    assert reading(TASKS) == first


@pytest.mark.filterwarnings("ignore:coroutine")
def test_a_coroutine_is_no_answer() -> None:
    assert "a builtins.coroutine; return plain data" in answer("mine:later").message


def test_an_exception_ends_its_image_alone() -> None:
    task = find("mine:Above", {"threshold": 0.5})(MODEL)
    good, bad = (MODEL.outputs, INFO), ((), INFO)
    kinds = [type(each) for each in task.answer([good, bad, good])]
    assert kinds == [Output, ItemError, Output]


class Number(enum.IntEnum):
    """An int of another kind."""

    SEVEN = 7


class Odd:
    """What nobody packs."""


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (None, None),
        ((1, 2.5, "ß", True), [1, 2.5, "ß", True]),
        ({"a": [], 3: {}}, {"a": [], 3: {}}),
        (b"\x00\xff", b"\x00\xff"),
        (math.inf, math.inf),
        (Number.SEVEN, 7),
        (np.float64(0.5), 0.5),
    ],
)
def test_plain_data_comes_back(value: Any, back: Any) -> None:
    assert pack(value).value() == back


@pytest.mark.parametrize(
    "value", [Odd(), {1}, 1j, datetime.date(2026, 1, 1), range(3), [[Odd()]], {"a": Odd()}]
)
def test_other_data_is_refused_by_its_types_name(value: Any) -> None:
    kind = "Odd" if "Odd" in repr(value) else type(value).__name__
    with pytest.raises(TypeError, match=rf"\.{kind}; return plain data"):
        pack(value)


def test_what_packs_and_does_not_come_back_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    for value in (circle, 2**64, "\ud800", {(1, 2): 3, (1, (2,)): 4} | {(1, frozenset()): 5}):
        with pytest.raises((TypeError, ValueError, OverflowError)):
            pack(value)


def test_the_largest_output_is_taken_and_a_larger_one_refused() -> None:
    head = 5  # bytes before those of a bin of this length
    assert len(pack(bytes(LARGEST_OUTPUT - head)).data) == LARGEST_OUTPUT
    with pytest.raises(ValueError, match=str(LARGEST_OUTPUT)):
        pack(bytes(LARGEST_OUTPUT - head + 1))


def test_long_words_are_cut_and_odd_ones_made_printable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = find("mine:raises", {})(MODEL)

    def fail(*_: object) -> None:
        raise ValueError("\udcff\ud800\n" + "x" * 100_000)

    monkeypatch.setattr(task, "_call", fail)
    (found,) = task.answer([(MODEL.outputs, INFO)])
    assert isinstance(found, ItemError)
    assert "\n" not in found.message
    assert MOST_WORDS < len(found.message) < MOST_WORDS + 300
    found.message.encode()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere:f", "no module nowhere in {folder}"),
        ("mine.inner:f", "no module mine.inner in {folder}"),
        ("broken:f", "can't be imported: ModuleNotFoundError: No module named"),
        ("wrong:f", "can't be imported: SyntaxError"),
        ("leaving:f", "can't be imported: SystemExit: 3"),
        ("stopped:f", "can't be imported: KeyboardInterrupt"),
        ("lazy:f", "can't be imported: ImportError: f needs more"),
        ("sys:shape", "in sys shape is not there"),
        ("mine:shape", "shape is not there; did you mean shapes?"),
        ("mine:word", "word is a str"),
        ("mine:Uncallable", "__call__(self, outputs, image)"),
        ("mine:without_image", "is called with outputs and image, and"),
    ],
)
def test_what_is_no_task_is_told_so(tmp_path: Path, name: str, said: str) -> None:
    found = refusal(name)
    assert name in found
    assert said.format(folder=tmp_path) in found


@pytest.mark.parametrize("name", ["mine:info", "mine:Above"])
def test_an_option_that_a_task_does_not_take_is_refused_when_it_is_made(name: str) -> None:
    assert "has no option colour: it takes " in refusal(name, colour=3)


def test_the_nearest_option_is_told_and_one_that_is_missing() -> None:
    assert "no option treshold: did you mean threshold?" in refusal("mine:Above", treshold=3)
    assert "missing a required" in refusal("mine:Above")


def test_a_class_may_refuse_the_model_which_is_told_with_its_shapes() -> None:
    other = Model("net.onnx", (np.zeros((1, 7), np.float32), np.zeros(3, np.float32)), 320, 320)
    found = refusal("mine:Above", other, threshold=0.5)
    assert "net.onnx, with outputs [1, 7], [3]: ValueError: 84 channels are needed" in found
