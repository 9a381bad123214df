"""One file for each row of the table of bad images in docs/reliability.md."""

from __future__ import annotations

import base64
import os
import stat
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.uint8]
JPEG_END: Final = b"\xff\xd9"
SIDE: Final = 20_000
WIDE: Final = (1 << 20) + 1
PNG_START: Final = b"\x89PNG\r\n\x1a\n"
SPARSE_BYTES: Final = 10_000_000_000
# 24 x 16 pixels: a red, a green and a black third, in inks.
CMYK: Final = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAGBAUGBQQGBgUGBwcGCAoQCgoJCQoUDg8MEBcUGBgXFBYWGh0lHxobIxwWFiAs"
    "ICMmJykqKRkfLTAtKDAlKCko/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAkACP/EABQQ"
    "AQAAAAAAAAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8A1Syoyo1SKsqiRVEVQVaFWKsqgqyqJFURVBVv/9k="
)
YCCK: Final = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAC/9sAQwAGBAUGBQQGBgUGBwcGCAoQCgoJCQoUDg8MEBcUGBgXFBYWGh0lHxobIxwWFiAs"
    "ICMmJykqKRkfLTAtKDAlKCko/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EABgAAAMBAQAAAAAAAAAAAAAAAAcICQYA/8QA"
    "FBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBNAFkASwAAPwAiNyVY1IONupw4uYHlwSrPe3JVlVAcbdThxcwPLglW/9k="
)
# 24 x 16 pixels of picture(), arithmetic coding: sequential, progressive.
ARITHMETIC: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwc"
    "KDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy"
    "MjIyMjIyMjIyMjIyMjIyMjIyMjL/yQARCAAQABgDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwCv1UhZ"
    "zoQQzJxwIPgrE2dsIbchxP3nHldZ0W5bQbQw2KTClowHKm3cPxeKoq4llqODzIgh77776nJUaezANaGQynRHPGaoVUDd"
    "wGoBd49KY4gcX+cD+7iBkChXO3qWvY3XwP/Z"
)
ARITHMETIC_PROGRESSIVE: Final = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwc"
    "KDcpLDAxNDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy"
    "MjIyMjIyMjIyMjIyMjIyMjIyMjL/ygARCAAQABgDASIAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAQARJTYKX/z/"
    "zAAEEAX/2gAIAQEAAQUCCPlUdbHQU1euIP/MAAQRBf/aAAgBAwEBPwFmTIWA/8wABBEF/9oACAECAQE/AW/xI3j/zAAE"
    "EAX/2gAIAQEABj8CfFfOoDA2pP/MAAQQBf/aAAgBAQABPyE4KvByBGlRWu5bwrynKNdIu6jfUP/aAAwDAQACAAMAAAAQ"
    "0kD/zAAEEQX/2gAIAQMBAT8QWVm1W6c1Kqr/zAAEEQX/2gAIAQIBAT8QyOKDCy3zK+f/zAAEEAX/2gAIAQEAAT8Q4B62"
    "/eztEbn1VzuKwSL38PoDuKzt2WzXx6iU/9k="
)
# 24 x 16 pixels: a red picture, then a blue one.
ANIMATED_GIF: Final = base64.b64decode(
    "R0lGODlhGAAQAIEAAP8AAAAAAAAAAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQACgAAACwAAAAAGAAQAAAIIgABCBxI"
    "sKDBgwgTKlzIsKHDhxAjSpxIsaLFixgzatxoMCAAIfkEAQoAAQAsAAAAABgAEACBAAD/AAAAAAAAAAAACCIAAQgcSLCg"
    "wYMIEypcyLChw4cQI0qcSLGixYsYM2rcaDAgADs="
)


def picture(width: int = 48, height: int = 32, channels: int = 3) -> Array:
    """Smooth noise, the same each time."""
    noise = np.random.default_rng(width).integers(0, 256, (height, width, channels), np.uint8)
    return np.asarray(cv2.GaussianBlur(noise, (5, 5), 0), np.uint8).reshape(noise.shape)


def encoded(suffix: str, pixels: npt.NDArray[np.generic]) -> bytes:
    """The bytes of an image file."""
    done, data = cv2.imencode(suffix, np.asarray(pixels))
    assert done
    return data.tobytes()


