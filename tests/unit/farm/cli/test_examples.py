"""Each command's --help: examples that work, defaults, the words that flags take, 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from farm.cli.commands import cli
from farm.cli.examples import EXAMPLES, examples
from farm.config.expected import choices
from farm.hardware.platforms import HOST
from farm.sources.sample_images import COUNT, SCENES, SEED
from tests.helpers.snippets import OURS, parse


def commands(
    group: click.Group = cli, above: str = "npu-farm"
) -> Iterator[tuple[str, click.Command]]:
    yield above, group
    for name, found in group.commands.items():
        path = f"{above} {name}"
        if isinstance(found, click.Group):
            yield from commands(found, path)
        else:
            yield path, found


ALL = dict(commands(cli, "npu-farm"))
WITH_EXAMPLES = [path for path in ALL if path != "npu-farm"]  # whose help has no room for any
SHARED = ("model", "size", "platform", "cpu", "labels", "runtime")


def helped(path: str) -> str:
    found = ALL[path]
    return found.get_help(click.Context(found, info_name=path, terminal_width=80))


def test_every_command_has_examples_and_no_other_has() -> None:
    names = [path.rpartition(" ")[2] for path in WITH_EXAMPLES]
    assert sorted(names) == sorted(EXAMPLES)


@pytest.mark.parametrize("path", WITH_EXAMPLES)
def test_a_help_fits_into_80_columns_and_ends_with_its_examples(path: str) -> None:
    lines = helped(path).splitlines()
    assert [line for line in lines if len(line) > 80] == []
    shown = EXAMPLES[path.rpartition(" ")[2]].strip().splitlines()
    assert [line.strip() for line in lines[-len(shown) :]] == shown


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_a_command_line_of_its_command(name: str) -> None:
    for line in EXAMPLES[name].strip().splitlines():
        ours = next(part for part in line.split(" | ") if OURS.match(part))
        words = parse(ours.partition("  ")[0])
        assert name in {*words[:2], "npu-farm"}


@pytest.mark.parametrize("path", ["npu-farm run", "npu-farm doctor", "npu-farm config show"])
def test_a_flag_that_sets_a_key_names_its_words_and_its_default(path: str) -> None:
    options = {param.name: param for param in ALL[path].params if isinstance(param, click.Option)}
    for name in SHARED:
        said = options[name].help or ""
        assert "[default: the config's" in said
        assert [word for word in choices(name) if word not in said] == []


@pytest.mark.parametrize("path", ALL)
def test_no_value_is_called_by_the_parsers_name_of_its_type(path: str) -> None:
    """TEXT says nothing of what to write."""
    said = helped(path)
    assert [word for word in ("TEXT", "INTEGER", "RANGE", "PATH") if word in said] == []


def test_the_examples_keep_their_lines() -> None:
    assert examples("init").startswith("\b\nExamples:\n")


def test_the_defaults_of_the_sample_images_are_told() -> None:
    said = helped("npu-farm render")
    assert f"[default: {COUNT}; {SCENES} scenes]" in said
    assert f"[default: {SEED}]" in said


def test_the_socs_to_convert_for_are_named() -> None:
    said = helped("npu-farm convert")
    assert [
        soc for soc in choices("platform") if soc not in said and soc not in (HOST, "auto")
    ] == []
