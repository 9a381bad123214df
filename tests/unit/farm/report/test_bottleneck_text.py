"""A bottleneck in sentences: as they are, and never more than the figures hold."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion

from farm.report.bottleneck_text import sentences
from tests.helpers.figures import a_round, measured, report
from tests.helpers.limits import LIMITS, MORE


def test_the_sentences(snapshot: SnapshotAssertion) -> None:
    said = {kind.value: sentences(whole) for kind, (whole, _) in LIMITS.items()}
    said |= {name: sentences(whole) for name, whole in MORE.items()}
    assert said == snapshot


def test_where_nothing_was_classified_nothing_is_said() -> None:
    assert sentences(report(measured(rounds=(a_round(images=0, failed=10),)))) == ()
