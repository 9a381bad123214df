"""Forms with images: multipart/form-data, as browsers and `curl -F` send it; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from farm.serving.service import RequestError

# Few short headers for each file: they are parsed slowly.
CONFIG: Final = {"UPLOAD_ERROR_ON_BAD_CTE": True, "MAX_HEADER_COUNT": 4, "MAX_HEADER_SIZE": 1024}
MULTIPART: Final = "multipart/form-data"
HINT: Final = "curl -F image=@photo.jpg"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An image that was sent: its bytes, and the name that the client gives it."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form: its files in their order, its other fields by name."""

    uploads: tuple[Upload, ...]
    fields: dict[str, str]


def parse(body: bytes, content_type: str, *, images: int, fields: Collection[str]) -> Form:
    """Return the form that a body of this content type is; raises RequestError if it is none.

    It has at most so many `images`, and of `fields` whichever.
    """
    uploads: list[Upload] = []
    said: dict[str, str] = {}
    ends: list[bool] = []
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    config = {**CONFIG, "MAX_MEMORY_FILE_SIZE": len(body)}  # all in memory: it is there already

    def take_file(file: File) -> None:
        if len(uploads) == images:
            message = f"more than {images} images in one request"
            raise RequestError(413, "too_many_images", message)
        file.file_object.seek(0)
        uploads.append(Upload(name=text(file.file_name), data=file.file_object.read()))

    def take_field(field: Field) -> None:
        name = text(field.field_name)
        if name not in fields or name in said:  # parsing many takes long
            again = "is there twice" if name in said else "has no file name, and is no field"
            message = f"{name[:40]!r} {again}; try:\n  {HINT}"
            raise RequestError(400, "bad_form", message)
        said[name] = text(field.value)

    taken = (MULTIPART, take_field, take_file, lambda: ends.append(True))
    try:
        parser = FormParser(*taken, boundary=boundary, config=config)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise RequestError(400, "bad_form", f"not a form: {error}") from error
    if not ends:
        raise RequestError(400, "bad_form", "the form ends before its last boundary")
    if not uploads:
        raise RequestError(400, "bad_form", f"no file in the form; try:\n  {HINT}")
    return Form(uploads=tuple(uploads), fields=said)


def text(said: bytes | None) -> str:
    """Return what a form says as text."""
    return (said or b"").decode("utf-8", "replace")
