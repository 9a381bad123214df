"""What a model's outputs must look like for a classifier; no numpy here, the doctor asks, too."""

from __future__ import annotations

from collections.abc import Sequence

from workers.errors import RuntimeFailure

OTHER_TASK = (
    "for a detector, try --task detect; of another network, a function of yours makes answers"
)


def check_classifier(model: str, outputs: Sequence[Sequence[int]]) -> None:
    """Raise RuntimeFailure unless outputs of these shapes are one score for each class."""
    if len(outputs) != 1:
        raise RuntimeFailure(
            f"{model} has {len(outputs)} outputs; a classifier has one: {OTHER_TASK}"
        )
    (dims,) = outputs
    if sum(dim > 1 for dim in dims) > 1 or 0 in dims:
        raise RuntimeFailure(
            f"{model}: its output is {written(dims)}; a classifier with n scores, one per class "
            f"(n, 1 x n, 1 x n x 1 x 1 or 1 x 1 x 1 x n), is needed: {OTHER_TASK}"
        )
    if max(dims, default=1) == 1:
        raise RuntimeFailure(
            f"{model}: its output is {written(dims)}, one score; a classifier with two scores or "
            "more is needed: for yes or no, export it with the two scores 1 - p and p"
        )


def written(dims: Sequence[int]) -> str:
    """Return a shape as people write it."""
    return " x ".join(map(str, dims)) or "a single number"
