"""What is left to chance, and can be repeated."""

from __future__ import annotations

import random


class Chance(random.Random):
    """Chance from a seed; what lasts a while does so for up to `longest` seconds."""

    def __init__(self, seed: int, longest: float) -> None:
        super().__init__(seed)
        self._longest = longest

    def a_while(self) -> float:
        """Return so many seconds."""
        return self.uniform(0, self._longest)
