"""`npu-farm serve`: a real process, asked by real requests."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.helpers.programs import FAST, npu_farm, run
from tests.helpers.server import GLYPHS, Server, serving
from tests.helpers.support import PATIENCE


@pytest.fixture(scope="module")
def glyphs() -> Iterator[Server]:
    """A service of the bundled model of characters."""
    with serving(*GLYPHS) as server:
        yield server


def test_an_image_sent_by_curl_is_classified(glyphs: Server, renders: list[Path]) -> None:
    words = ["curl", "-s", "--data-binary", f"@{renders[0]}", f"{glyphs.url}/classify"]
    done = subprocess.run(words, capture_output=True, check=True)
    answer = httpx.Response(200, content=done.stdout).json()
    assert answer["error"] is None
    assert renders[0].stem.endswith(f"_{answer['top5'][0]['label']}")


def test_what_is_no_image_is_refused_with_the_kind_of_a_run(glyphs: Server) -> None:
    answer = httpx.post(f"{glyphs.url}/classify", content=b"no image")
    assert answer.status_code == 415
    assert answer.json()["error"]["kind"] == "not_an_image"


def test_a_path_that_there_is_not_is_answered_in_json(glyphs: Server) -> None:
    answer = httpx.get(f"{glyphs.url}/nothing")
    assert (answer.status_code, answer.json()["error"]["kind"]) == (404, "not_found")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_the_code_of_a_run(number: signal.Signals) -> None:
    with serving(*GLYPHS) as server:
        assert server.end(number) == 128 + number


def test_an_image_that_is_larger_than_one_message_is_read_whole(
    glyphs: Server, renders: list[Path]
) -> None:
    """Trailing bytes do not matter to a JPEG."""
    data = renders[0].read_bytes() + bytes(3_000_000)
    answer = httpx.post(f"{glyphs.url}/classify", content=data)
    assert answer.json()["error"] is None


def test_a_form_of_curl_with_several_images(glyphs: Server, renders: list[Path]) -> None:
    forms = [word for each in renders[:3] for word in ("-F", f"image=@{each}")]
    words = ["curl", "-s", *forms, "-F", "timeout=30", f"{glyphs.url}/classify"]
    done = subprocess.run(words, capture_output=True, check=True)
    answers = httpx.Response(200, content=done.stdout).json()
    assert [each["path"] for each in answers] == [each.name for each in renders[:3]]


def test_browsers_are_told_to_be_careful(glyphs: Server) -> None:
    headers = httpx.get(f"{glyphs.url}/nothing").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["server"] == "npu-farm"
    assert "access-control-allow-origin" not in headers


def test_a_port_that_is_taken_is_told_before_the_farm_starts(glyphs: Server) -> None:
    port = glyphs.url.rpartition(":")[2]
    done = npu_farm("serve", *GLYPHS, "--port", port)
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "starting workers" not in done.stderr


def test_only_who_has_a_token_is_served(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("0123456789abcdef\n")
    with serving(*FAST, "--token-file", f"{tmp_path}/tokens", "--cors-origin", "*") as server:
        assert httpx.get(f"{server.url}/v2/health/ready").status_code == 200
        url = f"{server.url}/metrics"
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, auth=("me", "0123456789abcdef")).status_code == 200
        authorized = {"Authorization": "Bearer 0123456789abcdef", "Origin": "https://a.example"}
        answer = httpx.get(url, headers=authorized)
        assert answer.headers["access-control-allow-origin"] == "*"
        asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
        assert httpx.options(f"{server.url}/classify", headers=asked).status_code == 200


def test_tls_is_spoken_with_a_certificate(tmp_path: Path, renders: list[Path]) -> None:
    made = run(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"),
        *("-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/cert.pem"),
    )
    assert made.returncode == 0, made.stderr
    files = ("--certfile", f"{tmp_path}/cert.pem", "--keyfile", f"{tmp_path}/key.pem")
    with serving(*FAST, *files) as server:
        assert server.url.startswith("https://")
        trusted = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        data = renders[0].read_bytes()
        answer = httpx.post(f"{server.url}/classify", content=data, verify=trusted)
        assert answer.status_code == 200


def test_a_certificate_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("no certificate")
    done = npu_farm("serve", *GLYPHS, "--certfile", f"{tmp_path}/cert.pem")
    assert done.returncode == 2
    assert f"{tmp_path}/cert.pem: no certificate" in done.stderr


def test_behind_a_proxy_that_takes_its_path_off_it_answers(renders: list[Path]) -> None:
    with serving(*FAST, "--root-path", "/npu/") as server:
        answer = httpx.post(f"{server.url}/classify", content=renders[0].read_bytes())
        assert answer.status_code == 200


def test_systemd_is_told_when_it_is_ready_and_when_it_stops(tmp_path: Path) -> None:
    address = f"{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        systemd.settimeout(PATIENCE)
        with serving(*FAST, env={**os.environ, "NOTIFY_SOCKET": address}) as server:
            assert systemd.recv(100) == b"READY=1"
            assert httpx.get(f"{server.url}/v2/health/ready").status_code == 200
            server.process.terminate()
            assert systemd.recv(100) == b"STOPPING=1"
