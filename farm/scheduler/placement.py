"""FarmConfig and Machine to one WorkerSpec per worker: which runtime, NPU core, CPUs and model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from dataclasses import replace as farm_replace
from difflib import get_close_matches
from itertools import cycle
from typing import Final

from msgspec.structs import replace

from farm.config.schema import FarmConfig
from farm.errors import ConfigError
from farm.hardware.platforms import HOST, SOCS, Machine, Platform, cpu_list
from farm.hardware.rknn_file import ONNX_SUFFIX, RKNN_SUFFIX, rknn_name
from workers.protocol.spec import DETECT, LETTERBOX, InputHint, SimulatedSpec, WorkerSpec
from workers.runtimes.base import ONNX, RKNN, SIMULATED
from workers.shell import shell_command

RUNTIMES_PER_CORE: Final = 2  # docs/decisions/0027 has figures
# Of the machine's memory, for each worker and for the rest: more than twice what a worker takes
# with a model of 10 MB, by the estimate in farm/doctor/config_checks.py.
ROOM_MB: Final = 300
FITS: Final = {DETECT: LETTERBOX}  # how images fill the input where nobody says; else stretched


@dataclass(frozen=True, slots=True, kw_only=True)
class FarmPlan:
    """Who will run where, and what its user should know before it starts (`notices`)."""

    platform: Platform
    runtime: str
    workers: tuple[WorkerSpec, ...]
    notices: tuple[str, ...]

    @property
    def simulated(self) -> bool:
        """Whether the answers will be make-believe."""
        return self.runtime == SIMULATED


def plan(config: FarmConfig, machine: Machine, run_dir: str) -> FarmPlan:
    """Decide everything about the workers; sockets and shared files will be in `run_dir`.

    Raises ConfigError if the config can't be met: no model, or CPUs that are not there with
    strict_affinity.
    """
    platform, runtime = platform_of(config, machine), choose_runtime(config, machine)
    cores = npu_cores(config, platform)
    size = default_size(platform, runtime, machine, len(cores))
    if isinstance(config.size, int):
        size = config.size
    first, cpu_notices = _first_worker(config, machine, run_dir, size)
    notices = [*platform.differences(machine), *cpu_notices]
    if config.runtime == "auto" and runtime == ONNX and platform.name != HOST:
        notices.append(
            f"no {platform.name} NPU here, ONNX Runtime runs on the CPU; see "
            + shell_command("npu-farm doctor")
        )
    if config.size == "auto":
        notices.append(f"size: auto: decided at the start of a run; shown with {size}")
    workers = tuple(
        replace(
            first,
            index=index,
            npu_core=core,
            core_mask=1 << core if platform.takes_core_mask else None,  # RKNN_NPU_CORE_n is bit n
            inbox=f"ipc://{run_dir}/worker-{index}",
        )
        for index, core in zip(range(size), cycle(cores))
    )
    return FarmPlan(platform=platform, runtime=runtime, workers=workers, notices=tuple(notices))


def with_class_numbers(farm: FarmPlan, labels: tuple[str, ...]) -> FarmPlan:
    """Return a plan whose workers know by number which classes to keep; names are in `labels`.

    Raises ConfigError for a name that is not there.
    """
    options = json.loads(farm.workers[0].task_options)
    if farm.workers[0].task != DETECT or "classes" not in options:
        return farm
    numbers: list[int] = []
    for kept in options["classes"] or ():
        same = (
            [kept]
            if isinstance(kept, int)
            else [n for n, name in enumerate(labels) if name == kept]
        )
        if not same:
            near = get_close_matches(kept, labels, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            where = "not one of the labels" if labels else "a name, and there are no labels"
            raise ConfigError(f"task_options: classes: {kept} is {where}{meant}")
        numbers += same
    text = json.dumps({**options, "classes": numbers or None})
    workers = tuple(replace(each, task_options=text) for each in farm.workers)
    return farm_replace(farm, workers=workers)


def default_size(platform: Platform, runtime: str, machine: Machine, npu_cores: int) -> int:
    """Return the number of runtimes where nobody names one: two per NPU core, if memory allows.

    While the scores of one are read and its next image is set, the core works for the other. Other
    farms have one per NPU core, on the host one per CPU.
    """
    if platform.name == HOST:
        return len(machine.cpus)
    size = RUNTIMES_PER_CORE * npu_cores
    has_room = machine.memory_mb is not None and machine.memory_mb >= (size + 1) * ROOM_MB
    return size if runtime != ONNX and has_room else npu_cores


def _first_worker(
    config: FarmConfig, machine: Machine, run_dir: str, size: int
) -> tuple[WorkerSpec, list[str]]:
    """Return what all workers have in common, as the first one, and notices about its CPUs."""
    platform, runtime = platform_of(config, machine), choose_runtime(config, machine)
    cpus, notices = choose_cpus("cpu", config, platform, machine)
    decoder_cpus = cpus
    if config.decoder_cpu != "same":
        decoder_cpus, more = choose_cpus("decoder_cpu", config, platform, machine)
        notices += more
    first = WorkerSpec(
        index=0,
        npu_core=0,
        core_mask=None,
        cpus=cpus,
        runtime=runtime,
        model=model_file(config, platform, runtime),
        input=input_hint(config, runtime),
        decoder_cpus=decoder_cpus,
        # By themselves enough to keep all their CPUs busy.
        decoders=-(-len(decoder_cpus) // size) if config.decoders == "auto" else config.decoders,
        decode=config.decode,
        max_pixels=config.max_pixels,
        output=config.output,
        task=config.task,
        task_options=json.dumps(config.task_options),
        simulated=simulated_npu(config, platform, run_dir) if runtime == SIMULATED else None,
        run_dir=run_dir,
        inbox="",
        sink=f"ipc://{run_dir}/sink",
    )
    return first, notices


def simulated_npu(config: FarmConfig, platform: Platform, run_dir: str) -> SimulatedSpec:
    """Return the simulated NPU of a platform, as the config changes it."""
    ms = config.simulated.service_ms
    return SimulatedSpec(
        timelines=f"{run_dir}/npu",
        npu_cores=config.core_count() or platform.npu_cores,
        service_ms=platform.service_ms if ms is None else ms,
        seed=config.simulated.seed,
        classes=config.simulated.classes,
    )


def platform_of(config: FarmConfig, machine: Machine) -> Platform:
    """Return the platform that the config names; `host` is what this machine is."""
    return SOCS[config.platform] if config.platform != HOST else machine.as_platform()


def choose_runtime(config: FarmConfig, machine: Machine) -> str:
    """Return the runtime: `auto` is the NPU if this machine has the platform's, else the CPU."""
    if config.runtime != "auto":
        return config.runtime
    return RKNN if config.platform != HOST and machine.soc is not None else ONNX


