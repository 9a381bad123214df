"""FarmConfig and Machine to one WorkerSpec per worker: which runtime, NPU core, CPUs and model."""

from __future__ import annotations

from dataclasses import dataclass

from farm.config.schema import FarmConfig
from farm.errors import ConfigError
from farm.hardware.platforms import HOST, SOCS, Machine, Platform, cpu_list
from farm.hardware.rknn_file import ONNX_SUFFIX, RKNN_SUFFIX, rknn_name
from workers.protocol.spec import InputHint, SimulatedSpec, WorkerSpec
from workers.runtimes.base import ONNX, RKNN, SIMULATED


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

    Raises ConfigError where the config can't be met: no model, or CPUs that are not there
    with strict_affinity.
    """
    platform = platform_of(config, machine)
    runtime = choose_runtime(config, machine)
    cpus, cpu_notices = choose_cpus("cpu", config, platform, machine)
    decoder_cpus, decoder_notices = cpus, list[str]()
    if config.decoder_cpu != "same":
        decoder_cpus, decoder_notices = choose_cpus("decoder_cpu", config, platform, machine)
    notices = [*platform.differences(machine), *cpu_notices, *decoder_notices]
    if config.runtime == "auto" and runtime == ONNX and platform.name != HOST:
        notices.append(f"no {platform.name} NPU here: ONNX Runtime runs on the CPU instead")
    cores = npu_cores(config, platform)
    model = model_file(config, platform, runtime)
    size = _default_size(platform, cores, machine)
    if config.size == "auto":
        notices.append(f"size: auto: decided at the start of a run; shown with {size}")
    elif config.size is not None:
        size = config.size
    return FarmPlan(
        platform=platform,
        runtime=runtime,
        workers=tuple(
            WorkerSpec(
                index=index,
                npu_core=cores[index % len(cores)],
                core_mask=_core_mask(platform, cores[index % len(cores)]),
                cpus=cpus,
                runtime=runtime,
                model=model,
                input=input_hint(config, runtime),
                decoder_cpus=decoder_cpus,
                decoders=_decoders(config, decoder_cpus, size),
                decode=config.decode,
                max_pixels=config.max_pixels,
                simulated=_simulated(config, platform, run_dir) if runtime == SIMULATED else None,
                run_dir=run_dir,
                inbox=f"ipc://{run_dir}/worker-{index}",
                sink=f"ipc://{run_dir}/sink",
            )
            for index in range(size)
        ),
        notices=tuple(notices),
    )


def platform_of(config: FarmConfig, machine: Machine) -> Platform:
    """The platform that the config names; `host` is what this machine is."""
    return SOCS[config.platform] if config.platform != HOST else machine.as_platform()


def choose_runtime(config: FarmConfig, machine: Machine) -> str:
    """`auto` is the NPU where this machine has the platform's, else ONNX Runtime on the CPU."""
    if config.runtime != "auto":
        return config.runtime
    return RKNN if config.platform != HOST and machine.soc is not None else ONNX


def choose_cpus(
    key: str, config: FarmConfig, platform: Platform, machine: Machine
) -> tuple[tuple[int, ...], list[str]]:
    """The CPUs that the config's `key` asks for, and a notice where they are others."""
    asked = getattr(config, key)
    wanted = _wanted_cpus(asked, platform, machine)
    present = tuple(cpu for cpu in wanted if cpu in machine.cpus)
    if present == wanted:
        return wanted, []
    chosen = present or machine.cpus
    said = (
        f"{key}: {asked if isinstance(asked, str) else cpu_list(asked)} means CPUs "
        f"{cpu_list(wanted)}; this process may use {cpu_list(machine.cpus)}"
    )
    if config.strict_affinity:
        raise ConfigError(f"{said}; strict_affinity forbids to go on")
    return chosen, [f"{said}: running on {cpu_list(chosen)}"]


def npu_cores(config: FarmConfig, platform: Platform) -> tuple[int, ...]:
    """The NPU cores to fill, in the order in which workers are put on them."""
    if config.npu_cores != "all":
        return tuple(dict.fromkeys(config.npu_cores))
    return tuple(range(config.core_count() or platform.npu_cores))


def model_file(config: FarmConfig, platform: Platform, runtime: str) -> str:
    """The model for this runtime: glyphs.onnx on the CPU, glyphs-rk3588.rknn on an rk3588."""
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
    """What the workers are told of the model's input.

    On the NPU, `model: name.onnx` stands for a .rknn made from it. The rest of what the config
    says of the ONNX model's input is inside that file, which takes raw uint8 images.
    """
    hint = config.input.hint()
    if runtime == RKNN and config.model is not None and config.model.suffix == ONNX_SUFFIX:
        return InputHint(width=hint.width, height=hint.height)
    return hint


def _wanted_cpus(
    asked: str | tuple[int, ...], platform: Platform, machine: Machine
) -> tuple[int, ...]:
    if asked == "fast":
        return platform.fast
    if asked == "slow":
        return platform.slow
    if asked == "all":
        everything = machine.cpus if platform.name == HOST else (*platform.slow, *platform.fast)
        return tuple(sorted(set(everything)))
    return tuple(sorted({int(cpu) for cpu in asked}))


def _decoders(config: FarmConfig, cpus: tuple[int, ...], size: int) -> int:
    """Decoder threads per worker: by themselves enough to keep all their CPUs busy."""
    return -(-len(cpus) // size) if config.decoders == "auto" else config.decoders


def _core_mask(platform: Platform, core: int) -> int | None:
    """RKNN_NPU_CORE_n is bit n; SoCs with one core refuse any mask."""
    return 1 << core if platform.takes_core_mask else None


def _default_size(platform: Platform, cores: tuple[int, ...], machine: Machine) -> int:
    return len(machine.cpus) if platform.name == HOST else len(cores)


def _simulated(config: FarmConfig, platform: Platform, run_dir: str) -> SimulatedSpec:
    figures = config.simulated
    ms = figures.service_ms if figures.service_ms is not None else platform.service_ms
    return SimulatedSpec(
        timelines=f"{run_dir}/npu",
        npu_cores=config.core_count() or platform.npu_cores,
        service_ms=ms,
        seed=figures.seed,
        classes=figures.classes,
    )
