"""Who runs where: cores, masks, CPUs, models and runtimes of a farm's workers."""

from __future__ import annotations

from typing import Any

import pytest

from farm.config.schema import FarmConfig
from farm.errors import ConfigError
from farm.hardware.platforms import SOCS, Machine, cpu_list
from farm.scheduler.placement import ROOM_MB, FarmPlan, plan, with_class_numbers
from workers.protocol.spec import InputHint, SimulatedSpec
from workers.shell import shell_command

RUN_DIR = "/tmp/npu-farm-x"
MODEL = "/models/glyphs.onnx"


def machine(
    soc: str | None = None,
    cpus: tuple[int, ...] = tuple(range(8)),
    capacities: dict[int, int] | None = None,
    memory_mb: float | None = None,
) -> Machine:
    return Machine(soc=soc, cpus=cpus, capacities=capacities or {}, memory_mb=memory_mb)


def planned(platform: str = "rk3588", here: Machine | None = None, **config: Any) -> FarmPlan:
    said = {"platform": platform, "model": MODEL, **config}
    return plan(FarmConfig.model_validate(said), here or machine(platform), RUN_DIR)


def simulated(platform: str = "rk3588", **config: Any) -> FarmPlan:
    return planned(platform, machine(), runtime="simulated", model=None, **config)


def figures(made: FarmPlan) -> SimulatedSpec:
    (spec,) = {worker.simulated for worker in made.workers}
    assert spec is not None
    return spec


def cores(made: FarmPlan) -> list[int]:
    return [worker.npu_core for worker in made.workers]


def masks(made: FarmPlan) -> list[int | None]:
    return [worker.core_mask for worker in made.workers]


def cpus(made: FarmPlan) -> tuple[int, ...]:
    (same,) = {worker.cpus for worker in made.workers}
    return same


def models(made: FarmPlan) -> set[str]:
    return {worker.model for worker in made.workers}


@pytest.mark.parametrize(
    ("platform", "memory_mb", "expected"),
    [
        ("rk3588", 4096.0, [0, 1, 2, 0, 1, 2]),
        ("rk3588", 7 * ROOM_MB, [0, 1, 2, 0, 1, 2]),
        ("rk3588", 7 * ROOM_MB - 1, [0, 1, 2]),
        ("rk3588", None, [0, 1, 2]),
        ("rk3576", 2048.0, [0, 1, 0, 1]),
        ("rk3566", 1024.0, [0, 0]),
        ("rk3566", 512.0, [0]),
    ],
)
def test_without_a_size_each_npu_core_has_two_runtimes_where_memory_allows(
    platform: str, memory_mb: float | None, expected: list[int]
) -> None:
    here = machine(platform, memory_mb=memory_mb)
    for config in ({}, {"runtime": "simulated", "model": None}):
        assert cores(planned(platform, here, **config)) == expected
    assert len(planned(platform, here, runtime="onnx").workers) == len(set(expected))
    assert cores(planned(platform, here, size=1)) == [0]


def test_of_some_npu_cores_each_has_two_runtimes() -> None:
    assert cores(planned(here=machine("rk3588", memory_mb=8192), npu_cores=[0, 2])) == [0, 2, 0, 2]


@pytest.mark.parametrize(
    ("platform", "size", "expected"),
    [
        ("rk3588", 3, [0, 1, 2]),
        ("rk3588", 6, [0, 1, 2, 0, 1, 2]),
        ("rk3588", 2, [0, 1]),
        ("rk3576", 4, [0, 1, 0, 1]),
        ("rk3568", 3, [0, 0, 0]),
    ],
)
def test_workers_go_round_the_npu_cores(platform: str, size: int, expected: list[int]) -> None:
    made = planned(platform, size=size)
    assert cores(made) == expected
    assert [worker.index for worker in made.workers] == list(range(size))


