"""A task of the user's: a function or a class of any module, and what it may return."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgpack
import numpy as np

import workers
from workers.errors import RuntimeFailure
from workers.images.fit import ImageInfo
from workers.protocol import startup as steps
from workers.protocol.messages import FILE_NAMES, LARGEST_OUTPUT, ItemError, Output
from workers.tasks.task import Answer, MakeTask, Model, Outputs

PLAIN: Final = "None, bool, int, float, str, bytes, and lists, tuples and dicts of them"
MOST_WORDS: Final = 1000  # characters of what an exception says
BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
# Beginnings of the files between the user's code and ours.
NOT_THEIRS: Final = (
    *(f"{Path(str(file)).parent}{os.sep}" for file in (workers.__file__, msgpack.__file__)),
    "msgpack/",  # its compiled part
    str(importlib.__file__),
    "<frozen importlib",
)


class OwnTask:
    """Calls `call(outputs, image)` for each image, with float32 arrays and an ImageInfo."""

    classes = 0

    def __init__(self, name: str, call: Callable[..., object], reading: str) -> None:
        self.reading = reading
        self._name, self._call = name, call

    def answer(self, images: Sequence[tuple[Outputs, ImageInfo]]) -> list[Answer | ItemError]:
        """See Task.answer; an exception ends its image alone."""
        return [self._answer(*image) for image in images]

    def _answer(self, outputs: Outputs, image: ImageInfo) -> Output | ItemError:
        try:
            return pack(self._call(floats(outputs), image))
        except BaseException as error:  # asyncio.CancelledError is no Exception, either
            return ItemError("task_failed", f"task {self._name}: {words_of(error)}")


def find(name: str, options: Mapping[str, Any]) -> MakeTask:
    """Import the function or class that `name`, module:name, stands for; raise RuntimeFailure.

    It is looked for in the current folder first, then where Python looks.
    """
    steps.begin(f"importing the task {name}")
    module, _, wanted = name.partition(":")
    try:
        folder = os.getcwd()
        if folder not in sys.path:
            sys.path.insert(0, folder)
        found = importlib.import_module(module)
        call = getattr(found, wanted, None)  # a module may have a __getattr__
        version = version_of(found)
    except BaseException as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            raise RuntimeFailure(
                f"task {name}: there is no module {error.name} in {folder}, nor where Python looks "
                "(PYTHONPATH, installed packages): start the farm in the folder that has it, or "
                "write PYTHONPATH=THAT-FOLDER before the command"
            ) from error
        raise RuntimeFailure(f"task {name} can't be imported: {words_of(error)}") from error
    if not callable(call):
        near = get_close_matches(wanted, dir(found), n=1)
        what = f"is a {type(call).__name__}" if hasattr(found, wanted) else "is not there"
        meant = f"; did you mean {near[0]}?" if near and near[0] != wanted else ""
        where = getattr(found, "__file__", None) or module
        raise RuntimeFailure(
            f"task {name}: a function or a class is needed, and in {where} {wanted} {what}{meant}"
        )
    return partial(make, name, call, options, version)


def version_of(module: ModuleType) -> str:
    """Return a module's name, with what tells its source from another's if it has one."""
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):  # it is built in, or compiled
        source = ""
    return f"{module.__name__} {sha256(source.encode()).hexdigest()[:12]}"


def make(
    name: str, call: Callable[..., Any], options: Mapping[str, Any], version: str, model: Model
) -> OwnTask:
    """Make the task for a model: an instance of a class, or a function with its options."""
    check_options(name, call, options)
    own_model = Model(model.path, floats(model.outputs), model.width, model.height)
    try:
        made = call(own_model, **options) if isinstance(call, type) else partial(call, **options)
    except BaseException as error:
        shapes = ", ".join(str(list(shape)) for shape in model.shapes)
        raise RuntimeFailure(
            f"task {name} can't be made for {model.path}, with outputs {shapes}: {words_of(error)}"
        ) from error
    if not callable(made):
        raise RuntimeFailure(
            f"task {name}: its instances can't be called; give the class a method "
            "__call__(self, outputs, image)"
        )
    return OwnTask(name, made, version)


def check_options(name: str, call: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise RuntimeFailure unless a function or class takes what it is called with."""
    try:
        signature = inspect.signature(call)
    except ValueError:  # it has none, as some of C
        return
    given = ("model",) if isinstance(call, type) else ("outputs", "image")
    parameters = list(signature.parameters.values())
    takes = [each.name for each in parameters[len(given) :] if each.kind in BY_NAME]
    if not any(each.kind is each.VAR_KEYWORD for each in parameters):
        for option in options.keys() - takes:
            near = get_close_matches(option, takes, n=1)
            known = f"did you mean {near[0]}?" if near else f"it takes {', '.join(takes) or 'none'}"
            raise RuntimeFailure(f"task {name} has no option {option}: {known}")
    try:
        signature.bind(*given, **options)
    except TypeError as error:
        raise RuntimeFailure(
            f"task {name} is called with {' and '.join(given)}, and task_options by name: {error}"
        ) from error


def floats(outputs: Outputs) -> Outputs:
    """Return a model's outputs as float32."""
    return tuple(np.asarray(output, np.float32) for output in outputs)


def pack(value: object) -> Output:
    """Return what a task has returned as it travels; raise TypeError or ValueError."""
    data = msgpack.packb(value, default=refuse, unicode_errors=FILE_NAMES)
    if len(data) > LARGEST_OUTPUT:
        raise ValueError(f"it returned {len(data)} bytes (msgpack), {LARGEST_OUTPUT} are the most")
    return Output(data)


def refuse(value: object) -> object:
    """Raise TypeError for a value that is no plain data, ValueError for too large an int."""
    if isinstance(value, int):
        raise ValueError("it returned an int of more than 64 bits; return it as a float or a str")
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    hint = ", as its .tolist() does" if isinstance(value, (np.ndarray, np.generic)) else ""
    raise TypeError(f"it returned a {kind}; return plain data{hint}: {PLAIN}")


def words_of(error: BaseException) -> str:
    """Return an exception in one line, with the place in the user's code that raised it."""
    try:
        said = " ".join(str(error).split())
    except BaseException as worse:
        said = f"(its words can't be told: {type(worse).__name__})"
    if len(said) > MOST_WORDS:
        said = f"{said[:MOST_WORDS]} ..."
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if not frame.filename.startswith(NOT_THEIRS)]
    where = f" ({places[-1].filename}, line {places[-1].lineno})" if places else ""
    text = f"{type(error).__name__}: {said}{where}" if said else f"{type(error).__name__}{where}"
    return text.encode("utf-8", "backslashreplace").decode()
