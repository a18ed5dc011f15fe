"""The deaths that concern HIV: by coded cause, by code as written or given, by any code or words of the certificate."""

from tkyt_analysis.access.hiv import has_code, has_words

DEATHS = f"""
    SELECT d.death_id FROM lake.death d LEFT JOIN lake.death_code c ON c.death_id = d.death_id
    WHERE {has_code("c.code")} OR {has_code("d.icd10_as_written")} OR {has_code("d.underlying_cause_as_given")}
       OR {has_words("d.cause_text")}
    UNION
    SELECT d.death_id FROM lake.death d JOIN lake.death_cause k USING (file_sha256, record_key)
    WHERE {has_code("k.icd10_code")} OR {has_code("k.icd10_as_written")} OR {has_words("k.cause_text")}
"""
SENT_HOME = f"""
    SELECT event_id FROM lake.sent_home_dying
    WHERE {has_code("icd10_as_written")} OR {has_words("diagnosis_text")}
"""
