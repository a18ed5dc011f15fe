"""Practice deaths: books (A6), forms (Biểu 16/BCH) and other sources with their truth, province by province.

Memory stays flat: one province and at most one year is in hand at a time, whatever the scale.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mortality.practice.books import write_books, write_export
from mortality.practice.deaths import Batch, draw_deaths
from mortality.practice.defects import plant_defects
from mortality.practice.document_files import write_documents
from mortality.practice.form_files import make_forms
from mortality.practice.register import Planted, register_lines
from mortality.practice.truth import write_death_truth
from tkyt_analysis.labels import label
from tkyt_analysis.practice.world import MERGER_MONTH, Progress, World

WORKBOOK_COMMUNES = 500  # up to this many communes every book is a workbook; above, Parquet and some samples


class DeathsSource:
    """Maker of death registers and death forms."""

    id = "deaths"

    def make(self, world: World, progress: Progress) -> None:
        """Write received/a6, received/bieu16 (or their exports), the other sources, and the truth about every death."""
        batches = list(plan_batches(world))
        population, year = pd.DataFrame(), 0
        for number, batch in enumerate(batches):
            if batch.year != year:
                population, year = world.population(batch.year), batch.year
            place = batch.communes["province_name"].iloc[0]
            progress(label("practice.deaths.progress", place=place, period=batch.first_month), number / len(batches))
            make_batch(world, batch, population)


SOURCE = DeathsSource()


def plan_batches(world: World) -> Iterator[Batch]:
    """Province by province within a year; 2025 falls into old communes to June and new ones from July.

    A new commune whose old ones lie in two provinces is kept with the one that most people come from.
    """
    communes = world.communes
    home = _home_province(communes)
    for year in world.scale.years:
        months = [month for month in world.scale.months if month.startswith(str(year))]
        old = [month for month in months if month < MERGER_MONTH]
        new = [month for month in months if month >= MERGER_MONTH]
        for part, province in ((old, communes["province_id"]), (new, home)):
            if not part:
                continue
            for name, rows in communes.groupby(province.to_numpy(), sort=True):
                yield Batch(name.partition(":")[2], part[0], part[-1], rows, part is new)


def _home_province(communes: pd.DataFrame) -> pd.Series:
    people = communes.groupby(["successor_id", "province_id"], as_index=False)["persons"].sum()
    people = people.sort_values(["successor_id", "persons", "province_id"]).drop_duplicates("successor_id", keep="last")
    return communes["successor_id"].map(people.set_index("successor_id")["province_id"])


def make_batch(world: World, batch: Batch, population: pd.DataFrame) -> None:
    """Deaths, book lines, defects, files and truth of one batch."""
    planted = Planted()
    deaths = draw_deaths(world, batch, population)
    clean = register_lines(world, batch, deaths, planted)
    lines = plant_defects(world, batch.name, clean, deaths, planted)
    whole_scale = len(world.communes) <= WORKBOOK_COMMUNES
    write = write_books if whole_scale else write_export
    places, notes = write(world, batch, lines, planted.rows())
    write_death_truth(world, batch, deaths, lines, places, notes)
    if not batch.new_units and batch.first_month.endswith("01"):
        make_forms(world, batch, deaths, lines, as_workbooks=whole_scale)
    if whole_scale:
        write_documents(world, batch, deaths, clean)
