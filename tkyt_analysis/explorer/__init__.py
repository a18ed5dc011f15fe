"""The explorer: pivot table, chart and map for those who do not program, and the code that gives the same."""
