"""What each key takes, in words and by name."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from farm.config.expected import (
    PROPERTIES,
    SECTIONS,
    choices,
    expected,
    keys_of,
    nearest,
    nearest_key,
)
from farm.config.schema import FarmConfig, InputConfig, SimulatedConfig
from farm.hardware.platforms import HOST, SOCS


def test_what_every_key_takes(snapshot: SnapshotAssertion) -> None:
    assert {key: expected(key) for key in PROPERTIES if key not in SECTIONS} == snapshot


def test_the_keys_are_those_of_the_schema() -> None:
    assert keys_of("") == sorted(FarmConfig.model_fields)
    assert keys_of("input") == sorted(InputConfig.model_fields)
    assert keys_of("simulated") == sorted(SimulatedConfig.model_fields)
    assert SECTIONS == ("simulated", "input")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("platform", (*SOCS, HOST, "auto")),
        ("decode", ("exact", "fast")),
        ("size", ("auto",)),
        ("decoder_cpu", ("same", "fast", "slow", "all")),
        ("input.dtype", ("uint8", "float32")),
        ("batch", ()),
        ("allow_uneven", ("true", "false")),
    ],
)
def test_the_words_that_a_key_takes(key: str, words: tuple[str, ...]) -> None:
    assert choices(key) == words


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("exct", "exact"), ("EXACT", "exact"), ("fats", "fast"), ("x", None), ("", None),
        ("Exact", "exact"),
    ],
)  # fmt: skip
def test_the_nearest_word(word: str, near: str | None) -> None:
    assert nearest(word, ("exact", "fast")) == near


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("sizee", "size"),
        ("Size", "size"),
        ("drain-seconds", "drain_seconds"),
        ("npu-cores", "npu_cores"),
        ("simulated.npu-core", "simulated.npu_cores"),
        ("width", "input.width"),
        ("widht", "input.width"),
        ("input.model", "model"),
        ("input.lay_out", "input.layout"),
        ("unheard_of", None),
        ("nowhere.xyz", None),
    ],
)
def test_the_nearest_key_of_its_section_or_another(key: str, near: str | None) -> None:
    assert nearest_key(key) == near
