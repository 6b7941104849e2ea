"""Lab 5: a disk driver. The tests, and what they run on the host and in the guest."""
