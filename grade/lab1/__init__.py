"""The tests of lab 1, and what they are made of: models on the host, functions in the kernel."""
