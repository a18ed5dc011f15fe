"""Rates and standardisation beside published results."""
