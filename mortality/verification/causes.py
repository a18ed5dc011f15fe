"""Cause-of-death structure beside published results."""
