"""Figures for people: one way from a release to a number, whoever asks (tk, the explorer, notebooks, reports)."""

from tkyt_analysis.cube.model import DIMENSIONS, NATION, TOTAL, UNKNOWN, Figures, Measure, View, view_from

__all__ = ["DIMENSIONS", "NATION", "TOTAL", "UNKNOWN", "Figures", "Measure", "View", "view_from"]
