"""Config files: what they may say, and how a mistake in one is told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from farm.config.loader import load
from farm.config.schema import FarmConfig
from farm.errors import ConfigError
from farm.hardware.platforms import HOST, SOCS
from tests.helpers.support import ROOT

CONFIGS = ROOT / "configs"
FARM_KEYS = sorted(FarmConfig.model_fields)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "farm.yaml"


def loaded(file: Path, text: str, **overrides: Any) -> FarmConfig:
    file.write_text(text, encoding="utf-8")
    return load(file, overrides)


def on(platform: str, *lines: str) -> str:
    return "\n".join([f"platform: {platform}", *lines])


def refusal(file: Path, text: str | bytes, **overrides: Any) -> str:
    """What is said of a config that is refused: always the file first, two lines at most."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load(file, overrides)
    said = str(caught.value)
    assert said.startswith(f"{file}")
    assert 1 <= len(said.splitlines()) <= 2
    return said.removeprefix(f"{file}")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_loads(path: Path) -> None:
    config = load(path, {})
    assert config.platform == path.stem
    assert config.model == CONFIGS.parent / "models" / "glyphs.onnx"
    assert config.labels == CONFIGS.parent / "models" / "glyphs.labels.txt"


def test_there_is_a_config_for_every_platform() -> None:
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == {*SOCS, HOST}


def test_the_platform_alone_is_enough(file: Path) -> None:
    assert loaded(file, on("rk3588")) == FarmConfig(platform="rk3588")


def test_an_unknown_key_is_named_with_those_that_are_known(file: Path) -> None:
    said = refusal(file, on("rk3588", "sizee: 3"))
    assert said == f": sizee: not a known key; known are {', '.join(FARM_KEYS)}"


@pytest.mark.parametrize("key", ["batch-size", "constrained-size", "batch[0]"])
def test_an_unknown_key_is_named_whatever_characters_are_in_it(file: Path, key: str) -> None:
    assert refusal(file, on("host", f"{key}: 3")).startswith(f": {key}: not a known key; ")


@pytest.mark.parametrize(
    ("line", "key", "known"),
    [
        ("input: {widht: 3}", "input.widht", "dtype, height, layout, mean, std, width"),
        ("input: {lay-out: 3}", "input.lay-out", "dtype, height, layout, mean, std, width"),
        ("simulated: {ms: 2}", "simulated.ms", "classes, npu_cores, seed, service_ms"),
    ],
)
def test_an_unknown_nested_key_is_named_with_its_sisters(
    file: Path, line: str, key: str, known: str
) -> None:
    assert refusal(file, on("rk3588", line)) == f": {key}: not a known key; known are {known}"


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ("size: many", "size: 'many': "),
        ("size: 2.5", "size: 2.5: "),
        ("size: [3]", "size: [3]: "),
        ("size: 0", "size: 0: "),
        ("size: true", "size: True: "),
        ("batch: ", "batch: None: "),
        ("batch: 2000", "batch: 2000: "),
        ("window: -1", "window: -1: "),
        ("decoders: 0", "decoders: 0: "),
        ("decode: quick", "decode: 'quick': "),
        ("model: 3", "model: 3: "),
        ("images: [a, b]", "images: ['a', 'b']: "),
        ("runtime: gpu", "runtime: 'gpu': "),
        ("allow_uneven: perhaps", "allow_uneven: 'perhaps': "),
        ("batch_seconds: 0", "batch_seconds: 0: "),
        ("batch_seconds: 0", "batch_seconds: 0: use auto, or seconds above 0"),
        ("batch_seconds: soon", "batch_seconds: 'soon': use auto, or seconds above 0"),
        ("max_worker_mb: 0", "max_worker_mb: 0: "),
        ("on_bad_core: weep", "on_bad_core: 'weep': "),
        ("self_test_seconds: 0", "self_test_seconds: 0: "),
        ("start_seconds: .nan", "start_seconds: nan: "),
        ("input: 224", "input: 224: "),
        ("input: {layout: nhwc}", "input.layout: 'nhwc': "),
        ("input: {width: 0}", "input.width: 0: "),
        ("input: {std: [0, 1, 1]}", "input.std.0: 0: "),
        ("input: {mean: [1, 2]}", "input.mean"),
        ("simulated: {service_ms: -1}", "simulated.service_ms: -1: "),
    ],
)
def test_a_wrong_value_is_told_with_its_key(file: Path, line: str, start: str) -> None:
    assert refusal(file, on("rk3588", line)).startswith(f": {start}")


