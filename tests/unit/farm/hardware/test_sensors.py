"""What is read from a board's sensors: folders with files like its kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm.errors import FarmError, SensorError
from farm.hardware.sensors import (
    Clock,
    clocks,
    load_shares,
    load_text,
    npu_load,
    sample,
    temperatures,
)

LOAD = "sys/kernel/debug/rknpu/load"
THREE = "NPU load:  Core0: 12%, Core1:  3%, Core2: 100%,\n"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def zone(number: int, name: str, temp: str) -> dict[str, str]:
    folder = f"sys/class/thermal/thermal_zone{number}"
    return {f"{folder}/type": f"{name}\n", f"{folder}/temp": f"{temp}\n"}


def policy(first: int, cpus: str, **files: str) -> dict[str, str]:
    folder = f"sys/devices/system/cpu/cpufreq/policy{first}"
    values = {"related_cpus": cpus, "scaling_cur_freq": "1800000", **files}
    return {f"{folder}/{name}": f"{text}\n" for name, text in values.items()}


def device(name: str, hz: str, **files: str) -> dict[str, str]:
    values = {"cur_freq": hz, **files}
    return {f"sys/class/devfreq/{name}/{file}": f"{text}\n" for file, text in values.items()}


def refused(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Deny reading `file`; the tests may run as root, who can read all."""
    read = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path == file:
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("NPU load:  0%\n", (0.0,)),
        ("NPU load:  37%\n", (0.37,)),
        ("NPU load: 100%\n", (1.0,)),
        ("NPU load:  Core0: 12%, Core1:  3%,\n", (0.12, 0.03)),
        ("NPU load:  Core0:  0%, Core1:  0%, Core2:  0%,\n", (0.0, 0.0, 0.0)),
        (THREE, (0.12, 0.03, 1.0)),
        ("NPU load:  Core0: 101%, Core1: 20000%, Core2: 4294967295%,", (1.0, 1.0, 1.0)),
        ("NPU load:  Core0: -3%, Core1: 50 %,", (0.0, 0.5)),
        (f"NPU load:  Core0: {'9' * 5000}%", (1.0,)),
    ],
)
def test_the_load_of_each_core_is_a_share_of_1(
    tmp_path: Path, text: str, shares: tuple[float, ...]
) -> None:
    assert npu_load(tree(tmp_path, {LOAD: text})) == shares


@pytest.mark.parametrize(
    ("shares", "text"),
    [
        ((0.0,), "NPU load:  0%"),
        ((0.366,), "NPU load: 37%"),
        ((1.0,), "NPU load: 100%"),
        ((0.12, 0.031), "NPU load:  Core0: 12%, Core1:  3%,"),
        ((0.12, 0.034, 1.0), THREE.rstrip("\n")),
    ],
)
def test_shares_are_written_as_the_kernel_does_and_read_again(
    shares: tuple[float, ...], text: str
) -> None:
    assert load_text(shares) == text
    assert load_shares(text) == tuple(round(share, 2) for share in shares)


@pytest.mark.parametrize("text", ["", "\n", "NPU load:\n", "Core0:", "%", "load 12", "\0\1\x7f"])
def test_a_load_without_numbers_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(SensorError, match=LOAD):
        npu_load(tree(tmp_path, {LOAD: text}))


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    (tree(tmp_path, {LOAD: ""}) / LOAD).write_bytes(bytes(range(256)) * 40)
    with pytest.raises(SensorError, match=LOAD) as caught:
        npu_load(tmp_path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_load_that_only_root_may_read_is_an_error_with_a_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(monkeypatch, tree(tmp_path, {LOAD: THREE}) / LOAD)
    with pytest.raises(SensorError) as caught:
        npu_load(tmp_path)
    assert str(tmp_path / LOAD) in str(caught.value)
    assert str(caught.value).endswith(f": sudo chmod a+x {tmp_path}/sys/kernel/debug")


def test_a_load_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SensorError, match=LOAD) as caught:
        npu_load(tmp_path)
    assert str(tmp_path / LOAD) in str(caught.value)
    assert "sudo mount -t debugfs" in str(caught.value)


def test_a_load_that_is_no_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / LOAD).mkdir(parents=True)
    with pytest.raises(SensorError, match="Is a directory"):
        npu_load(tmp_path)


def test_the_load_that_everybody_may_read_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, {"proc/rknpu/load": "NPU load:  7%\n", LOAD: "NPU load:  9%\n"})
    refused(monkeypatch, tmp_path / LOAD)
    assert npu_load(tmp_path) == (0.07,)


