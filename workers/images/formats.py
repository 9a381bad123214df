"""What a file is that OpenCV can't read, by its first bytes, and what to do with it."""

from __future__ import annotations

import re
from typing import Final

CONVERT: Final = "OpenCV can't read; convert it to JPEG or PNG"
VIDEO: Final = "a video, not an image; extract its frames, as with `ffmpeg -i FILE frame-%05d.png`"
MODEL: Final = "a model, not an image; pass it with --model"
ARCHIVE: Final = "archive, not an image; unpack it"
BROKEN: Final = (
    "is broken, or of a kind that OpenCV can't read; copy it again from its source, or convert it"
)
ZEROS: Final = "nothing but zero bytes, as after a write that failed; copy it again from its source"
UNKNOWN: Final = "not an image that OpenCV can read"
TEXT: Final = "a text, not an image; see `head FILE`"
HEAD: Final = 1024  # bytes that decide
# Space, printable characters, and the bytes of UTF-8.
TEXT_BYTES: Final = re.compile(rb"[\t\n\r\f\x1b -~\x80-\xff]*")

# Refused though OpenCV returns an array. A PFM's floats may have any range: it cuts them to 0 and
# 1, or returns one channel. Of a PAM with alpha it returns memory that it never wrote.
MISREAD: Final = (
    (rb"P[Ff]\s", f"a PFM, whose floats {CONVERT}"),
    (rb"(?s)P7.*?\sDEPTH\s+0*[24]\s", f"a PAM with an alpha channel, which {CONVERT}"),
)

# Patterns at the file's first byte; of several that match, the first counts.
KNOWN: Final = tuple((re.compile(pattern, re.DOTALL), meaning) for pattern, meaning in (
    (rb"....ftyp.{0,60}avi[fs]", f"an AVIF image, broken or one that this build of {CONVERT}"),
    (rb"....ftyp(hei|hev|mif1|msf1)", f"a HEIC image, which {CONVERT}"),
    (rb"....ftypcrx ", f"a raw photo (CR3), which {CONVERT}"),
    (rb"....(ftyp|moov|mdat|wide)", VIDEO),
    (rb"RIFF....AVI |\x1aE\xdf\xa3|FLV\x01|\x00\x00\x01[\xba\xb3]|OggS|G.{187}G", VIDEO),
    (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", f"a JPEG XL image, which {CONVERT}"),
    (rb"8BPS", f"a Photoshop document, which {CONVERT}"),
    (rb"gimp xcf", f"a GIMP document, which {CONVERT}"),
    (rb"\x00\x00[\x01\x02]\x00[^\x00]", f"a Windows icon, which {CONVERT}"),
    (rb"icns", f"an Apple icon, which {CONVERT}"),
    (rb"v/1\x01", f"an OpenEXR image, which {CONVERT}"),
    (rb"DDS |qoif|BPG\xfb|FLIF|BLP[12]|/\* XPM|\x01\xda[\x00\x01]|SIMPLE  =|.{128}DICM",
     f"an image of a format that {CONVERT}"),
    (rb"\x0a[\x00-\x05]\x01[\x01\x02\x04\x08]", f"a PCX image, which {CONVERT}"),
    (rb"FUJIFILMCCD-RAW|IIR[OS]|IIU\x00|MMOR|FOVb", f"a raw photo, which {CONVERT}"),
    (rb"%PDF", "a PDF, not an image; render its pages, as with `pdftoppm -png FILE page`"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", f"a PostScript drawing, which {CONVERT}"),
    (rb"version https://git-lfs", "a Git LFS pointer, not the image; run `git lfs pull`"),
    (rb"(?i)(\xef\xbb\xbf)?\s*(<\?xml.*?>|<!--.*?-->|<!doctype svg.*?>|\s)*<(\w+:)?svg\b",
     f"an SVG drawing, which {CONVERT}"),
    (rb"(?i)(\xef\xbb\xbf)?\s*(<\?xml.*?>|<!--.*?-->|\s)*<(!doctype html|html|head|body)\b",
     "a web page, perhaps an error page in place of the image; download it again"),
    (rb"RKNN|\x08[\x01-\x20]\x12|....TFL3", MODEL),
    (rb"PK(\x03\x04|\x05\x06)", f"a zip {ARCHIVE}"),
    (rb"\x1f\x8b", f"a gzip {ARCHIVE}"),
    (rb"7z\xbc\xaf|Rar!|\xfd7zXZ|\x28\xb5\x2f\xfd|BZh[1-9]|.{257}ustar", f"an {ARCHIVE}"),
    (rb"\x93NUMPY", "a numpy array, not an image file; pass its pixels through the Python API"),
    (rb"\xff\xd8", f"a JPEG that {BROKEN}"),
    (rb"\x89PNG", f"a PNG that {BROKEN}"),
    (rb"RIFF....WEBP", f"a WebP that {BROKEN}"),
    (rb"GIF8[79]a", f"a GIF that {BROKEN}"),
    (rb"(II[*+]|MM\x00[*+])", f"a TIFF or a raw photo that {BROKEN}"),
    (rb"BM....\x00\x00\x00\x00", f"a BMP that {BROKEN}"),
    (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", f"a JPEG 2000 image that {BROKEN}"),
    (rb"P[1-7]\s", f"a PNM image that {BROKEN}"),
    (rb"#\?R(ADIANC|GB)E", f"a Radiance HDR image that {BROKEN}"),
    (rb"\x59\xa6\x6a\x95", f"a Sun raster image that {BROKEN}"),
    (rb"\s*[{\[]\s*[\"{\[\]}\d-]", "JSON, not an image; see `head FILE`"),
))  # fmt: skip


def misread(data: bytes) -> str | None:
    """Return why OpenCV would misread a file, and what to do; None if it would not."""
    if not data.startswith((b"P7", b"PF", b"Pf")):
        return None
    return next((why for pattern, why in MISREAD if re.match(pattern, data[:HEAD])), None)


def describe(data: bytes) -> str:
    """Return what a file is that OpenCV has refused, and what to do."""
    head = data[:HEAD]
    if data.count(0) == len(data):
        return ZEROS
    known = next((meaning for pattern, meaning in KNOWN if pattern.match(head)), None)
    if known is not None:
        return known
    return TEXT if TEXT_BYTES.fullmatch(head) else UNKNOWN
