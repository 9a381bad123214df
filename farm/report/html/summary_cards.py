"""The few figures that say most: those of the number of runtimes that is enough."""

from __future__ import annotations

from farm.report.data import Measured, Report
from farm.report.format import counted, digits, per_second, share, shares, spread
from farm.report.html.markup import Child, Element, element
from farm.report.npu_limit import limit_rate, mean_saturation
from farm.report.size_choice import enough


def title(report: Report) -> str:
    """Of how many runtimes the figures are, and why of those."""
    said = f"With {counted(enough(report.sizes).runtimes, 'runtime')}"
    if len(report.sizes) > 1:
        said += ", the fewest that are enough"
    return f"{said} (SIMULATED NPU)" if report.simulated else said


def tiles(report: Report) -> Element:
    """Speed, what it is of what can be, latency and costs."""
    size = enough(report.sizes)
    p50, p90, p99 = size.percentiles["total"]
    each = [
        _tile("Average per image", digits(size.average_ms.median), "ms", _rounds(size)),
        _tile("Images per second", digits(per_second(size.average_ms.median)), "", _of(report)),
        _saturation(report, size),
        _tile("Latency, p50", digits(p50), "ms", f"p90 {digits(p90)}, p99 {digits(p99)}"),
        _tile("CPU time per image", digits(size.cpu_ms.median), "ms", "all processes together"),
        _tile("Memory", f"{size.memory_mb:.0f}", "MB", "PSS of all processes"),
    ]
    return element("dl", *each, class_="tiles")


def _rounds(size: Measured) -> str:
    rounds = counted(len(size.rounds), "round")
    extent = spread(size.average_ms)
    return f"{extent} in {rounds}" if extent else rounds


def _of(report: Report) -> str:
    limit, rate = limit_rate(report), per_second(enough(report.sizes).average_ms.median)
    if limit is None:
        return ""
    return f"{share(rate / limit)} of the NPU's limit, {digits(limit)} (computed)"


def _saturation(report: Report, size: Measured) -> Element:
    name = "NPU saturation" if report.npu_cores else "Saturation"
    of = f"cores: {shares(size.saturation)}" if report.npu_cores else "mean of the CPU runtimes"
    return _tile(name, share(mean_saturation(report, size)), "", of)


def _tile(name: str, figure: str, unit: str, sub: str) -> Element:
    behind: list[Child] = [" ", element("small", unit)] if unit else []
    value = element("dd", figure, *behind, class_="figure")
    below = [element("dd", sub, class_="sub")] if sub else []
    return element("div", element("dt", name), value, *below, class_="tile")
