"""Reporting: who had to report, who did, when, since when, and what a blank means. All counts in SQL on one scratch table."""
