"""Which workers and NPU cores are left, and the error if these are too few."""

from __future__ import annotations

from farm.coordinator.slots import Slots
from farm.errors import BadCoreError, NoWorkersError, StartError
from farm.system.address_space import hint


class Health:
    """Whether a farm can go on with the workers that it has.

    Without `bad_cores`, each NPU core must have a worker.
    """

    def __init__(self, slots: Slots, *, bad_cores: bool) -> None:
        self._slots, self._bad_cores = slots, bad_cores

    def check_started(self) -> None:
        """Raise StartError if every worker has been given up, BadCoreError as `check` does."""
        if self._slots.all_failed:
            raise StartError(f"no worker could start: {'; '.join(self._slots.reasons())}{hint()}")
        self.check()

    def check(self) -> None:
        """Raise NoWorkersError if no worker is left, BadCoreError if an NPU core has none."""
        slots = self._slots
        if slots.all_failed:
            raise NoWorkersError(f"no worker is left: {'; '.join(slots.reasons())}")
        if (bad := slots.bad_cores) and not self._bad_cores:
            why = "; ".join(slots.reasons())
            raise BadCoreError(f"NPU core {bad[0]} can't be used, and on_bad_core is `fail`: {why}")
