"""The parts of a picture of a farm and its board: lines of a terminal, each with a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from rich.console import JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from farm.system.terminal import printable, wrapped
from farm.watch import figures
from farm.watch.history import History
from farm.watch.marks import BAD, FAINT, GOOD, HEAD, WARNING, Sparkline, heat, load_bar
from farm.watch.snapshot import FarmFacts, Snapshot
from farm.watch.worker_rows import Row

WIDE: Final = 110  # columns from which figures stand in two columns
LABEL: Final = 13  # columns of a label
SIMULATED_LABEL: Final = 17  # of "simulated NPU 0"
THERMAL: Final = "-thermal"  # at the end of most zones' names
NPU_LOAD: Final = "NPU load: "  # at the beginning of why there is none

# Columns of the workers' table: head, from how many columns of a terminal on, whether a number.
COLUMNS: Final = (
    ("worker", 0, False), ("pid", WIDE, True), ("state", 0, False), ("NPU", 0, True),
    ("CPUs", 60, True), ("images", 50, True), ("/s", 0, True), ("in flight", 150, True),
    ("decode ms", WIDE, True), ("wait ms", 150, True), ("infer ms", 60, True),
    ("task ms", 150, True), ("MB", 70, True), ("lost", 70, True), ("inferring", WIDE, False),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is to be seen: a snapshot, those before it, the time (seconds since 1970).

    `note` is what is unusual about it, `keys` what a user can do.
    """

    snapshot: Snapshot
    history: History
    now: float
    note: str = ""
    keys: str = ""


