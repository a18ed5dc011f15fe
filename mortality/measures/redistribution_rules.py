"""Packages of the catalog, compiled onto the axes of an array: which cell may give its deaths to which cause.

The last axis holds classes of codes: codes that share the item of a cause list, the packages that they belong to, and the
limits of sex and age. Without a cause list every code is a class of its own.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.icd import normalise_code
from mortality.measures.redistribution_limits import (
    NO_CODE,
    age_span,
    allowed_classes,
    applies,
    edit_limits,
    holds,
    sex_meant,
)
from mortality.validation.code_ranges import ranges_of
from tkyt_analysis.catalog.redistribution import Redistribution, RedistributionPackage, Weights
from tkyt_analysis.errors import InputError, UsageError

DEFAULT_PACKAGES = "vn_2026"
DEFAULT_GARBAGE = "garbage_cdc_2021"
METHODS = ("proportional", "regression")
_USABLE = "USABLE"


@dataclass(frozen=True)
class RedistributionRules:
    """Packages on the axes (sexes, ages, causes).

    causes, items : (C,) a class of codes (its first code), and the item that it is shown under
    source : (S, A, C) the package that takes the class's deaths away, -1 for none
    pools : (S, A, C, J) may pool j (a group of targets) give deaths to the class, in this sex and age?
    pool_package, pool_weight : (J,) the package of each pool and the pool's weight in it
    garbage : (C,) is the class garbage by the list of garbage codes?
    """

    id: str
    causes: tuple[str, ...]
    items: tuple[str, ...]
    sexes: tuple[str, ...]
    ages: tuple[str, ...]
    packages: tuple[str, ...]
    weights: tuple[str, ...]
    stage: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    pools: npt.NDArray[np.bool_]
    pool_package: npt.NDArray[np.int64]
    pool_weight: npt.NDArray[np.float64]
    garbage: npt.NDArray[np.bool_]
    code_class: Mapping[str, int]

    def class_of(self, codes: pd.Series) -> npt.NDArray[np.int64]:
        """The place of each code on the last axis. Raises InputError for a code that the rules were not made for."""
        number, distinct = pd.factorize(codes.fillna(NO_CODE).astype("str"))
        missing = [one for one in distinct if _written(one) not in self.code_class]
        if missing:
            raise InputError("error.redistribution_code", found=", ".join(missing[:10]))
        return np.array([self.code_class[_written(one)] for one in distinct], dtype=np.int64)[number]


def load_packages(name: str = DEFAULT_PACKAGES, *, day: datetime.date | None = None) -> Redistribution:
    """The set `data_catalog/redistribution/<name>.yaml`; InputError where it does not hold on `day`."""
    from tkyt_analysis.catalog.loader import load_entry

    entry: Redistribution = load_entry("redistribution", name)
    if day is not None and not entry.valid.holds(day):
        raise InputError("catalog.no_value_at", entry=name, day=day, first=entry.valid.from_)
    return entry


def redistribution_rules(
    codes: Iterable[str],
    packages: str | Redistribution = DEFAULT_PACKAGES,
    *,
    sexes: Sequence[str] = ("male", "female"),
    ages: Sequence[str],
    cause_list: str | None = None,
    garbage: str | None = DEFAULT_GARBAGE,
    method: str | None = None,
) -> RedistributionRules:
    """The packages on the axes of an array of deaths.

    codes : every ICD-10 code that occurs; a missing one is ""
    sexes : male | female | both (no limit of sex) | unknown (no cause of one sex is a target)
    ages : groups such as "0", "1-4", "85+", "all", "unknown"; a group may take every cause that some age in it may have
    cause_list : the list whose items the result is told by; None: single codes
    garbage : the list of garbage codes, for the reason of those that no package names
    method : proportional | regression in place of what the packages without fixed weights say
    Raises InputError where two packages claim a code for the same sex and age.
    """
    entry = _with_method(load_packages(packages) if isinstance(packages, str) else packages, method)
    table = _codes(codes, entry, cause_list, garbage)
    number = table.groupby(list(table.columns), sort=False).ngroup()
    rows = table[~number.duplicated()]
    spans = [age_span(age) for age in ages]
    meant = [sex_meant(sex) for sex in sexes]
    pools, package, weight = _pools(entry, rows["targets"], meant, spans)
    allowed = allowed_classes(rows["limits"], meant, spans)
    names = tuple(entry.packages)
    return RedistributionRules(
        id=entry.id, causes=tuple(rows.index), items=tuple(rows["item"]), sexes=tuple(sexes), ages=tuple(ages),
        packages=names, weights=tuple(entry.packages[name].weights for name in names),
        stage=np.array([entry.packages[name].stage for name in names], dtype=np.int64),
        source=_source(entry, rows["sources"], meant, spans), pools=pools & allowed[..., None], pool_package=package,
        pool_weight=weight, garbage=rows["garbage"].to_numpy(bool), code_class=dict(zip(table.index, number, strict=True)),
    )  # fmt: skip


def _with_method(entry: Redistribution, method: str | None) -> Redistribution:
    if method is None:
        return entry
    if method not in METHODS:
        raise UsageError("error.redistribution_method", found=method, known=", ".join(METHODS))
    changed = {
        name: one if one.weights == "fixed" else replace(one, weights=cast(Weights, method))
        for name, one in entry.packages.items()
    }
    return replace(entry, packages=changed)


# ---- codes


def _written(code: str) -> str:
    return normalise_code(code) if code else NO_CODE


def _codes(codes: Iterable[str], entry: Redistribution, cause_list: str | None, garbage: str | None) -> pd.DataFrame:
    """Per distinct code: item, sources (packages), targets (package, group), limits, garbage."""
    index = pd.Index(dict.fromkeys([_written(str(one)) for one in codes]), dtype="str")
    table = pd.DataFrame(index=index)
    table["item"] = _items(index, cause_list)
    table["sources"] = [_sources_of(code, entry) for code in index]
    table["targets"] = [_targets_of(code, entry) if not taken else () for code, taken in zip(index, table["sources"])]
    table["limits"] = [tuple(n for n, one in enumerate(edit_limits()) if code in one.ranges) for code in index]
    table["garbage"] = _is_garbage(index, garbage)
    if cause_list is None:
        table["code"] = index
    return table


def _items(index: pd.Index, cause_list: str | None) -> npt.NDArray[np.object_]:
    if cause_list is None:
        return index.to_numpy(dtype=object)
    from mortality.tabulation.cause_lists import load_cause_list

    return load_cause_list(cause_list).item_of(pd.Series(index, dtype="str")).to_numpy(dtype=object)


def _is_garbage(index: pd.Index, garbage: str | None) -> npt.NDArray[np.bool_]:
    if garbage is None:
        return np.zeros(len(index), bool)
    from mortality.garbage import load_garbage_list

    return (load_garbage_list(garbage).category_of(pd.Series(index, dtype="str")) != _USABLE).to_numpy(bool)


def _sources_of(code: str, entry: Redistribution) -> tuple[int, ...]:
    """The packages that take the code; a category that lies in none as a whole goes where its ".9" does."""
    found: tuple[int, ...] = ()
    for written in (code, f"{code}.9") if len(code) == 3 else (code,):
        found = found or tuple(
            number
            for number, package in enumerate(entry.packages.values())
            if (package.without_code if written == NO_CODE else written in ranges_of(package.sources))
        )
    return found


def _targets_of(code: str, entry: Redistribution) -> tuple[tuple[int, int], ...]:
    """(package, group of targets) that may give to the code; none for a code that never is an underlying cause."""
    if not code or not _may_be_target(code) or (entry.never_targets and code in ranges_of(entry.never_targets)):
        return ()
    return tuple(
        (number, group)
        for number, package in enumerate(entry.packages.values())
        for group, target in enumerate(package.targets)
        if code in ranges_of(target.codes) and not (target.except_ and code in ranges_of(target.except_))
    )


def _may_be_target(code: str) -> bool:
    from mortality.icd import is_valid_code
    from mortality.tabulation.partition import never_underlying

    return is_valid_code(code) and code[:1] not in ("S", "T", "Z") and code not in never_underlying()


# ---- packages


def _source(
    entry: Redistribution, sources: pd.Series, sexes: Sequence[str], spans: list[tuple[float, float]]
) -> npt.NDArray[np.int64]:
    packages = list(entry.packages.values())
    taken = [np.array([[applies(one, sex, span) for span in spans] for sex in sexes]) for one in packages]
    result = np.full((len(sexes), len(spans), len(sources)), -1, dtype=np.int64)
    for place, (code, numbers) in enumerate(sources.items()):
        for number in numbers:
            again = taken[number] & (result[:, :, place] >= 0)
            if again.any():
                names = list(entry.packages)
                other = names[int(result[:, :, place][again][0])]
                raise InputError("error.redistribution_overlap", packages=entry.id, code=code, first=other, second=names[number])  # fmt: skip
            result[:, :, place][taken[number]] = number
    return result


def _pools(
    entry: Redistribution, targets: pd.Series, sexes: Sequence[str], spans: list[tuple[float, float]]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """(S, A, C, J) members, (J,) package, (J,) weight. The groups of a proportional package are one pool."""
    pools, package, weight = [], [], []
    for number, one in enumerate(entry.packages.values()):
        groups = (
            [list(range(len(one.targets)))] if one.weights == "proportional" else [[n] for n in range(len(one.targets))]
        )
        for group in groups:
            pools.append(_members(number, group, one, targets, sexes, spans))
            package.append(number)
            weight.append(1.0 if one.weights == "proportional" else one.targets[group[0]].weight or 1.0)
    return np.stack(pools, axis=-1), np.array(package, dtype=np.int64), np.array(weight, dtype=float)


def _members(
    number: int, groups: list[int], package: RedistributionPackage, targets: pd.Series, sexes: Sequence[str],
    spans: list[tuple[float, float]],
) -> npt.NDArray[np.bool_]:  # fmt: skip
    members = np.zeros((len(sexes), len(spans), len(targets)), bool)
    for group in groups:
        target = package.targets[group]
        last = np.inf if target.age_to is None else target.age_to
        of_group = np.array([[holds(target.sex, target.age_from, last, sex, span) for span in spans] for sex in sexes])
        inside = np.array([(number, group) in of_code for of_code in targets], dtype=bool)
        members |= of_group[:, :, None] & inside
    return members
