"""Redistribution inside the simulation: packages of causes whose deaths go to target causes in uncertain shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
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

    def of_place(self, place: int) -> SharePackage:
        """The package of one place: shares (sexes or 1, ages or 1, targets)."""
        rows = np.broadcast_to(self.concentration, self.shares.shape[:-1])
        at = place if len(self.shares) > 1 else 0
        return replace(self, shares=self.shares[at], concentration=rows[at])

    def draw(self, rng: np.random.Generator, draws: int) -> Numbers:
        """(draws, sexes or 1, ages or 1, targets): Dirichlet draws of the shares of one place."""
        known = np.isfinite(self.concentration)
        alpha = np.where(known, self.concentration, 0.0)[..., None] * self.shares
        gamma = np.zeros((draws, *alpha.shape))
        gamma[:, alpha > 0] = rng.standard_gamma(alpha[alpha > 0], size=(draws, int((alpha > 0).sum())))
        return np.where(known[..., None], scaled(gamma, self.shares), self.shares)


def scaled(weights: Numbers, otherwise: Numbers) -> Numbers:
    """Weights over the last axis as shares; where they are all nothing, the shares `otherwise`."""
    total = weights.sum(axis=-1, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1.0), otherwise)


class PlacePlan(Protocol):
    """Redistribution of one place: its packages with their shares, and draws of the shares, package by package."""

    @property
    def packages(self) -> list[SharePackage]: ...

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

    packages: list[SharePackage]

    def draw(self, rng: np.random.Generator, draws: int) -> list[Numbers]:
        """Shares of each package, (draws, sexes or 1, ages or 1, targets)."""
        return [package.draw(rng, draws) for package in self.packages]


def redistributed(counts: Numbers, packages: Sequence[SharePackage], shares: Sequence[Numbers]) -> Numbers:
    """(draws, sexes, ages, causes) with the deaths of every package moved to its targets; totals are kept.

    shares : per package, (draws or 1, sexes or 1, ages or 1, targets)
    """
    draws = max([len(counts), *[len(share) for share in shares]])
    moved = np.broadcast_to(counts, (draws, *counts.shape[1:])).copy()
    for stage in sorted({package.stage for package in packages}):
        here = [(package, share) for package, share in zip(packages, shares, strict=True) if package.stage == stage]
        _one_stage(moved, here)
    return moved


def _one_stage(moved: Numbers, packages: list[tuple[SharePackage, Numbers]]) -> None:
    """Moves the deaths of the packages, in place; all packages read the same counts."""
    leaving = []
    for package, _ in packages:
        goes = package.leave * (package.shares.sum(axis=-1) > 0)[..., None]
        leaving.append(moved[..., package.sources] * goes)
    sources = np.unique(np.concatenate([package.sources for package, _ in packages]))
    before = moved[..., sources]
    for (package, _), gone in zip(packages, leaving, strict=True):
        moved[..., package.sources] -= gone
    left = moved[..., sources]
    moved[..., sources] = np.where(left > NEXT_TO_NOTHING * before, left, 0.0)
    for (package, share), gone in zip(packages, leaving, strict=True):
        moved[..., package.targets] += gone.sum(axis=-1)[..., None] * share
