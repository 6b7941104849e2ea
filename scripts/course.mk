# The instructor's side of the Makefile: the student repository, and the proof that it is right.
#
#   make course OUT=dir [LAST=3] [INSTRUCTOR=1]

OUT ?=
LAST ?=
INSTRUCTOR ?=

.PHONY: course course-check course-check-full
course: all ## write the student repository, or bring it up to date (OUT=dir LAST=N INSTRUCTOR=1)
	$(Q)test -n "$(OUT)" || { echo 'make course OUT=dir'; exit 2; }
	$(Q)$(PYTHON) scripts/course write "$(OUT)" --build $(BUILD) $(LAST:%=--last %) \
	    $(INSTRUCTOR:%=--instructor)
course-check: all ## check the course: branches, merges, starters, solutions, some mutants
	$(Q)$(PYTHON) scripts/course check --build $(BUILD)
course-check-full: all ## the same with every mutant, and each solution graded 20 times
	$(Q)$(PYTHON) scripts/course check --full --build $(BUILD)
