"""Checks on death records, on the lists they come from, and between those lists."""
