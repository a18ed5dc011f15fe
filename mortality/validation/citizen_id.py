"""What an ID number says of itself: SQL over `death_identity i` (with BARE as `id_bare`) and its death `d`, verdicts only.

Twelve digits (số định danh cá nhân): three for the province (or country) where the birth was registered, one for century and
sex (0/1 man/woman of the 1900s, 2/3 of the 2000s …), two for the year of birth, six at random (Decree 137/2015, Article 13;
Circular 07/2016/TT-BCA, annex 1: the 63 provinces, as 0 and the statistics office's two digits). Nine digits: the older card
(CMND), without such meaning. The number, or a part of it, never leaves the query: only these columns do.
"""

from __future__ import annotations

from functools import cache

BARE = r"regexp_replace(upper(coalesce(CAST(i.id_number AS VARCHAR), '')), '[\s.\-_]', '', 'g')"
_NOTHING = (
    "",
    "0",
    "X",
    "K",
    "KO",
    "KHONG",
    "KHÔNG",
    "KHONGCO",
    "KHÔNGCÓ",
    "CHUACO",
    "CHƯACÓ",
    "KHÔNGRÕ",
    "KHONGRO",
    "?",
)
_SEQUENCES = (
    "123456789", "012345678", "987654321", "123456780", "123456789012", "012345678901", "012345678912", "123456789123",
    "123456789101", "987654321098", "987654321012",
)  # fmt: skip
SHAPED = "('valid', 'identity_card')"
# More names than this under one number: nobody's number, and not worth comparing each with each.
MOST_NAMES = 10
# Jaro–Winkler similarity from which a word of two names, or two whole names, are one: written otherwise, or shortened in the middle.
WORD_ALIKE, NAME_ALIKE = 0.8, 0.93
FOLDED_NAME = (
    "trim(regexp_replace(replace(strip_accents(lower(CAST(i.full_name AS VARCHAR))), 'đ', 'd'), '[^a-z]+', ' ', 'g'))"
)


@cache
def province_codes() -> tuple[str, ...]:
    """The three digits of the provinces of before 1 July 2025, which the numbers keep."""
    from tkyt_analysis.catalog import read_codelist

    return tuple(sorted("0" + code for code in read_codelist("provinces_2024")["code"]))


def state_sql() -> str:
    """CASE … END: none | valid | identity_card | passport | lost_zero | placeholder | province | length | characters."""
    provinces = province_codes()
    return f"""CASE
        WHEN {_among("i.id_bare", _NOTHING)} THEN 'none'
        WHEN regexp_full_match(i.id_bare, '[0-9]{{6,}}') AND (replace(i.id_bare, left(i.id_bare, 1), '') = '' OR {_among("i.id_bare", _SEQUENCES)}
             OR i.id_bare LIKE '%00000000') THEN 'placeholder'
        WHEN regexp_full_match(i.id_bare, '0[0-9]{{11}}') THEN CASE WHEN {_among("left(i.id_bare, 3)", provinces)} THEN 'valid' ELSE 'province' END
        WHEN regexp_full_match(i.id_bare, '[0-9]{{12}}') THEN 'valid'
        WHEN regexp_full_match(i.id_bare, '[0-9]{{9}}') THEN 'identity_card'
        WHEN regexp_full_match(i.id_bare, '[0-9]{{11}}') AND {_among("left('0' || i.id_bare, 3)", provinces)} THEN 'lost_zero'
        WHEN regexp_full_match(i.id_bare, '[0-9]{{10}}') AND {_among("left('00' || i.id_bare, 3)", provinces)} THEN 'lost_zero'
        WHEN regexp_full_match(i.id_bare, '[0-9]{{8}}') THEN 'lost_zero'
        WHEN regexp_full_match(i.id_bare, '[A-Z]{{1,2}}[0-9]{{6,8}}') THEN 'passport'
        WHEN regexp_full_match(i.id_bare, '[0-9]+') THEN 'length'
        ELSE 'characters' END"""


_WHOLE = "regexp_full_match(i.id_bare, '[0-9]{12}') AND id_state = 'valid'"
_DIGIT = "CAST(substr(i.id_bare, 4, 1) AS INTEGER)"
_YEAR = f"(1900 + 100 * ({_DIGIT} // 2) + CAST(substr(i.id_bare, 5, 2) AS INTEGER))"


def verdicts_sql() -> str:
    """Columns id_sex_agrees (NULL: cannot be said); id_year, id_age: the year of birth, the age as written, beside the number's year:
    fits | traditional (one or two years older) | other | ''."""
    gap = f"(d.age_value - (year(d.death_date) - {_YEAR}))"
    return f"""
        CASE WHEN {_WHOLE} AND d.sex IN ('male', 'female') THEN (d.sex = 'male') = ({_DIGIT} % 2 = 0) END AS id_sex_agrees,
        CASE WHEN {_WHOLE} AND d.birth_year IS NOT NULL
             THEN CASE {_YEAR} - d.birth_year WHEN 0 THEN 'fits' WHEN 1 THEN 'traditional' WHEN 2 THEN 'traditional' ELSE 'other' END
             ELSE '' END AS id_year,
        CASE WHEN {_WHOLE} AND d.age_unit = 'years' AND d.age_value IS NOT NULL AND d.death_date IS NOT NULL
             THEN CASE WHEN {gap} BETWEEN -1 AND 0 THEN 'fits' WHEN {gap} BETWEEN 1 AND 2 THEN 'traditional' ELSE 'other' END
             ELSE '' END AS id_age"""


def shared_sql(relation: str) -> str:
    """A query death_id, other_people: persons of an unlike name who bear the same number in `relation`.

    A number of more than MOST_NAMES names is nobody's: other_people is then the number of names.
    """
    numbered = f"""
        SELECT i.death_id, i.id_bare AS number, {FOLDED_NAME} AS name FROM (SELECT *, {BARE} AS id_bare FROM {relation} i) i
        WHERE regexp_full_match(i.id_bare, '[0-9]{{9}}|[0-9]{{12}}') AND NOT ({state_sql()} = 'placeholder')"""
    return f"""
        WITH numbered AS ({numbered}), twice AS (SELECT number, count(DISTINCT name) AS names FROM numbered WHERE name <> '' GROUP BY 1
                                                 HAVING count(DISTINCT name) > 1)
        SELECT a.death_id, any_value(t.names) - 1 AS other_people FROM numbered a JOIN twice t USING (number)
        WHERE t.names > {MOST_NAMES} AND a.name <> '' GROUP BY 1
        UNION ALL
        SELECT a.death_id, count(DISTINCT b.name) FROM numbered a JOIN twice t USING (number) JOIN numbered b USING (number)
        WHERE t.names <= {MOST_NAMES} AND a.name <> '' AND b.name <> '' AND NOT {_same_name("a.name", "b.name")} GROUP BY 1"""


def _same_name(one: str, other: str) -> str:
    """Whether two folded names are probably one: family and given name alike, or hardly a letter apart."""
    words = [
        f"jaro_winkler_similarity(split_part({one}, ' ', {at}), split_part({other}, ' ', {at})) >= {WORD_ALIKE}"
        for at in (1, -1)
    ]
    return f"({' AND '.join(words)} OR jaro_winkler_similarity({one}, {other}) >= {NAME_ALIKE})"


def _among(sql: str, words: tuple[str, ...]) -> str:
    """Whether a text is one of these; a list, since DuckDB makes a join of every long IN."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"list_contains([{listed}], {sql})"
