"""What the gallery shows: exhibits. A module brings its own through `Module.gallery`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tkyt_analysis.modules import load_object, parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Inches: the text width of an A4 page, and a phone of 360 points across.
SIZES = {"print": 6.3, "phone": 3.4}
GROUPS = ("maps", "trends", "areas", "charts", "reports", "mortality")


@dataclass(frozen=True)
class Exhibit:
    """One kind of picture.

    id : also its label, `gallery.<id>`
    group : page it stands on, one of GROUPS
    draw : (width in inches, language) → a matplotlib figure, or the HTML of a figure whose SVG stands in the page
    interactive : language → a whole HTML page that needs no network; None where there is none
    """

    id: str
    group: str
    draw: Callable[[float, str], Figure | str]
    interactive: Callable[[str], str] | None = None


def exhibits() -> dict[str, Exhibit]:
    """All exhibits of the core and of the modules, by id, in the order of their groups."""
    found = [one for name in parts("gallery").values() for one in load_object(name)()]
    return {one.id: one for one in sorted(found, key=lambda one: GROUPS.index(one.group))}
