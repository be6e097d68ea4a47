# SPDX-License-Identifier: GPL-2.0-only
#
# The stress program, the initramfs that runs it, and `make stress`.

STRESS_SRC := $(wildcard tests/stress/*.c)

$(eval $(call user_program,stress,$(STRESS_SRC)))
$(eval $(call user_initrd,stress,$(B)/user/stress))

$(B)/user/obj/tests/stress/%.o: USER_CFLAGS += -Iinclude

STRESS_TIME = $(if $(filter undefined,$(origin TIME)),1800,$(TIME))
SEED ?= 1
STRESS_MEMORY = $(if $(filter file,$(origin MEMORY)),128,$(MEMORY))

.PHONY: stress deps-stress
deps-stress:
	@tools/host/deps bench $(RUN_DEPS)

stress: | deps-stress
	$(if $(filter $(B)/guest-%,$(KERNEL)),$(error make stress needs KERNEL=, a Linux bzImage))
	@$(MAKE) --no-print-directory $(if $(V),,-s) $(B)/stress.cpio
	@$(MAKE) --no-print-directory run INITRD=$(B)/stress.cpio MEMORY=$(STRESS_MEMORY) \
		TIMEOUT=$$(($(STRESS_TIME) * 2 + 600)) \
		CMDLINE='console=ttyS0 run=/bin/stress seconds=$(STRESS_TIME) seed=$(SEED) vmixen.counters $(CMDLINE)'
