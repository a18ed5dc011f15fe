"""Pairs of records → persons: the strongest pairs join first, unless a person decided otherwise or the records contradict.

Pure functions on tables. A pair has a state: auto (the engine is sure) and same (a person said so) join; review waits;
different (a person said so) and apart (the records contradict each other; no probability) keep two records from ever
standing in one person. A chain is weak where too few of the pairs between its halves are alike: it is not closed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

JOINING = ("auto", "same")
DECIDED_DIFFERENT, WEAK_CHAIN = "decided_different", "weak_chain"


@dataclass(frozen=True)
class Clusters:
    """members : record_id, cluster (a number), pair (position of its strongest pair); only records that meet another.
    held_back : {position of a joining pair that could not join: why}"""

    members: pd.DataFrame
    held_back: dict[int, str]


def make_clusters(pairs: pd.DataFrame, *, least_linked: float = 0.5) -> Clusters:
    """Group the records of joining pairs so that no group holds two records that are kept apart.

    Parameters
    ----------
    pairs : one row per pair with record_a, record_b, weight (strength; missing is the weakest), state, contradiction (why two
        alike records cannot be of one person; "" if they can) and, where there are decisions, decision_number (a later one goes first)
    least_linked : share of the pairs between two groups that must be alike before a pair of the engine joins them
    """
    records, (left, right) = _numbered(pairs)
    joining = pairs["state"].isin(JOINING).to_numpy()
    component = _components(len(records), left[joining], right[joining])
    cluster = component.copy()
    held: dict[int, str] = {}
    if len(pairs):
        size = np.bincount(component, minlength=len(records))
        inside = component[left] == component[right]
        rows = np.flatnonzero(inside & (size[component[left]] > 2))
        _close_groups(pairs, rows, left, right, component, cluster, held, least_linked)
    return Clusters(_members(records, cluster, left, right, pairs), held)


def _numbered(pairs: pd.DataFrame) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """The sorted record ids, and each pair as two positions in them."""
    both = pd.concat([pairs["record_a"], pairs["record_b"]], ignore_index=True).astype(object)
    codes, records = pd.factorize(both, sort=True)
    return np.asarray(records, dtype=object), (codes[: len(pairs)], codes[len(pairs) :])


def connected_records(pairs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The records of these pairs (record_a, record_b), sorted, and the number of the connected group of each."""
    records, (left, right) = _numbered(pairs)
    return records, _components(len(records), left, right)