def choose_cpus(
    key: str, config: FarmConfig, platform: Platform, machine: Machine
) -> tuple[tuple[int, ...], list[str]]:
    """Return the CPUs that the config's `key` asks for, and a notice if they are others."""
    asked = getattr(config, key)
    everything = machine.cpus if platform.name == HOST else (*platform.slow, *platform.fast)
    named = {"fast": platform.fast, "slow": platform.slow, "all": sorted(set(everything))}
    numbers = named[asked] if isinstance(asked, str) else sorted({int(cpu) for cpu in asked})
    wanted = tuple(numbers)
    present = tuple(cpu for cpu in wanted if cpu in machine.cpus)
    if present == wanted:
        return wanted, []
    chosen = present or machine.cpus
    said = (
        f"{key}: {asked if isinstance(asked, str) else cpu_list(asked)} means CPUs "
        f"{cpu_list(wanted)}; this process may use {cpu_list(machine.cpus)}"
    )
    if config.strict_affinity:
        raise ConfigError(f"{said}; strict_affinity does not allow that")
    return chosen, [f"{said}: running on {cpu_list(chosen)}"]


def npu_cores(config: FarmConfig, platform: Platform) -> tuple[int, ...]:
    """Return the NPU cores to fill, in the order in which workers are put on them."""
    if config.npu_cores != "all":
        return tuple(dict.fromkeys(config.npu_cores))
    return tuple(range(config.core_count() or platform.npu_cores))


def model_file(config: FarmConfig, platform: Platform, runtime: str) -> str:
    """Return the model for this runtime: glyphs.onnx on the CPU, glyphs-rk3588.rknn on an rk3588.

    Raises ConfigError if there is none.
    """
    if runtime == SIMULATED:
        return ""
    if config.model is None:
        raise ConfigError("model: missing; name a model file in the config or with -m")
    suffix = config.model.suffix
    if runtime == RKNN and suffix == ONNX_SUFFIX:
        return str(config.model.with_name(rknn_name(config.model, platform.model_platform)))
    if runtime == ONNX and suffix == RKNN_SUFFIX:
        raise ConfigError(
            f"model: {config.model}: a .rknn model needs an NPU; give the .onnx it was made "
            "from, or use --runtime simulated to try the farm without answers"
        )
    return str(config.model)


def input_hint(config: FarmConfig, runtime: str) -> InputHint:
    """Return what the workers are told of the model's input.

    On the NPU, `model: name.onnx` stands for a .rknn made from it. The rest of what the config
    says of the ONNX model's input is inside that file, which takes raw uint8 images.
    """
    hint = config.input.hint()
    hint = replace(hint, fit=hint.fit or FITS.get(config.task))
    if runtime == RKNN and config.model is not None and config.model.suffix == ONNX_SUFFIX:
        return InputHint(width=hint.width, height=hint.height, fit=hint.fit, color=hint.color)
    return hint
