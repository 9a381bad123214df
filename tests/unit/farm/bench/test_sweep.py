"""A sweep's report says where its saturation is from."""

from __future__ import annotations

from farm.bench.sweep import COMPUTED, KERNEL, extended
from tests.helpers.figures import conditions, measured, report

TOLD, UNTOLD = measured(conditions=conditions()), measured(conditions=conditions(load=()))


def source_of(*kernel_tells: bool) -> str:
    whole = report(simulated=False, saturation_source=COMPUTED, sizes=())
    for told in kernel_tells:
        whole = extended(whole, TOLD if told else UNTOLD)
    assert len(whole.sizes) == len(kernel_tells)
    return whole.saturation_source


def test_it_is_the_kernels_load_where_that_is_told_for_all() -> None:
    assert source_of(True, True) == KERNEL == "the kernel's NPU load"


def test_it_is_computed_where_the_kernel_never_tells() -> None:
    assert source_of(False, False) == COMPUTED


def test_both_are_named_where_some_sizes_are_told() -> None:
    mixed = "the kernel's NPU load where it is told, else computed from inference times"
    assert source_of(True, False).startswith(mixed)
    assert source_of(False, True).startswith(mixed)
