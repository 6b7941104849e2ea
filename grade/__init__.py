"""Graders and system tests of Cairn, and the harness that they share."""
