"""The grader of lab 4: the namespace."""
