"""Scores that are fair: shares with their uncertainty, small units pulled to their peers, funnels instead of league tables."""