def test_further_mistakes_are_counted_on_a_second_line(file: Path) -> None:
    said = refusal(file, on("rk3588", "size: x", "batch: y", "bogus: 1"))
    assert said.splitlines()[1] == "(2 more like this)"


def test_a_missing_platform_is_told(file: Path) -> None:
    assert refusal(file, "size: 3") == ": platform: missing"


def test_an_unknown_platform_is_told_with_those_that_are_known(file: Path) -> None:
    said = refusal(file, on("rk9999"))
    assert said.startswith(": platform: 'rk9999': not a platform; use one of rk3588, ")
    assert all(name in said for name in (*SOCS, HOST))


@pytest.mark.parametrize(
    ("platform", "size", "below", "above"),
    [
        ("rk3588", 4, 3, 6),
        ("rk3588", 5, 3, 6),
        ("rk3588", 7, 6, 9),
        ("rk3582", 4, 3, 6),
        ("rk3576", 3, 2, 4),
        ("rk3576", 7, 6, 8),
    ],
)
def test_a_size_that_leaves_cores_uneven_is_refused_with_both_good_neighbours(
    file: Path, platform: str, size: int, below: int, above: int
) -> None:
    said = refusal(file, on(platform, f"size: {size}"))
    assert said.startswith(f": size: {size}: {platform} has ")
    assert f"use {below} or {above} (or allow_uneven: true)" in said


@pytest.mark.parametrize(
    ("platform", "sizes"),
    [
        ("rk3588", (1, 2, 3, 6, 9, 255)),
        ("rk3576", (1, 2, 4, 256)),
        ("rk3568", (1, 2, 3, 4, 5, 7)),
        ("rk3566", (1, 3, 5)),
        ("rk3562", (1, 3, 5)),
        ("host", (1, 2, 3, 5, 7)),
    ],
)
def test_sizes_that_fill_the_cores_are_taken(
    file: Path, platform: str, sizes: tuple[int, ...]
) -> None:
    assert tuple(loaded(file, on(platform, f"size: {n}")).size for n in sizes) == sizes


def test_a_size_may_be_left_to_the_start(file: Path) -> None:
    assert loaded(file, on("rk3588", "size: auto")).size == "auto"
    said = refusal(file, on("rk3588", "size: many"))
    assert said == ": size: 'many': use auto, or a number from 1 to 256"


def test_an_uneven_size_is_taken_where_that_is_asked_for(file: Path) -> None:
    assert loaded(file, on("rk3588", "size: 4", "allow_uneven: true")).size == 4


def test_with_fewer_npu_cores_the_size_has_to_fill_those(file: Path) -> None:
    two = "npu_cores: [0, 2]"
    assert loaded(file, on("rk3588", two, "size: 4")).size == 4
    assert "use 2 or 4" in refusal(file, on("rk3588", two, "size: 3"))
    assert loaded(file, on("rk3588", "npu_cores: [1]", "size: 5")).size == 5
    assert loaded(file, on("rk3588", "npu_cores: [1, 1]", "size: 5")).size == 5


def test_with_simulated_npu_cores_the_size_has_to_fill_those(file: Path) -> None:
    five = "simulated: {npu_cores: 5}"
    assert loaded(file, on("rk3588", five, "runtime: simulated", "size: 10")).size == 10
    assert "use 5 or 10" in refusal(file, on("rk3588", five, "runtime: simulated", "size: 6"))
    assert loaded(file, on("rk3588", five, "size: 6")).size == 6


