"""Coding of wordings: accuracy on every set, the calibration curve of the score, share taken without a look, speed.

Usage: python benchmarks/bench_coding.py [--fit] [--titles] [--set FILE] [--baselines] [--speed]
--fit fits the calibration on the development sets and writes data_catalog/codelists/coding_calibration.csv; what is
printed is cross-validated (each answer scored by weights that never saw its text). --set FILE scores another set
(columns text, icd10, alternatives, sex, age_years) with the calibration as shipped.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import coding_sets as sets
from benchmarks.coding_baselines import baselines
from mortality.coding.calibrate import HIGHEST, LOWEST, features_of, is_inferred, probability
from mortality.coding.letters import fold
from mortality.coding.ranking import sex_conflict

CALIBRATION = sets.REPOSITORY / "data_catalog" / "codelists" / "coding_calibration.csv"
WEIGHT_OF_SET = {"wordings": 1.0, "lay_terms": 1.0, "practice": 0.25, "left_out": 0.2}
SHARES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
UNLIKE = ("left_out", "practice")
RIDGE = 0.1
BINS = (0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0)


def accuracy(name: str, answers: list[sets.Answer]) -> dict[str, object]:
    """One line of the table: top 1 and top 5 at three characters, top 1 at four."""
    size = len(answers)
    return {
        "set": name,
        "wordings": size,
        "top1_3": round(100 * sum(one.correct for one in answers) / size, 1),
        "top1_4": round(100 * sum(one.correct_at_four for one in answers) / size, 1),
        "top5_3": round(100 * sum(one.among_five for one in answers) / size, 1),
    }


def design(answers: list[sets.Answer]) -> pd.DataFrame:
    """Features, whether right, weight, fold and whether the rules allow auto; answers without candidate left out."""
    rows = []
    for one in answers:
        if one.ranked:
            best = one.ranked[0]
            doubtful = best.finding.certainty == "vague" or best.finding.passed_over
            allowed = not doubtful and not sex_conflict(best.code, one.case.person.sex)
            extra = {
                "_right": one.correct,
                "_weight": WEIGHT_OF_SET[one.case.name],
                "_inferred": is_inferred(best.finding.route),
                "_fold": sets.fold_of(one.case.text),
            }
            rows.append({**features_of(one.ranked), **extra, "_allowed": allowed, "_set": one.case.name})
    return pd.DataFrame(rows).fillna(0.0)


def fit(table: pd.DataFrame) -> dict[str, float]:
    """Weights of the logistic model with a ridge, by the weight of the sets."""
    from scipy.optimize import minimize

    names = [name for name in table.columns if not name.startswith("_")]
    values = table[names].to_numpy(float)
    right, weight = table["_right"].to_numpy(float), table["_weight"].to_numpy(float)

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        linear = values @ beta
        chance = 1 / (1 + np.exp(-linear))
        cost = weight @ (np.logaddexp(0, linear) - right * linear) + RIDGE * beta @ beta / 2
        return cost, values.T @ (weight * (chance - right)) + RIDGE * beta

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B")
    return dict(zip(names, found.x))


def predicted(table: pd.DataFrame, weights: dict[str, float]) -> np.ndarray:
    linear = sum(table.get(name, 0.0) * value for name, value in weights.items())
    return np.clip(1 / (1 + np.exp(-np.asarray(linear, float))), LOWEST, HIGHEST)


def cross_validated(table: pd.DataFrame) -> np.ndarray:
    """For every answer the score by weights of the other folds."""
    scores = np.zeros(len(table))
    for one in range(sets.FOLDS):
        inside = (table["_fold"] == one).to_numpy()
        scores[inside] = predicted(table[inside], fit(table[~inside]))
    return scores


def threshold(table: pd.DataFrame, scores: np.ndarray, share: float) -> float:
    """The lowest score from which at most `share` of the allowed answers are wrong, weighted; 1.01 where none is."""
    allowed = table["_allowed"].to_numpy(bool)
    order = np.argsort(-scores[allowed], kind="stable")
    weight = table["_weight"].to_numpy(float)[allowed][order]
    wrong = np.cumsum(weight * ~table["_right"].to_numpy(bool)[allowed][order]) / np.cumsum(weight)
    fine = np.flatnonzero(wrong <= share)
    return float(scores[allowed][order][fine[-1]]) if len(fine) else 1.01


def curve(table: pd.DataFrame, scores: np.ndarray) -> pd.DataFrame:
    """Per band of the score: answers, mean score, share that is right (weighted by set)."""
    bands = pd.cut(scores, list(BINS), include_lowest=True)
    frame = pd.DataFrame(
        {"band": bands, "score": scores, "right": table["_right"].astype(float), "w": table["_weight"]}
    )
    grouped = frame.groupby("band", observed=True)
    return pd.DataFrame(
        {
            "answers": grouped.size(),
            "mean_score": grouped.apply(lambda part: np.average(part["score"], weights=part["w"])).round(3),
            "right": grouped.apply(lambda part: np.average(part["right"], weights=part["w"])).round(3),
        }
    ).reset_index()


def thresholds(table: pd.DataFrame, scores: np.ndarray) -> dict[str, dict[float, float]]:
    """For words that were looked up on all sets; for inferred codes on entries left out of the dictionary and the practice
    wordings, which are unlike it."""
    inferred = table["_inferred"].to_numpy(bool)
    unlike = inferred & table["_set"].isin(UNLIKE).to_numpy()
    parts = {"threshold": ~inferred, "threshold_inferred": unlike}
    return {
        kind: {share: threshold(table[part].reset_index(drop=True), scores[part], share) for share in SHARES}
        for kind, part in parts.items()
    }


def auto_shares(table: pd.DataFrame, scores: np.ndarray, limits: dict[str, dict[float, float]]) -> pd.DataFrame:
    """Per set and share put up with: how much is auto, and how much of that is wrong."""
    lines = []
    inferred = table["_inferred"].to_numpy(bool)
    for share in limits["threshold"]:
        limit = np.where(inferred, limits["threshold_inferred"][share], limits["threshold"][share])
        auto = (scores >= limit) & table["_allowed"].to_numpy(bool)
        for name, part in table.groupby("_set"):
            chosen = auto[part.index]
            wrong = int((~part["_right"].astype(bool) & chosen).sum())
            wrong_share = round(100 * wrong / max(1, chosen.sum()), 1)
            lines.append((share, name, len(part), round(100 * chosen.mean(), 1), wrong, wrong_share))
    return pd.DataFrame(lines, columns=["at_most", "set", "answers", "auto_%", "wrong", "wrong_%"])


def write_calibration(weights: dict[str, float], limits: dict[str, dict[float, float]], size: int) -> None:
    lines = [
        "# From features of the first candidate to the probability that its three characters are right (logistic), and the",
        "# score from which at most a share of codes taken without a look is wrong (cross-validated): threshold for words that",
        "# were looked up, threshold_inferred for codes that were concluded, measured on wordings unlike the dictionary. Written by",
        f"# benchmarks/bench_coding.py --fit from {size} answers to the development sets named in benchmarks/coding_sets.py.",
        "kind,name,value",
        *[f"weight,{name},{value:.4f}" for name, value in weights.items()],
        *[f"{kind},{share},{value:.4f}" for kind, each in limits.items() for share, value in each.items()],
    ]
    CALIBRATION.write_text("\n".join(lines) + "\n", encoding="utf-8")


def calibrate(answers: list[sets.Answer], *, write: bool) -> None:
    table = design(answers)
    scores = cross_validated(table)
    limits = thresholds(table, scores)
    print("\nCalibration curve, cross-validated\n", curve(table, scores).to_string(index=False))
    print(f"Brier {np.average((scores - table['_right'].astype(float)) ** 2, weights=table['_weight']):.4f}")
    print("\nTaken without a look\n", auto_shares(table, scores, limits).to_string(index=False))
    if write:
        write_calibration(fit(table), limits, len(table))
        print(f"written: {CALIBRATION}")


def title_test() -> None:
    """Two translations of the titles: GNU Health's words find the ministry's code; with marks and without."""
    from mortality.coding.suggest import suggest_codes

    index, queries = sets.title_pairs()
    with TemporaryDirectory() as folder:
        source = Path(folder) / "titles.csv"
        index.to_csv(source, index=False)
        suggest_codes("viêm phổi", titles=source)  # the index is built here, outside the clock
        for name, written in (("with marks", queries["text"]), ("without marks", queries["text"].map(fold))):
            started, cpu = time.perf_counter(), time.process_time()
            found = [suggest_codes(text, titles=source) for text in written]
            took = 1000 * (time.perf_counter() - started) / len(queries)
            busy = 1000 * (time.process_time() - cpu) / len(queries)
            codes = [[one.code for one in each] for each in found]
            top = [np.mean([code in each[:most] for code, each in zip(queries["code"], codes)]) for most in (1, 5)]
            three = [
                np.mean([code[:3] in [one[:3] for one in each[:most]] for code, each in zip(queries["code"], codes)])
                for most in (1, 5)
            ]
            shown = [round(100 * float(value), 1) for value in (*top, *three)]
            print(
                f"titles {name}: 4 characters {shown[0]} / {shown[1]}, 3 characters {shown[2]} / {shown[3]}, {took:.2f} ms ({busy:.2f} of CPU)"
            )


def speed(texts: list[str], rows: int = 20_000) -> None:
    """Distinct strings a second, met for the first time and met again, in the same process and in a new one."""
    import os

    from mortality.coding import memory
    from mortality.coding.suggest import code_deaths, suggest_codes

    with TemporaryDirectory() as folder:
        os.environ["TKYT_CACHE"] = folder
        started = time.perf_counter()
        suggest_codes("viêm phổi")
        print(f"first answer of a process: {time.perf_counter() - started:.2f} s")
        many = [f"{text} {number}" for number in range(rows // len(texts) + 1) for text in texts][:rows]
        frame = pd.DataFrame({"id": range(rows), "text": many})
        for name, clear in (("cold", True), ("cached in memory", False), ("cached in the file", True)):
            if clear:
                memory._known.clear()
            started = time.perf_counter()
            code_deaths(frame)
            print(f"{name}: {rows / (time.perf_counter() - started):,.0f} distinct strings/s")


def shipped(answers: list[sets.Answer]) -> None:
    """Calibration curve and shares taken without a look, by the calibration as it is shipped."""
    table = design(answers)
    scores = np.array([probability(one.ranked) for one in answers if one.ranked])
    rows = pd.read_csv(CALIBRATION, comment="#", dtype=str)
    limits: dict[str, dict[float, float]] = {"threshold": {}, "threshold_inferred": {}}
    for kind, name, value in rows[rows["kind"].isin(limits)].itertuples(index=False):
        limits[kind][float(name)] = float(value)
    print(curve(table, scores).to_string(index=False))
    print(auto_shares(table, scores, limits).to_string(index=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    for name in ("fit", "titles", "baselines", "speed"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--set", type=Path)
    wish = parser.parse_args()
    if wish.set:
        answers = sets.answers(sets.wordings(wish.set))
        print(pd.DataFrame([accuracy(wish.set.name, answers)]).to_string(index=False))
        shipped(answers)
        return
    named = {"wordings": sets.wordings(), "lay_terms": sets.lay_terms(), "practice": sets.practice()}
    answers = {name: sets.answers(cases) for name, cases in named.items()}
    answers["left_out"] = list(sets.left_out())
    print(pd.DataFrame([accuracy(name, each) for name, each in answers.items()]).to_string(index=False))
    calibrate([one for each in answers.values() for one in each], write=wish.fit)
    unseen = list(sets.left_out([sets.FOLDS - 1], 1000))
    print(pd.DataFrame([accuracy("left out, never fitted on", unseen)]).to_string(index=False))
    shipped(unseen)
    if wish.titles:
        title_test()
    if wish.baselines:
        print("\nWhat one would pick first (top 1, three characters)\n", baselines(named).to_string(index=False))
    if wish.speed:
        speed([case.text for cases in named.values() for case in cases])


if __name__ == "__main__":
    main()
