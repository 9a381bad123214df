"""The documentation names only what exists: files, headings, make targets, flags, config keys."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import click
import pytest

from farm.cli.commands import cli
from farm.config.schema import FarmConfig
from tests.helpers.snippets import command_lines, parse
from tests.helpers.support import ROOT

PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "models" / "README.md"],
)
TODAY = [page for page in PAGES if page.name != "CHANGELOG.md"]  # that names what is no more
FOLDERS = "farm|workers|tests|docs|configs|models|\\.ci|\\.github"
FILE = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w./-]*[\w/]")
SHARED = {"-m", "--model", "-s", "--size", "-p", "--platform", "-c", "--cpu", "--labels"} | {
    "--task", "--runtime", "--set", "-d", "--images", "--log-format"
}  # fmt: skip


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def code(text: str) -> str:
    """What stands in back quotes, in fenced blocks and on indented lines."""
    return "\n".join(re.findall(r"^```.*?^```|`[^`]+`|^ {4}[^\n]+", text, re.M | re.S))


def heading_ids(text: str) -> set[str]:
    """The anchors that GitHub makes of headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def first_column(page: str, head: str) -> str:
    """The first column of the first table of a page in docs that begins with `head`."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    table = re.search(rf"^\| {head} \|.*\n\|.*\n((?:\|.*\n)+)", text, re.M)
    assert table is not None
    return "\n".join(row.split("|")[1] for row in table[1].splitlines())


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_to_a_file_and_heading(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, heading = link.partition("#")
        if "://" not in link:
            target = page.parent / name if name else page
            assert target.exists(), link
            assert not heading or heading in heading_ids(target.read_text("utf-8")), link


@pytest.mark.parametrize("page", TODAY, ids=named)
def test_every_file_that_is_named_exists(page: Path) -> None:
    files = set(FILE.findall(code(page.read_text(encoding="utf-8"))))
    assert [name for name in sorted(files) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", TODAY, ids=named)
def test_every_python_name_with_a_package_exists(page: Path) -> None:
    names = re.findall(r"\b(?:farm|workers|tests)(?:\.\w+){2,}", code(page.read_text("utf-8")))
    for name in names:
        pkgutil.resolve_name(name)


@pytest.mark.parametrize("page", TODAY, ids=named)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    used = re.findall(r"(?:^ *|`)make ([a-z][a-z-]*)", code(page.read_text(encoding="utf-8")), re.M)
    assert set(used) - set(targets) == set()


@pytest.mark.parametrize(
    ("page", "command", "elsewhere"),
    [
        ("run.md", "run", set()),
        ("bench.md", "bench", SHARED),
        ("convert.md", "convert", {"--log-format"}),
        ("serve.md", "serve", SHARED),
        ("top.md", "top", set()),
        ("boards.md", "boards", set()),
        ("hub.md", "hub", set()),
        ("send.md", "send", set()),
    ],
)
def test_a_commands_page_has_a_row_for_every_flag(
    page: str, command: str, elsewhere: set[str]
) -> None:
    options = [param for param in cli.commands[command].params if isinstance(param, click.Option)]
    flags = {flag for option in options for flag in option.opts}
    assert set(re.findall(r"`(--?[a-z-]+)", first_column(page, "flag"))) == flags - elsewhere


def test_the_configs_page_has_a_row_for_every_key() -> None:
    keys = re.findall(r"`(\w+)`", first_column("config.md", "key"))
    assert sorted(keys) == sorted(FarmConfig.model_fields)


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(readme.split()) < 1000
    pages = {named(page) for page in (ROOT / "docs").glob("*.md")}
    assert pages - set(re.findall(r"\]\(([^)\s]+)\)", readme)) == set()


def test_the_newest_release_in_the_changelog_is_the_version() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"', project, re.M)
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert version is not None
    assert re.findall(r"^## \[(\d.*?)\]", changes, re.M)[0] == version[1]


@pytest.mark.parametrize("page", TODAY, ids=named)
def test_every_command_line_is_one_that_the_program_takes(page: Path) -> None:
    """tests/integration/test_snippets.py runs those that are quick."""
    for line in command_lines(page.read_text(encoding="utf-8")):
        parse(line)