def test_workers_go_round_the_named_npu_cores_in_their_order() -> None:
    assert cores(planned(npu_cores=[2, 0], size=4)) == [2, 0, 2, 0]
    assert cores(planned(npu_cores=[1, 1, 2], size=2)) == [1, 2]


def test_uneven_sizes_fill_the_first_cores() -> None:
    assert cores(planned(size=4, allow_uneven=True)) == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("platform", "expected"),
    [("rk3588", [1, 2, 4]), ("rk3582", [1, 2, 4]), ("rk3576", [1, 2]), ("rk3566", [None])],
)
def test_each_core_has_its_mask_and_a_single_core_none(
    platform: str, expected: list[int | None]
) -> None:
    assert masks(planned(platform)) == expected


def test_a_named_core_keeps_its_own_mask() -> None:
    assert masks(planned(npu_cores=[2, 1], size=2)) == [4, 2]


@pytest.mark.parametrize(
    ("platform", "size"),
    [("rk3588", 3), ("rk3582", 3), ("rk3576", 2), ("rk3568", 1), ("rk3566", 1), ("rk3562", 1)],
)
def test_the_default_size_is_a_worker_for_each_npu_core(platform: str, size: int) -> None:
    assert len(planned(platform).workers) == size


def test_the_default_size_follows_the_named_cores() -> None:
    assert cores(planned(npu_cores=[0, 2])) == [0, 2]


def test_the_default_size_of_a_host_is_a_worker_for_each_cpu() -> None:
    assert len(planned("host", machine(cpus=(0, 2, 3, 5, 6))).workers) == 5


@pytest.mark.parametrize(
    ("platform", "cpu", "expected"),
    [
        ("rk3588", "fast", (4, 5, 6, 7)),
        ("rk3588", "slow", (0, 1, 2, 3)),
        ("rk3588", "all", (0, 1, 2, 3, 4, 5, 6, 7)),
        ("rk3588", [6, 4, 6], (4, 6)),
        ("rk3582", "fast", (4, 5)),
        ("rk3582", "all", (0, 1, 2, 3, 4, 5)),
        ("rk3566", "fast", (0, 1, 2, 3)),
        ("rk3566", "all", (0, 1, 2, 3)),
        ("host", "all", (0, 1, 2, 3, 4, 5, 6, 7)),
    ],
)
def test_workers_run_on_the_cpus_asked_for(
    platform: str, cpu: Any, expected: tuple[int, ...]
) -> None:
    made = planned(platform, machine(None if platform == "host" else platform), cpu=cpu)
    assert cpus(made) == expected
    assert made.notices == ()


def test_a_hosts_fast_and_slow_cpus_are_those_its_kernel_tells() -> None:
    here = machine(cpus=(0, 1, 2, 3), capacities={0: 500, 1: 1024, 2: 1024, 3: 500})
    assert cpus(planned("host", here, cpu="fast")) == (1, 2)
    assert cpus(planned("host", here, cpu="slow")) == (0, 3)


@pytest.mark.parametrize("cpu", ["fast", "slow", "all", [0, 9], [40]])
@pytest.mark.parametrize("allowed", [(0, 1), (4,), (0, 4)])
def test_every_worker_has_a_cpu_to_run_on(cpu: Any, allowed: tuple[int, ...]) -> None:
    capacities = dict.fromkeys(range(4), 500) | dict.fromkeys(range(4, 8), 1024)
    here = machine(cpus=allowed, capacities=capacities)
    chosen = cpus(planned("host", here, cpu=cpu))
    assert chosen
    assert set(chosen) <= set(allowed)


