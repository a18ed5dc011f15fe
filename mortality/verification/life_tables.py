"""Life tables, decomposition, years of life lost beside published results."""
