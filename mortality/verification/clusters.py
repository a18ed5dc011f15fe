"""Scan statistics and hierarchical models beside SpatialEpi and CARBayes."""
