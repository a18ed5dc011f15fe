"""What is to be pushed: values of a file or a release, checked against the caller's scope, in chunks that always come out alike."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.errors import InputError
from tkyt_analysis.gateway.answers import is_true, read_json

Value = dict[str, str]
KEY = ("dataSet", "period", "orgUnit", "dataElement", "categoryOptionCombo", "attributeOptionCombo")
VALUES_PER_CHUNK = 2_000


@dataclass(frozen=True)
class Chunk:
    """Values of one data set, as the bytes that are sent. `sha256` is that of the bytes."""

    data_set: str
    values: tuple[Value, ...]
    body: bytes

    @property
    def sha256(self) -> str:
        """Fingerprint of the bytes."""
        return hashlib.sha256(self.body).hexdigest()


def make_chunks(values: Iterable[Value], *, size: int = VALUES_PER_CHUNK) -> list[Chunk]:
    """Values in the order of their keys, cut by data set and size. The same values give the same bytes.

    Each chunk names its data set: DHIS2 2.43 refuses a whole chunk in which an element of two data sets leaves it open.
    Raises InputError where a key stands twice with different values.
    """
    by_key: dict[tuple[str, ...], Value] = {}
    for value in values:
        key = tuple(value.get(name, "") for name in KEY)
        if by_key.setdefault(key, value)["value"] != value["value"]:
            raise InputError("error.push_contradicting", element=key[3], unit=key[2], period=key[1])
    if not by_key:
        raise InputError("error.push_nothing")
    chunks: list[Chunk] = []
    waiting: list[Value] = []
    for key in sorted(by_key):
        if waiting and (waiting[0].get("dataSet", "") != key[0] or len(waiting) >= size):
            chunks.append(_chunk(waiting))
            waiting = []
        waiting.append(by_key[key])
    return [*chunks, _chunk(waiting)]


def _chunk(values: list[Value]) -> Chunk:
    data_set = values[0].get("dataSet", "")
    rows = [{name: text for name, text in value.items() if text and name != "dataSet"} for value in values]
    content: dict[str, Any] = ({"dataSet": data_set} if data_set else {}) | {"dataValues": rows}
    return Chunk(data_set, tuple(values), json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def payload_id(chunks: list[Chunk]) -> str:
    """The name of a payload: what was tried and what is sent are the same where these are the same."""
    return hashlib.sha256("".join(chunk.sha256 for chunk in chunks).encode()).hexdigest()[:16]


# ---------------------------------------------------------------------------------------------------------------- files


def read_file(path: Path) -> list[Value]:
    """Values of a DHIS2 JSON or CSV file. Deleted values are not pushed. Raises InputError."""
    try:
        body = path.read_bytes()
    except OSError:
        raise InputError("error.path_missing", path=path) from None
    values = _from_json(body, path) if body.lstrip()[:1] == b"{" else list(_from_csv(body, path))
    for number, value in enumerate(values, start=1):
        missing = [name for name in ("dataElement", "period", "orgUnit", "value") if not value.get(name)]
        if missing:
            raise InputError("error.push_incomplete", file=path.name, number=number, missing=", ".join(missing))
    return values


def _from_json(body: bytes, path: Path) -> list[Value]:
    content = read_json(body, where=path.name)
    above = {
        name: content[name] for name in ("dataSet", "period", "orgUnit", "attributeOptionCombo") if content.get(name)
    }
    rows = [above | row for row in content.get("dataValues") or [] if not is_true(row.get("deleted"))]
    return [_value(row) for row in rows]


def _from_csv(body: bytes, path: Path) -> Iterator[Value]:
    from tkyt_analysis.ingest.dhis2_values import CSV_NAMES, _folded_header

    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig")))
        names = [CSV_NAMES.get(_folded_header(cell), "") for cell in next(reader, [])]
    except UnicodeDecodeError:
        names = []
    if not {"dataElement", "period", "orgUnit", "value"} <= set(names):
        raise InputError("error.push_file", file=path.name)
    for cells in reader:
        row = dict(zip(names, cells))
        if any(cells) and not is_true(row.get("deleted")):
            yield _value(row)


def _value(row: dict[str, Any]) -> Value:
    names = (
        "dataSet",
        "dataElement",
        "period",
        "orgUnit",
        "categoryOptionCombo",
        "attributeOptionCombo",
        "value",
        "comment",
    )
    return {name: _as_text(row[name]) for name in names if row.get(name) not in (None, "")}


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# -------------------------------------------------------------------------------------------------------------- release


def read_release(
    home: Path,
    release_id: str | None,
    *,
    datasets: tuple[str, ...] = (),
    periods: tuple[str, ...] = (),
    units: tuple[str, ...] = (),
    attributes: frozenset[str] = frozenset(),
) -> list[Value]:
    """Numeric values of a release with the server's identifiers.

    units : our unit ids; attributes : attribute option combinations of the server, which tell a lone `category_id` apart
    """
    from tkyt_analysis.exchange.write import combos, release_values
    from tkyt_analysis.ingest.numbers import plain_number
    from tkyt_analysis.reference.period_words import to_dhis2
    from tkyt_analysis.warehouse.release import Release

    uids = {unit: uid for uid, unit in read_known(home).units.items()}
    values: list[Value] = []
    for page in release_values(Release(home, release_id), datasets=datasets, periods=periods, units=units):
        for row in page.itertuples(index=False):
            category, attribute = combos(row.category_id or "")
            if category in attributes and not attribute:
                category, attribute = "", category
            if row.unit_id not in uids:
                raise InputError("error.push_unit_unknown", found=row.unit_id)
            values.append(_value({
                "dataSet": row.dataset_id, "dataElement": row.element_id, "period": to_dhis2(row.period_id),
                "orgUnit": uids[row.unit_id], "categoryOptionCombo": category, "attributeOptionCombo": attribute,
                "value": plain_number(row.value),
            }))  # fmt: skip
    return values


# ---------------------------------------------------------------------------------------------------------------- scope


@dataclass(frozen=True)
class Known:
    """What the home knows of a server: {DHIS2 identifier: unit_id}, and names for messages by DHIS2 identifier."""

    units: dict[str, str]
    unit_names: dict[str, str]
    element_names: dict[str, str]


def read_known(home: Path) -> Known:
    """Units and elements that this home has received from DHIS2."""
    from tkyt_analysis.access.door import working_within
    from tkyt_analysis.warehouse.lake import Warehouse

    units = (
        "SELECT a.alias, any_value(a.unit_id), coalesce(any_value(u.name), '') FROM lake.unit_alias a "
        "LEFT JOIN lake.organisation_unit u USING (unit_id) WHERE a.source = 'DHIS2' GROUP BY 1"
    )
    with working_within(), Warehouse(home) as warehouse:
        rows = warehouse.con.execute(units).fetchall()
        names = warehouse.con.execute("SELECT element_id, any_value(name) FROM lake.data_element GROUP BY 1").fetchall()
    return Known({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows}, dict(names))


def require_scope(home: Path, values: Iterable[Value], known: Known) -> None:
    """Every unit of the values lies in the caller's scope; a unit that the home does not know can lie in no scope."""
    for uid in sorted({value["orgUnit"] for value in values}):
        if uid not in known.units:
            raise InputError("error.push_unit_unknown", found=uid)
        require(home, "push", place=known.units[uid])
