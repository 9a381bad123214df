"""Who may use a service."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from farm.errors import ConfigError
from farm.serving.security import Access, is_loopback, name_of, read_tokens
from farm.serving.service import RequestError

TOKEN = b"0123456789abcdef"
OTHER = b"fedcba9876543210"


def refused(access: Access, path: str = "/classify", **headers: str) -> int:
    """The status with which a request is refused, 0 if it may pass."""
    sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    try:
        access.check(path, sent)
    except RequestError as error:
        return error.status
    return 0


@pytest.mark.parametrize(
    "host",
    ["localhost:8000", "LOCALHOST", "127.0.0.1:8000", "[::1]:8000", "192.0.2.7", "a.localhost"],
)
def test_a_request_that_names_an_address_or_localhost_passes(host: str) -> None:
    assert refused(Access(), host=host) == 0


@pytest.mark.parametrize(
    "host", ["evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example"]
)
def test_a_page_that_leads_its_own_name_to_this_machine_is_refused(host: str) -> None:
    assert refused(Access(), host=host) == 421
    assert refused(Access(), host=host, origin=f"http://{host}") == 421


def test_a_name_that_is_given_is_one_of_the_service() -> None:
    access = Access(names=frozenset({"npu.example"}))
    assert refused(access, host="npu.example") == 0
    assert refused(access, host="127.0.0.1:8000", origin="https://npu.example") == 0


@pytest.mark.parametrize("access", [Access(public=True), Access(tokens=(TOKEN,))])
def test_who_is_open_or_asks_for_tokens_is_called_by_any_name(access: Access) -> None:
    assert refused(access, "/v2/health/live", host="board.lan") == 0


@pytest.mark.parametrize("access", [Access(), Access(public=True), Access(tokens=(TOKEN,))])
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:8001"])
def test_a_page_of_another_site_is_refused(access: Access, origin: str) -> None:
    sent = {"host": "localhost:8000", "origin": origin, "authorization": f"Bearer {TOKEN.decode()}"}
    assert refused(access, **sent) == 403


def test_a_page_of_the_service_itself_passes() -> None:
    assert refused(Access(), host="localhost:8000", origin="http://localhost:8000") == 0


@pytest.mark.parametrize("allowed", ["http://app.example:3000", "*"])
def test_a_page_whose_origin_is_allowed_passes(allowed: str) -> None:
    access = Access(origins=(allowed,))
    assert refused(access, host="localhost:8000", origin="http://APP.example:3000") == 0


def basic(password: bytes) -> str:
    return f"Basic {base64.b64encode(b'me:' + password).decode()}"


@pytest.mark.parametrize(
    "said", [f"Bearer {TOKEN.decode()}", f"bearer {OTHER.decode()}", basic(TOKEN), basic(OTHER)]
)
def test_each_of_the_tokens_lets_in(said: str) -> None:
    assert refused(Access(tokens=(TOKEN, OTHER)), authorization=said) == 0


@pytest.mark.parametrize(
    "said", ["", "Bearer", "Bearer ", "Bearer x", TOKEN.decode(), "Basic", "Basic ///", basic(b""),
             f"Bearer {TOKEN.decode()}x", f"Bearer {TOKEN[:-1].decode()}", "Bearer \xff"]
)  # fmt: skip
def test_who_has_no_token_is_told_how_to_send_one(said: str) -> None:
    with pytest.raises(RequestError, match="Authorization: Bearer") as refusal:
        Access(tokens=(TOKEN,)).check("/classify", {b"authorization": said.encode("latin-1")})
    assert refusal.value.status == 401
    assert refusal.value.headers["WWW-Authenticate"].startswith("Basic ")


def test_probes_need_no_token() -> None:
    access = Access(tokens=(TOKEN,))
    assert refused(access, "/v2/health/ready") == refused(access, "/v2/health/live") == 0
    assert refused(access, "/metrics") == refused(access, "/") == 401


@pytest.mark.parametrize(
    ("host", "name"), [("a:1", "a"), ("a", "a"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("", "")]
)
def test_a_name_has_no_port(host: str, name: str) -> None:
    assert name_of(host) == name


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False),  # noqa: S104
     ("192.0.2.1", False), ("board", False)],
)  # fmt: skip
def test_loopback_is_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) == loopback


def test_tokens_are_read_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_bytes(TOKEN + b"\r\n\n" + OTHER)
    assert read_tokens(file) == (TOKEN, OTHER)


@pytest.mark.parametrize(
    ("text", "why"), [("", "no token in it"), ("\n", "no token"), ("short", "5 characters can be")]
)
def test_tokens_that_are_not_safe_are_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "tokens").write_text(text)
    with pytest.raises(ConfigError, match=why):
        read_tokens(tmp_path / "tokens")


def test_a_file_of_tokens_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"--token-file {tmp_path}/none: No such file"):
        read_tokens(tmp_path / "none")
