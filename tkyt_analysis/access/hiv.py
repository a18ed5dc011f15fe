"""What concerns HIV: by code or by wording. The law names who may know (Law 64/2006, amended 71/2020, Article 30).

A module that keeps persons names, for its table of identifiers, a query that gives the keys of such records
(`Module.hiv_records`).
"""

# B20–B24, and the codes that name the infection elsewhere in ICD-10.
CODES = r"^(B2[0-4]|F02\.?4|O98\.?7|R75|Z21)"
# In folded text: HIV, AIDS (in French SIDA), anti-retroviral treatment, "nhiễm H" and the other ways round the word
# that the lay dictionary reads as HIV (tests/catalog/test_lay_dictionary.py holds the two together).
WORDS = (
    r"\b(hiv|h\.i\.v|aids?|aisd|sida|si da|arv|hat i ve)\b|^et$|\b(nhiem|benh|bi|dinh|mac) (h|et)\b|^(nhiem|benh) hat$|^h giai doan"
    r"|benh the ky|suy giam mien dich (mac phai|o nguoi|do vi ?rut)"
)


def has_code(column: str) -> str:
    """SQL condition: a column of ICD-10 codes concerns HIV."""
    return f"regexp_matches(upper(coalesce({column}, '')), '{CODES}')"


def has_words(column: str) -> str:
    """SQL condition: a column of free text concerns HIV."""
    return f"regexp_matches(replace(strip_accents(lower(coalesce({column}, ''))), 'đ', 'd'), '{WORDS}')"


CASES = f"SELECT record_id FROM lake.notifiable_case WHERE {has_code('disease')}"
