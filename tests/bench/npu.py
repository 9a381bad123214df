"""The simulated NPU that all are measured on."""

from typing import Final

CORES: Final = 3
SERVICE_MS: Final = (
    2.6  # of an rk3588's core for a MobileNet, in earlier measurements of such pools
)
