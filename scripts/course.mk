# The instructor's side of the Makefile: all tests, the student repository, and the proof that it is
# right.
#
#   make course OUT=dir [LAST=3] [INSTRUCTOR=1]
#   make gradescope LAB=3 OUT=lab3.zip

OUT ?=
LAST ?=
INSTRUCTOR ?=

.PHONY: check check-fast bench
check: setup ## everything: host tests, fuzzing, every system test, the course
	$(Q)$(MAKE) --no-print-directory $(JOBS) all host-tests fuzzers
	$(Q)$(PYTHON) -m grade.check --build $(BUILD)
check-fast: setup ## host tests and one boot, under two minutes
	$(Q)$(MAKE) --no-print-directory $(JOBS) all host-tests
	$(Q)$(PYTHON) -m grade.check --build $(BUILD) --fast
bench: all ## measure, as instruction counts and ratios, beside the targets
	$(Q)$(PYTHON) -m grade.bench --build $(BUILD)

.PHONY: course course-check course-check-full gradescope
course: all ## write the student repository, or bring it up to date (OUT=dir LAST=N INSTRUCTOR=1)
	$(Q)test -n "$(OUT)" || { echo 'make course OUT=dir'; exit 2; }
	$(Q)$(PYTHON) scripts/course write "$(OUT)" --build $(BUILD) $(LAST:%=--last %) \
	    $(INSTRUCTOR:%=--instructor)
gradescope: all ## write the zip file of a Gradescope autograder (LAB=N OUT=file.zip)
	$(Q)test -n "$(LAB)" -a -n "$(OUT)" || { echo 'make gradescope LAB=N OUT=file.zip'; exit 2; }
	$(Q)$(PYTHON) scripts/course gradescope "$(LAB)" "$(OUT)" --build $(BUILD)
course-check: all ## check the course: branches, merges, starters, solutions, some mutants
	$(Q)$(PYTHON) scripts/course check --build $(BUILD)
course-check-full: all ## the same with every mutant, liar and alternate; solutions graded 20 times
	$(Q)$(PYTHON) scripts/course check --full --build $(BUILD)
