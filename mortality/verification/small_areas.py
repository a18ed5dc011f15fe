"""Empirical Bayes and spatial association beside spdep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.spatial.association import empirical_bayes_index, geary, global_g, moran
from tkyt_analysis.analysis.spatial.empirical_bayes import empirical_bayes_rate
from tkyt_analysis.analysis.spatial.local_association import local_g, local_moran
from tkyt_analysis.analysis.spatial.probability_maps import probability_map

TOLERANCE = 1e-8
_GLOBAL = {"statistic": "stat", "expectation": "expectation", "variance": "variance", "z": "z", "p_value": "p"}
_LOCAL = {"local_i": "Ii", "expectation": "EI", "variance": "VarI", "z": "Z", "p_value": "p"}


@reference_case("nc_sids_eb_moran_lisa", topic="spatial")
def north_carolina(folder: Path) -> Iterator[pd.DataFrame]:
    """spdep 1.2.7: sudden infant deaths 1974-78 of North Carolina's 100 counties (Cressie & Read)."""
    counties = pd.read_csv(folder / "input.csv", index_col="id")
    neighbours = pd.read_csv(folder / "neighbours.csv")
    areas = pd.read_csv(folder / "expected_area.csv", index_col="id")
    deaths, births = counties["SID74"], counties["BIR74"]
    yield from _rates(deaths, births, neighbours, areas)
    parameters = pd.read_csv(folder / "expected_eb_params.csv").iloc[0]
    found = empirical_bayes_rate(deaths, births)
    yield compare("b", found["prior_mean"].iloc[0], parameters["b"], tolerance=TOLERANCE)
    yield compare("a", found["prior_variance"].iloc[0], parameters["a"], tolerance=TOLERANCE)
    index = empirical_bayes_index(deaths, births, neighbours)
    yield compare("EBI", index["statistic"], parameters["EBI"], tolerance=TOLERANCE)
    yield from _association(deaths / births, neighbours, areas, pd.read_csv(folder / "expected_global.csv"))
    yield _same_map(folder, neighbours)


def _rates(
    deaths: pd.Series, births: pd.Series, neighbours: pd.DataFrame, areas: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    county = "county " + areas.index.astype(str)
    local = empirical_bayes_rate(deaths, births, neighbours=neighbours)
    poisson = probability_map(deaths, births)
    choynowski = probability_map(deaths, births, method="choynowski")
    found = {
        "raw": local["raw_rate"],
        "eb_global": empirical_bayes_rate(deaths, births)["rate"],
        "eb_local_raw": local["raw_rate"],
        "eb_local": local["rate"],
        "prob_relrisk": poisson["relative_risk"],
        "prob_pmap": poisson["probability"],
        "choynowski": choynowski["probability"],
    }
    for name, ours in found.items():
        yield compare(county + f" {name}", ours, areas[name], tolerance=TOLERANCE)


def _association(
    rate: pd.Series, neighbours: pd.DataFrame, areas: pd.DataFrame, tests: pd.DataFrame
) -> Iterator[pd.DataFrame]:
    whole = {
        "moran_rand": moran(rate, neighbours),
        "moran_norm": moran(rate, neighbours, assumption="normality"),
        "geary": geary(rate, neighbours),
        "globalG": global_g(rate, neighbours),
    }
    for name, ours in whole.items():
        theirs = tests.set_index("test").loc[name]
        for mine, other in _GLOBAL.items():
            yield compare(f"{name} {mine}", ours[mine], theirs[other], tolerance=TOLERANCE)
    county = "county " + areas.index.astype(str)
    local = local_moran(rate, neighbours)
    for mine, other in _LOCAL.items():
        yield compare(county + f" {mine}", local[mine], areas[f"local_moran_{other}"], tolerance=TOLERANCE)
    yield compare(county + " Gi", local_g(rate, neighbours)["z"], areas["localG"], tolerance=TOLERANCE)
    yield compare(county + " Gi*", local_g(rate, neighbours, star=True)["z"], areas["localGstar"], tolerance=TOLERANCE)


def _same_map(folder: Path, neighbours: pd.DataFrame) -> pd.DataFrame:
    """The neighbours found on the map are those of poly2nb."""
    import geopandas

    from tkyt_analysis.analysis.spatial.neighbours import neighbours_from_polygons

    counties = geopandas.read_file(folder / "map.geojson")
    found = neighbours_from_polygons(counties, ids=range(1, len(counties) + 1)).table()
    wanted = neighbours.sort_values(["i", "j"])
    return compare("neighbours", found.sort_values(["i", "j"])[["i", "j"]], wanted[["i", "j"]], tolerance=0)
