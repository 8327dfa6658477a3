"""Converts between dataclasses and the component's records, whose fields have hyphens."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from wasmtime.component import Record

T = TypeVar("T")


def to_component(value: Any) -> Any:
    """Converts a dataclass to a record. Returns all other values unchanged."""
    if is_dataclass(value) and not isinstance(value, type):
        record = Record()
        for one in fields(value):
            setattr(record, one.name.replace("_", "-"), to_component(getattr(value, one.name)))
        return record
    return value


def from_component(value: Any, kind: type[T]) -> T:
    """Converts a record to a dataclass."""
    hints = get_type_hints(kind)
    return kind(
        **{one: _read(getattr(value, one.replace("_", "-")), hint) for one, hint in hints.items()}
    )


def _read(value: Any, hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return None if value is None else _read(value, get_args(hint)[0])
    if get_origin(hint) is list:
        return [_read(item, get_args(hint)[0]) for item in value]
    return from_component(value, hint) if isinstance(hint, type) and is_dataclass(hint) else value
