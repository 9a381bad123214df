"""Images on a share that answers late, or never: each comes once among the others."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.chaos.chance import Chance
from tests.chaos.plan import Chaos
from tests.helpers.fuse import FuseMount, fuse_mount

SPARED: Final = 0.2  # of the run, at its start and at its end


class Share:
    """The share's images, by their places among all; that at `never`, if any, is never answered."""

    def __init__(
        self, mount: FuseMount, images: dict[int, Path], never: int | None, chance: Chance
    ) -> None:
        self._mount, self.images, self.never = mount, images, never
        late = {path.name: chance.a_while() for path in images.values()}
        if never is not None:
            late[images[never].name] = math.inf
        self._late = late
        self._since: dict[str, float] = {}  # file: when it was asked for
        mount.hold(*late)

    def settle(self, now: float) -> None:
        """Answer what has waited long enough."""
        for held in self._mount.held():
            since = self._since.setdefault(held.name, now)
            if now - since >= self._late[held.name]:
                self._mount.answer(held.name)

    @property
    def asked(self) -> int:
        """How many images have been asked for."""
        return len(self._since)


@contextmanager
def share(paths: list[Path], chaos: Chaos, late: int, chance: Chance) -> Iterator[Share]:
    """Copy `late` of the images, which are `paths` again and again, to a share."""
    spared = int(chaos.images * SPARED)
    places = chance.sample(range(spared, chaos.images - spared), late)
    with fuse_mount() as mount:
        images = {place: mount.path / f"{place}.jpg" for place in places}
        for place, image in images.items():
            image.write_bytes(paths[place % len(paths)].read_bytes())
        yield Share(mount, images, max(places) if chaos.for_ever else None, chance)
