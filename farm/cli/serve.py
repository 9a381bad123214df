"""`npu-farm serve`: what its command line means."""

from __future__ import annotations

from importlib.util import find_spec
from types import ModuleType
from typing import Final

from farm.config.schema import FarmConfig
from farm.errors import ConfigError
from workers.shell import shell_command

NEEDED: Final = ("starlette", "uvicorn", "httptools", "python_multipart", "prometheus_client")


def serving() -> ModuleType:
    """Return farm.serving.life; raises ConfigError with what to install if its packages lack."""
    lacking = [name for name in NEEDED if find_spec(name) is None]
    if lacking:
        install = shell_command("pip install 'npu-farm[serve]'")
        raise ConfigError(f"`serve` needs {', '.join(lacking)}, not installed here:\n  {install}")
    from farm.serving import life

    return life


def name_of(config: FarmConfig) -> str:
    """Return the model's name: its file's stem, or the task's where there is no file."""
    return config.task if config.model is None else config.model.stem
