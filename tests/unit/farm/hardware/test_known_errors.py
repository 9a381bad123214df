"""Known error messages are recognised as users reported them, and the guide lists them all."""

from __future__ import annotations

import pytest

from farm.hardware.known_errors import KNOWN_ERRORS, KnownError, explain
from tests.helpers.support import ROOT

GUIDE = (ROOT / "docs" / "board.md").read_text(encoding="utf-8")
SEEN = {  # messages as users reported them (see the numbers in farm/hardware/known_errors.py)
    "failed to submit": "E RKNN: [09:18:11.878] failed to submit!, op id: 1, op name: "
    "Conv:/model.0/conv/Conv, flags: 0x1, task start: 0, task number: 30, run task counter: 0, "
    "int status: 0, please try updating to the latest version of the toolkit2 and runtime from: ",
    "Invalid RKNN model version": "E RKNN: [14:34:00.922] Invalid RKNN model version 6\n"
    "E RKNN: [14:34:00.922] rknn_init, load model failed!\n"
    "Exception: RKNN init failed. error code: RKNN_ERR_MODEL_INVALID",
    "Unsupport CPU op": "W RKNN: [12:10:04.023] RKNN Model version: 2.3.0 not match with rknn "
    "runtime version: 2.0.0\nE RKNN: [12:10:04.183] Unsupport CPU op: CumSum in this librknnrt.so",
    "does not match the RKNPU": "E RKNN    : The rknn model does not match the RKNPU hardware "
    "version!\nE RKNN    : rknn_init, load model failed!",
    "core_mask is only supported": "E The core_mask is only supported by RK3588,RK3576. "
    "Please do not set this parameter on other platforms.",
    "rknn_set_core_mask": "rknn_set_core_mask failed for thread 0 with error code: -13",
    "Please specify the target": "Exception: Please specify the target in init_runtime!",
    "Unsupported run platform": "Exception: Unsupported run platform: Linux aarch64",
    "missing in the container": "!!! It is detected that /dev/dri/renderD129 is missing in the "
    "container.",
    "failed to open rknpu": "E RKNN: [16:12:13.845] failed to open rknpu module, need to insmod "
    "rknpu dirver!\nE RKNN: [16:12:13.845] failed to open rknn device!",
    "rknpu/load": "[Errno 13] Permission denied: '/sys/kernel/debug/rknpu/load'",
    "failed to malloc npu": "E RKNN: [09:40:45.140] failed to allocate handle, ret: -1, errno: "
    "14, errstr: Bad address\nE RKNN: failed to malloc npu memory, size: 3085697024, flags: 0x2",
    "Can not find dynamic": "Exception: Can not find dynamic library on RK3566!",
    "cannot open shared": "OSError: librknnrt.so: cannot open shared object file: No such file",
    "invalid ELF": "OSError: /usr/lib/librknnrt.so: invalid ELF header",
    "invalid RKNN_MAGIC": "parseRKNN: invalid RKNN_MAGIC!\n"
    "parseRKNN from buffer: Invalid RKNN fromat!",
    "SIGSEGV": "SIGSEGV",
    "is not installed": "rknn-toolkit-lite2 is not installed (No module named 'rknnlite'); "
    "on a board, try: pip install rknn-toolkit-lite2",
    "has no package for Python": "rknn-toolkit-lite2 has no package for Python 3.14, only up to "
    "3.12 (No module named 'rknnlite'); on a board, try: make run PYTHON=python3.12",
    "Mismatch driver": "Mismatch driver version, librknnrt requires driver version >= 0.9.2, but "
    "you have driver version: 0.8.2 which is incompatible!",
}


@pytest.mark.parametrize("part", SEEN)
def test_a_reported_message_is_recognised(part: str) -> None:
    found = explain(SEEN[part], None)
    assert found is not None
    assert part.lower() in found.pattern.lower().replace("\\", "")


@pytest.mark.parametrize("known", KNOWN_ERRORS, ids=lambda known: known.seen[:30])
def test_each_known_error_is_recognised_as_the_guide_shows_it(known: KnownError) -> None:
    assert explain(known.seen, known.soc) is known


@pytest.mark.parametrize("soc", [None, "rk3588", "rk3566"])
def test_only_an_rk3582_is_advised_to_change_its_device_tree(soc: str | None) -> None:
    seen = SEEN["Please specify the target"]
    other, rk3582 = explain(seen, soc), explain(seen, "rk3582")
    assert other is not None
    assert rk3582 is not None
    assert ("mount" in other.fix, "mount" in rk3582.fix) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "W Query dynamic range failed. Ret code: RKNN_ERR_MODEL_INVALID. (If it is a static "
        "shape RKNN model, please ignore the above warning message.)",
        "I RKNN: [20:13:42.890] RKNN Driver Information, version: 0.9.8",
        "not ready within 60 s",
    ],
)
def test_what_is_harmless_or_unknown_is_not_explained(text: str) -> None:
    assert explain(text, "rk3588") is None


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def test_the_guide_lists_every_known_error() -> None:
    rows = [f"| `{cell(e.seen)}` | {cell(e.means)} | `{cell(e.fix)}` |" for e in KNOWN_ERRORS]
    table = GUIDE.partition("| what you see | what it means | what to do |\n|---|---|---|\n")[2]
    assert table.partition("\n\n")[0].rstrip().splitlines() == rows
