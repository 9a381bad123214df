"""`npu-farm send`: its flags, what they mean."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from farm.cli import completion as complete
from farm.cli.command import TYPED, command
from farm.cli.extras import CLUSTER, check_packages
from farm.cli.hub_options import ACCESS, HUB, access_of
from farm.cli.options import ASKED, RUN, with_options
from farm.cli.options import images as flags_of_images
from farm.system.progress import sign_of_life

WISH: Final = (
    click.argument("images", nargs=-1, metavar="[IMAGES]...", shell_complete=complete.files),
    click.option("--model", metavar="NAME",
                 help="The model: its name, the beginning of its SHA-256, or simulated.  [default: "
                 "the only one that boards have]"),
    click.option("--task", metavar="NAME",
                 help="The task: classify, detect, or package.module:name."),
    click.option("--labels", type=click.Path(path_type=Path), metavar="FILE",
                 shell_complete=complete.files,
                 help="Have boards alone that have these class names."),
    click.option("--by-path", type=click.Path(path_type=Path), metavar="DIR",
                 help="Send paths below this folder, which boards share, instead of images."),
    click.option("--shrink", type=click.IntRange(16, 65_536), metavar="PIXELS",
                 help="Send images smaller whose longer side has more pixels; answers change a "
                 "little."),
)  # fmt: skip


@command()
@with_options(HUB)
@with_options(WISH)
@with_options(flags_of_images("bundled samples", "1"))
@with_options(RUN)
def send(
    address: str, images: tuple[str, ...], folders: tuple[str, ...], repeat: int | None, **said: Any
) -> None:
    """Have the boards of a hub run a model on images.

    HUB is its address, as `npu-farm hub` tells it. IMAGES are folders, files, globs, .txt lists of
    paths, or - for a list on standard input; by default, bundled samples.
    Results go to standard output, everything else to standard error.
    """
    click.get_current_context().with_resource(sign_of_life("starting ..."))
    check_packages("send", CLUSTER)
    access = access_of({each: said.pop(each) for each in ACCESS}, address)
    asked = {flag: said.pop(flag) for flag in ASKED}
    if asked["resume"] and asked["overwrite"]:
        raise click.UsageError("--resume or --overwrite, not both")
    by_path, longest = said.pop("by_path"), said.pop("shrink")
    if by_path and longest:
        raise click.UsageError("--by-path or --shrink, not both: a path stays as it is")
    from farm.cli.request import Request
    from farm.cli.send_run import MAX_PIXELS, Wanted
    from farm.cli.send_run import send as send_images
    from farm.cluster.packing import Packing
    from farm.cluster.shared_paths import SharedFolder
    from workers.images.file_reader import most_bytes

    request = Request(
        command="send",
        targets=(*folders, *images),
        repeat=repeat or 1,
        typed=click.get_current_context().meta[TYPED],
        **asked,
    )
    packing = Packing(
        folder=SharedFolder.at(by_path) if by_path else None,
        longest=longest,
        most_bytes=most_bytes(MAX_PIXELS),
    )
    sys.exit(send_images(access, Wanted(**said, packing=packing), request))
