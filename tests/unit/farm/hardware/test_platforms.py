"""Which SoC a machine is, which CPUs it has, and where that differs from the table."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from farm.hardware.platforms import HOST, SOCS, Machine, cpu_list, detect
from tests.helpers.support import ROOT

BIG_LITTLE = dict.fromkeys(range(4), 530) | dict.fromkeys(range(4, 8), 1024)


def board(root: Path, *compatible: bytes) -> Path:
    folder = root / "proc/device-tree"
    folder.mkdir(parents=True)
    (folder / "compatible").write_bytes(b"".join(entry + b"\0" for entry in compatible))
    return root


def with_capacities(root: Path, contents: dict[int, str]) -> Path:
    for cpu, content in contents.items():
        folder = root / f"sys/devices/system/cpu/cpu{cpu}"
        folder.mkdir(parents=True)
        (folder / "cpu_capacity").write_text(content)
    return root


def machine(
    soc: str | None = "rk3588", cpus: int = 8, capacities: dict[int, int] | None = None
) -> Machine:
    known = BIG_LITTLE if capacities is None else capacities
    return Machine(soc=soc, cpus=tuple(range(cpus)), capacities=known)


@pytest.mark.parametrize(
    ("compatible", "soc"),
    [
        ((b"radxa,rock-5b", b"rockchip,rk3588"), "rk3588"),
        ((b"xunlong,orangepi-5", b"rockchip,rk3588s"), "rk3588"),
        ((b"rockchip,rk3588s-evb4-lp4x-v10", b"rockchip,rk3588"), "rk3588"),
        ((b"radxa,e52c", b"rockchip,rk3582", b"rockchip,rk3588s"), "rk3582"),
        ((b"radxa,rock-5c-lite", b"rockchip,rk3582"), "rk3582"),
        ((b"armsom,sige5", b"rockchip,rk3576"), "rk3576"),
        ((b"hardkernel,odroid-m1", b"rockchip,rk3568"), "rk3568"),
        ((b"pine64,quartz64-a", b"rockchip,rk3566"), "rk3566"),
        ((b"Rockchip,RK3562-EVB",), "rk3562"),
        ((b"raspberrypi,4-model-b", b"brcm,bcm2711"), None),
        ((b"pine64,rockpro64", b"rockchip,rk3399"), None),
        ((b"rockchip,rk35", b"88"), None),
        ((b"\xff\xfe",), None),
        ((), None),
    ],
)
def test_the_soc_is_read_from_the_device_tree(
    tmp_path: Path, compatible: tuple[bytes, ...], soc: str | None
) -> None:
    assert detect(board(tmp_path, *compatible)).soc == soc


@pytest.mark.parametrize(
    ("compatible", "other", "has_npu"),
    [
        ((b"rockchip,rk3399pro-evb-v11", b"rockchip,rk3399pro"), "rk3399pro", True),
        ((b"pine64,rockpro64", b"rockchip,rk3399"), "rk3399", False),
        ((b"radxa,e20c", b"rockchip,rk3528"), "rk3528", False),
        ((b"rockchip,rk3528a-evb1", b"rockchip,rk3528a"), "rk3528a", False),
        ((b"rockchip,rv1126b-evb", b"rockchip,rv1126b"), "rv1126b", True),
        ((b"rockchip,rv1126-evb", b"rockchip,rv1126"), "rv1126", True),
        ((b"rockchip,rk1808-evb", b"rockchip,rk1808"), "rk1808", True),
        ((b"luckfox,pico", b"rockchip,rv1103"), "rv1103", True),
        ((b"rockchip,rv1106b-evb",), "rv1106b", True),
        ((b"Rockchip,PX30-EVB", b"rockchip,px30"), "px30", False),
        ((b"vendor,board", b"rockchip,rk3688"), "rk3688", True),  # it may have
        ((b"radxa,rock-5b", b"rockchip,rk3588"), None, True),
        ((b"radxa,e52c", b"rockchip,rk3582", b"rockchip,rk3588s"), None, True),
        ((b"raspberrypi,4-model-b", b"brcm,bcm2711"), None, False),
        ((), None, False),
    ],
)
def test_other_socs_of_rockchip_are_known_as_such(
    tmp_path: Path, compatible: tuple[bytes, ...], other: str | None, has_npu: bool
) -> None:
    found = detect(board(tmp_path, *compatible))
    assert (found.other_soc, found.has_npu) == (other, has_npu)
    assert (found.unsupported or "").partition(":")[0] == (other or "")


def test_each_soc_is_said_to_lack_what_it_lacks() -> None:
    said = {
        name: Machine(soc=None, cpus=(0,), capacities={}, other_soc=name).unsupported
        for name in ("rk3399pro", "rk3399", "rv1126b", "rv1126", "rk3688")
    }
    parts = ("toolkit 1.x", "no NPU", "tables", "toolkit 1.x", "does not know")
    assert all(part in (text or "") for part, text in zip(parts, said.values(), strict=True))


def test_a_config_for_a_board_on_another_soc_is_a_difference() -> None:
    other = Machine(soc=None, cpus=(0,), capacities={}, other_soc="rk3399pro")
    (difference,) = SOCS["rk3588"].differences(other)
    assert "rk3399pro" in difference
    assert other.as_platform().differences(other) == []


def test_a_machine_without_a_device_tree_has_no_soc(tmp_path: Path) -> None:
    found = detect(tmp_path)
    assert found.soc is None
    assert found.capacities == {}


def test_the_cpus_are_those_this_process_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert detect(tmp_path).cpus == tuple(sorted(os.sched_getaffinity(0)))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {9, 33, 2})
    assert detect(tmp_path).cpus == (2, 9, 33)


def test_capacities_are_read_for_each_cpu(tmp_path: Path) -> None:
    written = {cpu: f"{capacity}\n" for cpu, capacity in BIG_LITTLE.items()} | {10: "700\n"}
    (tmp_path / "sys/devices/system/cpu/cpufreq").mkdir(parents=True)
    assert detect(with_capacities(tmp_path, written)).capacities == {**BIG_LITTLE, 10: 700}


@pytest.mark.parametrize("junk", ["", "fast\n", "10 24\n"])
def test_one_unreadable_capacity_makes_all_unknown(tmp_path: Path, junk: str) -> None:
    assert detect(with_capacities(tmp_path, {0: "530\n", 4: junk, 5: "1024\n"})).capacities == {}


def test_a_capacity_that_is_no_file_makes_all_unknown(tmp_path: Path) -> None:
    root = with_capacities(tmp_path, {0: "530\n"})
    (root / "sys/devices/system/cpu/cpu1/cpu_capacity").mkdir(parents=True)
    assert detect(root).capacities == {}


def test_the_fastest_and_the_slowest_cpus_are_those_of_extreme_capacity() -> None:
    three_kinds = machine(capacities={0: 400, 1: 400, 2: 700, 3: 700, 4: 1024, 5: 1024}, cpus=6)
    assert three_kinds.fastest() == (4, 5)
    assert three_kinds.slowest() == (0, 1)


@pytest.mark.parametrize("capacities", [{}, dict.fromkeys(range(4), 1024)])
def test_cpus_of_one_kind_are_all_fastest_and_slowest(capacities: dict[int, int]) -> None:
    equal = machine(capacities=capacities, cpus=4)
    assert equal.fastest() == equal.slowest() == (0, 1, 2, 3)


def test_only_cpus_we_may_use_are_fastest_or_slowest() -> None:
    few = Machine(soc=None, cpus=(3, 4), capacities=BIG_LITTLE)
    assert (few.fastest(), few.slowest()) == ((4,), (3,))


@pytest.mark.parametrize("cpus", [(0, 1, 2, 3), (4, 5)])
def test_a_host_kept_to_one_kind_of_cpus_still_has_fast_and_slow_ones(
    cpus: tuple[int, ...],
) -> None:
    kept = Machine(soc=None, cpus=cpus, capacities=BIG_LITTLE).as_platform()
    assert (kept.fast, kept.slow) == (cpus, cpus)


def test_a_host_has_its_own_cpus_and_one_core_for_simulations() -> None:
    described = machine(soc=None).as_platform()
    assert described.name == HOST
    assert (described.fast, described.slow) == ((4, 5, 6, 7), (0, 1, 2, 3))
    assert (described.npu_cores, described.takes_core_mask) == (1, False)


@pytest.mark.parametrize(
    ("name", "cores", "fast", "slow"),
    [
        ("rk3588", 3, "4-7", "0-3"),
        ("rk3582", 3, "4-5", "0-3"),
        ("rk3576", 2, "4-7", "0-3"),
        ("rk3568", 1, "0-3", "0-3"),
        ("rk3566", 1, "0-3", "0-3"),
        ("rk3562", 1, "0-3", "0-3"),
    ],
)
def test_each_socs_npu_cores_and_cpus(name: str, cores: int, fast: str, slow: str) -> None:
    soc = SOCS[name]
    assert (soc.name, soc.npu_cores) == (name, cores)
    assert (cpu_list(soc.fast), cpu_list(soc.slow)) == (fast, slow)
    assert soc.takes_core_mask is (cores > 1)


@pytest.mark.parametrize("name", SOCS)
def test_the_simulated_times_are_those_of_the_published_table(name: str) -> None:
    text = (ROOT / "docs" / "simulated.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    ((_, cores, published, ms, least),) = [row for row in rows if name in (row or [""])[0]]
    soc = SOCS[name]
    assert (int(cores), float(ms)) == (soc.npu_cores, soc.service_ms)
    assert float(least.split()[0]) == pytest.approx(soc.service_ms / soc.npu_cores, abs=0.005)
    if name != "rk3582":
        assert soc.service_ms == round(1000 / float(published), 1)


@pytest.mark.parametrize(
    ("cpus", "text"),
    [
        ((), ""),
        ((0,), "0"),
        ((0, 1), "0-1"),
        ((0, 2), "0,2"),
        ((0, 1, 2, 3, 6), "0-3,6"),
        ((7, 4, 5, 6), "4-7"),
        ((0, 1, 3, 4, 6, 8, 9, 10), "0-1,3-4,6,8-10"),
        ((9, 10, 11), "9-11"),
    ],
)
def test_cpu_lists_are_written_as_the_kernel_does(cpus: tuple[int, ...], text: str) -> None:
    assert cpu_list(cpus) == text


def test_a_board_as_in_the_table_has_no_differences() -> None:
    assert SOCS["rk3588"].differences(machine()) == []


def test_another_soc_is_the_only_difference() -> None:
    other = machine("rk3566", 4, dict.fromkeys(range(4), 1024))
    (difference,) = SOCS["rk3588"].differences(other)
    assert "rk3588" in difference
    assert "rk3566" in difference


def test_a_machine_that_is_no_board_has_no_differences() -> None:
    assert SOCS["rk3588"].differences(machine(None, 2, {})) == []
    assert SOCS["rk3588"].differences(machine(None, 4, dict.fromkeys(range(4), 1024))) == []


def test_without_capacities_there_are_no_differences() -> None:
    assert SOCS["rk3588"].differences(machine("rk3588", capacities={})) == []


def test_fast_and_slow_cpus_that_the_kernel_swaps_are_two_differences() -> None:
    swapped = dict.fromkeys(range(4), 1024) | dict.fromkeys(range(4, 8), 530)
    fast, slow = SOCS["rk3588"].differences(machine(capacities=swapped))
    assert ("fast CPUs" in fast, fast.split()[-1]) == (True, "4-7")  # the table's are used
    assert ("slow CPUs" in slow, slow.split()[-1]) == (True, "0-3")


@pytest.mark.parametrize("cpus", [(2, 3, 4, 5), (0, 1, 2, 3), (6,)])
def test_cpus_we_may_not_use_are_no_difference(cpus: tuple[int, ...]) -> None:
    some = Machine(soc="rk3588", cpus=cpus, capacities=BIG_LITTLE)
    assert SOCS["rk3588"].differences(some) == []
