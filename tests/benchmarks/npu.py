"""The simulated NPU that all are measured on."""

from typing import Final

CORES: Final = 3
# Of an rk3588's core for a MobileNet, in earlier measurements of such pools. With another time, a
# machine whose CPUs are slower can have the same balance of decoding and inference.
SERVICE_MS: Final = 2.6
