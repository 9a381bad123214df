"""What a benchmark says it has measured: facts of the model's file and of the config."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from farm.bench.subject import subject
from farm.config.loader import validate
from farm.hardware.platforms import Machine
from farm.scheduler.placement import plan


def test_it_has_the_models_digest_and_size_the_images_the_config_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "a.onnx"
    model.write_bytes(b"a model")
    monkeypatch.setattr("sys.argv", ["/usr/bin/npu-farm", "bench", "a b/"])
    config = validate({"platform": "host", "model": str(model), "batch": 3})
    planned = plan(config, Machine(soc=None, cpus=(0, 1), capacities={}), "/run")
    found = subject(config, planned, ("a b/",))
    assert (found.model, found.model_bytes) == (str(model), 7)
    assert found.model_sha256 == hashlib.sha256(b"a model").hexdigest()
    assert (found.images, found.command) == (("a b/",), "npu-farm bench 'a b/'")
    assert found.config["batch"] == 3
    assert not {"model", "images", "size"} & set(found.config)


def test_a_simulated_npu_has_no_model() -> None:
    config = validate({"platform": "rk3588", "runtime": "simulated"})
    planned = plan(config, Machine(soc=None, cpus=(0, 1), capacities={}), "/run")
    found = subject(config, planned, ())
    assert (found.model, found.model_sha256, found.model_bytes) == ("", "", 0)
