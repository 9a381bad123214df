"""The part of the build that pyproject.toml has no words for: the C library and its wheel's tag.

The library knows nothing of Python: ctypes loads it. So it needs a C compiler and none of Python's
headers, and one wheel for each kind of CPU serves all Pythons. Without a compiler, the wheel has no
library and is for every machine.
"""

from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext


class BuildLibrary(build_ext):
    """Builds the library under a name without a Python's version."""

    def get_ext_filename(self, fullname: str) -> str:
        """Return where it is in the package."""
        return f"{fullname.replace('.', '/')}.so"


class Wheel(bdist_wheel):
    """Builds a wheel for any Python 3."""

    def get_tag(self) -> tuple[str, str, str]:
        """Return Python, ABI and machine; this is called when everything is built."""
        built = all(
            map(Path.exists, map(Path, self.get_finalized_command("build_ext").get_outputs()))
        )
        return "py3", "none", super().get_tag()[2] if built else "any"


setup(
    ext_modules=[
        Extension(
            "workers.images.libarea",
            ["workers/images/area.c"],
            # Last on the command line, so that no flag of Python's own or of $CFLAGS rounds
            # in another way than OpenCV.
            extra_compile_args=["-O3", "-fno-fast-math", "-ffp-contract=off", "-g0"],
            extra_link_args=["-fno-fast-math"],  # else it would change all arithmetic of a worker
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildLibrary, "bdist_wheel": Wheel},
)