@pytest.mark.parametrize(
    ("cpu", "allowed", "chosen", "said"),
    [
        ("fast", (0, 1, 4, 5), (4, 5), "fast means CPUs 4-7; this process may use 0-1,4-5"),
        ("fast", (0, 1), (0, 1), "fast means CPUs 4-7; this process may use 0-1"),
        ([1, 9], (0, 1), (1,), "1,9 means CPUs 1,9; this process may use 0-1"),
        ([9], (2, 3), (2, 3), "9 means CPUs 9; this process may use 2-3"),
    ],
)
def test_missing_cpus_are_one_notice_and_what_is_there_is_used(
    cpu: Any, allowed: tuple[int, ...], chosen: tuple[int, ...], said: str
) -> None:
    made = planned("rk3588", machine("rk3588", allowed), cpu=cpu)
    assert cpus(made) == chosen
    assert made.notices == (f"cpu: {said}: running on {cpu_list(chosen)}",)


def test_strict_affinity_refuses_missing_cpus() -> None:
    with pytest.raises(ConfigError, match=r"CPUs 4-7; this process may use 0-5; strict_affinity"):
        planned("rk3588", machine("rk3588", cpus=(0, 1, 2, 3, 4, 5)), strict_affinity=True)


def test_strict_affinity_is_content_where_all_cpus_are_there() -> None:
    assert cpus(planned(strict_affinity=True)) == (4, 5, 6, 7)


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("rk3588", "glyphs-rk3588.rknn"),
        ("rk3582", "glyphs-rk3588.rknn"),
        ("rk3576", "glyphs-rk3576.rknn"),
        ("rk3568", "glyphs-rk3566.rknn"),
        ("rk3566", "glyphs-rk3566.rknn"),
        ("rk3562", "glyphs-rk3562.rknn"),
    ],
)
def test_on_the_npu_the_model_for_its_soc_beside_the_onnx_is_taken(
    platform: str, name: str
) -> None:
    assert models(planned(platform)) == {f"/models/{name}"}


def test_a_dotted_model_name_keeps_its_dots() -> None:
    made = planned(model="/m/net.v2.onnx")
    assert models(made) == {"/m/net.v2-rk3588.rknn"}


def test_a_named_rknn_model_is_taken_as_it_is() -> None:
    assert models(planned(model="/m/mine.rknn")) == {"/m/mine.rknn"}


def test_on_the_cpu_the_onnx_model_is_taken_as_it_is() -> None:
    assert models(planned(runtime="onnx")) == {MODEL}


@pytest.mark.parametrize("runtime", ["onnx", "auto"])
def test_an_rknn_model_on_the_cpu_is_refused_with_a_way_out(runtime: str) -> None:
    with pytest.raises(ConfigError, match=r"model: /m/a\.rknn: .* --runtime simulated"):
        planned("rk3588", machine(), runtime=runtime, model="/m/a.rknn")


@pytest.mark.parametrize("runtime", ["auto", "onnx", "rknn"])
def test_a_farm_without_a_model_is_refused(runtime: str) -> None:
    with pytest.raises(ConfigError, match="model: missing"):
        planned(runtime=runtime, model=None)


def test_a_simulated_farm_needs_no_model() -> None:
    assert models(simulated()) == {""}


@pytest.mark.parametrize(
    ("platform", "soc", "runtime"),
    [
        ("rk3588", "rk3588", "rknn"),
        ("rk3588", None, "onnx"),
        ("host", None, "onnx"),
        ("host", "rk3588", "onnx"),
    ],
)
def test_auto_is_the_npu_where_there_is_one_else_the_cpu(
    platform: str, soc: str | None, runtime: str
) -> None:
    made = planned(platform, machine(soc))
    assert made.runtime == runtime
    assert {worker.runtime for worker in made.workers} == {runtime}
    assert not made.simulated


@pytest.mark.parametrize("runtime", ["rknn", "onnx", "simulated"])
def test_a_named_runtime_is_taken_wherever_it_runs(runtime: str) -> None:
    made = planned("rk3588", machine(), runtime=runtime)
    assert made.runtime == runtime
    assert made.notices == ()
    assert made.simulated is (runtime == "simulated")


