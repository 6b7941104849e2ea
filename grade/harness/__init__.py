"""Boots Cairn in QEMU and talks to it: what the tests and `make qemu` have in common."""
