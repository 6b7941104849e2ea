"""The parts of scripts/make-book."""
