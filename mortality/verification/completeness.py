"""Completeness of registration beside published results."""