@pytest.mark.parametrize(
    ("platform", "cores", "has"),
    [
        ("rk3588", "[0, 3]", "3: rk3588 has cores 0 to 2"),
        ("rk3576", "[2]", "2: rk3576 has cores 0 to 1"),
        ("rk3566", "[1]", "1: rk3566 has core 0 only"),
    ],
)
def test_an_npu_core_out_of_range_is_told_with_the_range(
    file: Path, platform: str, cores: str, has: str
) -> None:
    assert refusal(file, on(platform, f"npu_cores: {cores}")) == f": npu_cores: {has}"


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: b: c",
        "- platform\nsize: 3",
        "a: \x00",
        "\tplatform: rk3588",
        "platform: rk3588\n? [1]\n: 2",
        "platform: rk3588\ntruth: 2024-13-45",
        b"platform: \xff\xfe",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_file_that_is_no_yaml_is_refused(file: Path, text: str | bytes) -> None:
    refusal(file, text)


@pytest.mark.parametrize("text", ["- platform: rk3588", "rk3588", "3: 4", ""])
def test_a_file_without_keys_is_told_what_a_config_is(file: Path, text: str) -> None:
    assert refusal(file, text) == ": a config is a list of `key: value` lines"


def test_a_yaml_mistake_is_told_with_its_line(file: Path) -> None:
    assert refusal(file, on("rk3588", "size: 3", "batch: [4")).startswith(":3: not YAML: ")


@pytest.mark.parametrize("name", ["gone.yaml", "gone/farm.yaml", "."])
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="can't be read: ") as caught:
        load(tmp_path / name, {})
    assert str(caught.value).startswith(f"{tmp_path / name}: ")


def test_relative_paths_are_taken_from_the_files_folder(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    text = on("host", "model: m/a.onnx", "labels: ../l.txt", "images: photos/*.jpg")
    config = loaded(file, text)
    assert config.model == file.parent / "m" / "a.onnx"
    assert config.labels == file.parent.parent / "l.txt"
    assert config.images == f"{file.parent}/photos/*.jpg"


def test_absolute_paths_and_standard_input_stay_as_they_are(file: Path) -> None:
    config = loaded(file, on("host", "model: /m/a.onnx", "images: '-'"))
    assert (config.model, config.images) == (Path("/m/a.onnx"), "-")


def test_overrides_win_and_their_paths_stay_as_they_are(file: Path) -> None:
    text = on("rk3588", "size: 3", "model: a.onnx")
    config = loaded(file, text, size=6, model="b.onnx", platform="rk3582")
    assert (config.size, config.model, config.platform) == (6, Path("b.onnx"), "rk3582")


def test_an_override_mends_what_the_file_says_wrong(file: Path) -> None:
    assert loaded(file, on("rk9999", "size: x"), platform="rk3576", size=2).size == 2


def test_a_dotted_override_changes_one_nested_key(file: Path) -> None:
    text = on("rk3588", "simulated: {seed: 5, classes: 10}")
    config = loaded(file, text, **{"simulated.service_ms": 2.5, "input.width": 96})
    assert (config.simulated.seed, config.simulated.classes) == (5, 10)
    assert config.simulated.service_ms == 2.5
    assert config.input.width == 96


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ({"size": 4}, "size: 4: rk3588 has 3 NPU cores"),
        ({"input.widht": 3}, "input.widht: not a known key"),
        ({"cpu": "medium"}, "cpu: 'medium': use fast, slow, all, or a list"),
    ],
)
def test_a_wrong_override_is_blamed_on_the_command_line(
    file: Path, override: dict[str, object], words: str
) -> None:
    file.write_text(on("rk3588"))
    with pytest.raises(ConfigError, match=rf"^command line: {re.escape(words)}"):
        load(file, override)


