"""Error messages of the vendor's library, its package and its driver, and what helps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from workers.runtimes.base import INSTALL_RKNN, OLDER_PYTHON

LIBRARY: Final = "/usr/lib/librknnrt.so"  # the only place where rknn-toolkit-lite2 looks for it
# The address is the one that rknn-toolkit-lite2 2.5.0 names itself.
INSTALL_LIBRARY: Final = (
    f"sudo curl -fLo {LIBRARY} https://github.com/airockchip/rknn-toolkit2/raw/master/"
    "rknpu2/runtime/Linux/librknn_api/aarch64/librknnrt.so"
)
UPDATE_KERNEL: Final = "sudo apt update && sudo apt full-upgrade && sudo reboot"
JOIN_GROUP: Final = "sudo usermod -aG $(stat -c %G /dev/dri/renderD128) $USER   # then log in again"
# systempaths: Docker hides /proc/device-tree (koush/scrypted pull 1444, immich-app pull 15241).
CONTAINER_FLAGS: Final = (
    "docker run --device /dev/dri --security-opt systempaths=unconfined "
    f"-v {LIBRARY}:{LIBRARY}:ro ..."
)
# Tried on an emulated board: the package reads only this file. Lasts until the next boot. The
# mainline kernel's device tree of the Radxa E52C has the same two names.
NAME_RK3588S: Final = (
    r"(cat /proc/device-tree/compatible; printf 'rockchip,rk3588s\0') > /tmp/compatible"
    " && sudo mount --bind /tmp/compatible /proc/device-tree/compatible"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownError:
    """A known message (`seen`, matched by `pattern`), what it means and a command that helps.

    `soc` is the only SoC on which it means that; None for all.
    """

    pattern: str
    seen: str
    means: str
    fix: str
    soc: str | None = None


# If several match, the first counts. Numbers are issues: toolkit2 is airockchip/rknn-toolkit2,
# old-toolkit2 rockchip-linux/rknn-toolkit2, rknpu2 rockchip-linux/rknpu2; wheel is a text
# found in rknn-toolkit-lite2 2.5.0.
KNOWN_ERRORS: Final = (
    KnownError(  # toolkit2 294, old-toolkit2 297 and 320, rknpu2 123
        pattern=r"failed to submit",
        seen="failed to submit!, op id: ..., please try updating to the latest version",
        means="the NPU's driver failed a job; if only cores 1 and 2 fail, it is a known fault of "
        "drivers 0.9.0 to 0.9.5 in 6.1 kernels, fixed in 0.9.6",
        fix=UPDATE_KERNEL,
    ),
    KnownError(  # in librknnrt 2.3.2
        pattern=r"Mismatch driver version|driver version is too low",
        seen="Mismatch driver version, ... requires driver version >= ...",
        means="librknnrt.so needs a newer NPU driver",
        fix=UPDATE_KERNEL,
    ),
    KnownError(  # toolkit2 254 and 281, old-toolkit2 212 and 316
        pattern=r"Invalid RKNN model version",
        seen="Invalid RKNN model version 6",
        means="librknnrt.so is older than the toolkit that made the model",
        fix=INSTALL_LIBRARY,
    ),
    KnownError(  # logs of 2.0.0 with a model of 2.3.0; toolkit2 394 for the symbol
        pattern=r"Unsupport CPU op|not match with rknn runtime version|undefined symbol: rknn_",
        seen="Unsupport CPU op: ... in this librknnrt.so",
        means="librknnrt.so is older than the toolkit that made the model, and lacks operators",
        fix=INSTALL_LIBRARY,
    ),
    KnownError(  # rknpu2 25; -13 is RKNN_ERR_TARGET_PLATFORM_UNMATCH in rknn_api.h
        pattern=r"does not match the RKNPU hardware|TARGET_PLATFORM_UNMATCH"
        r"|model target platform\[",
        seen="The rknn model does not match the RKNPU hardware version!",
        means="the model was built for another SoC",
        fix="npu-farm doctor CONFIG -m MODEL-SOC.rknn   # a model built for this SoC",
    ),
    # wheel, on SoCs with one core; ztu_somemodelruntime_ez_rknn_async 1, go-rknnlite 22
    KnownError(
        pattern=r"core_mask is only supported by|rknn_set_core_mask|Not support core mask"
        r"|failed to set core mask",
        seen="The core_mask is only supported by ...; rknn_set_core_mask ... error code: -13",
        means="the SoC does not support the core mask; with one NPU core none may be set",
        fix="npu-farm plan SOC   # the bundled config of this SoC sets the right masks",
    ),
    KnownError(  # wheel: seen with a device tree of rockchip,rk3582 alone; rknn_model_zoo 231
        pattern=r"Please specify the target in init_runtime|Unsupported run platform",
        seen="Please specify the target in init_runtime!",
        means="rknn-toolkit-lite2 does not know an rk3582; it runs under the name rk3588s",
        fix=NAME_RK3588S,
        soc="rk3582",
    ),
    KnownError(  # the same: without a device tree, or with one of another SoC
        pattern=r"Please specify the target in init_runtime|Unsupported run platform",
        seen="Please specify the target in init_runtime!",
        means="rknn-toolkit-lite2 finds no SoC that it knows in /proc/device-tree/compatible: this "
        "is no such board, or a container that was not given the device tree",
        fix="npu-farm doctor CONFIG --runtime rknn   # says which of the two",
    ),
    KnownError(  # wheel; hw_version: rk-llama.cpp 19
        pattern=r"missing in the container|hw_version = -1",
        seen="It is detected that ... is missing in the container.",
        means="the container lacks the device tree, /dev/dri or librknnrt.so",
        fix=CONTAINER_FLAGS,
    ),
    KnownError(  # old-toolkit2 49 and 244, rknn-toolkit 454, toolkit2 68 and 399
        pattern=r"failed to open rknpu module|failed to open rknn device",
        seen="failed to open rknpu module, need to insmod rknpu dirver!",
        means="this user cannot open the NPU's device node, or its driver is not loaded",
        fix=JOIN_GROUP,
    ),
    KnownError(
        pattern=r"rknpu/load.*(denied|Permission)|(denied|Permission).*rknpu/load",
        seen="/sys/kernel/debug/rknpu/load: Permission denied",
        means="only root can read the NPU load; it is needed for watching only",
        fix="sudo chmod a+x /sys/kernel/debug   # until the next boot",
    ),
    KnownError(  # old-toolkit2 44, 218 and 226, rknn-llm 62 and 335
        pattern=r"RKNN_ERR_MALLOC_FAIL|failed to malloc npu memory|failed to allocate handle"
        r"|Cannot allocate memory",
        seen="failed to malloc npu memory, size: ...",
        means="no memory is left for the NPU; an rk356x without rknpu iommu has very little",
        fix="npu-farm run CONFIG -s 1   # fewer runtimes",
    ),
    KnownError(  # old-toolkit2 218: what an allocation that failed in rknn_init ends in
        pattern=r"\bSIGSEGV\b|\bSIGABRT\b|Segmentation fault",
        seen="SIGSEGV",
        means="librknnrt.so crashed: the model file is truncated, or no memory was left",
        fix="npu-farm doctor CONFIG   # see the lines on model and memory",
    ),
    KnownError(  # old-toolkit2 16, rknpu 39, wheel; rknn_model_zoo 289
        pattern=r"Can not find dynamic library|librknnrt\.so: cannot open shared object",
        seen="Can not find dynamic library on RK3588!",
        means=f"{LIBRARY} is missing; rknn-toolkit-lite2 looks only there",
        fix=INSTALL_LIBRARY,
    ),
    KnownError(  # from the dynamic linker
        pattern=r"invalid ELF header|wrong ELF class|file too short",
        seen="librknnrt.so: invalid ELF header",
        means="librknnrt.so is truncated, or for another architecture",
        fix=INSTALL_LIBRARY,
    ),
    KnownError(  # toolkit2 405, old-toolkit2 6 and 316; not the harmless "Ret code:" of every start
        pattern=r"invalid RKNN_MAGIC|Invalid RKNN f\w+mat|error code: RKNN_ERR_MODEL_INVALID",
        seen="parseRKNN: invalid RKNN_MAGIC!; error code: RKNN_ERR_MODEL_INVALID",
        means="the model file is truncated, no .rknn model, for another SoC or a newer librknnrt",
        fix="sha256sum MODEL   # compare with the original",
    ),
    KnownError(  # our own messages, in workers/runtimes/base.py and rknn.py
        pattern=r"three \(RGB\) are needed|one image \(1 x 3 channels\)|NHWC is needed"
        r"|the NPU takes NHWC",
        seen="the model takes [1, 1, 32, 32]: images of one channel; three (RGB) are needed",
        means="the model does not take single RGB images",
        fix="npu-farm doctor CONFIG -m MODEL-SOC.rknn   # a model of that kind",
    ),
    KnownError(  # our own messages, in workers/tasks/shapes.py and detect_choice.py
        pattern=r"a classifier (with|has) |the model's outputs \(",
        seen="MODEL has 9 outputs; a classifier has one: ...",
        means="the model is for another task than the config's, or no detector that is known",
        fix="npu-farm doctor CONFIG --task detect   # or classify, or module:name, your own",
    ),
    KnownError(  # our own message, in farm/coordinator/supervisor.py
        pattern=r"^(?!.*(importing|making) the task ).*has not ended within",
        seen="the self-test has not ended within 10 s",
        means="the NPU or its driver hangs, or many runtimes share a core and the model is slow",
        fix="sudo dmesg | tail -n 30   # and restart the board; or --set self_test_seconds=60",
    ),
    KnownError(  # our own message, in workers/runtimes/rknn.py
        pattern=r"rknn-toolkit-lite2 has no package for Python",
        seen="rknn-toolkit-lite2 has no package for Python 3.13, only up to 3.12",
        means="the vendor's Python package does not exist for this Python",
        fix=OLDER_PYTHON,
    ),
    KnownError(  # the same
        pattern=r"rknn-toolkit-lite2 is not installed|No module named 'rknnlite",
        seen="rknn-toolkit-lite2 is not installed",
        means="the vendor's Python package is missing in this environment",
        fix=INSTALL_RKNN,
    ),
)


def explain(text: str, soc: str | None) -> KnownError | None:
    """Return the first known error in the output of a worker on the NPU of `soc`, None without."""
    return next(
        (
            known
            for known in KNOWN_ERRORS
            if known.soc in (None, soc) and re.search(known.pattern, text, re.IGNORECASE)
        ),
        None,
    )