def jpeg() -> bytes:
    """A good JPEG."""
    return encoded(".jpg", picture())


def deep() -> npt.NDArray[np.uint16]:
    """Pixels of 16 bits."""
    return picture().astype(np.uint16) * 257


def half(suffix: str) -> bytes:
    """The first half of a file."""
    data = encoded(suffix, picture())
    return data[: len(data) // 2]


def hollow_jpeg() -> bytes:
    """A JPEG with 200 bytes missing in its middle."""
    data = jpeg()
    return data[: len(data) // 2] + data[len(data) // 2 + 200 :]


def scans(count: int) -> bytes:
    """A flat JPEG of `count` equal scans, each of a few bytes over the whole picture."""
    flat = np.full((32, 48), 128, np.uint8)
    done, encoding = cv2.imencode(".jpg", flat, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert done
    data = encoding.tobytes()
    at = data.index(b"\xff\xda")
    scan = data[at : data.index(b"\xff\xc4", at)]
    # The last byte of its header: all bits of the mean values come at once.
    return data[:at] + (scan[:9] + b"\0" + scan[10:]) * count + JPEG_END


def between_segments(put: bytes, data: bytes) -> bytes:
    """A JPEG with `put` after its first segment."""
    return data[:20] + put + data[20:]


def zeroed_jpeg() -> bytes:
    """A JPEG of which the last two thirds are zeros; 00 codes equal pixels in it."""
    flat = cv2.resize(picture(8, 8), (320, 240), interpolation=cv2.INTER_NEAREST)
    done, data = cv2.imencode(".jpg", flat, [cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    assert done
    keep = len(data) - (len(data) - data.tobytes().index(b"\xff\xda")) * 2 // 3
    return data.tobytes()[:keep] + bytes(len(data) - keep + 4000) + JPEG_END


def without_a_restart() -> bytes:
    """A JPEG with one of its restart markers lost."""
    done, data = cv2.imencode(".jpg", picture(), [cv2.IMWRITE_JPEG_RST_INTERVAL, 1])
    assert done
    return data.tobytes().replace(b"\xff\xd1", b"", 1)


def broken_png() -> bytes:
    """A PNG with one byte changed."""
    data = bytearray(encoded(".png", picture()))
    data[len(data) // 2] ^= 0x10
    return bytes(data)


def turned_jpeg() -> bytes:
    """A JPEG with an EXIF segment that says it lies on its side."""
    data = jpeg()
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def huge_jpeg() -> bytes:
    """A JPEG whose header says 20000x20000."""
    data = bytearray(jpeg())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", SIDE, SIDE)
    return bytes(data)


def huge_png() -> bytes:
    """A PNG whose header says 20000x20000, with the right checksum."""
    data = bytearray(encoded(".png", picture()))
    data[16:24] = struct.pack(">II", SIDE, SIDE)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def huge_bmp() -> bytes:
    """A BMP whose header says 20000x20000."""
    data = bytearray(encoded(".bmp", picture()))
    data[18:26] = struct.pack("<ii", SIDE, SIDE)
    return bytes(data)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG, with its checksum."""
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def wide_png() -> bytes:
    """A whole PNG of one row, with more pixels in it than libpng reads."""
    row = zlib.compress(bytes(1 + 3 * WIDE))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", WIDE, 1, 8, 2, 0, 0, 0))
    return PNG_START + header + png_chunk(b"IDAT", row) + png_chunk(b"IEND", b"")


def wide_bmp() -> bytes:
    """A BMP whose header says one row, with more pixels in it than OpenCV reads."""
    data = bytearray(encoded(".bmp", picture()))
    data[18:26] = struct.pack("<ii", WIDE, 1)
    return bytes(data)


def animated_png(default: Array, *frames: bytes | Array, shown: bool = False) -> bytes:
    """An APNG of frames as large as the default picture, which is the first one if `shown`.

    A frame that is bytes takes the place of the compressed pixels.
    """
    height, width, _ = default.shape
    count, number = len(frames) + shown, iter(range(99))

    def control() -> bytes:
        size = struct.pack(">IIIIIHHBB", next(number), width, height, 0, 0, 1, 10, 0, 0)
        return png_chunk(b"fcTL", size)

    plain = encoded(".png", default)
    begin, end = plain.index(b"IDAT") - 4, plain.index(b"IEND") - 4
    parts = [plain[:33], png_chunk(b"acTL", struct.pack(">II", count, 0))]
    parts += [control()] if shown else []
    parts.append(plain[begin:end])
    for frame in frames:
        parts.append(control())
        pixels = frame if isinstance(frame, bytes) else png_rows(frame)
        parts.append(png_chunk(b"fdAT", struct.pack(">I", next(number)) + pixels))
    return b"".join((*parts, plain[end:]))


def png_rows(pixels: Array) -> bytes:
    """BGR pixels as a PNG has them: RGB, a filter's number before each row, compressed."""
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in pixels[:, :, ::-1]))


def with_few_rows(png: bytes) -> bytes:
    """A PNG as wide as `picture`, with nine rows in place of its own."""
    begin = png.index(b"IDAT") - 4
    end = begin + 12 + int.from_bytes(png[begin : begin + 4], "big")
    return png[:begin] + png_chunk(b"IDAT", png_rows(picture()[:9])) + png[end:]


BLUE: Final = np.full((32, 48, 3), (255, 0, 0), np.uint8)
# Rows that begin with a filter that does not exist: before another frame, OpenCV 5.0 crashes.
NO_ROWS: Final = zlib.compress(b"\7" * 32 * (1 + 3 * 48))
Made = Callable[[Path], Path]


def holding(name: str, data: bytes) -> Made:
    """A file called `name`, bytes of any kind in it."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def link(name: str, target: str) -> Made:
    """A symbolic link."""

    def make(folder: Path) -> Path:
        (folder / name).symlink_to(target)
        return folder / name

    return make


def fifo(folder: Path) -> Path:
    """A pipe that nobody writes to."""
    os.mkfifo(folder / "fifo.jpg")
    return folder / "fifo.jpg"


def socket(folder: Path) -> Path:
    """A socket that nobody listens on."""
    os.mknod(folder / "socket.jpg", stat.S_IFSOCK | 0o600)
    return folder / "socket.jpg"


def sparse(folder: Path) -> Path:
    """10 GB that take no room on the disk."""
    (folder / "sparse.jpg").touch()
    os.truncate(folder / "sparse.jpg", SPARSE_BYTES)
    return folder / "sparse.jpg"


def barred(folder: Path) -> Path:
    """A file that nobody but root may read."""
    path = holding("barred.jpg", jpeg())(folder)
    path.chmod(0)
    return path


def at(path: str) -> Made:
    """What is there on every machine."""
    return lambda folder: folder / path


PAM: Final = b"P7\nWIDTH 3\nHEIGHT 2\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
# What is no image, or one of a format that OpenCV can't read: how they begin.
OTHER_FORMATS: Final = {
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99),
    "JPEG XL": b"\xff\x0a" + bytes(99),
    "PSD": b"8BPS\0\1" + bytes(99),
    "ICO": b"\0\0\1\0\1\0" + bytes(99),
    "raw photo": b"IIRO\x08\0\0\0" + bytes(99),
    "SVG": b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>",
    "PDF": b"%PDF-1.7\n" + bytes(99),
    "PFM": b"PF\n1 1\n-1.0\n" + struct.pack("<fff", 0.1, 200.0, 1e9),
    "PAM with alpha": PAM + bytes(24),
    "video": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2" + bytes(99),
    "web page": b"<!DOCTYPE html>\n<html><title>404 Not Found</title></html>",
    "Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
    "zip": b"PK\3\4" + bytes(99),
    "gzip": b"\x1f\x8b\x08" + bytes(99),
    "JSON": b'{"path": "a.jpg"}\n',
    "RKNN model": b"RKNN\0\0\0\0" + bytes(99),
    "file of zeros": bytes(4096),
}

FILES: Final[dict[str, Made]] = {
    "wrong extension (a PNG named `.jpg`)": holding("png.jpg", encoded(".png", picture())),
    "grey JPEG": holding("grey.jpg", encoded(".jpg", picture(channels=1))),
    "grey PNG": holding("grey.png", encoded(".png", picture(channels=1))),
    "PNG with alpha": holding("alpha.png", encoded(".png", picture(channels=4))),
    "PNG of 16 bits": holding("deep.png", encoded(".png", deep())),
    "TIFF of 16 bits": holding("deep.tiff", encoded(".tiff", deep())),
    "CMYK JPEG": holding("cmyk.jpg", CMYK),
    "YCCK JPEG": holding("ycck.jpg", YCCK),
    "JPEG turned by EXIF": holding("turned.jpg", turned_jpeg()),
    "animated GIF": holding("animated.gif", ANIMATED_GIF),
    "animated PNG": holding("animated.png", animated_png(picture(), BLUE)),
    "animated PNG with a broken frame": holding(
        "animation.png", animated_png(picture(), NO_ROWS, NO_ROWS)
    ),
    "one pixel": holding("one.png", encoded(".png", picture(1, 1))),
    "JPEG with bytes after its end": holding("tail.jpg", jpeg() + b"and a film"),
    "name with a newline": holding("new\nline.jpg", jpeg()),
    "name that is not UTF-8": holding(os.fsdecode(b"caf\xe9.jpg"), jpeg()),
    "empty": holding("empty.jpg", b""),
    "a text named `.jpg`": holding("text.jpg", b"dear diary\n"),
    "JPEG cut short": holding("cut.jpg", half(".jpg")),
    "PNG cut short": holding("cut.png", half(".png")),
    "WebP cut short": holding("cut.webp", half(".webp")),
    "BMP cut short": holding("cut.bmp", half(".bmp")),
    "GIF cut short": holding("cut.gif", ANIMATED_GIF[:60]),
    "TIFF cut short": holding("cut.tiff", half(".tiff")),
    "JPEG cut short, with an end put on": holding("ended.jpg", half(".jpg") + JPEG_END),
    "JPEG with a piece missing": holding("hollow.jpg", hollow_jpeg()),
    "JPEG with LF turned into CR LF": holding("crlf.jpg", jpeg().replace(b"\n", b"\r\n")),
    "JPEG with a restart marker lost": holding("restart.jpg", without_a_restart()),
    "JPEG with zeros in place of its rest": holding("zeroed.jpg", zeroed_jpeg()),
    "JPEG with bytes between its segments": holding("odd.jpg", between_segments(b"odd", jpeg())),
    "such a JPEG with a piece missing": holding(
        "odd-hollow.jpg", between_segments(b"odd", hollow_jpeg())
    ),
    "JPEG padded with zeros": holding("padded.jpg", jpeg()[:-2] + bytes(99) + JPEG_END),
    "JPEG of 2000 scans": holding("scans.jpg", scans(2000)),
    "JPEG of 20000 comments": holding(
        "comments.jpg", between_segments(b"\xff\xfe\0\2" * 20_000, jpeg())
    ),
    "PNG with a byte changed": holding("broken.png", broken_png()),
    "animated PNG of too few rows": holding(
        "rows.png", with_few_rows(animated_png(picture(), BLUE, shown=True))
    ),
    "PNG of too few rows": holding("rows2.png", with_few_rows(encoded(".png", picture()))),
    "JPEG of 20000x20000": holding("huge.jpg", huge_jpeg()),
    "PNG of 20000x20000": holding("huge.png", huge_png()),
    "BMP of 20000x20000": holding("huge.bmp", huge_bmp()),
    "PNG of 1048577x1": holding("wide.png", wide_png()),
    "BMP of 1048577x1": holding("wide.bmp", wide_bmp()),
    **{
        f"{name} named `.jpg`": holding(f"other-{number}.jpg", data)
        for number, (name, data) in enumerate(OTHER_FORMATS.items())
    },
    "file of 10 GB": sparse,
    "FIFO": fifo,
    "socket": socket,
    "`/dev/zero`": at("/dev/zero"),
    "`/dev/null`": at("/dev/null"),
    "terminal": at("/dev/tty"),
    "link to a device": link("device.jpg", "/dev/zero"),
    "folder in a list of paths": at("."),
    "link to nowhere": link("nowhere.jpg", "nowhere"),
    "link to itself": link("loop.jpg", "loop.jpg"),
    "file in a folder that is none": at("empty.jpg/inside.jpg"),
    "name that is too long": at("x" * 300),
    "file without permission (not as root)": barred,
    "`/proc/version`": at("/proc/version"),
    "`/proc/self/mem`": at("/proc/self/mem"),
    "`/sys/devices/system/cpu/online`": at("/sys/devices/system/cpu/online"),
}
