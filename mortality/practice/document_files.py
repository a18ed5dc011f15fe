"""Files of the other sources of deaths: civil registration, death notices, certificates, sent-home lists, interviews."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.a6_workbook import CREATED
from mortality.practice.certificate_chain import document_words, with_chain
from mortality.practice.deaths import Batch
from mortality.practice.document_defects import DocumentPlanter, plant_chain_defects, plant_number_defects
from mortality.practice.document_people import (
    CERTIFICATE_SHARE,
    CIVIL_SHARE,
    INTERVIEW_SHARE,
    NOTICE_SHARE,
    RECOVERED_SHARE,
    SENT_HOME_SHARE,
    as_another_office_writes,
    chosen,
    persons,
)
from mortality.practice.people import draw_names
from mortality.practice.truth import PLANTED_COLUMNS
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.practice.rates import PROFILES
from tkyt_analysis.practice.world import NOTE, NOTE_EN, World
from tkyt_analysis.practice.writing import write_csv, write_parquet

FORMS_PER_BATCH = 4  # printed forms, for the units after the merger only: a workbook costs more than its rows
HEAD_ROWS = 6  # title lines, note and a blank row; the heading stands in the row after them
_VA_ANSWERS = ("Id10147", "Id10153", "Id10159", "Id10174", "Id10194", "Id10207", "Id10212", "Id10219", "Id10223")


def write_documents(world: World, batch: Batch, deaths: pd.DataFrame, lines: pd.DataFrame) -> None:
    """All other sources of a batch under received/, and truth/death_sources: which death stands where, and what differs."""
    everybody = persons(world, batch, deaths, lines)
    parts = [
        _civil(world, batch, everybody),
        *_hospital(world, batch, everybody[everybody["hospital"]]),
        _sent_home(world, batch, everybody[~everybody["hospital"]]),
        _interviews(world, batch, everybody[everybody["in_book"]]),
    ]
    pairs = pd.concat([part for part in parts if len(part)], ignore_index=True)
    write_parquet(pairs, world.truth_path("death_sources", f"{batch.name}.parquet"))


def _columns(kind: str) -> dict[str, str]:
    rows = read_codelist("practice_document_headers").query("kind == @kind")
    return dict(zip(rows["item"], rows["text"], strict=True))


def _pairs(rows: pd.DataFrame, source: str, file: str, sheet: str, first: int, step: int = 1) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "death_id": rows["death_id"],
            "source": source,
            "file": file,
            "sheet": sheet,
            "row_number": np.arange(len(rows)) * step + first,
            "differs": rows["differs"],
        }
    )


def _sex(rows: pd.DataFrame) -> pd.Series:
    return rows["sex"].map({"male": "Nam", "female": "Nữ"})


def _write_list(path: Path, kind: str, titles: list[str], values: dict[str, Any]) -> None:
    """A list with its titles, the note that it is synthetic, the heading and the rows; text cells only."""
    import xlsxwriter

    columns = _columns(kind)
    lines = [*titles, columns.pop("title"), NOTE]
    with xlsxwriter.Workbook(path, {"strings_to_numbers": False}) as book:
        book.set_properties({"title": kind, "comments": f"{NOTE} / {NOTE_EN}", "created": CREATED})
        sheet, bold = book.add_worksheet(kind), book.add_format({"bold": True, "border": 1, "text_wrap": True})
        for row, text in enumerate(lines):
            sheet.write_string(row, 0, text)
        for place, (item, heading) in enumerate(columns.items()):
            sheet.write_string(HEAD_ROWS, place, heading, bold)
            for row, value in enumerate(values[item], start=HEAD_ROWS + 1):
                if value != "":
                    sheet.write(row, place, value)


def _write_planted(world: World, batch: Batch, planter: DocumentPlanter, kind: str, parts: tuple[str, ...]) -> None:
    """The planted values of a list with their cells."""
    items = [item for item in _columns(kind) if item != "title"]
    rows = planter.rows
    notes = pd.DataFrame(planter.notes, columns=["row", "kind", "element", "true_value", "shown_value"])
    at = [
        f"{kind}!{chr(65 + items.index(e))}{HEAD_ROWS + 2 + r}"
        for r, e in zip(notes["row"], notes["element"], strict=True)
    ]
    day = rows["death_day"].to_numpy()[notes["row"].to_numpy(int)]
    month = (dates.year_of(day) * 100 + dates.month_of(day)).astype(str)
    unit = rows["unit_id"].to_numpy(object)[notes["row"].to_numpy(int)]
    notes = notes.assign(unit_id=unit, period_id=month, file="/".join(parts), place_in_file=at)
    world.write_truth("deaths", notes[PLANTED_COLUMNS], part=f"{batch.name}-{kind}")


def _file(batch: Batch, folder: str, stem: str, suffix: str) -> tuple[str, ...]:
    return folder, f"{stem}_{batch.province}_{batch.first_month}.{suffix}"


def _order(rows: pd.DataFrame) -> list[int]:
    return list(range(1, len(rows) + 1))


# ------------------------------------------------------------------------------------------------ civil


def _civil(world: World, batch: Batch, everybody: pd.DataFrame) -> pd.DataFrame:
    rng = world.rng("civil_registration", batch.name)
    rows = as_another_office_writes(rng, chosen(rng, everybody, CIVIL_SHARE))
    planter = plant_number_defects(world.rng("civil_defects", batch.name), rows, PROFILES[world.profile])
    rows, words = planter.rows, document_words()
    lag = np.floor(rng.lognormal(1.8, 1.0, len(rows))).astype(int)
    day = rows["death_day"].to_numpy() + lag
    cause = np.select(
        [rng.random(len(rows)) < 0.25, rng.random(len(rows)) < 0.2],
        [words["village_cause"], words["unknown_cause"]],
        "",
    )
    cause = np.where(cause == "", rows["diagnosis"].to_numpy(object), cause)
    male = rng.integers(0, 2, len(rows))
    parts = _file(batch, "ho_tich", "KhaiTu", "xlsx")
    _write_planted(world, batch, planter, "civil_registration", parts)
    values = {
        "order": _order(rows), "number": [f"{n}/{batch.year}" for n in _order(rows)], "document_date": dates.as_text(day),
        "registration_place": [words["office"].format(commune=text) for text in rows["residence"]],
        "full_name": rows["shown_name"], "birth": rows["shown_birth"], "sex": _sex(rows), "id_number": rows["shown_id"],
        "address": rows["address"], "death_date": dates.as_text(rows["shown_day"].to_numpy()),
        "place_of_death": np.where(rows["hospital"], words["died_at_facility"], "Tại nhà"), "cause_text": cause,
        "informant": draw_names(rng, male), "relation": np.where(male == 0, words["child"], words["spouse"]),
        "registration_type": np.where(lag > 15, words["late"], words["on_time"]),
    }  # fmt: skip
    titles = [
        words["department"].format(province=batch.communes["province_name"].iloc[0]),
        words["year"].format(year=batch.year),
    ]
    _write_list(world.received_path(*parts), "civil_registration", titles, values)
    return _pairs(rows, "civil_registration", "/".join(parts), "civil_registration", HEAD_ROWS + 2)


# ---------------------------------------------------------------------------------------------- hospital


def _hospital(world: World, batch: Batch, died: pd.DataFrame) -> list[pd.DataFrame]:
    """Notices (a list, some printed forms; XML for the new units), and certificates (a list, some printed forms)."""
    rng = world.rng("hospital", batch.name)
    noticed = as_another_office_writes(rng, chosen(rng, died, NOTICE_SHARE))
    noticed = noticed.assign(hour=rng.integers(0, 24, len(noticed)), stay=rng.integers(0, 12, len(noticed)))
    certified = noticed[rng.random(len(noticed)) < CERTIFICATE_SHARE].reset_index(drop=True)
    certified = with_chain(rng, certified)
    printed = FORMS_PER_BATCH if batch.new_units else 0
    forms, listed = noticed[:printed], noticed[printed:]
    notices = _notice_xml(world, batch, listed) if batch.new_units else _notice_list(world, batch, listed)
    return [
        notices,
        _forms(world, batch, "form_death_notice", "death_notice", _notice_values(forms), forms),
        _certificate_list(world, batch, certified[printed:]),
        _forms(world, batch, "form_certificate", "certificate", _certificate_values(certified[:printed]), certified[:printed]),
    ]  # fmt: skip


def _titles(batch: Batch) -> list[str]:
    words = document_words()
    province = batch.communes["province_name"].iloc[0]
    return [
        words["hospital"].format(province=province.upper()),
        words["facility_code"].format(code=f"{batch.province}Z99"),
        words["year"].format(year=batch.year),
    ]


def _notice_values(rows: pd.DataFrame) -> dict[str, Any]:
    words = document_words()
    day = rows["shown_day"].to_numpy()
    text = dates.as_text(day)
    time = [words["death_time"].format(hour=h, minute=15, date=d) for h, d in zip(rows["hour"], text, strict=True)]
    return {
        "order": _order(rows), "number": [str(100 + n) for n in _order(rows)], "document_date": dates.as_text(day + 1),
        "full_name": rows["shown_name"], "birth": rows["shown_birth"], "sex": _sex(rows), "id_number": rows["shown_id"],
        "address": rows["address"], "admission_date": dates.as_text(day - rows["stay"].to_numpy()), "death_date": time,
        "death_time": time, "cause_text": rows["diagnosis"], "icd10": rows["code"], "informant": [""] * len(rows),
    }  # fmt: skip


def _notice_list(world: World, batch: Batch, rows: pd.DataFrame) -> pd.DataFrame:
    parts = _file(batch, "giay_bao_tu", "GiayBaoTu", "xlsx")
    _write_list(world.received_path(*parts), "death_notice", _titles(batch), _notice_values(rows))
    return _pairs(rows, "death_notice", "/".join(parts), "death_notice", HEAD_ROWS + 2)


def _notice_xml(world: World, batch: Batch, rows: pd.DataFrame) -> pd.DataFrame:
    """Many notices in one file, with the element names of the insurance gateway (see death_notice_xml)."""
    from xml.sax.saxutils import escape

    parts = _file(batch, "giay_bao_tu", "GiayBaoTu", "xml")
    values = _notice_values(rows)
    compact = [text.replace("-", "") for text in dates.as_text(rows["shown_day"].to_numpy(), "iso")]
    columns = {
        "MA_GBT": [f"{n:05d}.GBT.{batch.province}Z99.{batch.year % 100:02d}" for n in _order(rows)],
        "HO_TEN": values["full_name"], "NGAY_SINH": [text.replace("-", "") for text in dates.as_text(rows["birth_day"].to_numpy(), "iso")],
        "GIOI_TINH": rows["sex"].map({"male": "1", "female": "2"}), "SO_GIAYTO": values["id_number"],
        "DCHI_THUONGTRU": values["address"], "NGAY_TV": [f"{d}{h:02d}15" for d, h in zip(compact, rows["hour"], strict=True)],
        "TINH_TRANG_TV": ["0"] * len(rows), "NGUYENNHAN_TV": values["cause_text"], "BENH_ICD10_ID": values["icd10"],
        "SO_BAOTU": values["number"], "NGAY_CAPGIAYBT": compact, "MACSKCB": [f"{batch.province}Z99"] * len(rows),
    }  # fmt: skip
    with world.received_path(*parts).open("w", encoding="utf-8", newline="") as file:
        file.write(f'<?xml version="1.0" encoding="utf-8"?>\n<!-- {NOTE} -->\n<HSDLGBT>\n')
        for record in zip(*columns.values(), strict=True):
            items = "".join(f"<{n}>{escape(str(v))}</{n}>" for n, v in zip(columns, record, strict=True) if v)
            file.write(f"<GIAYBAOTU>{items}</GIAYBAOTU>\n")
        file.write("</HSDLGBT>\n")
    return _pairs(rows, "death_notice", "/".join(parts), "", 1)


def _certificate_values(rows: pd.DataFrame) -> dict[str, Any]:
    no = [document_words()["no"]] * len(rows)
    own = {f"line_{line}{part}": rows[f"line_{line}{part}"] for line in "abc" for part in ("", "_icd10", "_interval")}
    own |= {name: rows[name] for name in ("part2", "part2_icd10", "manner", "manner_box", "sex_box")}
    blank = [""] * len(rows)
    death_date = dates.as_text(rows["shown_day"].to_numpy())
    return {
        **_notice_values(rows), **own, "death_date": death_date, "surgery": no, "autopsy": no, "pregnancy": blank,
    }  # fmt: skip


def _certificate_list(world: World, batch: Batch, rows: pd.DataFrame) -> pd.DataFrame:
    planter = plant_chain_defects(world.rng("certificate_defects", batch.name), rows, PROFILES[world.profile])
    rows = planter.rows
    parts = _file(batch, "benh_vien", "PhieuNNTV", "xlsx")
    _write_planted(world, batch, planter, "certificate", parts)
    _write_list(world.received_path(*parts), "certificate", _titles(batch), _certificate_values(rows))
    return _pairs(rows, "certificate", "/".join(parts), "certificate", HEAD_ROWS + 2)


def write_certificates(path: Path, batch: Batch, rows: pd.DataFrame) -> int:
    """One list of certificates (rows of certificate_chain.with_chain); returns the sheet row of the first."""
    _write_list(path, "certificate", _titles(batch), _certificate_values(rows))
    return HEAD_ROWS + 2


def _forms(
    world: World, batch: Batch, form: str, source: str, values: dict[str, Any], rows: pd.DataFrame
) -> pd.DataFrame:
    """A workbook with one printed form per sheet."""
    import xlsxwriter

    if rows.empty:
        return pd.DataFrame()
    lines = read_codelist("practice_document_headers").query("kind == @form")["text"].tolist()
    parts = _file(batch, "benh_vien", form, "xlsx")
    titles = _titles(batch)[:2]
    with xlsxwriter.Workbook(world.received_path(*parts), {"strings_to_numbers": False}) as book:
        book.set_properties({"title": form, "comments": f"{NOTE} / {NOTE_EN}", "created": CREATED})
        for number in range(len(rows)):
            one = {name: np.asarray(column, object)[number] for name, column in values.items()}
            sheet = book.add_worksheet(f"{source}_{number + 1}")
            _write_cells(sheet, [NOTE, *titles, *(line.format(**one) for line in lines)])
    title_row = 4 + next(place for place, line in enumerate(lines) if "{" not in line and "|" not in line)
    pairs = _pairs(rows, source, "/".join(parts), "", title_row, step=0)
    return pairs.assign(sheet=[f"{source}_{number}" for number in _order(rows)])


def _write_cells(sheet: Any, lines: Iterable[str]) -> None:
    """Each line in its row, its parts ("|") in columns A, B, …"""
    for row, line in enumerate(lines):
        for column, text in enumerate(line.split("|")):
            if text:
                sheet.write_string(row, column, text)


# ----------------------------------------------------------------------------------- sent home, interviews


def _sent_home(world: World, batch: Batch, home: pd.DataFrame) -> pd.DataFrame:
    """Patients taken home dying; RECOVERED_SHARE of the list did not die (their pair has no death_id)."""
    rng = world.rng("sent_home", batch.name)
    words = document_words()
    taken = chosen(rng, home, SENT_HOME_SHARE)
    lived = taken[rng.random(len(taken)) < RECOVERED_SHARE]
    lived = lived.assign(death_id="", full_name=draw_names(rng, np.where(lived["sex"] == "male", 0, 1)), id_number="")
    rows = pd.concat([taken, lived], ignore_index=True).sort_values("death_day", kind="stable", ignore_index=True)
    rows = as_another_office_writes(rng, rows)
    out = rows["death_day"].to_numpy() - rng.integers(0, 4, len(rows))
    died = rows["death_id"].ne("")
    parts = _file(batch, "benh_vien", "NangXinVe", "xlsx")
    values = {
        "order": _order(rows), "number": [f"BN{n:06d}" for n in rng.integers(0, 999_999, len(rows))], "full_name": rows["shown_name"],
        "birth": dates.as_text(rows["birth_day"].to_numpy(), "year"), "sex": _sex(rows), "address": rows["address"],
        "department": [words["ward"]] * len(rows), "admission_date": dates.as_text(out - rng.integers(1, 10, len(rows))),
        "discharge_date": dates.as_text(out), "cause_text": rows["diagnosis"], "icd10": rows["code"],
        "state": [words["state"]] * len(rows), "outcome": np.where(died, words["outcome_died"], words["outcome_other"]),
    }  # fmt: skip
    _write_list(world.received_path(*parts), "sent_home", _titles(batch), values)
    return _pairs(rows, "sent_home", "/".join(parts), "sent_home", HEAD_ROWS + 2)


def _interviews(world: World, batch: Batch, known: pd.DataFrame) -> pd.DataFrame:
    """A CSV as ODK Central exports it: group prefixes, choices as codes, a narrative that names the dead."""
    rng = world.rng("interviews", batch.name)
    rows = as_another_office_writes(rng, chosen(rng, known, INTERVIEW_SHARE))
    day, birth = rows["shown_day"].to_numpy(), rows["birth_day"].to_numpy()
    parted = rows["full_name"].str.partition(" ")
    age = dates.completed_years(birth, day)
    about = "consented-deceased_CRVS-info_on_deceased-"
    key = [f"uuid:practice-{batch.name}-{n}" for n in _order(rows)]
    table = pd.DataFrame(
        {
            "SubmissionDate": dates.as_text(day + 60, "iso"), "respondent_backgr-Id10007": draw_names(rng, rng.integers(0, 2, len(rows))),
            "respondent_backgr-Id10008": "child", "respondent_backgr-Id10012": dates.as_text(day + 60, "iso"),
            "respondent_backgr-Id10013": "yes", f"{about}Id10017": parted[2], f"{about}Id10018": parted[0],
            f"{about}Id10019": rows["sex"], f"{about}Id10020": "yes", f"{about}Id10021": dates.as_text(birth, "iso"),
            f"{about}Id10022": "yes", f"{about}Id10023_a": dates.as_text(day, "iso"), f"{about}Id10023": dates.as_text(day, "iso"),
            f"{about}ageInDays": day - birth, f"{about}ageInYears": age, f"{about}Id10058": np.where(rows["hospital"], "hospital", "home"),
            f"{about}Id10055": rows["residence"],
        }
    )  # fmt: skip
    for question in _VA_ANSWERS:
        table[f"consented-illhistory-signs_symptoms_final_illness-{question}"] = rng.choice(
            ["yes", "no", "dk"], len(rows)
        )
    table["consented-narrat-Id10476"] = "(mô phỏng) " + rows["full_name"] + ": " + rows["diagnosis"]
    table["meta-instanceID"] = table["KEY"] = key
    parts = _file(batch, "phong_van", "va_odk", "csv")
    write_csv(table, world.received_path(*parts))
    return _pairs(rows, "verbal_autopsy", "/".join(parts), "", 3)
