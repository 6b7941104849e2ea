"""Grading somebody else's work: the course's own tree, and of the submission only what the lab lets
a student edit, laid over it.

submission.py   what is taken from a folder or a `make handin` archive, and what is refused
supervise.py    commands with bounds, none of whose processes outlives them
grading.py      lay over, build, grade, in a scratch folder
pack.py         the zip file for Gradescope, with the scripts in gradescope/
"""
