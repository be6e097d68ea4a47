# SPDX-License-Identifier: GPL-2.0-only
#
# The stress program, the initramfs that runs it, and `make stress`.

STRESS_SRC := $(wildcard tests/stress/*.c)

$(eval $(call user_program,stress,$(STRESS_SRC)))
$(eval $(call user_initrd,stress,$(B)/user/stress))

$(B)/user/obj/tests/stress/%.o: USER_CFLAGS += -I. -Iinclude

.PHONY: stress deps-stress
deps-stress: deps-run
	@tools/host/deps bench

stress: | deps-stress
	$(if $(filter-out $(B)/guest-%,$(KERNEL)),,$(error make stress needs KERNEL=, a Linux bzImage))
	@case "$$TIME$$SEED" in *[!0-9]*) echo "make stress: TIME and SEED are numbers" >&2; exit 2 ;; esac
	@INITRD= tools/host/run --env --prepare
	@$(LOCKED) $(MAKE) --no-print-directory $(if $(V),,-s) built $(B)/stress.cpio
	@t=$${TIME:-1800}; INITRD=$(B)/stress.cpio MEMORY="$${MEMORY:-128}" TIMEOUT=$$((t * 2 + 600)) \
	CMDLINE="console=ttyS0 run=/bin/stress seconds=$$t seed=$$SEED vmixen.counters $$CMDLINE" tools/host/run --env
