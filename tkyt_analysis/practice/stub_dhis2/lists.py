"""Metadata lists: filters, fields, paging."""

from __future__ import annotations

import operator as operators
import re
from typing import Any

from tkyt_analysis.practice.stub_dhis2.store import Store

_COMPARE = {
    "le": operators.le, "lt": operators.lt, "ge": operators.ge, "gt": operators.gt, "eq": operators.eq,
}  # fmt: skip


class Params:
    """The parameters of a request; a name may stand several times."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def all(self, name: str) -> list[str]:
        """Every value of a name."""
        return [text for key, text in self.pairs if key == name]

    def one(self, name: str) -> str:
        """The last value of a name, "" without it."""
        return (self.all(name) or [""])[-1]

    def items(self, name: str) -> list[str]:
        """Values written one by one or with commas between them."""
        return [part for text in self.all(name) for part in text.split(",") if part]


def object_list(store: Store, name: str, params: Params) -> tuple[int, dict[str, Any]]:
    """One page of a list, or with paging=false all of it without a pager."""
    found = [one for one in store.lists[name] if all(_fits(one, text) for text in params.all("filter"))]
    fields = params.one("fields") or ("*" if name == "minMaxDataElements" else "id,displayName")
    if params.one("paging") == "false":
        return 200, {name: [selected_fields(one, fields) for one in found]}
    size, page = int(params.one("pageSize") or 50), int(params.one("page") or 1)
    pages = max(1, -(-len(found) // size))
    if page > pages:  # DHIS2 gives the last page again
        page = pages
    shown = found[(page - 1) * size : page * size]
    pager = {"page": page, "total": len(found), "pageSize": size, "pageCount": pages}
    return 200, {"pager": pager, name: [selected_fields(one, fields) for one in shown]}


def _fits(one: dict[str, Any], condition: str) -> bool:
    """`name:operator:value` with the operators that the tests of real apps use."""
    name, operator, value = condition.split(":", 2)
    found = one.get(name)
    if operator == "in":
        return str(found) in value.strip("[]").split(",")
    if operator in _COMPARE:
        if value.lstrip("-").isdigit():
            return bool(_COMPARE[operator](int(found or 0), int(value)))
        return bool(_COMPARE[operator](str(found or ""), value))
    if operator in ("like", "ilike"):
        return value.lower() in str(found or "").lower()
    return str(found or "").startswith(value) if operator == "startsWith" else True


def selected_fields(one: dict[str, Any], fields: str) -> dict[str, Any]:
    """The fields asked for, nested ones too; all of them for `:all`, `:owner`, `*` and nothing."""
    if not fields or re.search(r"^(\*|:all|:owner)", fields):
        return one
    chosen: dict[str, Any] = {}
    for name, inner in _parts(fields):
        value = one.get("name") if name == "displayName" and "displayName" not in one else one.get(name)
        if value is None:
            continue
        if inner and isinstance(value, dict):
            value = selected_fields(value, inner)
        elif inner and isinstance(value, list):
            value = [selected_fields(item, inner) if isinstance(item, dict) else item for item in value]
        chosen[name] = value
    return chosen


def _parts(fields: str) -> list[tuple[str, str]]:
    """`id,parent[id,name]` → [("id", ""), ("parent", "id,name")]."""
    parts: list[tuple[str, str]] = []
    depth, start = 0, 0
    for at, letter in enumerate(fields + ","):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            name, _, inner = fields[start:at].partition("[")
            parts.append((name.strip(), inner.removesuffix("]")))
            start = at + 1
    return parts
