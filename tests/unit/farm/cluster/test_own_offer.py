from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farm.cluster.own_offer import model_name, settings_digest
from farm.config.schema import FarmConfig


def config(**said: Any) -> FarmConfig:
    return FarmConfig(platform="host", **said)


@pytest.mark.parametrize(
    "said",
    [
        {"output": "softmax"},
        {"decode": "fast"},
        {"max_pixels": 1000},
        {"input": {"mean": (1.0, 2.0, 3.0)}},
        {"input": {"fit": "crop"}},
        {"task": "detect", "task_options": {"score": 0.9}},
    ],
)
def test_what_changes_answers_is_told_apart(said: dict[str, Any]) -> None:
    assert settings_digest(config(**said), simulated=False) != settings_digest(
        config(), simulated=False
    )


@pytest.mark.parametrize(
    "said", [{"size": 7}, {"batch": 1}, {"cpu": "slow"}, {"images": "x"}, {"drain_seconds": 1}]
)
def test_how_fast_it_is_is_not(said: dict[str, Any]) -> None:
    assert settings_digest(config(**said), simulated=False) == settings_digest(
        config(), simulated=False
    )


def test_only_a_simulated_npu_has_a_seed() -> None:
    other = config(simulated={"seed": 3})
    assert settings_digest(other, simulated=False) == settings_digest(config(), simulated=False)
    assert settings_digest(other, simulated=True) != settings_digest(config(), simulated=True)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("m/glyphs.onnx", "glyphs"),
        ("glyphs-rk3588.rknn", "glyphs"),
        ("glyphs-rk3588-v2.rknn", "glyphs-rk3588-v2"),
        (None, "classify"),
    ],
)
def test_a_models_name_is_its_files_without_the_soc(model: str | None, name: str) -> None:
    assert model_name(config(model=None if model is None else Path(model))) == name
