"""Uncertainty that travels: one simulation of counts, completeness, redistribution and denominators for every figure."""

from mortality.measures.uncertainty.draws import SOURCES
from mortality.measures.uncertainty.evidence import EvidencePlan
from mortality.measures.uncertainty.figure_rows import COLUMNS
from mortality.measures.uncertainty.frame import Frame
from mortality.measures.uncertainty.functionals import FUNCTIONALS, Recipe
from mortality.measures.uncertainty.packages import DirichletPlan, SharePackage
from mortality.measures.uncertainty.simulation import Problem, Simulated, simulate
from mortality.measures.uncertainty.tables import simulate_rates

__all__ = [
    "COLUMNS", "FUNCTIONALS", "SOURCES", "DirichletPlan", "EvidencePlan", "Frame", "Problem", "Recipe", "SharePackage", "Simulated", "simulate",
    "simulate_rates",
]  # fmt: skip
