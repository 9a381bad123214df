"""Forms with images."""

from __future__ import annotations

import pytest

from farm.serving.form import Form, Upload, parse
from farm.serving.service import RequestError

KIND = "multipart/form-data; boundary=XX"


def part(name: str, content: bytes, *, file: str | None = None) -> bytes:
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def parsed(*parts: bytes, end: bytes = b"--XX--\r\n", kind: str = KIND) -> Form:
    return parse(b"".join(parts) + end, kind, images=2, fields=("timeout",))


def refused(*parts: bytes, end: bytes = b"--XX--\r\n", kind: str = KIND) -> tuple[int, str]:
    with pytest.raises(RequestError) as refusal:
        parsed(*parts, end=end, kind=kind)
    return refusal.value.status, str(refusal.value)


A, B = part("a", b"\xff\xd8\r\n--X", file="a.jpg"), part("b", b"", file="Bären/../b.png")


def test_files_keep_their_order_their_bytes_and_their_names() -> None:
    uploads = (
        Upload(name="a.jpg", data=b"\xff\xd8\r\n--X"),
        Upload(name="Bären/../b.png", data=b""),
    )
    assert parsed(A, B) == Form(uploads=uploads, fields={})


def test_a_large_file_stays_in_memory_and_whole() -> None:
    data = bytes(range(256)) * 20_000
    assert parsed(part("a", data, file="a")).uploads[0].data == data


def test_a_known_field_is_kept() -> None:
    assert parsed(part("timeout", b"2.5"), A).fields == {"timeout": "2.5"}


def test_an_unknown_field_is_named() -> None:
    status, message = refused(part("image", b"x"), A)
    assert status == 400
    assert "'image' has no file name" in message


def test_a_field_that_comes_again_is_refused() -> None:
    """Reading 28 MB of them took 5 s."""
    assert refused(A, part("timeout", b"1"), part("timeout", b"2"))[0] == 400


def test_more_files_than_allowed_are_refused() -> None:
    assert refused(A, A, A)[0] == 413


@pytest.mark.parametrize("end", [b"", b"--XX"])
def test_a_form_that_was_cut_off_loses_no_file_silently(end: bytes) -> None:
    assert refused(A, B[:-2], end=end) == (400, "the form ends before its last boundary")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"no form", KIND),
        (b"--XX--\r\n", KIND),
        (A, "multipart/form-data"),
        (A, "multipart/form-data; boundary="),
        (A, f"multipart/form-data; boundary={'X' * 1000}"),
        (b"--XX\r\nContent-Type: image/jpeg\r\n\r\nx\r\n", KIND),
        (b"--XX\r\n" + b"a: b\r\n" * 10 + A[4:], KIND),
        (b"--XX\r\na: " + b"b" * 5000 + b"\r\n" + A[4:], KIND),
        (b"--XX\r\nContent-Transfer-Encoding: x-zip\r\n" + A[4:], KIND),
        (b"--XX\r\nContent-Transfer-Encoding: base64\r\n" + A[4:], KIND),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, kind: str) -> None:
    assert refused(body, kind=kind)[0] == 400
