"""What a training makes, and what it is measured on: the command line of both."""

from __future__ import annotations

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """So many training `images` of a `seed`, epochs over parts of them or small, then whole ones.

    The model is measured on `held_out` images of another seed. With `evaluate_only` it stays as it
    is.
    """

    images: int
    coarse_epochs: int
    fine_epochs: int
    seed: int = 1
    held_out: int
    held_out_seed: int = 2024
    evaluate_only: bool = False


def parse(description: str | None, usual: Recipe) -> Recipe:
    """Parse the command line; the held-out seed must differ from the training seed."""
    form = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=form)
    for name, said in (
        ("images", "training images"),
        ("coarse-epochs", "epochs on parts of images, or on small ones"),
        ("fine-epochs", "epochs on whole images"),
        ("seed", "of training images and weights"),
        ("held-out", "images to measure on"),
        ("held-out-seed", "of those images"),
    ):
        default = getattr(usual, name.replace("-", "_"))
        parser.add_argument(f"--{name}", type=int, default=default, help=said)
    parser.add_argument("--evaluate-only", action="store_true", help="measure the model as it is")
    recipe = Recipe(**vars(parser.parse_args()))
    if recipe.seed == recipe.held_out_seed:
        parser.error("the held-out seed must differ from the training seed")
    return recipe
