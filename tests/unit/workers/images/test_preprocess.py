"""Files and bytes to pixels, pixels to tensors: equal to the published examples, or an error."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import simplejpeg

from tests.helpers.odd_images import ANIMATED_GIF, CMYK, YCCK
from tests.helpers.pixels import pixels, tensor_of
from workers.errors import ImageError
from workers.protocol.messages import Encoded, FileRef, Pixels, Refused
from workers.protocol.spec import InputSpec

Array = npt.NDArray[Any]
JPEG_END = b"\xff\xd9"
TURNED: dict[int, Callable[[Array], Array]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


def photo(width: int, height: int, channels: int = 3) -> npt.NDArray[np.uint8]:
    noise = np.random.default_rng(width).integers(0, 256, (height, width, channels), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (5, 5), 0), np.uint8).reshape(noise.shape)


def encoded(suffix: str, picture: Array, *flags: int) -> bytes:
    ok, data = cv2.imencode(suffix, picture, list(flags))
    assert ok
    return data.tobytes()


def jpeg(width: int = 48, height: int = 32, *flags: int) -> bytes:
    return encoded(".jpg", photo(width, height), *flags)


def png(width: int = 24, height: int = 16) -> bytes:
    return encoded(".png", photo(width, height))


def with_exif(data: bytes, orientation: int, thumbnail: bytes = b"") -> bytes:
    """Put an EXIF segment behind a JPEG's start marker: orientation in IFD0, thumbnail in IFD1."""
    ifd1_at, thumbnail_at = 26, 56
    tiff = b"II*\0" + struct.pack("<I", 8)
    tiff += struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, ifd1_at if thumbnail else 0)
    if thumbnail:
        tiff += struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, thumbnail_at, 0x0202, 4, 1,
                            len(thumbnail), 0)  # fmt: skip
        tiff += thumbnail
    segment = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def spec(**changes: Any) -> InputSpec:
    return InputSpec(**{"width": 40, "height": 30, "layout": "NHWC", "dtype": "uint8", **changes})