class Panes:
    """The lines of a picture, each as wide as it is given room."""

    def __init__(self, view: View) -> None:
        self._view, self._farm, self._board = view, view.snapshot.farm, view.snapshot.board
        simulated = self._farm is not None and self._farm.simulated
        self._label = SIMULATED_LABEL if simulated else LABEL
        self._npu = "simulated NPU" if simulated else "NPU"

    def head(self) -> RenderableType:
        """Tell which farm it is, or which board."""
        farm, line = self._farm, Table.grid(expand=True, padding=(0, 2, 0, 0))
        line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        line.add_column(no_wrap=True)
        if farm is None:
            line.add_row(Text(self._board.soc or "this machine", HEAD), "")
            return line
        said = Text()
        if farm.simulated:
            said.append("SIMULATED NPU  ", f"bold {WARNING}")
        said.append(f"{_model(farm)}  {farm.task}  {farm.platform}  {farm.runtime}", HEAD)
        up = figures.duration(self._view.snapshot.at - farm.started)
        line.add_row(said, f"pid {farm.pid}  up {up}")
        return line

    def note(self, width: int) -> list[RenderableType]:
        """Tell what is unusual about this view."""
        lines = wrapped([printable(self._view.note)], width, indent=0) if self._view.note else []
        return [Text(line, WARNING, no_wrap=True) for line in lines]

    def rate(self, farm: FarmFacts) -> RenderableType:
        """Show the images per second, now and before."""
        rates = self._view.history.rates()
        return self._line("rate", figures.rate(farm.rate), Sparkline(rates))

    def images(self, farm: FarmFacts) -> RenderableType:
        """Count what has ended, and how."""
        said = Text(f"{figures.count(farm.ok)} ok")
        if failed := sum(farm.failures.values()):
            kinds = figures.by_kind(farm.failures)
            said.append(f"  {figures.count(failed)} failed: {kinds}", BAD)
        return self._line("images", said)

    def queue(self, farm: FarmFacts) -> RenderableType:
        """Count what has not ended."""
        going = f"{figures.count(farm.waiting)} waiting, {figures.count(farm.in_flight)} in flight"
        return self._line("queue", Text(going))

    def losses(self, farm: FarmFacts) -> list[RenderableType]:
        """Count what has happened to workers."""
        if not (farm.losses or farm.restarts):
            return []
        said = Text(f"{farm.losses} lost, {farm.restarts} restarted", WARNING)
        return [self._line("workers", said)]

    def latency(self, farm: FarmFacts, stages: Sequence[str]) -> RenderableType:
        """Tell how long an image takes, with the time in the queue, or in some stages of it."""
        said = []
        for name in stages:
            stage = farm.stages.get(name)
            if stage is not None and stage.p99:  # else no image has ended lately
                of = "" if name == "total" else f"{name} "
                p50, p99 = figures.digits(stage.p50), figures.digits(stage.p99)
                said.append(f"{of}p50 {p50}, p99 {p99} ms")
        return self._line("latency", Text(";  ".join(said) or "-"))

    def stages(self, farm: FarmFacts) -> list[RenderableType]:
        """Tell the percentiles of every stage."""
        return [
            self._line(
                f"{name} ms",
                Text(", ".join(
                    f"p{percent} {figures.digits(getattr(stage, f'p{percent}'))}"
                    for percent in (50, 90, 99)
                )),
            )
            for name, stage in farm.stages.items()
        ]  # fmt: skip

    def npu(self, width: int) -> list[RenderableType]:
        """Show the load of each NPU core, or why it is not known."""
        of = self._farm or self._board
        if of.npu_load is not None:
            return [
                self._bar(f"{self._npu} {core}", share) for core, share in enumerate(of.npu_load)
            ]
        why = "none here" if self._board.soc is None else printable(of.no_npu_load or "not known")
        lines = wrapped([why.removeprefix(NPU_LOAD)], width - self._label, indent=0)
        return [self._line("" if at else "NPU", Text(line)) for at, line in enumerate(lines)]

    def cpus(self, most_bars: int) -> list[RenderableType]:
        """Show the load of each CPU: as a bar each, if these are not too many, else in a line."""
        load = self._board.cpu_load
        if not load:
            return []
        if len(load) <= most_bars:
            return [self._bar(f"CPU {cpu}", share) for cpu, share in load.items()]
        said = Text(f"{figures.share(sum(load.values()) / len(load))} of {len(load)}")
        return [self._line("CPUs", Sparkline(tuple(load.values()), 1.0), said)]

    def memory(self) -> RenderableType:
        """Tell how much memory is in use."""
        total, free = self._board.memory_mb, self._board.available_mb
        used = figures.gigabytes(max(0.0, total - free))
        return self._line("memory", Text(f"{used} of {figures.gigabytes(total)} GB"))

    def temperatures(self) -> list[RenderableType]:
        """Tell the temperatures that can be read."""
        said = Text()
        for name, degrees in self._board.temperatures.items():
            said.append(f"{printable(name).removesuffix(THERMAL)} ")
            said.append(f"{degrees:.0f}", heat(degrees)).append("  ")
        return [self._line("temperature", said.append("°C"))] if said else []

    def clocks(self) -> list[RenderableType]:
        """Tell the clocks that can be read, and of which the highest would be higher."""
        said = Text()
        for clock in self._board.clocks:
            of = clock.highest_mhz
            below = f" of {of}" if of is not None and of > clock.mhz else ""
            said.append(f"{clock.name}: {clock.mhz}{below}  ")
        return [self._line("clocks", said.append("MHz"))] if said else []

    def command(self, farm: FarmFacts) -> RenderableType:
        """Tell whose farm it is."""
        return self._line("program", Text(printable(farm.command)))

    def warnings(self, farm: FarmFacts) -> list[RenderableType]:
        """Show the last warnings, the newest first."""
        return [
            self._line(
                Text("warning", WARNING),
                Text(f"{figures.ago(self._view.now - told.at)} ago: {printable(told.message)}"),
            )
            for told in reversed(farm.warnings)
        ]

    def keys(self) -> list[RenderableType]:
        """Tell what a user can do."""
        return [Text(self._view.keys, FAINT)] if self._view.keys else []

    def _bar(self, name: str, share: float) -> RenderableType:
        return self._line(name, load_bar(share), Text(figures.share(share).rjust(5)))

    def _line(self, label: str | Text, *parts: RenderableType) -> RenderableType:
        """Return a line: a bar or a sparkline takes what texts leave."""
        line = Table.grid(expand=True, padding=(0, 1, 0, 0))
        line.add_column(width=self._label - 1, no_wrap=True)
        texts = all(isinstance(part, Text) for part in parts)
        for part in parts:
            grows = texts or not isinstance(part, (Text, str))
            line.add_column(ratio=1 if grows else None, no_wrap=True, overflow="ellipsis")
        line.add_row(label, *parts)
        return line


def _model(farm: FarmFacts) -> str:
    return "no model" if farm.model is None else printable(PurePath(farm.model).name)


def workers_table(shown: Sequence[Row], width: int) -> RenderableType:
    """Return the table of these rows with the columns that a terminal of `width` has room for."""
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=HEAD, expand=width >= WIDE
    )
    kept = [at for at, (_head, needs, _number) in enumerate(COLUMNS) if width >= needs]
    for head, _needs, number in (COLUMNS[at] for at in kept):
        justify: JustifyMethod = "right" if number else "left"
        table.add_column(
            head, justify=justify, no_wrap=True, ratio=1 if head == "inferring" else None
        )
    for row in shown:
        cells: tuple[RenderableType, ...] = (
            row.name, row.pid, Text(row.state, GOOD if row.up else WARNING), row.npu_core, row.cpus,
            figures.count(row.images),
            "-" if row.rate is None else figures.digits(row.rate),
            figures.count(row.in_flight), *(
                figures.digits(row.ms[stage]) if stage in row.ms else "-"
                for stage in ("decode", "wait", "infer", "task")
            ),
            f"{row.memory_mb:.0f}", f"{row.losses}", load_bar(row.inferring),
        )  # fmt: skip
        table.add_row(*(cells[at] for at in kept))
    return table
