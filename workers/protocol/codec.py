"""Dataclasses as plain arrays and back, checked against their annotations: [tag, field, ...]."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from reprlib import repr as short  # of rubbish of any size and depth
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from workers.errors import WireError

Decoder = Callable[[Any], Any]


class Schema:
    """The dataclasses `tagged`, each known by its place there; tuples are arrays, too."""

    def __init__(self, tagged: tuple[type[Any], ...]) -> None:
        self._tag_of: Final = {kind: tag for tag, kind in enumerate(tagged)}
        self._names_of: Final = {kind: tuple(f.name for f in fields(kind)) for kind in tagged}
        # Once per annotation: a message has thousands of values.
        self.decoder: Callable[[Any], Decoder] = cache(self._decoder)
        self._field_decoders: Callable[[type], tuple[Decoder, ...]] = cache(self._of_fields)

    def plain(self, value: Any) -> list[Any]:
        """Give a dataclass as [tag, field, ...], the fields as they are; TypeError for others.

        msgpack asks for it again where a field holds dataclasses, and packs tuples itself.
        """
        tag = self._tag_of.get(type(value))
        if tag is None:
            raise TypeError(f"{type(value).__name__} is no part of a message")
        return [tag, *[getattr(value, name) for name in self._names_of[type(value)]]]

    def _decoder(self, kind: Any) -> Decoder:
        """Build the function that checks a raw value and converts it to the annotation `kind`."""
        if kind in self._tag_of:
            return self._one_of((kind,))
        origin, args = get_origin(kind), get_args(kind)
        if origin is tuple and args[-1] is Ellipsis:
            return _sequence(self.decoder(args[0]))
        if origin is tuple:
            return _fixed(tuple(self.decoder(arg) for arg in args))
        if origin in (Union, types.UnionType):
            return self._union(args)
        return _scalar(kind)

    def _union(self, args: tuple[Any, ...]) -> Decoder:
        if types.NoneType not in args:
            return self._one_of(args)
        present = tuple(arg for arg in args if arg is not types.NoneType)
        inner = self.decoder(present[0]) if len(present) == 1 else self._one_of(present)
        return lambda raw: None if raw is None else inner(raw)

    def _one_of(self, kinds: tuple[type[Any], ...]) -> Decoder:
        allowed = {self._tag_of[kind]: kind for kind in kinds}

        def check(raw: Any) -> Any:
            tag = raw[0] if type(raw) is list and raw else None
            if type(tag) is not int or tag not in allowed:
                raise WireError(f"expected one of {[k.__name__ for k in kinds]}, got {short(raw)}")
            kind = allowed[tag]
            parts = self._field_decoders(kind)
            if len(raw) != len(parts) + 1:
                raise WireError(f"{kind.__name__} has {len(parts)} fields, got {len(raw) - 1}")
            named = zip(self._names_of[kind], parts, raw[1:], strict=True)
            return kind(**{name: part(value) for name, part, value in named})

        return check

    def _of_fields(self, kind: type[Any]) -> tuple[Decoder, ...]:
        hints = get_type_hints(kind)
        return tuple(self.decoder(hints[name]) for name in self._names_of[kind])


def _scalar(kind: type) -> Decoder:
    def check(raw: Any) -> Any:
        if type(raw) is not kind:  # not isinstance: True is no int here
            raise WireError(f"expected {kind.__name__}, got {short(raw)}")
        return raw

    return check


def _sequence(part: Decoder) -> Decoder:
    def check(raw: Any) -> Any:
        if type(raw) is not list:
            raise WireError(f"expected an array, got {short(raw)}")
        return tuple([part(value) for value in raw])

    return check


def _fixed(parts: tuple[Decoder, ...]) -> Decoder:
    def check(raw: Any) -> Any:
        if type(raw) is not list or len(raw) != len(parts):
            raise WireError(f"expected an array of {len(parts)}, got {short(raw)}")
        return tuple([part(value) for part, value in zip(parts, raw, strict=True)])

    return check
