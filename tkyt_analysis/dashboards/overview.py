"""The overview for leadership: an ordinary class of widgets over one release.

    app = OverviewApp(home); app.place.value = "VN2025:51"; app.figures; app.table

The kernel of a viewer reads the release directory and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from tkyt_analysis.app_shell.log import log
from tkyt_analysis.dashboards import overview_page as page
from tkyt_analysis.dashboards.overview_data import MAP_MEASURES, Figure, OverviewData
from tkyt_analysis.dashboards.overview_figures import six_figures
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.labels import LANGUAGE_NAMES, LANGUAGES, current_language, label
from tkyt_analysis.pages import notice
from tkyt_analysis.reference.periods import format_period
from tkyt_analysis.settings import home_directory
from tkyt_analysis.warehouse.release import NATION, Release

SAID_TO_VIEWERS = (
    "error.overview_empty",
    "error.overview_no_place",
    "error.account_withdrawn",
    "error.no_account",
    "error.home_of_other",
)


class OverviewApp(widgets.VBox):
    """Pickers, six figures, province map and table of units.

    place, commune, period, measure, language_picker : the pickers (widgets)
    figures : list of `Figure`; table : DataFrame; error : the sentence shown instead of them, or ""
    """

    def __init__(self, home: Path | None = None, *, language: str | None = None, release_id: str | None = None) -> None:
        self.language = language or current_language()
        self.figures: list[Figure] = []
        self.table = pd.DataFrame()
        self.error = ""
        self._filling = False
        self._make_widgets()
        self._parts: list[widgets.Widget] = [widgets.HTML(page.style_html()), self._head]
        super().__init__(self._parts)
        self.add_class("tkyt-app")
        try:
            self.data = OverviewData(Release(home or home_directory(), release_id))
            self._require_periods()
        except TkytError as error:
            self._say_closed(error)
            return
        self._lay_out()
        self._fill_pickers()
        self._listen()
        self.refresh()

    # -- widgets

    def _make_widgets(self) -> None:
        wide = {"style": {"description_width": "initial"}, "layout": {"width": "auto"}}
        self.place, self.commune, self.period, self.measure, self.language_picker = (
            widgets.Dropdown(**wide) for _ in range(5)
        )
        self._head, self._remarks, self._cards, self._map, self._units, self._foot = (widgets.HTML() for _ in range(6))

    def _lay_out(self) -> None:
        pickers = [self.place, self.commune, self.period, self.measure, self.language_picker]
        controls, below = widgets.Box(pickers), widgets.Box([self._map, self._units])
        for widget, name in ((controls, "controls"), (below, "below"), (self._map, "map"), (self._units, "units")):
            widget.add_class(name)
        self.children = [*self._parts, controls, self._remarks, self._cards, below, self._foot]

    def _fill_pickers(self) -> None:
        """Options in the language; what was chosen stays chosen."""
        language = self.language
        with self._quiet():
            provinces = self.data.offered_provinces
            nation = [(label("overview.nation", language), NATION)] if self.data.may_see(NATION) else []
            _fill(self.place, [*nation, *zip(provinces["name"], provinces["unit_id"])])
            _fill(self.period, [(format_period(one, language), one.period_id) for one in self.data.periods])
            _fill(self.measure, [(label(f"overview.map_option.{one}", language), one) for one in MAP_MEASURES])
            _fill(self.language_picker, [(LANGUAGE_NAMES[one], one) for one in LANGUAGES])
            self.language_picker.value = language
            self._fill_communes()
        for name in ("place", "commune", "period", "language"):
            picker = self.language_picker if name == "language" else getattr(self, name)
            picker.description = label(f"overview.{name}", language)
        self.measure.description = label("overview.map_shows", language)

    def _fill_communes(self) -> None:
        whole = [(label("overview.whole_province", self.language), "")]
        rows = self.data.communes(self.place.value) if self.place.value != NATION else pd.DataFrame()
        communes = list(zip(rows["name"], rows["unit_id"])) if len(rows) else []
        _fill(self.commune, [*(whole if self.data.may_see(self.place.value) or not communes else []), *communes])
        self.commune.disabled = not len(rows)

    def _listen(self) -> None:
        self.place.observe(self._place_changed, "value")
        self.language_picker.observe(self._language_changed, "value")
        for picker in (self.commune, self.period):
            picker.observe(lambda _: self.refresh(), "value")
        self.measure.observe(lambda _: self._refresh_map(), "value")

    def _place_changed(self, _: Any) -> None:
        if self._filling:
            return
        with self._quiet():
            self._fill_communes()
        self.refresh()

    def _language_changed(self, change: Any) -> None:
        if self._filling:
            return
        self.language = change["new"]
        self._fill_pickers()
        self.refresh()

    @contextmanager
    def _quiet(self) -> Any:
        """Changes made by the app itself redraw nothing."""
        before, self._filling = self._filling, True
        try:
            yield
        finally:
            self._filling = before

    def __repr__(self) -> str:
        """Short: a page carries this text too."""
        return "OverviewApp"

    # -- showing

    def choose(self, place: str, period_id: str | None = None) -> None:
        """Show a place (nation, province or commune) and period; one the release has not becomes a sentence."""
        try:
            self.data.require_place(place)
            when = self.data.require_period(period_id or self.period.value)
            with self._quiet():
                province = place if len(place) < len("VN2025:21127") else self._province_of(place)
                self.place.value = province
                self._fill_communes()
                if place != province and place not in [value for _, value in self.commune.options]:
                    raise InputError("error.overview_place", place=place, release=self.data.release.release_id)
                self.commune.value = "" if place == province else place
                self.period.value = when.period_id
        except InputError as error:
            self._say(error.sentence(self.language))
            return
        self.refresh()

    def _province_of(self, commune: str) -> str:
        scope = self.data.units.set_index("unit_id").loc[commune, "province_scope"]
        return str(scope).replace("-", ":")

    @property
    def chosen_place(self) -> str:
        """unit_id of the commune, province or nation that is shown."""
        return self.commune.value or self.place.value

    def refresh(self) -> None:
        """Draw everything for the chosen place and period."""
        if self._filling:
            return
        self.error = ""
        self._head.value = page.head_html(self.data.release, self.language)
        self._foot.value = page.foot_html(self.data.release, self.language)
        self._guarded(self._show_figures)
        self._refresh_map()

    def _show_figures(self) -> None:
        place, this = self.data.require_place(self.chosen_place), self.data.require_period(self.period.value)
        self.figures = six_figures(self.data, place, this)
        self.table = self.data.table(this)
        self._remarks.value = page.remarks_html(self.data, place, this, self.figures, self.language)
        self._cards.value = page.cards_html(self.figures, this, self.language)
        self._units.value = page.table_of_units(self.data, self.table, place, this, self.language)

    def _refresh_map(self) -> None:
        if not self._filling:
            self._guarded(self._show_map)

    def _show_map(self) -> None:
        if self.measure.value not in MAP_MEASURES:
            raise InputError("error.overview_measure", measure=self.measure.value, known=", ".join(MAP_MEASURES))
        this = self.data.require_period(self.period.value)
        self._map.value = page.map_html(self.data, self.measure.value, this, self.language)

    def _guarded(self, show: Callable[[], None]) -> None:
        """Run a drawing step; what goes wrong becomes a sentence on the page, the traceback goes to the log file."""
        try:
            show()
        except InputError as error:
            self._say(error.sentence(self.language))
        except Exception as error:
            code = hashlib.sha256(repr(error).encode()).hexdigest()[:6]
            log.exception("overview %s", code)
            self._say(label("overview.broken", self.language, release=self.data.release.release_id, code=code))

    def _say(self, sentence: str) -> None:
        self.error = sentence
        self._remarks.value = notice(sentence, kind="error", language=self.language)

    # -- nothing to show

    def _require_periods(self) -> None:
        if not self.data.periods:
            raise InputError("error.overview_empty", release=self.data.release.release_id)
        if self.data.offered_provinces.empty:
            account = self.data.release.account
            raise InputError("error.overview_no_place", account=account.name, unit=account.unit_id)

    def _say_closed(self, error: TkytError) -> None:
        log.warning("%s", error)
        known = error.key in SAID_TO_VIEWERS
        self.error = error.sentence(self.language) if known else label("overview.no_release", self.language)
        self._head.value = page.head_html(None, self.language)
        self._remarks.value = notice(self.error, kind="warning", language=self.language)
        self.children = [*self._parts, self._remarks]


def _fill(picker: widgets.Dropdown, options: list[tuple[str, str]]) -> None:
    """New options; the value stays if it is still offered, else it is the first."""
    value = picker.value
    picker.options = options
    picker.value = value if value in [one for _, one in options] else options[0][1]
