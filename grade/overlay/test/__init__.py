"""Tests of grading somebody else's work."""
