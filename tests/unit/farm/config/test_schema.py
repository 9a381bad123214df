"""A config's keys: which values are valid, and which go together."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from farm.config.expected import PROPERTIES, SECTIONS
from farm.config.messages import describe
from farm.config.schema import FarmConfig, InputConfig
from farm.hardware.platforms import HOST, SOCS
from workers.protocol.spec import InputHint


def valid(platform: str, *lines: str) -> FarmConfig:
    return FarmConfig.model_validate(yaml.safe_load("\n".join([f"platform: {platform}", *lines])))


def refused(platform: str, *lines: str) -> tuple[str, str]:
    """Return the key that is invalid, and the message about it."""
    values = yaml.safe_load("\n".join([f"platform: {platform}", *lines]))
    with pytest.raises(ValidationError) as caught:
        FarmConfig.model_validate(values)
    (mistake,) = describe(caught.value, values).items()
    return mistake


def numbers(message: str) -> set[int]:
    return set(map(int, re.findall(r"\b\d+\b", message)))


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("size: many", "size"),
        ("size: 2.5", "size"),
        ("size: [3]", "size"),
        ("size: 0", "size"),
        ("size: true", "size"),
        ("batch: ", "batch"),
        ("batch: 2000", "batch"),
        ("window: -1", "window"),
        ("decoders: 0", "decoders"),
        ("decode: quick", "decode"),
        ("output: sigmoid", "output"),
        ("output: ", "output"),
        ("model: 3", "model"),
        ("images: [a, b]", "images"),
        ("runtime: gpu", "runtime"),
        ("allow_uneven: perhaps", "allow_uneven"),
        ("batch_seconds: 0", "batch_seconds"),
        ("batch_seconds: soon", "batch_seconds"),
        ("max_worker_mb: 0", "max_worker_mb"),
        ("on_bad_core: weep", "on_bad_core"),
        ("self_test_seconds: 0", "self_test_seconds"),
        ("start_seconds: .nan", "start_seconds"),
        ("input: 224", "input"),
        ("input: {layout: nhwc}", "input.layout"),
        ("input: {width: 0}", "input.width"),
        ("input: {std: [0, 1, 1]}", "input.std"),
        ("input: {mean: [1, 2]}", "input.mean"),
        ("simulated: {service_ms: -1}", "simulated.service_ms"),
        ("simulated: {classes: 1}", "simulated.classes"),
        ("start_seconds: .inf", "start_seconds"),
        ("batch_seconds: 1.0e+12", "batch_seconds"),
        ("drain_seconds: 0", "drain_seconds"),
        ("cpu: 0-99999999999", "cpu"),
        ("simulated: {seed: 100000000000000000000000}", "simulated.seed"),
        ("platform: rk9999", "platform"),
    ],
)
def test_an_invalid_value_is_refused_by_its_key(line: str, key: str) -> None:
    assert refused("rk3588", line)[0] == key


@pytest.mark.parametrize("key", [key for key in PROPERTIES if key not in SECTIONS])
@pytest.mark.parametrize("value", [10**23, -(10**23), 16**5000, math.inf, math.nan], ids=range(5))
def test_a_number_beyond_all_others_is_refused_in_words(key: str, value: float) -> None:
    section, _, name = key.rpartition(".")
    several = [value] * 3 if name in {"mean", "std"} else value
    values: dict[str, Any] = {"platform": "host", name: several}
    if section:
        values = {"platform": "host", section: {name: several}}
    with pytest.raises(ValidationError) as caught:
        FarmConfig.model_validate(values)
    assert list(describe(caught.value, values)) == [key]


@pytest.mark.parametrize("line", ["sizee: 3", "input: {widht: 3}", "simulated: {ms: 2}"])
def test_an_unknown_key_is_refused(line: str) -> None:
    key, _ = refused("rk3588", line)
    assert key.rpartition(".")[2] in line


def test_the_platforms_are_the_socs_and_the_host() -> None:
    assert all(valid(name).platform == name for name in (*SOCS, HOST))
    _, message = refused("rk9999")
    assert all(name in message for name in (*SOCS, HOST))


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
    platform: str, size: int, below: int, above: int
) -> None:
    key, message = refused(platform, f"size: {size}")
    assert key == "size"
    assert {size, below, above} <= numbers(message)
    assert "allow_uneven" in message


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
def test_sizes_that_fill_the_cores_are_valid(platform: str, sizes: tuple[int, ...]) -> None:
    assert tuple(valid(platform, f"size: {n}").size for n in sizes) == sizes


def test_a_size_may_be_left_to_the_start() -> None:
    assert valid("rk3588", "size: auto").size == "auto"


def test_an_uneven_size_is_valid_where_that_is_asked_for() -> None:
    assert valid("rk3588", "size: 4", "allow_uneven: true").size == 4


def test_with_fewer_npu_cores_the_size_has_to_fill_those() -> None:
    two = "npu_cores: [0, 2]"
    assert valid("rk3588", two, "size: 4").size == 4
    assert {2, 4} <= numbers(refused("rk3588", two, "size: 3")[1])
    assert valid("rk3588", "npu_cores: [1]", "size: 5").size == 5
    assert valid("rk3588", "npu_cores: [1, 1]", "size: 5").size == 5


def test_with_simulated_npu_cores_the_size_has_to_fill_those() -> None:
    five = "simulated: {npu_cores: 5}"
    assert valid("rk3588", five, "runtime: simulated", "size: 10").size == 10
    assert {5, 10} <= numbers(refused("rk3588", five, "runtime: simulated", "size: 6")[1])
    assert valid("rk3588", five, "size: 6").size == 6


@pytest.mark.parametrize(
    ("platform", "cores", "wrong"),
    [("rk3588", "[0, 3]", 3), ("rk3576", "[2]", 2), ("rk3566", "[1]", 1)],
)
def test_an_npu_core_that_the_platform_lacks_is_refused(
    platform: str, cores: str, wrong: int
) -> None:
    key, message = refused(platform, f"npu_cores: {cores}")
    assert key == "npu_cores"
    assert {wrong, SOCS[platform].npu_cores - 1} <= numbers(message)


@pytest.mark.parametrize("pattern", ["abc", "(a)(b)", "(?:a)", "", "(", "(?P<a"])
def test_a_truth_that_is_no_regex_with_one_group_is_refused(pattern: str) -> None:
    key, message = refused("host", f"truth: '{pattern}'")
    assert key == "truth"
    assert message.startswith(f"{pattern or repr('')}: ")


def test_a_truth_with_one_group_is_valid() -> None:
    assert valid("host", r"truth: '(?:x|y)_([A-Z])\.jpg$'").truth is not None
    assert valid("host", "truth: null").truth is None
    assert valid("host", "truth: folder").truth == "folder"


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
def test_cpus_are_a_class_or_a_list(written: str, cpus: object) -> None:
    assert valid("rk3588", f"cpu: {written}").cpu == cpus


def test_npu_cores_can_be_written_like_cpus() -> None:
    assert valid("rk3588", "npu_cores: 0-1").npu_cores == (0, 1)
    assert valid("rk3588", "npu_cores: all").npu_cores == "all"


@pytest.mark.parametrize("written", ["fats", "[]", "[-1]", "[4, x]", "4-", "7-4", "4;5", "{}"])
def test_other_forms_of_cpus_are_refused_with_one_error(written: str) -> None:
    key, message = refused("rk3588", f"cpu: {written}")
    assert key == "cpu"
    assert len(message.splitlines()) == 1


def test_the_input_becomes_plain_data_for_the_workers() -> None:
    assert InputConfig(width=96, dtype="uint8").hint() == InputHint(width=96, dtype="uint8")
    said = InputConfig(fit="letterbox", color="bgr").hint()
    assert said == InputHint(fit="letterbox", color="bgr")


@pytest.mark.parametrize(
    ("platform", "lines", "cores"),
    [
        ("rk3588", (), 3),
        ("rk3566", (), 1),
        ("host", (), None),
        ("host", ("runtime: simulated",), 1),
        ("rk3588", ("runtime: simulated", "simulated: {npu_cores: 7}"), 7),
        ("rk3588", ("simulated: {npu_cores: 7}",), 3),
    ],
)
def test_npu_cores_are_counted(platform: str, lines: tuple[str, ...], cores: int | None) -> None:
    assert valid(platform, *lines).core_count() == cores


def test_a_config_is_frozen() -> None:
    config = valid("rk3588")
    with pytest.raises(ValidationError):
        config.size = 3
