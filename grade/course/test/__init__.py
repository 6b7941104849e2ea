"""Tests of the course machinery, on a tiny course made on the spot."""
