"""Analyses of a user's own CSV file, without a warehouse and without Python: what stands behind `tkyt analyse`."""
