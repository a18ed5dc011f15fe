"""Verbal autopsies: answers → indicators → probable causes (InterVA-5), and how good a set of causes is."""
