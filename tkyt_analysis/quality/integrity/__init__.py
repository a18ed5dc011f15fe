"""Integrity of what data hang on: units, elements, data sets, rules, places and denominators. Ideas after DHIS2's list of checks."""
