"""Empirical Bayes and spatial association beside spdep."""