def test_a_misspelt_key_is_told_before_the_one_that_is_missing(file: Path) -> None:
    said = refusal(file, "platfrom: host\nsize: 0\n")
    assert said.startswith(": platfrom: not a known key; known are allow_uneven, batch, ")
    assert said.endswith("\n(2 more like this)")


@pytest.mark.parametrize(
    "line",
    [
        "start_seconds: .inf",
        "batch_seconds: 1.0e+12",
        "drain_seconds: 0",
        "cpu: 0-99999999999",
        "simulated: {seed: 100000000000000000000000}",
    ],
)
def test_numbers_that_no_machine_could_use_are_refused(file: Path, line: str) -> None:
    key = line.partition(":")[0]
    assert refusal(file, on("host", line)).startswith(f": {key}")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("simulated: 5", "simulated: 5: write its keys below it, or as simulated.KEY"),
        ("model: [1]", "model: [1]: use the path of a model file"),
        ("input: {mean: [1, 2]}", "use three numbers, like [127.5, 127.5, 127.5]"),
    ],
)
def test_what_a_value_should_look_like_is_told_in_the_users_words(
    file: Path, line: str, words: str
) -> None:
    assert words in refusal(file, on("host", line))


@pytest.mark.parametrize("text", ["platform: !!timestamp x", "[" * 5000])
def test_texts_that_trip_the_yaml_reader_are_told(file: Path, text: str) -> None:
    assert ": not YAML: " in refusal(file, text)


@pytest.mark.parametrize("pattern", ["abc", "(a)(b)", "(?:a)", "", "(", "(?P<a"])
def test_a_truth_that_is_no_regex_with_one_group_is_refused(file: Path, pattern: str) -> None:
    said = refusal(file, on("host", f"truth: '{pattern}'"))
    assert said.startswith(f": truth: {pattern!r}: ")
    assert "(group)" in said or "not a regular expression" in said


def test_a_truth_with_one_group_is_taken(file: Path) -> None:
    assert loaded(file, on("host", r"truth: '(?:x|y)_([A-Z])\.jpg$'")).truth is not None


@pytest.mark.parametrize(
    ("written", "cpus"),
    [
        ("fast", "fast"),
        ("slow", "slow"),
        ("all", "all"),
        ("[4, 5]", (4, 5)),
        ("[7]", (7,)),
        ("4,5", (4, 5)),
        ("4-7", (4, 5, 6, 7)),
        ("0,4-5,7", (0, 4, 5, 7)),
        ("3-3", (3,)),
        ("'4'", (4,)),
        ("4", (4,)),
    ],
)
def test_cpus_are_a_class_or_a_list(file: Path, written: str, cpus: object) -> None:
    assert loaded(file, on("rk3588", f"cpu: {written}")).cpu == cpus


def test_npu_cores_can_be_written_like_cpus(file: Path) -> None:
    assert loaded(file, on("rk3588", "npu_cores: 0-1")).npu_cores == (0, 1)
    assert loaded(file, on("rk3588", "npu_cores: all")).npu_cores == "all"


@pytest.mark.parametrize("written", ["fats", "[]", "[-1]", "[4, x]", "4-", "7-4", "4;5", "{}"])
def test_other_ways_to_write_cpus_are_refused(file: Path, written: str) -> None:
    said = refusal(file, on("rk3588", f"cpu: {written}"))
    assert said.startswith(": cpu: ")
    assert "more like this" not in said


@pytest.mark.parametrize("written", ["[4, x]", "7-4"])
def test_a_wrong_cpu_list_is_not_told_to_be_a_word(file: Path, written: str) -> None:
    assert "list" in refusal(file, on("rk3588", f"cpu: {written}"))


def test_a_config_can_not_be_changed(file: Path) -> None:
    config = loaded(file, on("rk3588"))
    with pytest.raises(ValueError, match="frozen"):
        config.size = 3
