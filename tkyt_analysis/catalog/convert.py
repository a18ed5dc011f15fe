"""YAML data → frozen dataclasses, strictly: every mistake becomes one sentence with file and key."""

from __future__ import annotations

import dataclasses
import datetime
import types
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from tkyt_analysis.labels import label

MISSING = dataclasses.MISSING


class DuplicateKeyLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that keeps quiet about nothing: a key written twice is an error."""


def _construct_mapping(loader: Any, node: Any) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in result:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)
    return result


DuplicateKeyLoader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def read_yaml(path: Path) -> tuple[Any, list[str]]:
    """(data, problems) of one YAML file."""
    try:
        return yaml.load(path.read_text("utf-8"), Loader=DuplicateKeyLoader), []
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        problem = getattr(error, "problem", None) or str(error)
        return None, [label("catalog.not_yaml", file=path.name, line=line, problem=problem)]
    except UnicodeDecodeError:
        return None, [label("catalog.not_utf8", file=path.name)]


class Converter:
    """Turns plain data into a dataclass and collects every mistake on the way.

    A dataclass may have a `problems(self) -> list[tuple[str, str, dict]]` method: (key, label key, fields) of
    the rules that its types cannot say.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.found: list[str] = []

    def problem(self, key: str, name: str, **fields: Any) -> None:
        self.found.append(label(name, file=self.file, key=key, **fields))

    def convert(self, expected: Any, value: Any, key: str) -> Any:
        """`value` as `expected`, or None with a problem noted."""
        origin = get_origin(expected)
        if expected is Any:
            return value
        if origin in (Union, types.UnionType):
            return self._union(expected, value, key)
        if origin is Literal:
            return self._choice(get_args(expected), value, key)
        if dataclasses.is_dataclass(expected) and isinstance(expected, type):
            return self._object(expected, value, key)
        if origin is tuple:
            return self._list(get_args(expected)[0], value, key)
        if origin in (Mapping, dict):
            return self._mapping(get_args(expected), value, key)
        return self._scalar(expected, value, key)

    def _union(self, expected: Any, value: Any, key: str) -> Any:
        options = [option for option in get_args(expected) if option is not type(None)]
        if value is None and len(options) < len(get_args(expected)):
            return None
        return self.convert(options[0], value, key)

    def _choice(self, choices: tuple[Any, ...], value: Any, key: str) -> Any:
        if value in choices:
            return value
        self.problem(key, "catalog.not_a_choice", value=value, choices=", ".join(map(str, choices)))
        return None

    def _object(self, expected: type, value: Any, key: str) -> Any:
        if not isinstance(value, dict):
            self.problem(key, "catalog.not_a_block", value=value)
            return None
        hints, fields = _shape(expected)
        known = {_yaml_name(name): name for name in fields}
        before = len(self.found)
        for name in value:
            if name not in known:
                self.problem(f"{key}.{name}".strip("."), "catalog.unknown_key", choices=", ".join(known))
        arguments = {}
        for written, name in known.items():
            where = f"{key}.{written}".strip(".")
            if written in value:
                arguments[name] = self.convert(hints[name], value[written], where)
            elif fields[name].default is MISSING and fields[name].default_factory is MISSING:
                self.problem(where, "catalog.missing_key")
        if len(self.found) > before:
            return None
        result = expected(**arguments)
        for inner, name, more in getattr(result, "problems", list)():
            self.problem(f"{key}.{inner}".strip("."), name, **more)
        return result

    def _list(self, item: Any, value: Any, key: str) -> Any:
        if isinstance(value, str) and item is str:
            return (value,)
        if not isinstance(value, list):
            self.problem(key, "catalog.not_a_list", value=value)
            return None
        return tuple(self.convert(item, part, f"{key}[{number}]") for number, part in enumerate(value))

    def _mapping(self, arguments: tuple[Any, ...], value: Any, key: str) -> Any:
        if not isinstance(value, dict):
            self.problem(key, "catalog.not_a_block", value=value)
            return None
        key_type, value_type = arguments
        return {
            self.convert(key_type, name, f"{key}.{name}"): self.convert(value_type, part, f"{key}.{name}")
            for name, part in value.items()
        }

    def _scalar(self, expected: type, value: Any, key: str) -> Any:
        if expected is str and isinstance(value, (int, float, bool, datetime.date)):
            self.problem(key, "catalog.unquoted", value=value)
            return None
        if expected is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, expected) and not (expected is int and isinstance(value, bool)):
            return value
        names = {str: "text", int: "whole number", float: "number", bool: "true/false", datetime.date: "date"}
        self.problem(key, "catalog.wrong_type", value=value, expected=names.get(expected, expected.__name__))
        return None


@cache
def _shape(expected: type) -> tuple[dict[str, Any], dict[str, Any]]:
    return get_type_hints(expected), {field.name: field for field in dataclasses.fields(expected)}


def _yaml_name(field: str) -> str:
    """`from_` in code is `from` in YAML."""
    return field.rstrip("_")
