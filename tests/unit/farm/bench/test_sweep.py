"""A sweep's report says where its saturation is from."""

from __future__ import annotations

import pytest

from farm.bench.sweep import COMPUTED, KERNEL, with_size
from tests.helpers.figures import conditions, measured, report

TOLD, UNTOLD = measured(conditions=conditions()), measured(conditions=conditions(load=()))


def source_of(*kernel_tells: bool) -> str:
    whole = report(simulated=False, saturation_source=COMPUTED, sizes=())
    for told in kernel_tells:
        whole = with_size(whole, TOLD if told else UNTOLD)
    assert len(whole.sizes) == len(kernel_tells)
    return whole.saturation_source


def test_it_is_the_kernels_load_where_that_is_told_for_all() -> None:
    assert source_of(True, True) == KERNEL


def test_it_is_computed_where_the_kernel_never_tells() -> None:
    assert source_of(False, False) == COMPUTED


@pytest.mark.parametrize("kernel_tells", [(True, False), (False, True)])
def test_both_are_named_where_the_kernel_told_it_of_some_sizes(
    kernel_tells: tuple[bool, bool],
) -> None:
    assert KERNEL in source_of(*kernel_tells)
    assert COMPUTED in source_of(*kernel_tells)
