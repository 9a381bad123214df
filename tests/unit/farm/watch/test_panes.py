from __future__ import annotations

from farm.watch.panes import Panes, workers_table
from farm.watch.worker_rows import rows
from tests.helpers.pictures_of_farms import board_view, text_of, view
from tests.helpers.snapshots import a_stage, a_worker


def test_what_is_no_text_is_escaped_and_no_markup_is_obeyed() -> None:
    seen = view(model="/m/[bold]\x1b[31m.rknn", command="npu-farm run \x07[red]")
    assert seen.snapshot.farm is not None
    panes = Panes(seen)
    assert text_of(panes.head(), 80)[0].startswith("[bold]\\x1b[31m.rknn  classify")
    assert "npu-farm run \\x07[red]" in text_of(panes.command(seen.snapshot.farm), 80)[0]


def test_why_there_is_no_load_is_told_whole_on_a_board() -> None:
    why = "NPU load: no permission to read the file; to allow it: sudo chmod a+x /sys/kernel/debug"
    lines = Panes(board_view(npu_load=None, no_npu_load=why)).npu(60)
    text = " ".join(" ".join(line for each in lines for line in text_of(each, 60)).split())
    assert text == "NPU no permission to read the file; to allow it: sudo chmod a+x " + (
        "/sys/kernel/debug"
    )


def test_a_machine_without_an_npu_has_none() -> None:
    (line,) = Panes(board_view(soc=None, npu_load=None, no_npu_load="no such file")).npu(80)
    assert text_of(line, 80)[0].split() == ["NPU", "none", "here"]


def test_figures_of_a_simulated_npu_say_so() -> None:
    panes = Panes(view(simulated=True, runtime="simulated"))
    assert "SIMULATED NPU" in text_of(panes.head(), 80)[0]
    assert all("simulated NPU" in text_of(line, 80)[0] for line in panes.npu(80))


def test_a_narrow_table_has_the_columns_that_matter() -> None:
    found = rows((a_worker(0, state="lost"),), view().history, None)
    heads = [text_of(workers_table(found, width), width)[0].split() for width in (40, 80)]
    assert heads[0] == ["worker", "state", "NPU", "/s"]
    assert heads[1][-5:] == ["/s", "infer", "ms", "MB", "lost"]


def test_an_idle_farm_has_no_latency() -> None:
    seen = view(stages={"total": a_stage(0.0), "infer": a_stage(0.0)})
    assert seen.snapshot.farm is not None
    line = Panes(seen).latency(seen.snapshot.farm, ("total", "infer"))
    assert text_of(line, 80)[0].split() == ["latency", "-"]
