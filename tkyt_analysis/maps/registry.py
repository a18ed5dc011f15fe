"""The kinds of maps by name: what the gallery, the notebooks and the tests walk through."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tkyt_analysis.maps.content import MapContent

SHEET_OPTIONS = ("figsize", "names")  # of the paper; all others are of the content


@dataclass(frozen=True)
class MapKind:
    """One kind of map.

    home      module and function that turn a table into a `MapContent`
    label_key of its name
    vintages  unit systems it can show
    tiles     whether it can be a tile grid
    columns   of its table, beside unit_id
    """

    id: str
    home: tuple[str, str]
    label_key: str
    vintages: tuple[str, ...] = ("VN2024", "VN2025")
    tiles: bool = True
    columns: tuple[str, ...] = ("value",)

    def name(self, language: str | None = None) -> str:
        """What the kind is called."""
        return label(self.label_key, language)

    def use(self, language: str | None = None) -> str:
        """One sentence: what it is for."""
        return label(f"map.kind.{self.id}.use", language)

    def content(self, *args: Any, **options: Any) -> MapContent:
        """What the map says; parameters of the kind's own function."""
        module, name = self.home
        found: MapContent = getattr(import_module(f"tkyt_analysis.maps.{module}"), name)(*args, **options)
        return found

    def draw(self, *args: Any, **options: Any) -> Figure:
        """The printed map; `figsize` (inches, height None: as high as it needs) and `names` are of the sheet."""
        from tkyt_analysis.maps.composition import figure_of

        content, sheet = _parted(options)
        return figure_of(self.content(*args, **content), **sheet)

    def svg(self, *args: Any, **options: Any) -> str:
        """The printed map as SVG text for a page; same input, same bytes."""
        from tkyt_analysis.maps.composition import svg_of

        content, sheet = _parted(options)
        return svg_of(self.content(*args, **content), **sheet)

    def png(self, *args: Any, dpi: int = 200, **options: Any) -> bytes:
        """The printed map as PNG."""
        from tkyt_analysis.maps.composition import png_of

        content, sheet = _parted(options)
        return png_of(self.content(*args, **content), dpi=dpi, **sheet)

    def html(self, *args: Any, table: bool = True, **options: Any) -> str:
        """The map for screens: one piece of HTML that loads nothing."""
        from tkyt_analysis.maps.screen import html_of

        return html_of(self.content(*args, **options), table=table)


def _parted(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the content, options of the sheet."""
    sheet = {name: value for name, value in options.items() if name in SHEET_OPTIONS}
    return {name: value for name, value in options.items() if name not in sheet}, sheet


MAP_KINDS: dict[str, MapKind] = {
    kind.id: kind
    for kind in (
        MapKind("choropleth", ("choropleth", "choropleth"), "map.kind.choropleth"),
        MapKind(
            "bivariate", ("reliability", "reliability_map"), "map.kind.bivariate", columns=("value", "reliability")
        ),
        MapKind("exceedance", ("exceedance", "exceedance_map"), "map.kind.exceedance"),
        MapKind("change", ("change", "change_map"), "map.kind.change", columns=("value", "lower", "upper")),
        MapKind("multiples", ("multiples", "small_multiples"), "map.kind.multiples", columns=("value", "year")),
        MapKind("clusters", ("cluster_map", "cluster_map"), "map.kind.clusters", columns=("cluster",)),
        MapKind(
            "commune_points",
            ("commune_points", "commune_points"),
            "map.kind.commune_points",
            tiles=False,
            columns=("value", "rate"),
        ),
        MapKind("merger", ("merger", "merger_flow"), "map.kind.merger", vintages=("VN2024",)),
    )
}


def map_kind(name: str) -> MapKind:
    """The kind of that name. Raises UsageError where there is none."""
    if name not in MAP_KINDS:
        raise UsageError("error.map_option", option="kind", value=name, expected=", ".join(MAP_KINDS))
    return MAP_KINDS[name]
