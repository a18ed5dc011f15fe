"""Joinpoint regression beside NCI's program."""
