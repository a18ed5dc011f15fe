"""Detectors of special mistakes: each a pure function of a form block, a table or the units, in a module of its own."""