def published(path: Path, width: int, height: int) -> Array:
    """The preprocessing of the published examples, step by step in their order."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None
    rgb = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA))


def load(path: Path, wanted: InputSpec) -> Array:
    return tensor_of(FileRef(os.fsencode(path)), wanted)


def error_of(source: FileRef | Encoded | Pixels | Refused) -> str:
    with pytest.raises(ImageError) as caught:
        pixels(source)
    return caught.value.kind


def kind_of(data: bytes) -> str:
    return error_of(Encoded(data))


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("width", "height"), [(500, 375), (375, 500), (224, 224), (641, 77), (57, 33), (1, 1), (3, 400)]
)
@pytest.mark.parametrize(("to_width", "to_height"), [(224, 224), (40, 30), (96, 320)])
def test_a_jpeg_gives_the_published_tensor_bit_for_bit(
    tmp_path: Path, width: int, height: int, to_width: int, to_height: int
) -> None:
    path = written(tmp_path / "photo.jpg", jpeg(width, height))
    made = load(path, spec(width=to_width, height=to_height))
    assert made.dtype == np.uint8
    assert made.shape == (1, to_height, to_width, 3)
    assert np.array_equal(made[0], published(path, to_width, to_height))


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("grey.jpg", photo(61, 47, 1)),
        ("grey.png", photo(61, 47, 1)),
        ("colour.png", photo(61, 47)),
        ("alpha.png", photo(61, 47, 4)),
        ("deep.png", photo(61, 47).astype(np.uint16) * 257),
        ("plain.bmp", photo(61, 47)),
    ],
)
def test_other_kinds_of_files_give_the_published_tensor(
    tmp_path: Path, name: str, picture: Array
) -> None:
    path = written(tmp_path / name, encoded(Path(name).suffix, picture))
    assert np.array_equal(load(path, spec())[0], published(path, 40, 30))


@pytest.mark.parametrize("data", [CMYK, YCCK], ids=["CMYK", "YCCK"])
def test_inks_become_the_colours_they_stand_for(data: bytes) -> None:
    picture = pixels(Encoded(data)).astype(int)
    for x, blue_green_red in ((4, (0, 0, 255)), (12, (0, 255, 0)), (20, (0, 0, 0))):
        assert np.abs(picture[8, x] - blue_green_red).max() < 4


@pytest.mark.skipif(cv2.imdecode(np.frombuffer(ANIMATED_GIF, np.uint8), 1) is None,
                    reason="OpenCV before 4.11 can't read GIF")  # fmt: skip
def test_of_an_animation_the_first_picture_is_taken() -> None:
    assert pixels(Encoded(ANIMATED_GIF))[8, 12].tolist() == [0, 0, 255]


def test_channels_are_red_green_blue(tmp_path: Path) -> None:
    blue = np.zeros((30, 40, 3), np.uint8)
    blue[:, :, 0] = 255
    path = written(tmp_path / "blue.png", encoded(".png", blue))
    assert load(path, spec())[0, 15, 20].tolist() == [0, 0, 255]


@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation_turns_the_pixels_upright(tmp_path: Path, orientation: int) -> None:
    plain = jpeg(64, 40)
    path = written(tmp_path / "turned.jpg", with_exif(plain, orientation))
    upright = TURNED[orientation](pixels(Encoded(plain)))
    assert np.array_equal(pixels(FileRef(os.fsencode(path))), upright)
    assert np.array_equal(load(path, spec())[0], published(path, 40, 30))


def test_a_file_its_bytes_and_its_pixels_give_the_same_tensor(tmp_path: Path) -> None:
    data = jpeg(61, 47)
    picture = pixels(Encoded(data))
    height, width, _ = picture.shape
    from_file = load(written(tmp_path / "a.jpg", data), spec())
    assert np.array_equal(from_file, tensor_of(Encoded(data), spec()))
    array = Pixels(picture.tobytes(), height, width)
    assert np.array_equal(from_file, tensor_of(array, spec()))


def test_nchw_is_the_same_picture_with_channels_first() -> None:
    source = Encoded(jpeg())
    made = tensor_of(source, spec(layout="NCHW"))
    assert made.shape == (1, 3, 30, 40)
    assert made.flags.c_contiguous
    assert np.array_equal(made[0].transpose(1, 2, 0), tensor_of(source, spec())[0])


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_a_float_tensor_is_value_minus_mean_over_std_per_channel(layout: str) -> None:
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    source = Encoded(jpeg())
    made = tensor_of(source, spec(layout=layout, dtype="float32", mean=mean, std=std))
    values = tensor_of(source, spec())[0].astype(np.float32)
    expected = (values - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    found = made[0] if layout == "NHWC" else made[0].transpose(1, 2, 0)
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    assert np.array_equal(found, expected)  # to the last bit


@pytest.mark.parametrize(
    ("changes", "shift", "scale"),
    [({}, 0.0, 1.0), ({"mean": (0.0, 0.0, 8.0)}, 8.0, 1.0), ({"std": (1.0, 1.0, 4.0)}, 0.0, 4.0)],
)
def test_mean_and_std_work_without_each_other(
    changes: dict[str, Any], shift: float, scale: float
) -> None:
    source = Encoded(jpeg())
    values = tensor_of(source, spec())[0].astype(np.float32)
    made = tensor_of(source, spec(dtype="float32", **changes))[0]
    assert np.array_equal(made[..., :2], values[..., :2])
    assert np.array_equal(made[..., 2], (values[..., 2] - shift) / scale)


@pytest.mark.parametrize("name", [b"gone.jpg", b"gone/also.jpg", b"photo.jpg/inside.jpg"])
def test_a_file_that_is_not_there_is_missing(tmp_path: Path, name: bytes) -> None:
    written(tmp_path / "photo.jpg", jpeg())
    assert error_of(FileRef(os.path.join(os.fsencode(tmp_path), name))) == "missing"


def test_a_dangling_link_is_missing(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone.jpg")
    assert error_of(FileRef(os.fsencode(tmp_path / "link.jpg"))) == "missing"


def test_a_link_to_itself_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    assert error_of(FileRef(os.fsencode(tmp_path / "loop.jpg"))) == "unreadable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read files of mode 000")
def test_a_file_without_read_permission_is_unreadable(tmp_path: Path) -> None:
    path = written(tmp_path / "barred.jpg", jpeg())
    path.chmod(0)
    assert error_of(FileRef(os.fsencode(path))) == "unreadable"


@pytest.mark.parametrize("path", [b"nul\0inside.jpg", b"x" * 5000])
def test_a_path_that_no_file_can_have_is_unreadable(path: bytes) -> None:
    assert error_of(FileRef(path)) == "unreadable"


def test_a_name_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9\xff.jpg"
    Path(os.fsdecode(path)).write_bytes(jpeg())
    assert pixels(FileRef(path)).shape == (32, 48, 3)


def test_a_directory_is_not_a_file(tmp_path: Path) -> None:
    assert error_of(FileRef(os.fsencode(tmp_path))) == "not_a_file"


@pytest.mark.timeout(10)
def test_a_fifo_is_not_a_file_and_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert error_of(FileRef(os.fsencode(tmp_path / "pipe.jpg"))) == "not_a_file"


@pytest.mark.parametrize("device", [b"/dev/null", b"/dev/zero"])
def test_a_device_is_not_a_file(device: bytes) -> None:
    assert error_of(FileRef(device)) == "not_a_file"


def test_files_that_fail_leave_no_descriptor_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    before = len(os.listdir("/proc/self/fd"))
    for name in ("pipe.jpg", "gone.jpg", "."):
        error_of(FileRef(os.fsencode(tmp_path / name)))
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    path = written(tmp_path / "empty.jpg", b"")
    assert error_of(FileRef(os.fsencode(path))) == "empty"
    assert kind_of(b"") == "empty"


@pytest.mark.parametrize("data", [b"a diary named .jpg\n", b"\0" * 4096, b"\xff\xd8", b"\x89PNG"])
def test_bytes_of_something_else_are_not_an_image(tmp_path: Path, data: bytes) -> None:
    path = written(tmp_path / "diary.jpg", data)
    assert error_of(FileRef(os.fsencode(path))) == "not_an_image"


@pytest.mark.parametrize("keep", [3, 20, 300, -400, -2, -1])
def test_a_truncated_jpeg_is_an_error_not_grey_pixels(keep: int) -> None:
    assert kind_of(jpeg()[:keep]) == "truncated"


@pytest.mark.parametrize(
    "flags",
    [
        (),
        (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        (cv2.IMWRITE_JPEG_RST_INTERVAL, 1),
        (cv2.IMWRITE_JPEG_QUALITY, 100),
    ],
)
def test_no_part_of_a_jpeg_gives_pixels(flags: tuple[int, ...]) -> None:
    data = jpeg(48, 32, *flags)
    kinds = [kind_of(data[:size]) for size in range(3, len(data))]
    assert set(kinds) == {"truncated"}


def test_no_part_of_a_jpeg_with_a_thumbnail_gives_pixels() -> None:
    thumbnail = jpeg(16, 16)
    data = with_exif(jpeg(), 1, thumbnail)
    thumbnail_ends = data.index(thumbnail) + len(thumbnail)
    kinds = {size: kind_of(data[:size]) for size in range(3, len(data))}
    assert kinds.pop(thumbnail_ends) in {"truncated", "not_an_image"}
    assert set(kinds.values()) == {"truncated"}


def test_a_whole_jpeg_with_a_thumbnail_is_read() -> None:
    data = with_exif(jpeg(), 1, jpeg(16, 16))
    assert np.array_equal(pixels(Encoded(data)), pixels(Encoded(jpeg())))


@pytest.mark.parametrize("tail", [b"\0" * 100, b"Google Motion Photo", b"\r\n", jpeg(16, 16)[:99]])
@pytest.mark.parametrize("thumbnail", [b"", jpeg(16, 16)])
def test_bytes_after_a_jpegs_end_do_no_harm(tail: bytes, thumbnail: bytes) -> None:
    data = with_exif(jpeg(), 1, thumbnail)
    assert np.array_equal(pixels(Encoded(data + tail)), pixels(Encoded(jpeg())))


def test_fill_bytes_before_a_jpegs_markers_do_no_harm() -> None:
    data = jpeg()
    filled = data[:2] + b"\xff\xff\xff" + data[2:]
    assert pixels(Encoded(filled + b"\0")).shape == (32, 48, 3)
    assert kind_of(filled[:-2]) == "truncated"


@pytest.mark.parametrize("keep", [8, 33, 200, -13, -12, -1])
def test_a_truncated_png_is_an_error(keep: int) -> None:
    assert kind_of(png()[:keep]) == "truncated"


def test_no_part_of_a_png_gives_pixels() -> None:
    data = png()
    assert {kind_of(data[:size]) for size in range(8, len(data))} == {"truncated"}


def test_bytes_after_a_pngs_end_do_no_harm() -> None:
    padded = png() + b"\0" * 200
    assert np.array_equal(pixels(Encoded(padded)), pixels(Encoded(png())))


def test_a_broken_file_prints_nothing_beside_its_error(capfd: pytest.CaptureFixture[str]) -> None:
    data = encoded(".tiff", photo(48, 32))
    assert kind_of(data[: len(data) // 2]) == "not_an_image"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("size", "height", "width"),
    [(0, 0, 0), (12, 2, 3), (18, 3, 3), (17, 2, 3), (19, 2, 3), (18, -2, -3), (0, 0, 5), (0, 5, 0)],
)
def test_pixels_of_another_size_than_they_say_are_refused(
    size: int, height: int, width: int
) -> None:
    assert error_of(Pixels(bytes(size), height, width)) == "bad_pixels"


def test_what_was_refused_before_it_was_sent_ends_as_that_says() -> None:
    assert error_of(Refused("too_large", "too many bytes", None)) == "too_large"


def test_pixels_of_the_right_size_are_rows_of_bgr() -> None:
    assert pixels(Pixels(bytes(range(18)), 2, 3))[1, 0].tolist() == [9, 10, 11]


def opencv_without_memory() -> cv2.error:
    failure = cv2.error("Failed to allocate 9 bytes")
    failure.code = cv2.Error.StsNoMem
    return failure


@pytest.mark.parametrize(
    ("library", "function", "failure", "data"),
    [
        (cv2, "imdecode", MemoryError(), png()),
        (cv2, "imdecode", opencv_without_memory(), png()),
        (simplejpeg, "decode_jpeg", MemoryError(), jpeg()),
        (simplejpeg, "decode_jpeg", ValueError("Insufficient memory (case 4)"), jpeg()),
        (simplejpeg, "decode_jpeg", RuntimeError("could not create decoder"), jpeg()),
        (cv2, "flip", opencv_without_memory(), with_exif(jpeg(), 6)),
        (cv2, "resize", opencv_without_memory(), jpeg(20, 15)),
    ],
)
def test_an_image_that_memory_does_not_suffice_for_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
    library: ModuleType,
    function: str,
    failure: Exception,
    data: bytes,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    tensor_of(Encoded(with_exif(jpeg(), 6)), spec())  # later ones ask OpenCV for less
    monkeypatch.setattr(library, function, fail)
    with pytest.raises(ImageError) as caught:
        tensor_of(Encoded(data), spec())
    assert caught.value.kind == "no_memory"


def test_what_else_opencv_fails_at_is_not_taken_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise cv2.error("a mistake of ours")

    monkeypatch.setattr(cv2, "resize", fail)
    with pytest.raises(cv2.error):
        tensor_of(Encoded(jpeg(20, 15)), spec())


def test_what_opencv_refuses_for_another_reason_is_said_in_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise cv2.error("OpenCV(5.0.0) x.cpp:7: error: (-2:Unspecified) too odd in function 'f'")

    monkeypatch.setattr(cv2, "imdecode", refuse)
    with pytest.raises(ImageError) as caught:
        pixels(Encoded(png()))
    assert caught.value.kind == "not_an_image"
    assert str(caught.value) == "OpenCV refuses it: too odd in function 'f'"
