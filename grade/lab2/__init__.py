"""The tests of lab 2."""