def _components(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not count:
        return np.zeros(0, dtype=np.int64)
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _close_groups(
    pairs: pd.DataFrame,
    rows: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    component: np.ndarray,
    cluster: np.ndarray,
    held: dict[int, str],
    least_linked: float,
) -> None:
    """Grow the groups of every component of more than two records; two records have nothing to contradict them."""
    if not len(rows):
        return
    ordered = rows[_strongest_first(pairs.iloc[rows], left[rows], right[rows])]
    ordered = ordered[np.argsort(component[left[ordered]], kind="stable")]
    groups = component[left[ordered]]
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    states, why = pairs["state"].to_numpy(object), pairs["contradiction"].fillna("").to_numpy(object)
    next_number = int(component.max()) + 1
    for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
        place = ordered[start:end].tolist()
        one = _Component(
            left[place].tolist(), right[place].tolist(), [states[p] for p in place], [why[p] for p in place]
        )
        for group in one.grow(place, held, least_linked):
            cluster[group] = next_number
            next_number += 1


def _strongest_first(pairs: pd.DataFrame, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Order: what persons decided (the latest first), then the weight; ties by the records, so that a run repeats itself."""
    decided = pairs["decision_number"] if "decision_number" in pairs else pd.Series(np.nan, index=pairs.index)
    same = pairs["state"].eq("same").to_numpy()
    weight = pd.to_numeric(pairs["weight"]).fillna(-np.inf).to_numpy()
    latest = np.where(same, pd.to_numeric(decided).fillna(0).to_numpy(), 0)
    return np.lexsort((right, left, -weight, -latest, ~same))


class _Component:
    """One connected component; pairs stand in the order in which they may join."""

    def __init__(self, left: list[int], right: list[int], states: list[str], why: list[str]) -> None:
        self.pairs = list(zip(left, right, states, strict=True))
        self.never = {_key(a, b) for a, b, state in self.pairs if state == "different"}
        self.apart = {_key(a, b): reason for (a, b, state), reason in zip(self.pairs, why, strict=True)
                      if state not in ("same", "different") and (reason or state == "apart")}  # fmt: skip
        self.alike = {_key(a, b) for a, b, state in self.pairs if state not in ("different", "apart")}

    def grow(self, place: list[int], held: dict[int, str], least_linked: float) -> Iterable[list[int]]:
        """The groups of more than one record; pairs that could not join are noted in `held`."""
        group = {record: [record] for a, b, state in self.pairs if state in JOINING for record in (a, b)}
        waiting: list[tuple[int, int, int]] = []
        for at, (a, b, state) in zip(place, self.pairs, strict=True):
            if state not in JOINING or group[a] is group[b]:
                continue
            reason = self._objection(group[a], group[b], least_linked, forced=state == "same")
            if reason:
                waiting.append((at, a, b))
                held[at] = reason
                continue
            self._join(group, a, b)
        for at, a, b in waiting:
            if group[a] is group[b]:  # joined through others since
                held.pop(at, None)
        return list({id(members): members for members in group.values()}.values())

    def _objection(self, one: list[int], other: list[int], least_linked: float, *, forced: bool) -> str:
        """Why two groups may not be one person; "" if nothing speaks against it."""
        between = [_key(a, b) for a in one for b in other]
        if self.never and any(pair in self.never for pair in between):
            return DECIDED_DIFFERENT
        if forced:
            return ""
        for pair in between:
            if pair in self.apart:
                return self.apart[pair] or WEAK_CHAIN
        linked = sum(pair in self.alike for pair in between)
        return "" if linked >= least_linked * len(between) else WEAK_CHAIN

    @staticmethod
    def _join(group: dict[int, list[int]], a: int, b: int) -> None:
        members = group[a] + group[b]
        for record in members:
            group[record] = members


def _key(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def _members(
    records: np.ndarray, cluster: np.ndarray, left: np.ndarray, right: np.ndarray, pairs: pd.DataFrame
) -> pd.DataFrame:
    """The records of groups of two or more, each with the strongest joining pair that holds it there."""
    joined = np.flatnonzero(pairs["state"].isin(JOINING).to_numpy() & (cluster[left] == cluster[right]))
    order = joined[_strongest_first(pairs.iloc[joined], left[joined], right[joined])]
    ends = pd.DataFrame({"record": np.concatenate([left[order], right[order]]), "pair": np.tile(order, 2),
                         "rank": np.tile(np.arange(len(order)), 2)})  # fmt: skip
    best = ends.sort_values("rank", kind="stable").drop_duplicates("record").sort_values("record")
    at = best["record"].to_numpy(dtype=np.int64)
    return pd.DataFrame({"record_id": records[at], "cluster": cluster[at], "pair": best["pair"].to_numpy()})


def stable_ids(members: pd.DataFrame, earlier: pd.DataFrame, *, taken: Iterable[str] = ()) -> pd.Series:
    """person_id of each row of `members` (record_id, cluster): the one that most of its records had before, else a new one.

    earlier : record_id, person_id of the last run; taken : further ids that are in use. An old id goes to one person only; a new one is "P" and the smallest
    record id of the person whose id was never given.
    """
    if members.empty:
        return pd.Series(dtype="str")
    first = members.groupby("cluster")["record_id"].min()
    seen = members[["record_id", "cluster"]].merge(earlier[["record_id", "person_id"]], on="record_id")
    kept = seen.groupby(["cluster", "person_id"], as_index=False).size()
    kept = kept.assign(first=kept["cluster"].map(first))
    kept = kept.sort_values(["size", "person_id", "first"], ascending=[False, True, True], kind="stable")
    kept = kept.drop_duplicates("person_id").drop_duplicates("cluster").set_index("cluster")["person_id"]
    new = "P" + first
    ids = pd.Series(first.index, index=first.index).map(kept)
    used = {*earlier["person_id"], *taken}
    clash = ids.isna() & new.isin(used)
    ids = ids.fillna(new.where(~clash))
    for number in ids.index[ids.isna()]:
        ids[number] = _unused(sorted(members.loc[members["cluster"] == number, "record_id"]), used)
    return members["cluster"].map(ids).astype("str")


def _unused(records: list[str], used: set[str]) -> str:
    """ "P" and a record id that no person has had; where all were had, the first one marked."""
    for record in records:
        if f"P{record}" not in used:
            return f"P{record}"
    name = f"P{records[0]}"
    while name in used:
        name += "+"
    return name
