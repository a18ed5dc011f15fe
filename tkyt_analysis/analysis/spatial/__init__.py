"""Small areas: smoothed rates, spatial association, clusters, hierarchical models."""
