"""Pictures of a pivot: a matplotlib figure, an inline SVG for the screen, a PNG for files.

`layout.picture` says which one; the modules beside this one draw them. Every picture says what, where, when and in which
unit, names what is withheld, and carries the practice band where the figures are not real.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.assets import chart_style
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.canvas import GREY, LARGE, MARGIN, NORMAL, POINTS, SMALL, Canvas
from tkyt_analysis.explorer.grid import Grid, arrange, by_unit, period_dimension
from tkyt_analysis.explorer.table_lines import total_lines
from tkyt_analysis.explorer.titles import axis_unit, listing, measure_name, subtitle, title
from tkyt_analysis.labels import current_language, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tkyt_analysis.explorer.layout import Pivot

DRAWN = (
    "bar",
    "stacked",
    "stacked_share",
    "line",
    "year_over_year",
    "pyramid",
    "small_multiples",
    "scatter",
    "card",
    "map",
)


def title_of(pivot: Pivot, language: str | None = None) -> str:
    """The name of the picture: "Tỷ suất chết thô theo tỉnh và giới, 2024–2025"."""
    return title(pivot.figures, pivot.layout, language)


# Marks (bars, points) that a picture can hold and still be read; of the others their own limits say.
MOST_MARKS = {"bar": 400, "stacked": 1_000, "stacked_share": 1_000, "line": 2_500, "small_multiples": 4_000}


def draw(
    pivot: Pivot,
    *,
    language: str | None = None,
    width: float = 9.0,
    height: float = 5.0,
    heading: bool = True,
) -> Figure:
    """The picture that `pivot.layout.picture` asks for, as a matplotlib figure (no pyplot, nothing to close).

    width, height : inches. The figure grows taller where names or rows need it; nothing is cut. A map of one rate has the
        height of the country.
    heading : title, place, practice band and remarks inside the picture; False where the page has them

    Raises InputError where the dimensions do not fit the picture, in words that say what is needed.
    """
    language = language or current_language()
    with chart_style():
        whole = _province_map(pivot, language, width) if heading else None
        return whole or _compose(pivot, language, width, height, heading).figure


def picture_svg(pivot: Pivot, *, language: str | None = None, width_px: int = 900) -> str:
    """HTML for ipywidgets: heading, inline SVG that says figures where one points, unit, remarks, practice band.

    A map of one rate is the interactive map. Where the dimensions do not fit the picture, a notice says what is needed.
    """
    language = language or current_language()
    try:
        return picture_markup(pivot, language=language, width_px=width_px)
    except InputError as error:
        from tkyt_analysis.pages import notice

        return notice(str(error), kind="warning", language=language)


def picture_markup(pivot: Pivot, *, language: str, width_px: int) -> str:
    """The same; raises InputError where the dimensions do not fit the picture."""
    return _interactive_map(pivot, language) or _inline(pivot, language, width_px)


def picture_png(
    pivot: Pivot, *, dpi: int = 150, language: str | None = None, width: float = 9.0, height: float = 5.0
) -> bytes:
    """The picture with its heading as PNG, `dpi` pixels per inch."""
    stream = io.BytesIO()
    with chart_style():
        figure = draw(pivot, language=language, width=width, height=height)
        figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


def _compose(pivot: Pivot, language: str, width: float, height: float, heading: bool) -> Canvas:
    """Heading, picture, remarks from top to bottom."""
    canvas = Canvas(width, height)
    across = canvas.width - 2 * MARGIN
    top = _heading(canvas, pivot, language, across) if heading else 4.0
    foot = _foot_height(canvas, pivot, language, across) if heading else 4.0
    bottom = _picture(canvas, pivot, language, MARGIN, top, across, max(canvas.least_height - foot, top + 60.0))
    if heading:
        bottom = _foot(canvas, pivot, language, bottom + 4, across)
    full = heading and pivot.layout.picture != "card"  # cards are as high as they are
    canvas.finish(max(bottom + 4, canvas.least_height if full else 0.0))
    return canvas


def _heading(canvas: Canvas, pivot: Pivot, language: str, width: float) -> float:
    """Practice band, title, place and unit; returns where the picture starts."""
    y, figures = MARGIN, pivot.figures
    if figures.passport.get("practice"):
        text = canvas.lines(label("map.practice", language), width - 12, SMALL, "SemiBold")
        high = canvas.measure(text, SMALL)[1] + 5
        canvas.box((MARGIN, y, MARGIN + width, y + high), facecolor="#fff2cc", edgecolor="#8a5a00")
        canvas.text(MARGIN + 6, y + high / 2, text, SMALL, style="SemiBold", color="#5c3b00", va="center")
        y += high + 5
    y = canvas.paragraph(title_of(pivot, language), MARGIN, y, width, size=LARGE, style="SemiBold")
    return canvas.paragraph(_second_line(pivot, language), MARGIN, y, width, size=NORMAL, colour=GREY) + 6


def _second_line(pivot: Pivot, language: str) -> str:
    """Place, filters and unit."""
    share = pivot.layout.picture == "stacked_share"
    unit = "%" if share else axis_unit(pivot.figures, language, pivot.layout)
    parts = [subtitle(pivot.figures, language), label("map.unit", language, unit=unit) if unit else ""]
    return " · ".join(part for part in parts if part)


def _remarks(canvas: Canvas | None, pivot: Pivot, language: str) -> list[str]:
    """What to be careful about: of the picture, then of the figures, then where the figures come from."""
    own = canvas.spoken if canvas else []
    release = pivot.figures.passport.get("release")
    source = [label("chart.source", language, release=release)] if release else []
    return [*own, *pivot.figures.remarks, *source]


def _foot_height(canvas: Canvas, pivot: Pivot, language: str, width: float) -> float:
    lines = (canvas.paragraph_height(text, width, size=SMALL) for text in _remarks(None, pivot, language))
    return sum(lines) + canvas.line(SMALL) + MARGIN


def _foot(canvas: Canvas, pivot: Pivot, language: str, y: float, width: float) -> float:
    for text in _remarks(canvas, pivot, language):
        y = canvas.paragraph(text, MARGIN, y, width, size=SMALL, colour=GREY)
    return y + 2


def _picture(canvas: Canvas, pivot: Pivot, language: str, left: float, top: float, width: float, room: float) -> float:
    """Draw the picture into a box; returns where it ends."""
    from tkyt_analysis.explorer.pyramid import draw_pyramids
    from tkyt_analysis.explorer.scatter import draw_cards, draw_scatter

    kind = pivot.layout.picture
    if kind not in DRAWN:
        raise InputError("error.chart_picture", found=kind, expected=", ".join(DRAWN))
    _require_figures(pivot, language)
    _require_readable(pivot, MOST_MARKS.get(kind))
    if kind == "pyramid":
        return draw_pyramids(canvas, pivot, left, top, width, room, language)
    if kind == "scatter":
        return draw_scatter(canvas, pivot, left, top, width, room, language)
    if kind == "card":
        return draw_cards(canvas, arrange(pivot, _rows(pivot), language=language), left, top, width, room)
    if kind == "map":
        return _map(canvas, pivot, language, left, top, width, room)
    return _by_unit(canvas, pivot, kind, language, left, top, width, room)


def _require_figures(pivot: Pivot, language: str) -> None:
    if not np.isfinite(np.asarray(pivot.shown, dtype=float)).any():
        withheld = np.isin(np.asarray(pivot.status, dtype=object), ("suppressed", "not_assessable")).any()
        raise InputError("error.chart_withheld" if withheld else "error.chart_empty")


def _require_readable(pivot: Pivot, most: int | None) -> None:
    """Refuse a picture of more marks than a person can tell apart: a table, or fewer places, says more."""
    rows = (~total_lines(pivot.row_keys, pivot.layout.rows)).sum()
    columns = (~total_lines(pivot.column_keys, pivot.layout.columns)).sum()
    if most is not None and rows * columns > most:
        raise InputError("error.chart_too_many", number=int(rows * columns), most=most)


def _by_unit(
    canvas: Canvas, pivot: Pivot, kind: str, language: str, left: float, top: float, width: float, room: float
) -> float:
    """The picture once per unit of measure, one below the other: different units never share an axis."""
    grid, paint = _painter(pivot, kind, language)
    parts = by_unit(grid)
    for i, part in enumerate(parts):
        bottom = top + (room - top) / (len(parts) - i)
        if len(parts) > 1:
            names = listing([measure_name(pivot.figures, one, language) for one in part.measures], language, most=4)
            head = f"{names} ({part.unit})" if part.unit else names
            top = canvas.paragraph(head, left, top, width, size=NORMAL, style="SemiBold") + 2
        top = paint(canvas, part, left, top, width, bottom) + (8 if i + 1 < len(parts) else 0)
        room = max(room, top)
    return top


Painter = Callable[[Canvas, Grid, float, float, float, float], float]


def _painter(pivot: Pivot, kind: str, language: str) -> tuple[Grid, Painter]:
    """The grid that a picture needs, and what draws it."""
    from tkyt_analysis.explorer.bars import draw_bars
    from tkyt_analysis.explorer.lines import draw_courses, draw_lines, year_over_year
    from tkyt_analysis.explorer.panels import draw_panels, inner_grid
    from tkyt_analysis.explorer.stacks import draw_stacks

    if kind == "small_multiples":
        inside, panel_at = inner_grid(pivot, language=language)
        return inside, lambda canvas, grid, *box: draw_panels(canvas, grid, panel_at, *box)
    if kind in ("line", "year_over_year"):
        finest = period_dimension(pivot)
        if not finest or (kind == "year_over_year" and finest == "year"):
            raise InputError(f"error.chart_{kind}")
        grid = arrange(pivot, (finest,), language=language)
        if kind == "line":
            return grid, draw_lines
        parted, ticks = year_over_year(grid)
        return parted, lambda canvas, grid, *box: draw_courses(canvas, grid, ticks, *box)
    grid = arrange(pivot, _rows(pivot), language=language)
    if kind == "bar":
        return grid, draw_bars
    share = kind == "stacked_share"
    return grid, lambda canvas, grid, *box: draw_stacks(canvas, grid, *box, share=share)


def _rows(pivot: Pivot) -> tuple[str, ...]:
    """The dimensions along the axis: those of the rows, else those of the columns; measures are series beside them."""
    for side in (pivot.layout.rows, pivot.layout.columns):
        found = tuple(one for one in side if one != "measure")
        if found:
            return found
    return ("measure",)


def _map(canvas: Canvas, pivot: Pivot, language: str, left: float, top: float, width: float, room: float) -> float:
    """Maps, or the sentence why there are none and ranked bars."""
    from tkyt_analysis.explorer.bars import draw_bars
    from tkyt_analysis.explorer.map_picture import draw_maps, mapped, place_dimension

    found = mapped(pivot, language=language)
    if not isinstance(found, str):
        parts = [_only(found, part) for part in by_unit(found.grid)]
        for part in parts:
            if len(parts) > 1:
                names = listing([measure_name(pivot.figures, one, language) for one in part.grid.measures], language)
                top = (
                    canvas.paragraph(f"{names} ({part.grid.unit})", left, top, width, size=NORMAL, style="SemiBold") + 2
                )
            top = draw_maps(canvas, part, left, top, width, room / len(parts)) + 4
        return top
    _require_readable(pivot, MOST_MARKS["bar"])
    top = canvas.paragraph(found, left, top, width, size=SMALL, colour="#8a5a00") + 4
    dimension = place_dimension(pivot)
    grid = arrange(pivot, (dimension,) if dimension else _rows(pivot), language=language)
    for part in by_unit(grid):
        top = draw_bars(canvas, _ranked(part), left, top, width, room) + 6
    return top


def _only(found: Any, grid: Grid) -> Any:
    from dataclasses import replace

    return replace(found, grid=grid)


def _ranked(grid: Grid) -> Grid:
    """Largest first, by the last series."""
    last = grid.shown[:, -1]
    return grid.pick(np.argsort(np.where(np.isfinite(last), -last, np.inf), kind="stable").tolist())


def _one_rate(pivot: Pivot, language: str) -> Any:
    """What the room of maps draws by itself: one map of one rate by province; else None."""
    from tkyt_analysis.explorer.map_picture import mapped

    if pivot.layout.picture != "map":
        return None
    _require_figures(pivot, language)
    found = mapped(pivot, language=language)
    if isinstance(found, str) or found.circles or found.outlines.local or len(found.grid.series) != 1:
        return None
    return found


def _map_words(pivot: Pivot, found: Any, language: str) -> dict[str, Any]:
    layout = pivot.layout
    name = found.grid.series_names[0]
    head = title_of(pivot, language)
    return {
        "vintage": pivot.figures.view.geography,
        "title": f"{head} – {name}" if name and name not in head else head,
        "unit": found.grid.unit,
        "scheme": layout.scheme,
        "n_classes": layout.classes,
        "decimals": _few(found),
        "practice": bool(pivot.figures.passport.get("practice")),
        "shapes": found.outlines.shapes,
        "language": language,
    }


def _few(found: Any) -> int | None:
    """Decimals of the class bounds where all units have one value; else the map chooses."""
    return found.grid.decimals if len(np.unique(found.tables[0]["value"].dropna())) < 2 else None


def _province_map(pivot: Pivot, language: str, width: float) -> Figure | None:
    """One rate by province: the printed map."""
    from tkyt_analysis.maps.choropleth import draw_province_map

    found = _one_rate(pivot, language)
    if found is None:
        return None
    figure = draw_province_map(found.tables[0], figsize=(min(width, 6.3), None), **_map_words(pivot, found, language))
    _notes_below(figure, [subtitle(pivot.figures, language), *_remarks(None, pivot, language)])
    return figure


def _notes_below(figure: Figure, notes: list[str]) -> None:
    """Remarks below a finished sheet, which grows to hold them."""
    width, height = (float(one) * POINTS for one in figure.get_size_inches())
    canvas = Canvas(width / POINTS, height / POINTS)
    lines = [line for note in notes for line in canvas.lines(note, width - 2 * MARGIN, SMALL).split("\n")]
    canvas.figure, canvas.axes = figure, figure.axes[0]
    for i, line in enumerate(lines):
        canvas.text(MARGIN - 2, height + i * canvas.line(SMALL), line, SMALL, color=GREY)
    canvas.finish(height + len(lines) * canvas.line(SMALL) + MARGIN)


def _interactive_map(pivot: Pivot, language: str) -> str | None:
    """One rate by province: the map for screens, the place and the remarks below it."""
    from tkyt_analysis.maps.interactive import interactive_map_html

    found = _one_rate(pivot, language)
    if found is None:
        return None
    html = interactive_map_html(
        found.tables[0], value_decimals=found.grid.decimals, **_map_words(pivot, found, language)
    )
    notes = [subtitle(pivot.figures, language), *_remarks(None, pivot, language)]
    return f'<div class="tkyt-picture">{html}{_note_html(notes)}</div>'


_PHONE = 500  # pixels; wider pictures scroll sideways on a phone sooner than become unreadable
_STYLE = (
    '<style>.tkyt-picture{margin:0;font-family:"Be Vietnam Pro",system-ui,sans-serif;color:#1a1a1a}'
    ".tkyt-picture svg{display:block;width:100%;height:auto}"
    ".tkyt-picture .across{overflow-x:auto}"
    ".tkyt-picture figcaption b{display:block;font-size:1.05rem;line-height:1.35}"
    ".tkyt-picture figcaption span{font-size:.85rem;color:#4a545c}"
    ".tkyt-picture .band{background:#fff2cc;border:1px solid #8a5a00;color:#5c3b00;font-weight:600;padding:.25rem .5rem;margin:0 0 .4rem}"
    ".tkyt-picture .notes{margin:.3rem 0 0;padding:0 0 0 1.1rem;font-size:.82rem;color:#4a545c}"
    ".tkyt-picture .hint:hover{fill:#000;fill-opacity:.07}</style>"
)


def _inline(pivot: Pivot, language: str, width_px: int) -> str:
    """Heading as HTML, the picture as SVG with places to point at, remarks as a list."""
    from tkyt_analysis.explorer.spoken import alternative

    width = width_px * 0.75 / POINTS
    with chart_style():
        canvas = _compose(pivot, language, width, max(min(width * 0.56, 6.0), 3.0), heading=False)
        least = f"min-width:{round(0.7 * width_px)}px" if width_px > _PHONE else ""
        svg = _svg(canvas, alternative(pivot, language=language), least)
    band = f'<p class="band" role="note">{label("map.practice", language)}</p>'
    practice = band if pivot.figures.passport.get("practice") else ""
    caption = f"<figcaption><b>{escape(title_of(pivot, language))}</b><span>{escape(_second_line(pivot, language))}</span></figcaption>"
    notes = _note_html(_remarks(canvas, pivot, language))
    return (
        f'{_STYLE}<figure class="tkyt-picture" lang="{language}" style="max-width:{width_px}px">'
        f'{practice}{caption}<div class="across">{svg}</div>{notes}</figure>'
    )


def _note_html(notes: list[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes if note)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _svg(canvas: Canvas, said: str, style: str) -> str:
    """The page as an SVG element, short, with what is said where one points."""
    stream = io.StringIO()
    canvas.figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' (d|points)="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path.group()), text)
    text = re.sub(r"\s*\n\s*", " ", text)
    text = re.sub(r'^<svg[^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" {_NAMESPACES}>', text, count=1)
    head = f'<svg role="img" style="{style}" aria-label="{escape(said, quote=True)}" '
    hints = "".join(_hint(*one) for one in canvas.hints)
    return head + text[len("<svg ") :].replace("</svg>", "").rstrip() + hints + "</svg>"


_NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def _hint(box: tuple[float, float, float, float], text: str) -> str:
    x0, y0, x1, y1 = box
    return (
        f'<rect class="hint" x="{x0:.1f}" y="{y0:.1f}" width="{max(x1 - x0, 0):.1f}" height="{max(y1 - y0, 0):.1f}" '
        f'fill="#fff" fill-opacity="0"><title>{escape(text)}</title></rect>'
    )


__all__ = ["DRAWN", "draw", "picture_png", "picture_svg", "title_of"]
