"""Continuous breakpoints, binomial joinpoints and seasonal models beside R."""
