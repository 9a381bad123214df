"""A tune's table and its reasons, as they are printed."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion

from farm.bench import tune_table
from farm.bench.tune_search import Choice, SearchSpace, Trial, search
from tests.helpers.figures import a_round, measured

SPACE = SearchSpace(sizes=(3, 6, 9, 12, 15, 18), cpus=4, decoder_cpus=("same", "slow"))
AVERAGES = {3: (2.0, 2.1, 1.9), 6: (1.5,), 9: (1.49,), 12: (1.48,)}


def tried(choice: Choice, *averages: float) -> Trial:
    rounds = tuple(a_round(seconds=ms) for ms in averages)
    return Trial(choice=choice, measured=measured(rounds=rounds, worker_mb=(24.0,) * choice.size))


def tuned() -> list[Trial]:
    trials: list[Trial] = []
    while (choice := search(SPACE, trials).next_choice) is not None:
        faster = 0.9 if choice.decoder_cpu == "slow" else 1.0
        trials.append(tried(choice, *(ms * faster for ms in AVERAGES[choice.size])))
    return trials


def test_the_table_and_the_reasons(snapshot: SnapshotAssertion) -> None:
    trials = tuned()
    rows = [tune_table.row(trial) for trial in trials]
    reasons = tune_table.why(search(SPACE, trials).stages, simulated=False)
    assert "\n".join([tune_table.head(), *rows, "", *reasons]) == snapshot


def test_a_simulated_tune_says_so_and_one_without_trials_nothing() -> None:
    (said,) = tune_table.why(search(SPACE, [tried(Choice(size=3), 1.0)]).stages, simulated=True)
    assert "1.00 ms per image, simulated" in said
    assert tune_table.why(search(SPACE, []).stages, simulated=True) == []


def test_rows_fit_into_80_columns_and_wide_ones_have_all() -> None:
    rows = [tune_table.head(80), *(tune_table.row(trial, 80) for trial in tuned())]
    assert max(map(len, rows)) <= 80
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(tune_table.head()) > 80


def test_a_row_stands_under_its_heads_and_tells_what_auto_was() -> None:
    head, row = tune_table.head(), tune_table.row(tried(Choice(size=3), 1.0, 1.5, 2.0))
    assert row.split() == [
        "3",
        "auto",
        "(1)",
        "same",
        "1.50",
        "ms",
        "1.00-2.00",
        "1.50",
        "ms",
        "122",
        "MB",
    ]
    assert len(row) == len(head)
