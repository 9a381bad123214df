"""Packages that only some commands need: what is missing is told with what installs it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from farm.errors import ConfigError
from workers.shell import shell_command

SERVE: Final = "serve"
CLUSTER: Final = "cluster"
NEEDED: Final = {
    SERVE: ("starlette", "uvicorn", "httptools", "python_multipart", "prometheus_client"),
    CLUSTER: ("nats", "nkeys", "prometheus_client"),
}


def check_packages(command: str, extra: str) -> None:
    """Raise ConfigError with what to install if a command lacks packages of an extra."""
    if lacking := [name for name in NEEDED[extra] if find_spec(name) is None]:
        install = shell_command(f"pip install 'npu-farm[{extra}]'")
        raise ConfigError(
            f"`{command}` needs {', '.join(lacking)}, not installed here:\n  {install}"
        )