def test_a_load_in_proc_that_cannot_be_read_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, {"proc/rknpu/load": "NPU load:  7%\n", LOAD: "NPU load:  9%\n"})
    refused(monkeypatch, tmp_path / "proc/rknpu/load")
    assert npu_load(tmp_path) == (0.09,)


def test_a_sensor_error_is_one_of_ours() -> None:
    assert issubclass(SensorError, FarmError)


def test_temperatures_are_degrees_by_zone(tmp_path: Path) -> None:
    three = zone(0, "soc-thermal", "47125") | zone(1, "npu-thermal", "-5000") | zone(2, "gpu", "0")
    assert temperatures(tree(tmp_path, three)) == {
        "soc-thermal": 47.125,
        "npu-thermal": -5.0,
        "gpu": 0.0,
    }


@pytest.mark.parametrize("temp", ["", "hot", "47 000"])
def test_a_zone_without_a_number_is_left_out(tmp_path: Path, temp: str) -> None:
    tree(tmp_path, zone(0, "soc-thermal", temp) | zone(1, "npu-thermal", "50000"))
    assert temperatures(tmp_path) == {"npu-thermal": 50.0}


def test_a_zone_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path, zone(1, "npu-thermal", "50000"))
    (tmp_path / "sys/class/thermal/thermal_zone0/temp").mkdir(parents=True)
    assert temperatures(tmp_path) == {"npu-thermal": 50.0}


def test_a_zone_without_a_name_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path, {"sys/class/thermal/thermal_zone0/temp": "40000\n"} | zone(1, "", "50000"))
    assert temperatures(tmp_path) == {}


@pytest.mark.parametrize("temps", [("40000", "60000"), ("60000", "40000")])
def test_of_zones_of_one_type_the_hottest_counts(tmp_path: Path, temps: tuple[str, str]) -> None:
    tree(tmp_path, zone(0, "cpu", temps[0]) | zone(1, "cpu", temps[1]))
    assert temperatures(tmp_path) == {"cpu": 60.0}


def test_cpu_clocks_are_named_by_their_cpus_in_order(tmp_path: Path) -> None:
    files = policy(10, "10") | policy(4, "4 5", cpuinfo_max_freq="2256000") | policy(0, "0 1 2 3")
    assert clocks(tree(tmp_path, files)) == (
        Clock("CPU 0-3", 1800, None, None),
        Clock("CPU 4-5", 1800, 2256, None),
        Clock("CPU 10", 1800, None, None),
    )


def test_the_highest_cpu_clock_is_the_hardwares_where_that_is_known(tmp_path: Path) -> None:
    both = policy(0, "0", cpuinfo_max_freq="2400000", scaling_max_freq="1200000")
    limited = policy(1, "1", scaling_max_freq="1200000", scaling_governor="ondemand")
    assert clocks(tree(tmp_path, both | limited)) == (
        Clock("CPU 0", 1800, 2400, None),
        Clock("CPU 1", 1800, 1200, "ondemand"),
    )


@pytest.mark.parametrize("name", ["fdab0000.npu", "27700000.npu", "fde40000.npu", "ff300000.npu"])
def test_npu_and_memory_have_clocks_and_nothing_else_does(tmp_path: Path, name: str) -> None:
    files = device("dmc", "2112000000", max_freq="2112000000", governor="dmc_ondemand")
    files |= device(name, "300000000", max_freq="1000000000", governor="rknpu_ondemand")
    files |= device("fb000000.gpu", "5000000") | device("bus-npu", "6000000")
    assert clocks(tree(tmp_path, files)) == (
        Clock("NPU", 300, 1000, "rknpu_ondemand"),
        Clock("DDR", 2112, 2112, "dmc_ondemand"),
    )


@pytest.mark.parametrize("hz", ["", "<unknown>", "0"])
def test_a_clock_that_is_unknown_is_left_out(tmp_path: Path, hz: str) -> None:
    files = device("fdab0000.npu", hz, governor="userspace") | device("dmc", "528000000")
    files |= policy(0, "0 1", scaling_cur_freq=hz) | policy(4, "")
    assert clocks(tree(tmp_path, files)) == (Clock("DDR", 528, None, None),)


def test_a_machine_without_sensors_has_an_empty_sample(tmp_path: Path) -> None:
    found = sample(tmp_path)
    assert isinstance(found.load, SensorError)
    assert (found.temperatures, found.clocks) == ({}, ())


def test_a_sample_is_all_that_can_be_read(tmp_path: Path) -> None:
    found = sample(tree(tmp_path, {LOAD: THREE} | zone(0, "soc", "1000") | policy(0, "0")))
    assert found.load == (0.12, 0.03, 1.0)
    assert found.temperatures == {"soc": 1.0}
    assert [clock.name for clock in found.clocks] == ["CPU 0"]
