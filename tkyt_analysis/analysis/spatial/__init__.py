"""Small areas: smoothed rates, spatial association, clusters, hierarchical models.

The public names stand in `_HOMES`; each is imported from its own module when it is first asked for, so that
`import tkyt_analysis.analysis.spatial` stays light.
"""

from __future__ import annotations

from tkyt_analysis.analysis.lazy_names import lazy_names

_HOMES = {
    # weights and neighbours
    "Weights": "weights",
    "spatial_weights": "weights",
    "neighbours_from_polygons": "neighbours",
    "neighbours_from_points": "neighbours",
    "place_weights": "viet_nam_weights",
    "island_communes": "viet_nam_weights",
    # smoothed rates
    "empirical_bayes_rate": "empirical_bayes",
    "probability_map": "probability_maps",
    # association of the whole map
    "moran": "association",
    "geary": "association",
    "global_g": "association",
    "empirical_bayes_index": "association",
    "join_count": "join_counts",
    # association around each area
    "local_moran": "local_association",
    "local_g": "local_association",
    "cluster_word": "local_association",
    # clusters and hierarchical models
    "scan_statistic": "scan",
    "cluster_of_areas": "scan_result",
    "expected_by_area": "scan_result",
    "bym2_rate": "hierarchical",
    "gamma_poisson_rate": "gamma_poisson",
    "sampling_report": "hierarchical",
    "evidence_label": "hierarchical",
    # pictures
    "moran_picture": "moran_drawing",
    "shrinkage_picture": "risk_drawing",
    "risk_picture": "risk_drawing",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazy_names(__name__, _HOMES)
