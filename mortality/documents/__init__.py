"""Doors for documents on a death other than the A6 book: certificates, notices, sent-home lists, civil registration,
verbal autopsies."""
