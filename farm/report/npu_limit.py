"""What an NPU can do, and how much of that was used."""

from __future__ import annotations

from farm.report.data import Measured, Report


def limit_rate(report: Report) -> float | None:
    """Compute the images per second of an NPU whose cores infer all the time.

    It is the number of cores, divided by how long an inference takes a core; None where that is
    not known.
    """
    service_ms = next((size.service_ms for size in report.sizes if size.service_ms), None)
    return report.npu_cores * 1000 / service_ms if service_ms and report.npu_cores else None


def mean_saturation(report: Report, size: Measured) -> float:
    """Return the mean busy share (0 to 1) of all NPU cores, also those without a runtime.

    Where there are none, it is that of the CPU's runtimes.
    """
    return sum(size.saturation) / (report.npu_cores or len(size.saturation) or 1)
