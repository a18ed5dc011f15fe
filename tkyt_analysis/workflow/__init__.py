"""Submission states: who sent which report, who checked, approved, returned or reopened it, and what is locked."""
