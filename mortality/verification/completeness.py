"""Completeness of registration beside published results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case


@reference_case("adair_lopez_2018_both_sexes", topic="completeness")
def adair_lopez_2018(folder: Path) -> Iterator[pd.DataFrame]:
    """The authors' own predictions, from unrounded coefficients; ours have the four printed decimals."""
    from mortality.measures.completeness import adair_lopez

    rows = pd.read_csv(folder / "input_expected.csv")
    for model in ("1", "2"):
        ours = adair_lopez(rows, model=model)["completeness"]
        theirs = rows[f"Pred_compl_m_{model}"]
        names = f"model {model}: " + rows["Country"] + " " + rows["year"].astype(str)
        yield compare(names, ours, theirs, tolerance=0.026)
        yield compare(f"model {model}: mean difference", (ours - theirs).abs().mean(), 0, tolerance=0.007)


@reference_case("ddm_mozambique", topic="completeness")
def ddm_mozambique(folder: Path) -> Iterator[pd.DataFrame]:
    """R's DDM: all three methods with the ages that it chooses itself, and with fixed ages."""
    from mortality.measures import completeness as methods

    data = pd.read_csv(folder / "input.csv")
    ggb = methods.generalised_growth_balance(data).assign(
        Mxcoverage=lambda part: part["completeness"], k3=lambda part: 1 / part["slope"]
    )
    seg, both = methods.synthetic_extinct_generations(data), methods.ggb_seg(data)
    of_ggb = {"Mxcoverage": "Mxcoverage", "lower": "lowest_age", "upper": "highest_age", "a": "intercept", "b": "slope",
              "delta": "delta", "k1": "census_1", "k2": "census_2", "k3": "k3", "r2": "r2"}  # fmt: skip
    of_seg = {
        "Mxcoverage": "completeness",
        "median": "median",
        "l25": "quartile_1",
        "u25": "quartile_3",
        "weighted": "trimean",
    }
    yield from _columns("ggb", ggb, folder / "expected_ggb.csv", of_ggb)
    yield from _columns(
        "seg",
        seg,
        folder / "expected_seg.csv",
        {**of_seg, "lower": "lowest_age", "upper": "highest_age", "RMSE": "rmse"},
    )
    yield from _columns("ggbseg", both, folder / "expected_ggbseg.csv", {
        **of_seg, "lower.ggb": "balance_lowest_age", "upper.ggb": "balance_highest_age", "lower.ggbseg": "lowest_age",
        "upper.ggbseg": "highest_age", "RMSE.ggbseg": "rmse"})  # fmt: skip
    yield from _ddm(data, folder / "expected_ddm.csv", 0.005)
    for row in pd.read_csv(folder / "expected_fixed_ages.csv").itertuples():
        ages = (row.lower, row.upper)
        fixed = (
            methods.generalised_growth_balance(data, ages=ages),
            methods.synthetic_extinct_generations(data, ages=ages),
        )
        for name, table in zip(("ggb", "seg"), fixed, strict=True):
            yield compare(f"{name} {row.lower}-{row.upper}", table["completeness"], getattr(row, name), tolerance=0.005)


@reference_case("ddm_brazil_females_states", topic="completeness")
def ddm_brazil(folder: Path) -> Iterator[pd.DataFrame]:
    """R's DDM in the 27 states of Brazil, ages chosen automatically."""
    yield from _ddm(pd.read_csv(folder / "input.csv"), folder / "expected.csv", 0.02)


def _columns(name: str, ours: pd.DataFrame, expected: Path, columns: dict[str, str]) -> Iterator[pd.DataFrame]:
    theirs = pd.read_csv(expected)
    for their, our in columns.items():
        yield compare(f"{name} {their}", ours[our], theirs[their], tolerance=0.005)


def _ddm(data: pd.DataFrame, expected: Path, tolerance: float) -> Iterator[pd.DataFrame]:
    from mortality.measures.completeness import death_distribution_methods

    ours = death_distribution_methods(data).pivot(index="id", columns="method_id", values="completeness")
    theirs = pd.read_csv(expected).set_index("id")
    for their, our in {"ggb": "ggb", "seg": "seg", "ggbseg": "ggb_seg"}.items():
        names = [f"{their} {one}" for one in theirs.index]
        yield compare(names, ours[our].reindex(theirs.index), theirs[their], tolerance=tolerance)
