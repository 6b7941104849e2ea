# What working on the labs adds to the Makefile: stubs, reference objects, grading, handing in.
#
#   make grade [LAB=3] [EX=3.2]   points, with what is wrong
#   make REF="1 2" ...            take these labs' files from the reference objects in ref/
#   make handin                   pack what may be changed into BUILD/handin.tar.gz

LAB ?=
EX ?=
REF ?=

# A file with a stub in it gets the macro of its stubs, and no warnings about what only a solution
# would use.
open := (
UNWRITTEN := $(shell grep -rls --include='*.[chS]' 'EXERCISE$(open)"' $(wildcard kernel servers user))
UNWRITTEN_FLAGS := -Wno-unused-function -Wno-unused-parameter -Wno-unused-variable \
    -Wno-unused-const-variable
$(patsubst %.c,$(BUILD)/%.o,$(filter kernel/%.c,$(UNWRITTEN))): \
    KERNEL_CFLAGS += $(UNWRITTEN_FLAGS) -include kernel/lib/exercise.h
$(patsubst %.c,$(BUILD)/u/%.o,$(filter servers/%.c user/%.c,$(UNWRITTEN))): \
    USER_CFLAGS += $(UNWRITTEN_FLAGS) -include user/libcairn/include/cairn/exercise.h
ifneq ($(UNWRITTEN),)
HOST_CFLAGS += $(UNWRITTEN_FLAGS) -include user/libcairn/include/cairn/exercise.h
endif

unknown := $(filter-out $(notdir $(wildcard ref/lab*)),$(REF:%=lab%))
ifneq ($(unknown),)
$(error REF=$(REF): there are no reference objects of $(unknown) here, but of: \
    $(or $(notdir $(wildcard ref/lab*)),none; they come with the next lab))
endif
# ref/labN/kernel/mm/frame.o stands for kernel/mm/frame.c when N is in REF.
REFERENCES := $(shell test ! -d ref || find ref -name '*.o')
reference_source = $(patsubst ref/$(word 2,$(subst /, ,$(1)))/%,%,$(1))
reference_object = $(BUILD)/$(if $(filter kernel/%,$(reference_source)),,u/)$(reference_source)
reference_wanted = $(filter $(REF:%=lab%),$(word 2,$(subst /, ,$(1))))

ifneq ($(REFERENCES),)
# So that a changed REF rebuilds what it concerns.
.PHONY: reference-choice
$(BUILD)/reference-choice: reference-choice
	@mkdir -p $(BUILD); echo '$(REF)' | cmp -s - $@ || echo '$(REF)' > $@

define reference_rule
$(call reference_object,$(1)): $(BUILD)/reference-choice
endef
define reference_copy
$(call reference_object,$(1)): $(1)
	$$(call say,REF,$(call reference_source,$(1)))
	@mkdir -p $$(@D)
	$$(Q)cp $$< $$@; touch $$@
endef
$(foreach r,$(REFERENCES),$(eval $(call reference_rule,$(r))))
$(foreach r,$(REFERENCES),$(if $(call reference_wanted,$(r)),$(eval $(call reference_copy,$(r)))))
endif

ifeq ($(wildcard scripts/course.mk),)
.PHONY: check check-fast bench
check check-fast bench:
	@echo 'make $@ is for the whole system; in a lab, make grade tests your work'; exit 2
endif

.PHONY: grade handin
grade: all ## grade this lab (LAB=3: another one, EX=3.2: one exercise)
	$(Q)$(PYTHON) -m grade.run --build $(BUILD) --qemu $(QEMU) --smp $(SMP) \
	    $(LAB:%=--lab %) $(EX:%=--exercise %)
handin: ## pack your work into BUILD/handin.tar.gz
	$(Q)$(PYTHON) scripts/handin --build $(BUILD) --references "$(REF)"