def test_a_cpu_in_the_npus_place_is_a_notice() -> None:
    (notice,) = planned("rk3588", machine()).notices
    assert notice == (
        "no rk3588 NPU here, ONNX Runtime runs on the CPU; see " + shell_command("npu-farm doctor")
    )


def test_another_soc_than_the_configs_is_a_notice() -> None:
    (notice,) = planned("rk3588", machine("rk3582")).notices
    assert notice == "the config is for rk3588, the device tree says rk3582"


@pytest.mark.parametrize("platform", SOCS)
def test_simulated_figures_are_the_platforms(platform: str) -> None:
    soc = SOCS[platform]
    assert figures(simulated(platform)) == SimulatedSpec(
        timelines=f"{RUN_DIR}/npu",
        npu_cores=soc.npu_cores,
        service_ms=soc.service_ms,
        seed=0,
        classes=1000,
    )


def test_simulated_figures_can_be_overridden() -> None:
    said: dict[str, Any] = {"service_ms": 0.0, "npu_cores": 5, "seed": 9, "classes": 36}
    made = simulated("rk3576", simulated=said)
    assert figures(made) == SimulatedSpec(timelines=f"{RUN_DIR}/npu", **said)
    assert cores(made) == [0, 1, 2, 3, 4]


def test_only_simulated_workers_have_simulated_figures() -> None:
    said = {"npu_cores": 5}
    assert {worker.simulated for worker in planned(simulated=said).workers} == {None}
    assert cores(planned(simulated=said)) == [0, 1, 2]


def test_a_simulated_host_has_one_core_unless_it_is_told_more() -> None:
    assert set(cores(simulated("host"))) == {0}
    two = simulated("host", simulated={"npu_cores": 2})
    assert cores(two) == [0, 1] * 4
    assert figures(two).npu_cores == 2


def test_a_simulated_host_never_has_a_worker_on_a_core_that_is_not_there() -> None:
    with pytest.raises((ConfigError, ValueError), match="host has core 0 only"):
        simulated("host", npu_cores=[0, 1])


INPUT: dict[str, Any] = {
    "width": 96,
    "height": 64,
    "layout": "NCHW",
    "dtype": "float32",
    "mean": [1, 2, 3],
    "std": [4, 5, 6],
    "fit": "letterbox",
    "color": "bgr",
}
HINT = InputHint(
    width=96,
    height=64,
    layout="NCHW",
    dtype="float32",
    mean=(1.0, 2.0, 3.0),
    std=(4.0, 5.0, 6.0),
    fit="letterbox",
    color="bgr",
)


@pytest.mark.parametrize(
    ("runtime", "model"), [("onnx", MODEL), ("rknn", "/m/mine.rknn"), ("simulated", MODEL)]
)
def test_what_is_said_of_the_input_reaches_the_workers(runtime: str, model: str) -> None:
    made = planned(runtime=runtime, model=model, input=INPUT)
    assert {worker.input for worker in made.workers} == {HINT}


@pytest.mark.parametrize("runtime", ["rknn", "auto"])
def test_of_what_is_said_of_an_onnx_models_input_type_and_scaling_are_inside_its_rknn(
    runtime: str,
) -> None:
    made = planned(runtime=runtime, input=INPUT)
    assert models(made) == {"/models/glyphs-rk3588.rknn"}
    assert {worker.input for worker in made.workers} == {
        InputHint(width=96, height=64, fit="letterbox", color="bgr")
    }


def test_all_else_reaches_the_workers_as_it_was_said() -> None:
    first, second, _ = planned(decoders=3, decode="fast", max_pixels=9, output="none").workers
    assert (first.decoders, first.decode, first.max_pixels) == (3, "fast", 9)
    assert first.output == "none"
    assert first.run_dir == RUN_DIR
    assert (first.inbox, second.inbox) == (f"ipc://{RUN_DIR}/worker-0", f"ipc://{RUN_DIR}/worker-1")
    assert first.sink == second.sink == f"ipc://{RUN_DIR}/sink"


