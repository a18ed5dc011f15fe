"""What a name looks like, as SQL over `death_identity i` (with PLAIN as `name_plain`): a verdict per record, never the name."""

from __future__ import annotations

from functools import cache

NAME = "coalesce(CAST(i.full_name AS VARCHAR), '')"
PLAIN = f"trim(replace(strip_accents(lower({NAME})), 'đ', 'd'))"
_UNKNOWN = (
    r"vo danh.*|(khong|ko|chua|k) ?(ro|biet|xac dinh)( .*)?|khong( co)? ten|chua (dat|co) ten|chua dat|an danh|nguoi la( .*)?|"
    r"nguyen (van|thi) [abcxyz]|unknown|no ?name|nn|na|n/a|x+|khong|ko|k|test|a+|[^a-z]+"
)
_OF_MOTHER = (
    r"(con|be|chau be|tre|ss|so sinh|be so sinh|tre so sinh)( (gai|trai|so sinh|nu|nam))*( con)? (ba|chi|me|co|cua|ong|anh|sp|san phu)\b.*|"
    r"(be|tre|con|chau)( (gai|trai|so sinh|nu|nam|chua dat ten))+|so sinh( .*)?|be"
)
_TWO = r".*( va | & | \+ |;|\n|[a-z] ?/ ?[a-z]).*"
_INITIALS = r"[a-z]([ .]+[a-z])*[ .]*|[a-z]\.[a-z.]+"
_CONSONANTS = r"[bcdghklmnpqrstvx]{2,5}"


def name_state_sql() -> str:
    """CASE … END: missing | unknown | newborn | digits | two_people | initials | one_word | full."""
    return f"""CASE
        WHEN i.name_plain = '' THEN 'missing'
        WHEN regexp_full_match(i.name_plain, '{_OF_MOTHER}') THEN 'newborn'
        WHEN regexp_full_match(i.name_plain, '{_UNKNOWN}') THEN 'unknown'
        WHEN regexp_full_match(i.name_plain, '(?s){_TWO}') THEN 'two_people'
        WHEN regexp_matches(i.name_plain, '[0-9]') THEN 'digits'
        WHEN regexp_full_match(i.name_plain, '{_INITIALS}') OR regexp_full_match(i.name_plain, '{_CONSONANTS}') THEN 'initials'
        WHEN NOT contains(i.name_plain, ' ') THEN 'one_word'
        ELSE 'full' END"""


def given_sex_sql() -> str:
    """The sex that the given name (last word, with its accents) nearly always has, '' for all others."""
    last = f"list_extract(string_split(regexp_replace(trim(lower(nfc_normalize({NAME}))), '\\s+', ' ', 'g'), ' '), -1)"
    female, male = given_names()
    return f"CASE WHEN list_contains({_listed(female)}, {last}) THEN 'female' WHEN list_contains({_listed(male)}, {last}) THEN 'male' ELSE '' END"


def same_as_informant_sql(columns: frozenset[str]) -> str:
    """Whether the dead and whoever reported the death bear one name (or one number), as far as the table says who did."""
    folded = "replace(strip_accents(lower(trim(CAST(i.{0} AS VARCHAR)))), 'đ', 'd')"
    name = f"({folded.format('full_name')} = {folded.format('informant')})" if "informant" in columns else "false"
    bare = "regexp_replace(CAST(i.{0} AS VARCHAR), '[^0-9]', '', 'g')"
    number = (
        f"(length({bare.format('id_number')}) >= 9 AND {bare.format('id_number')} = {bare.format('informant_id')})"
        if "informant_id" in columns
        else "false"
    )
    return f"coalesce({name}, false) OR coalesce({number}, false)"


@cache
def given_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Given names of women, and of men: the code list `given_names_of_one_sex`."""
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist("given_names_of_one_sex")
    female, male = (tuple(rows.loc[rows["sex"] == sex, "name"]) for sex in ("female", "male"))
    return female, male


def _listed(words: tuple[str, ...]) -> str:
    return "[" + ", ".join(f"'{word}'" for word in words) + "]"
