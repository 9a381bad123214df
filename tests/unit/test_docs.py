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
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOLDERS = "farm|workers|tests|docs|configs|models|\\.ci|\\.github"
FILE = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w./-]*[\w/]")
SHARED = {"-m", "--model", "-s", "--size", "-p", "--platform", "-c", "--cpu", "--labels"} | {
    "--runtime", "--set", "-d", "--images", "--log-format"
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


def first_column(heading: str, head: str) -> str:
    """The first column of the first table below `heading` of the README that begins with `head`."""
    _, _, section = README.partition(f"\n## {heading}\n")
    table = re.search(rf"^\| {head} \|.*\n\|.*\n((?:\|.*\n)+)", section, re.M)
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
    ("heading", "command", "elsewhere"),
    [
        ("Classify images", "run", set()),
        ("Benchmark", "bench", SHARED),
        ("Convert a model", "convert", {"--log-format"}),
    ],
)
def test_the_readme_has_a_row_for_every_flag(
    heading: str, command: str, elsewhere: set[str]
) -> None:
    options = [param for param in cli.commands[command].params if isinstance(param, click.Option)]
    flags = {flag for option in options for flag in option.opts}
    assert set(re.findall(r"`(--?[a-z-]+)", first_column(heading, "flag"))) == flags - elsewhere


def test_the_readme_has_a_row_for_every_key_of_a_config() -> None:
    keys = re.findall(r"`(\w+)`", first_column("Config", "key"))
    assert sorted(keys) == sorted(FarmConfig.model_fields)


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
