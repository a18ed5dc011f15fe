"""Trends of rates and counts: joinpoints, breakpoints, models of counts, expected and excess deaths."""
