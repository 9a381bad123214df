"""The coordinator's errors, all children of FarmError, and the exit codes they lead to."""

from __future__ import annotations

from typing import Final

from workers.errors import FarmError

__all__ = [
    "BadCoreError",
    "BusyError",
    "ConfigError",
    "ConversionError",
    "FarmError",
    "HubError",
    "InterruptedStartError",
    "InterruptedWriteError",
    "NoBoardError",
    "NoWorkersError",
    "OutputError",
    "SensorError",
    "SnapshotError",
    "SourceError",
    "StartError",
    "WriterError",
]

EXIT_OK: Final = 0
EXIT_SOME_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_NO_FARM: Final = 3
EXIT_SIGNAL_BASE: Final = 128  # plus the signal's number, as shells do


class ConfigError(FarmError):
    """A config or a command line says something that can't be."""

    exit_code = EXIT_USAGE


class SourceError(FarmError):
    """The images can't be listed."""

    exit_code = EXIT_USAGE


class SensorError(FarmError):
    """The kernel does not tell, or not to us, what a sensor says."""


class SnapshotError(FarmError):
    """What a farm shows of itself can't be read, or there is no such farm."""


class BusyError(FarmError):
    """So much is waiting already that nothing more is taken in."""


class WriterError(FarmError):
    """The results can't be written any more; what was written before stays."""


class OutputError(FarmError):
    """The results have nowhere to go: a name or a folder that can't be."""

    exit_code = EXIT_USAGE


class ConversionError(FarmError):
    """A model can't be converted: the vendor's tool is missing, or it or we refuse the model."""

    exit_code = EXIT_USAGE


class StartError(FarmError):
    """No worker could be started."""

    exit_code = EXIT_NO_FARM


class InterruptedStartError(FarmError):
    """A signal came while the workers were starting."""


class InterruptedWriteError(FarmError):
    """A signal came while nobody read the results."""


class NoWorkersError(FarmError):
    """Every worker is lost for good while there is work left."""

    exit_code = EXIT_NO_FARM


class BadCoreError(FarmError):
    """An NPU core can't be used, and the config wants all of them."""

    exit_code = EXIT_NO_FARM


class HubError(FarmError):
    """The hub between boards can't be reached, does not let us in, or is not as it must be."""

    exit_code = EXIT_NO_FARM


class NoBoardError(HubError):
    """No board of a hub serves what a run wants."""
