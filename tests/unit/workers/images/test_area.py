"""Pictures are reduced to the bits that OpenCV gives, or else by OpenCV."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.libraries import compiled, needs_compiler
from tests.helpers.pixels import decode
from tests.helpers.support import ROOT, once
from workers.images import area, preprocess
from workers.shell import recompile

Array = npt.NDArray[np.uint8]
sizes = st.tuples(st.integers(1, 130), st.integers(1, 130))


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        compiled(folder / "libarea.so")

    return once(tmp_path_factory, "area", make) / "libarea.so"


@pytest.fixture(scope="session")
def ours(library: Path) -> area.Resize:
    return area.choose(library)


def noise(width: int, height: int, seed: int = 0, values: int = 256) -> Array:
    random = np.random.default_rng(seed)
    return random.integers(0, values, (height, width, 3), np.uint8)


def opencv(picture: Array, width: int, height: int) -> Array:
    """As the published examples do it: swapped first."""
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA))


@needs_compiler
@settings(max_examples=300)
@given(sizes, sizes, st.integers(0, 2**32), st.sampled_from([2, 16, 256]))
def test_every_picture_of_every_size_is_opencvs(
    ours: area.Resize, size: tuple[int, int], to: tuple[int, int], seed: int, values: int
) -> None:
    picture = noise(*size, seed, values)
    assert np.array_equal(ours.to_rgb(picture, *to), opencv(picture, *to))


@needs_compiler
@pytest.mark.parametrize(
    ("size", "to"),
    [
        ((5000, 1), (3, 1)), ((1, 5000), (1, 3)), ((5000, 1), (4999, 1)), ((1, 5000), (1, 4999)),
        ((5000, 3), (1, 2)), ((3, 5000), (2, 1)), ((2, 5), (2, 3)), ((5, 2), (3, 2)),
        ((1, 3), (1, 2)), ((5000, 333), (224, 224)), ((257, 4001), (224, 224)),
        ((4000, 3000), (224, 224)),
    ],
)  # fmt: skip
def test_so_are_long_and_thin_ones(
    ours: area.Resize, size: tuple[int, int], to: tuple[int, int]
) -> None:
    picture = noise(*size)
    assert area.suits(picture, *to)
    assert np.array_equal(ours.to_rgb(picture, *to), opencv(picture, *to))


@needs_compiler
@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_a_plain_picture_stays_plain(ours: area.Resize, value: int) -> None:
    picture = np.full((97, 61, 3), value, np.uint8)
    assert set(ours.to_rgb(picture, 41, 61).ravel()) == {value}


@needs_compiler
def test_so_is_every_render(ours: area.Resize, renders: list[Path]) -> None:
    pictures = [decode(path.read_bytes()) for path in renders]
    differ = [
        path.name
        for path, picture in zip(renders, pictures, strict=True)
        for width, height in ((224, 224), (96, 64), (31, 47))
        if not np.array_equal(ours.to_rgb(picture, width, height), opencv(picture, width, height))
    ]
    assert differ == []


@pytest.mark.parametrize(
    ("picture", "width", "height", "suits"),
    [
        (noise(50, 40), 30, 30, True),
        (noise(50, 40), 25, 30, True),  # whole in one direction
        (noise(50, 40), 50, 30, True),
        (noise(50, 40), 25, 20, False),
        (noise(50, 40), 50, 40, False),
        (noise(50, 40), 60, 30, False),
        (noise(50, 40), 30, 60, False),
        (noise(50, 40), 0, 30, False),
        (noise(50, 40), -1, 30, False),
        (noise(50, 40)[:, ::-1], 30, 30, False),
        (noise(50, 40)[::2], 30, 15, False),
        (noise(50, 40)[:, :45], 30, 30, False),
        (noise(50, 40).transpose(1, 0, 2), 30, 30, False),
        (noise(50, 40)[..., 0], 30, 30, False),
        (noise(50, 40)[..., :1], 30, 30, False),
        (np.zeros((40, 50, 4), np.uint8), 30, 30, False),
        (noise(50, 40).astype(np.uint16), 30, 30, False),
        (noise(50, 40).astype(np.float32), 30, 30, False),
        (noise(50, 40).view(np.int8), 30, 30, False),
        (np.zeros((0, 50, 3), np.uint8), 30, 30, False),
    ],
)
def test_the_library_gets_only_what_it_can_read_and_opencv_computes_so(
    picture: Array, width: int, height: int, suits: bool
) -> None:
    assert area.suits(picture, width, height) is suits


@needs_compiler
@pytest.mark.parametrize("columns", [slice(None, None, -1), slice(45)], ids=["mirrored", "cut"])
def test_what_the_library_can_not_read_is_resized_all_the_same(
    ours: area.Resize, columns: slice
) -> None:
    view = noise(50, 40)[:, columns]
    assert np.array_equal(ours.to_rgb(view, 30, 30), opencv(view, 30, 30))


def test_without_a_library_opencv_does_it(tmp_path: Path) -> None:
    resize = area.choose(tmp_path / "libarea.so")
    assert (resize.function, resize.reason) == (None, area.NOT_COMPILED)
    assert resize.fix == recompile()
    picture = noise(50, 40)
    assert np.array_equal(resize.to_rgb(picture, 30, 30), opencv(picture, 30, 30))


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"not a library"])
def test_a_file_that_is_no_library_is_not_used(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "libarea.so"
    path.write_bytes(content)
    resize = area.choose(path)
    assert resize.function is None
    assert str(path) in resize.reason


@needs_compiler
def test_a_library_of_something_else_is_not_used(tmp_path: Path) -> None:
    other = compiled(tmp_path / "libarea.so", "-Dnpu_farm_area=npu_farm_volume")
    assert area.choose(other).function is None


@needs_compiler
@pytest.mark.parametrize(
    "flags",
    [
        # As on the other kind of machine: there, OpenCV rounds a product before it adds it, or not.
        ("-UFUSED", "-DFUSED=!defined(__aarch64__)"),
        # Without the rest of -ffast-math, which would change the arithmetic of this process.
        ("-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math", "-freciprocal-math"),
    ],
)
def test_a_library_that_rounds_in_another_way_is_not_used(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    resize = area.choose(compiled(tmp_path / "libarea.so", *flags))
    assert resize.function is None
    assert cv2.__version__ in resize.reason
    assert resize.fix == area.OTHER_OPENCV
    picture = noise(50, 40)
    assert np.array_equal(resize.to_rgb(picture, 30, 30), opencv(picture, 30, 30))


NO_ROOM = """
import resource, sys
from pathlib import Path
import numpy as np
from workers.images import area
resize = area.choose(Path(sys.argv[1]))
assert resize.function is not None, resize.reason
picture = np.zeros((2, 4_000_001, 3), np.uint8)
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + (40 << 20)  # the result, and not what it takes beside
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for _ in range(100):  # what a failure left behind would add up
    try:
        resize.to_rgb(picture, 4_000_000, 1)
    except MemoryError:
        continue
    sys.exit("there was memory")
np.zeros(30 << 20, np.uint8)
print("in time")
"""


@needs_compiler
def test_without_memory_it_fails_and_leaves_nothing_behind(library: Path) -> None:
    words = [sys.executable, "-c", NO_ROOM, str(library)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("in time\n", "")


@needs_compiler
def test_this_installation_uses_its_library() -> None:
    if not area.LIBRARY.exists():
        pytest.skip("installed without a C compiler")
    assert preprocess.RESIZE.reason == ""


@needs_compiler
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.9, 0.999])
def test_a_library_that_is_cut_off_is_not_loaded(
    library: Path, tmp_path: Path, share: float
) -> None:
    """The system ends a process that loads one, with SIGBUS."""
    whole, cut = library.read_bytes(), tmp_path / "libarea.so"
    cut.write_bytes(whole[: int(len(whole) * share)])
    assert not area.is_cut(library)
    chosen = area.choose(cut)
    assert (chosen.function, chosen.fix) == (None, recompile())
    assert "cut off" in chosen.reason
