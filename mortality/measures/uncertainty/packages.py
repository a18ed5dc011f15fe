"""Redistribution inside the simulation: packages of causes whose deaths go to target causes in uncertain shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from mortality.measures.uncertainty.draws import Numbers

NEXT_TO_NOTHING = 1e-12  # of a cell's deaths: what rounding leaves of a cell that is emptied


def _everything() -> Numbers:
    return np.ones((1, 1, 1))


@dataclass(frozen=True)
class SharePackage:
    """Deaths of the causes `sources` that belong to the causes `targets`.

    sources, targets : numbers of causes; packages of one stage read the same counts, a later stage what the earlier ones left
    shares : (places or 1, sexes or 1, ages or 1, targets), each row sums to 1; a row of zeros leaves its deaths where they
        are. A length of 1 means one share, and one draw of it, for all of that axis (places are always drawn apart)
    concentration : of the Dirichlet draws, broadcast to the rows of `shares`: like that many deaths whose true cause is
        known; infinite means fixed shares
    leave : (sexes or 1, ages or 1, sources) part of a source's deaths that the package takes
    """

    sources: npt.NDArray[np.intp]
    targets: npt.NDArray[np.intp]
    shares: Numbers
    concentration: Numbers
    stage: int = 1
    leave: Numbers = field(default_factory=_everything)

    def of_place(self, place: int) -> PackageOfPlace:
        """The package of one place."""
        rows = np.broadcast_to(self.concentration, self.shares.shape[:-1])
        at = place if len(self.shares) > 1 else 0
        leave = np.broadcast_to(self.leave, (*self.leave.shape[:2], len(self.sources)))
        return PackageOfPlace(
            self.sources, self.targets, _causes_first(self.shares[at]), rows[at], self.stage, _causes_first(leave)
        )


@dataclass(frozen=True)
class PackageOfPlace:
    """`SharePackage` of one place, causes first: shares (targets, sexes or 1, ages or 1), leave (sources, sexes or 1, ages or 1)."""

    sources: npt.NDArray[np.intp]
    targets: npt.NDArray[np.intp]
    shares: Numbers
    concentration: Numbers
    stage: int
    leave: Numbers

    def draw(self, rng: np.random.Generator, draws: int) -> Numbers:
        """(targets, draws, sexes or 1, ages or 1): Dirichlet draws of the shares."""
        known = np.isfinite(self.concentration)
        alpha = np.where(known, self.concentration, 0.0) * self.shares
        gamma = rng.standard_gamma(np.broadcast_to(alpha[:, None], (len(alpha), draws, *alpha.shape[1:])))
        return scaled(gamma, self.shares)


def _causes_first(values: Numbers) -> Numbers:
    return np.ascontiguousarray(np.moveaxis(values, -1, 0))


def scaled(weights: Numbers, otherwise: Numbers) -> Numbers:
    """Weights (targets, draws, …) as shares of the targets, in place; where all are nothing, `otherwise` (targets, …)."""
    total = weights.sum(axis=0)
    nothing = total <= 0
    weights /= np.where(nothing, 1.0, total)
    if nothing.any():
        weights += np.where(nothing, otherwise[:, None], 0.0)
    return weights


class PlacePlan(Protocol):
    """Redistribution of one place: its packages with their shares, and draws of the shares, package by package."""

    @property
    def packages(self) -> list[PackageOfPlace]: ...

    def draw(self, rng: np.random.Generator, draws: int) -> list[Numbers]: ...


class Plan(Protocol):
    """Redistribution of many places; `method` names it."""

    @property
    def method(self) -> str: ...

    def of_place(self, place: int) -> PlacePlan: ...


@dataclass(frozen=True)
class DirichletPlan:
    """Packages whose shares are drawn apart from each other."""

    packages: tuple[SharePackage, ...]
    method: str = "packages, Dirichlet shares"

    def of_place(self, place: int) -> DirichletOfPlace:
        return DirichletOfPlace([package.of_place(place) for package in self.packages])


@dataclass(frozen=True)
class DirichletOfPlace:
    """The same in one place."""

    packages: list[PackageOfPlace]

    def draw(self, rng: np.random.Generator, draws: int) -> list[Numbers]:
        """Shares of each package, (targets, draws, sexes or 1, ages or 1)."""
        return [package.draw(rng, draws) for package in self.packages]


def redistributed(counts: Numbers, packages: Sequence[PackageOfPlace], shares: Sequence[Numbers]) -> Numbers:
    """(causes, draws, sexes, ages) with the deaths of every package moved to its targets; totals are kept.

    counts : (causes, draws or 1, sexes, ages); shares : per package, (targets, draws or 1, sexes or 1, ages or 1)
    """
    draws = max([counts.shape[1], *[share.shape[1] for share in shares]])
    moved = np.broadcast_to(counts, (len(counts), draws, *counts.shape[2:])).copy()
    for stage in sorted({package.stage for package in packages}):
        here = [(package, share) for package, share in zip(packages, shares, strict=True) if package.stage == stage]
        _one_stage(moved, here)
    return moved


def _one_stage(moved: Numbers, packages: list[tuple[PackageOfPlace, Numbers]]) -> None:
    """Moves the deaths of the packages, in place; all packages read the same counts."""
    sources = np.unique(np.concatenate([package.sources for package, _ in packages]))
    before = {source: moved[source].copy() for source in sources}
    amounts = []
    for package, _ in packages:
        goes = package.leave * (package.shares.sum(axis=0) > 0)
        amount = np.zeros(moved.shape[1:])
        for source, part in zip(package.sources, goes, strict=True):
            gone = before[source] * part
            moved[source] -= gone
            amount += gone
        amounts.append(amount)
    for source, was in before.items():
        moved[source] *= moved[source] > NEXT_TO_NOTHING * was
    gain = np.empty(moved.shape[1:])
    for (package, share), amount in zip(packages, amounts, strict=True):
        for target, part in zip(package.targets, share, strict=True):
            moved[target] += np.multiply(amount, part, out=gain)