@pytest.mark.parametrize(
    ("platform", "changes", "expected"),
    [
        ("rk3588", {}, 2),  # four CPUs, three workers
        ("rk3588", {"size": 1}, 4),
        ("rk3588", {"size": 9}, 1),
        ("rk3588", {"decoder_cpu": "all"}, 3),  # eight CPUs
        ("rk3582", {}, 1),
        ("rk3588", {"decoders": 5}, 5),
    ],
)
def test_decoders_are_enough_to_keep_their_cpus_busy(
    platform: str, changes: dict[str, Any], expected: int
) -> None:
    made = planned(platform, machine(platform), **changes)
    assert {worker.decoders for worker in made.workers} == {expected}


@pytest.mark.parametrize(
    ("decoder_cpu", "expected"),
    [("same", (4, 5)), ("slow", (0, 1, 2, 3)), ("all", (0, 1, 2, 3, 4, 5)), ([1, 3], (1, 3))],
)
def test_decoders_run_beside_the_runtime_or_elsewhere(
    decoder_cpu: Any, expected: tuple[int, ...]
) -> None:
    made = planned("rk3582", machine("rk3582"), decoder_cpu=decoder_cpu)
    assert {worker.decoder_cpus for worker in made.workers} == {expected}
    assert cpus(made) == (4, 5)
    assert made.notices == ()


def test_decoder_cpus_that_are_not_there_are_told() -> None:
    here = machine("rk3588", cpus=(4, 5, 6, 7))
    made = planned("rk3588", here, decoder_cpu="slow")
    assert {worker.decoder_cpus for worker in made.workers} == {(4, 5, 6, 7)}
    assert "decoder_cpu: slow means CPUs 0-3; this process may use 4-7: running on 4-7" in (
        made.notices
    )


def test_a_size_that_is_decided_later_is_shown_as_one_per_core_and_said() -> None:
    made = planned("rk3576", size="auto")
    assert len(made.workers) == 2
    assert "size: auto: decided at the start of a run; shown with 2" in made.notices


@pytest.mark.parametrize(
    ("task", "fit", "expected"),
    [
        ("classify", None, None),
        ("detect", None, "letterbox"),
        ("detect", "stretch", "stretch"),
        ("mine:f", None, None),
        ("classify", "crop", "crop"),
    ],
)
def test_how_images_fill_the_input_is_the_tasks_unless_said(
    task: str, fit: str | None, expected: str | None
) -> None:
    farm = simulated(task=task, input={"fit": fit})
    assert {worker.input.fit for worker in farm.workers} == {expected}


def test_every_worker_has_the_task_and_its_options() -> None:
    farm = simulated(task="mine:f", task_options={"above": 0.5})
    assert {(each.task, each.task_options) for each in farm.workers} == {
        ("mine:f", '{"above": 0.5}')
    }


def test_names_of_classes_become_their_numbers() -> None:
    options = {"score": 0.5, "classes": ["bus", 7, "cat"]}
    labels = ("cat", "dog", "bus", "cat")
    farm = with_class_numbers(simulated(task="detect", task_options=options), labels)
    assert {each.task_options for each in farm.workers} == {
        '{"score": 0.5, "classes": [2, 7, 0, 3]}'
    }


@pytest.mark.parametrize(
    ("labels", "said"),
    [(("cat", "bus"), "did you mean bus"), ((), "there are no labels")],
)
def test_a_name_that_is_no_class_is_refused(labels: tuple[str, ...], said: str) -> None:
    farm = simulated(task="detect", task_options={"classes": ["buss"]})
    with pytest.raises(ConfigError, match=said):
        with_class_numbers(farm, labels)


def test_options_of_other_tasks_stay_as_they_are() -> None:
    farm = simulated(task="mine:f", task_options={"classes": ["buss"]})
    assert with_class_numbers(farm, ()) == farm
