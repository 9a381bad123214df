"""A page takes its own style and script and no others, and what it says is escaped."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from html import unescape

import pytest

from farm.pictures.page import SCRIPTS
from farm.results.result import Prediction
from tests.helpers.looks import HOSTILE, make_page, result
from tests.helpers.support import ROOT

FOLDER = ROOT / "farm" / "pictures"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    results = [result(text, error=("missing", text), id=at) for at, text in enumerate(HOSTILE)] + [
        result(text, top5=(Prediction(at, text, 0.5),)) for at, text in enumerate(HOSTILE)
    ]
    made = make_page(tmp_path_factory.mktemp("page") / "a.html", results, failed=3)
    return made.read_text(encoding="utf-8")


def policy(page: str) -> dict[str, list[str]]:
    found = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', page)
    assert found is not None
    directives = [each.split() for each in unescape(found[1]).split(";")]
    return {name: values for name, *values in directives}


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_nothing_is_allowed_but_its_own_style_script_and_pictures(page: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.S)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert policy(page) == {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "img-src": ["'self'", "data:"],
        "style-src": [hash_of(style)],
        "script-src": [hash_of(script)],
    }


def test_the_policy_comes_before_all_that_it_is_about(page: str) -> None:
    assert page.index("Content-Security-Policy") < page.index("<style>") < page.index("<script")


def test_it_loads_nothing_and_has_no_style_or_handler_that_the_policy_would_refuse(
    page: str,
) -> None:
    assert not re.search(r"<(?:link|iframe|object|embed|base)\b|@import|url\(", page)
    assert not re.search(r"<[a-z][^>]*\s(?:style|on[a-z]+)=", page)
    script = "".join((FOLDER / name).read_text(encoding="utf-8") for name in SCRIPTS)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|fetch|XML", script
    )


def test_no_text_of_a_result_becomes_html(page: str) -> None:
    assert len(re.findall(r"<script", page)) == 3
    assert "<img" not in page
    assert "alert(1)" in page
    assert "<script>alert" not in page
    assert not re.search("[\u2028\u2029\u202e\x1b]", page)


def test_the_packages_files_are_all_named() -> None:
    packaged = re.search(
        r"^\"farm.pictures\" = \[(.+?)\]$", (ROOT / "pyproject.toml").read_text(), re.M | re.S
    )
    assert packaged is not None
    named = re.findall(r'"(\w+\.(?:html|css|js))"', packaged[1])
    there = [path.name for path in FOLDER.iterdir() if path.suffix in {".html", ".css", ".js"}]
    assert sorted(named) == sorted(there)


def test_what_a_run_without_a_page_does_not_need_is_not_imported() -> None:
    asked = "import sys, farm.cli.run; print([x for x in ('jinja2', 'cv2') if x in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
