"""The forms in which people hold neighbours, read into one sparse matrix of links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.spatial.weights import some_of
from tkyt_analysis.errors import InputError, UsageError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_PAIRS = (
    ("i", "j"), ("from", "to"), ("focal", "neighbor"), ("focal", "neighbour"), ("unit_id", "neighbour_id"),
    ("area", "neighbour"), ("source", "target"), ("id", "neighbour_id"), ("id", "nid"),
)  # fmt: skip
_WEIGHTS = ("weight", "weights", "w", "value")


def read_links(neighbours: Any, ids: pd.Index | None, n: int | None, contiguity: str) -> tuple[csr_array, pd.Index]:
    """(links, ids) from any form that `spatial_weights` names."""
    neighbours = opened(neighbours)
    if hasattr(neighbours, "geometry"):
        from tkyt_analysis.analysis.spatial.neighbours import neighbours_from_polygons

        found = neighbours_from_polygons(neighbours, contiguity=contiguity, ids=ids)
        return found.links, found.ids
    if hasattr(neighbours, "sparse"):  # libpysal: W has id_order, Graph has unique_ids
        names = pd.Index(neighbours.id_order if hasattr(neighbours, "id_order") else neighbours.unique_ids)
        return _ordered(_matrix(neighbours.sparse), names, ids, n)
    if hasattr(neighbours, "tocsr") or (
        isinstance(neighbours, np.ndarray) and neighbours.ndim == 2 and _square(neighbours)
    ):
        links = _matrix(neighbours)
        return _ordered(links, ids if ids is not None else pd.RangeIndex(links.shape[0]), ids, n)
    if isinstance(neighbours, pd.DataFrame) and not _is_pairs(neighbours) and _square(neighbours):
        return _ordered(_matrix(neighbours.to_numpy(dtype=float)), pd.Index(neighbours.index), ids, n)
    return _from_pairs(_pairs(neighbours), ids, n, listed=_listed(neighbours))


def opened(given: Any) -> Any:
    """The outlines of a file or of a GeoJSON mapping, the pairs of a CSV file (names as text); anything else as it is."""
    if isinstance(given, Mapping) and "features" in given:
        import geopandas

        return geopandas.GeoDataFrame.from_features(given["features"])
    if not isinstance(given, Path) and not (isinstance(given, str) and Path(given).suffix):
        return given
    path = Path(given)
    try:
        if path.suffix.casefold() in (".csv", ".txt", ".tsv"):
            return pd.read_csv(path, dtype="str", sep=None, engine="python")
        import geopandas

        return geopandas.read_file(path)
    except Exception as problem:  # whatever GDAL or pandas say about a file
        raise InputError("error.spatial_neighbours_file", path=path, problem=str(problem).splitlines()[0]) from None


def _square(values: Any) -> bool:
    return bool(values.shape[0] == values.shape[1] and values.shape[0] > 3)


def _is_pairs(table: pd.DataFrame) -> bool:
    lower = {str(name).casefold() for name in table.columns}
    return any(set(pair) <= lower for pair in _PAIRS)


def _listed(neighbours: Any) -> int | None:
    """Number of areas that a list of lists has."""
    is_list = isinstance(neighbours, Sequence) and not isinstance(neighbours, str)
    return len(neighbours) if is_list and not _is_pair_list(neighbours) else None


def _is_pair_list(neighbours: Any) -> bool:
    """[(1, 2), (2, 1), …]: tuples are pairs, lists are the neighbours of an area."""
    return (
        isinstance(neighbours, Sequence) and len(neighbours) > 0 and all(isinstance(row, tuple) for row in neighbours)
    )


def _matrix(values: Any) -> csr_array:
    from scipy.sparse import csr_array

    links = csr_array(values, dtype=float)
    if links.shape[0] != links.shape[1]:
        raise InputError("error.spatial_weights_not_square", rows=links.shape[0], columns=links.shape[1])
    links.sum_duplicates()
    links.eliminate_zeros()
    return _checked(links)


def _checked(links: csr_array) -> csr_array:
    if not (np.isfinite(links.data) & (links.data >= 0)).all():
        raise InputError(
            "error.spatial_weights_not_numbers", count=int((~(links.data >= 0) | np.isinf(links.data)).sum())
        )
    return links


def _ordered(links: csr_array, names: pd.Index, ids: pd.Index | None, n: int | None) -> tuple[csr_array, pd.Index]:
    """Links in the order of `ids` where the matrix knows these names; else in its own."""
    if ids is not None and len(ids) == len(names) and not ids.equals(names):
        place = names.get_indexer(ids)
        if (place >= 0).all():
            return links[place][:, place], ids
        if not isinstance(names, pd.RangeIndex) and list(names) != list(range(len(names))):
            raise InputError(
                "error.spatial_neighbours_unknown", areas=some_of(ids[place < 0]), count=int((place < 0).sum())
            )
        return links, ids
    wanted = len(ids) if ids is not None else n
    if wanted is not None and wanted != links.shape[0]:
        raise InputError("error.spatial_weights_length", areas=wanted, weights=links.shape[0])
    return links, names if ids is None else ids


def _pairs(neighbours: Any) -> pd.DataFrame:
    """i, j, weight: one row per pair as named by whoever told it; j missing for a listed area without neighbours."""
    if isinstance(neighbours, pd.DataFrame):
        return _pair_columns(neighbours)
    if isinstance(neighbours, np.ndarray) and neighbours.ndim == 2 and neighbours.shape[1] in (2, 3):
        return _pair_columns(pd.DataFrame(neighbours))
    if _is_pair_list(neighbours):
        return _pair_columns(pd.DataFrame(neighbours))
    if isinstance(neighbours, Mapping):
        rows = [(i, j, w) for i, others in neighbours.items() for j, w in _weighted(others)]
    elif isinstance(neighbours, Sequence) and not isinstance(neighbours, str):
        rows = [(None, j, w) for others in neighbours for j, w in _weighted(others)]
        places = np.repeat(np.arange(len(neighbours)), [len(_weighted(others)) for others in neighbours])
        return pd.DataFrame({"i": places, "j": [row[1] for row in rows], "weight": [row[2] for row in rows]})
    else:
        raise InputError("error.spatial_neighbours_form", found=type(neighbours).__name__)
    return pd.DataFrame(rows, columns=["i", "j", "weight"])


def _weighted(others: Any) -> list[tuple[Any, float]]:
    """Pairs of neighbour and weight; [(None, 1)] for none."""
    if others is None:
        return [(None, 1.0)]
    if isinstance(others, Mapping):
        return list(others.items()) or [(None, 1.0)]
    listed = [others] if np.isscalar(others) else list(others)
    return [(other, 1.0) for other in listed] or [(None, 1.0)]


def _pair_columns(table: pd.DataFrame) -> pd.DataFrame:
    lower = {str(name).casefold(): name for name in table.columns}
    first, second = next((pair for pair in _PAIRS if set(pair) <= set(lower)), ("", ""))
    if not first and table.shape[1] < 2:
        raise InputError("error.spatial_neighbours_columns", found=", ".join(map(str, table.columns)))
    i, j = (table.columns[0], table.columns[1]) if not first else (lower[first], lower[second])
    named = [lower[name] for name in _WEIGHTS if name in lower and lower[name] not in (i, j)]
    third = named[:1] or ([table.columns[2]] if not first and table.shape[1] == 3 else [])
    weight = pd.to_numeric(table[third[0]], errors="coerce") if third else 1.0
    return pd.DataFrame({"i": table[i].to_numpy(), "j": table[j].to_numpy()}).assign(weight=np.asarray(weight, float))


def _from_pairs(
    pairs: pd.DataFrame, ids: pd.Index | None, n: int | None, *, listed: int | None
) -> tuple[csr_array, pd.Index]:
    from scipy.sparse import csr_array

    n = len(ids) if ids is not None else (listed if n is None else n)
    if listed is not None:
        if n != listed:
            raise InputError("error.spatial_weights_length", areas=n, weights=listed)
        rows, columns, alone = _list_positions(pairs, listed)
        names = ids if ids is not None else pd.RangeIndex(listed)
    else:
        names, rows, columns, alone = _pair_positions(pairs, ids, n)
    data = pairs["weight"].to_numpy(float)[~alone]
    if not (np.isfinite(data) & (data >= 0)).all():
        raise InputError("error.spatial_weights_not_numbers", count=int((~(data >= 0) | np.isinf(data)).sum()))
    _require_once(rows, columns, names)
    links = csr_array((data, (rows, columns)), shape=(len(names), len(names)))
    links.eliminate_zeros()
    return links, names


def _require_once(rows: npt.NDArray[Any], columns: npt.NDArray[Any], names: pd.Index) -> None:
    key = rows.astype(np.int64) * len(names) + columns
    again = pd.Series(key).duplicated().to_numpy()
    if again.any():
        first = int(np.flatnonzero(again)[0])
        raise InputError(
            "error.spatial_neighbours_repeated",
            count=int(again.sum()), i=names[int(rows[first])], j=names[int(columns[first])],
        )  # fmt: skip


def _list_positions(pairs: pd.DataFrame, n: int) -> tuple[Any, Any, Any]:
    """Positions of a list of lists: from 0, or from 1 (as R writes it; a 0 alone then means "none")."""
    alone = pairs["j"].isna().to_numpy(copy=True)
    others = np.zeros(len(pairs), dtype=np.int64)
    others[~alone] = _whole(pairs["j"][~alone])
    rows = pairs["i"].to_numpy()
    if _counts_from_one(rows, others, alone, n):
        alone |= others == 0
        others = others - 1
    _require_inside(others[~alone], n)
    return rows[~alone], others[~alone], alone


def _counts_from_one(rows: Any, others: Any, alone: Any, n: int) -> bool:
    """Whether a list of lists counts its areas from 1: the number n occurs, or only this reading is mutual."""
    named = others[~alone]
    if not len(named) or named.max() >= n:
        return bool(len(named))
    with_others = pd.Series(rows[~alone]).duplicated(keep=False).to_numpy()
    if ((named == 0) & with_others).any():
        return False
    from_zero = _mutual(rows[~alone], named)
    from_one = _mutual(rows[~alone][named > 0], named[named > 0] - 1)
    if from_zero == from_one and (from_zero or not (named == 0).any()):
        raise InputError("error.spatial_neighbours_positions", n=n)
    return from_one


def _mutual(rows: Any, others: Any) -> bool:
    """Whether every pair stands both ways and no area names itself."""
    pairs = set(zip(rows.tolist(), others.tolist(), strict=True))
    return all(i != j and (j, i) in pairs for i, j in pairs)


def _pair_positions(pairs: pd.DataFrame, ids: pd.Index | None, n: int | None) -> tuple[pd.Index, Any, Any, Any]:
    alone = pairs["j"].isna().to_numpy()
    if ids is None and n is None:
        ids = pd.Index(np.unique(pd.concat([pairs["i"], pairs["j"][~alone]]).to_numpy()))
    if ids is not None:
        i, j = _by_name(pairs["i"], ids), _by_name(pairs["j"], ids)
        unknown = pd.concat([pairs["i"][i < 0], pairs["j"][(j < 0) & ~alone]])
        if not len(unknown):
            return ids, i[~alone], j[~alone], alone
        if (i < 0).all() and _are_positions(pairs, alone, ids):
            _, i, j, alone = _pair_positions(pairs, None, len(ids))
            return ids, i, j, alone
        raise InputError("error.spatial_neighbours_unknown", areas=some_of(pd.unique(unknown)), count=unknown.nunique())
    assert n is not None
    i, j = _whole(pairs["i"]), _whole(pairs["j"][~alone])
    least, most = min(i.min(initial=n), j.min(initial=n)), max(i.max(initial=0), j.max(initial=0))
    if least > 0 and most < n and n > 1:
        raise InputError("error.spatial_neighbours_positions", n=n)
    start = 0 if least == 0 else 1
    _require_inside(np.concatenate([i, j]) - start, n)
    return pd.RangeIndex(n), i[~alone] - start, j - start, alone


def _are_positions(pairs: pd.DataFrame, alone: Any, ids: pd.Index) -> bool:
    """Whether pairs that know none of the names are the numbers 1 … n: areas named by words, neighbours by their place."""
    if pd.api.types.is_numeric_dtype(ids) or pd.to_numeric(pd.Series(ids), errors="coerce").notna().any():
        return False
    i, j = pd.to_numeric(pairs["i"], errors="coerce"), pd.to_numeric(pairs["j"][~alone], errors="coerce")
    both = pd.concat([i, j])
    whole = bool((both.notna() & (both % 1 == 0)).all())
    return whole and {int(both.min()), int(both.max())} in ({1, len(ids)}, {0, len(ids) - 1})


def _by_name(values: pd.Series, ids: pd.Index) -> npt.NDArray[np.int64]:
    """Position of each name; whole numbers and their text are the same name."""
    place = ids.get_indexer(pd.Index(values))
    if (place < 0).any():
        texts = pd.Index([_text(name) for name in ids])
        if texts.is_unique:
            other = texts.get_indexer(pd.Index([_text(value) for value in values]))
            place = np.where(place < 0, other, place)
    return np.asarray(place, dtype=np.int64)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, (float, np.floating)) and float(value).is_integer() else str(value)


def _whole(values: pd.Series) -> npt.NDArray[np.int64]:
    numbers = pd.to_numeric(pd.Series(values), errors="coerce").to_numpy(float)
    if not (np.isfinite(numbers) & (numbers == np.round(numbers))).all():
        raise InputError("error.spatial_neighbours_need_ids")
    return numbers.astype(np.int64)


def _require_inside(places: npt.NDArray[np.int64], n: int) -> None:
    if len(places) and not (places.min() >= 0 and places.max() < n):
        raise UsageError("error.spatial_neighbours_outside", n=n, least=int(places.min()), most=int(places.max()))
