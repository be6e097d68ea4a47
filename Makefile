# SPDX-License-Identifier: GPL-2.0-only
#
# `make help` tells what there is to make.
#
# Not recursive.  Everything made is in build/; what is downloaded, and Xen
# and dom0 for the host bed, in $XDG_CACHE_HOME/vmixen.

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

# --- what is typed -----------------------------------------------------------------

# The variables of `make help`. Their texts are taken as they are: make expands
# nothing in them, and recipes have them from the environment ("$$KERNEL"), so no
# shell does.
SETTINGS := XEN_SERIES XEN_SOURCE QEMU_SOURCE KERNEL INITRD CMDLINE MEMORY VCPUS HOST NAME RUN_DIR \
	TIMEOUT DISK DISK2 DISK3 DISK4 DISK5 DISK6 DISK7 DISK8 VIF VIF2 ICOUNT V HOSTS ONLY \
	ROM TIME KEEP NATIVE WORLDS DOCS CEILINGS SEEDS SEED SAMPLE JUNIT
# What else may be given to make; most are for packagers and the tests.
OTHERS := B CC NASM LD WARN FUZZ_CC GUEST_CC GUEST_LD GUEST_NASM GUEST_OBJCOPY SHELL \
	DESTDIR PREFIX MKROM_CFLAGS MKROM_LDFLAGS

typed_are = $(strip $(foreach v,$(.VARIABLES),$(if $(findstring $(1),$(origin $v)),$v)))
UNKNOWN := $(if $(filter 0,$(MAKELEVEL)),$(filter-out $(SETTINGS) $(OTHERS),$(call typed_are,command line)))
quoted = '$(subst ','\'',$(1))'
$(if $(UNKNOWN),$(error $(shell tools/host/nearest $(SETTINGS) -- \
	$(foreach v,$(UNKNOWN),$(call quoted,$v)))))
$(foreach v,$(SETTINGS),$(if $(filter command environment,$(firstword $(origin $v))),\
	$(eval override $v := $$(value $v))))
HOST ?= pvh
HOSTS ?= pvh shim bare
SEEDS ?= 1-20
SEED ?= 1
export $(SETTINGS)

B := build
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' '$(1)' '$(2)')

CC := gcc
NASM := nasm
LD := ld

# From the top of the tree, or by name alone what is in include/ or beside the file.
INCLUDES := -I. -Iinclude
WARN := -std=gnu11 -Wall -Wextra -Werror -Wstrict-prototypes -Wshadow -Wpointer-arith
DEPS = -MMD -MP -MF $@.d

# The same bytes from whatever folder: gcc writes its working directory, as PWD names
# it, into what it makes with -g, and file names where __FILE__ stands.
export PWD := $(CURDIR)
ANYWHERE := $(call quoted,-ffile-prefix-map=$(CURDIR)=.)

# 32-bit code without a C library and without anything but general registers.
FREESTANDING := -m32 -march=i686 -mgeneral-regs-only -ffreestanding -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-strict-aliasing -fno-ident $(ANYWHERE)
# The ROM's C: position independent, no GOT entry, nothing writable.
ROM_CFLAGS := $(WARN) $(INCLUDES) $(FREESTANDING) -O2 -mtune=generic -mregparm=3 -mpreferred-stack-boundary=2 -fpie -include rom/hidden.h
ENTRY_CFLAGS := $(WARN) $(INCLUDES) -fno-delete-null-pointer-checks -DVMIXEN_ENTRY $(FREESTANDING) -O2 -fno-pic
HOST_CFLAGS := $(WARN) $(INCLUDES) -Itools/mkrom -O2 -g

# Linked in the order of their names, folders left out: a file that moves into another
# folder changes no byte of the image.
by_name = $(foreach f,$(sort $(foreach f,$(1),$(notdir $f)|$f)),$(lastword $(subst |, ,$f)))
SHARED_SRC := $(foreach room,lib pc $(addprefix monitor/,cpu emul io life vmi),$(wildcard $(room)/*.c)) \
	$(addprefix xenbind/,blk.c console.c grant.c orders.c store.c vif.c xenbus.c)
ROM_SRC := $(call by_name,$(SHARED_SRC) $(wildcard monitor/pv/*.c monitor/pv/*/*.c) xenbind/mmu.c)
ROM_OBJ := $(B)/rom/rom.o $(ROM_SRC:%.c=$(B)/rom/%.o)
PVH_SRC := $(call by_name,$(SHARED_SRC) $(wildcard monitor/pvh/*.c))
PVH_OBJ := $(B)/rom/rom_pvh.o $(PVH_SRC:%.c=$(B)/rom/%.o)
ENTRY_SRC := $(call by_name,$(wildcard entry/*/*.c) lib/mem.c lib/print.c xenbind/console.c)
ENTRY_OBJ := $(B)/entry/entry/pv/start.o $(B)/entry/entry/pvh/start.o $(ENTRY_SRC:%.c=$(B)/entry/%.o)
MKROM_SRC := $(sort $(wildcard tools/mkrom/*.c)) entry/boot/room.c monitor/emul/decode.c
MKROM_OBJ := $(MKROM_SRC:%.c=$(B)/host/%.o)
GEN := $(B)/gen/offsets.inc $(B)/gen/calls.inc

# One build in a tree at a time: `$(LOCKED) $(MAKE) TARGET...` in a recipe.
LOCKED := tools/host/locked

.PHONY: all built
all:
	@$(LOCKED) $(MAKE) --no-print-directory built
built: $(B)/vmi.rom $(B)/mkrom $(B)/entry.elf guest

# --- the ROM -------------------------------------------------------------------

$(B)/gen/calls.inc: rom/calls_asm.h rom/calls.def
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -I. -x c $< -o $@

$(B)/gen/offsets.s: entry/offsets.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ROM_CFLAGS) $(DEPS) -MT $@ -S $< -o $@

$(B)/gen/offsets.inc: $(B)/gen/offsets.s
	$(Q)sed -n 's/^@\([A-Z0-9_]*\) \(-\{0,1\}[0-9]*\)$$/%define \1 \2/p' $< > $@

# NASM's -MD forgets included files in 2.16: dependencies are a step of their own.
$(B)/rom/rom.o: rom/rom.asm $(GEN)
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) -I$(B)/gen/ -M -MP -MT $@ $< > $@.d
	$(Q)$(NASM) -f elf32 -Werror -I$(B)/gen/ $< -o $@

$(B)/rom/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ROM_CFLAGS) $(DEPS) -c $< -o $@

# Two links at different addresses: mkrom compares them byte for byte.
$(B)/rom/at-%.elf: $(ROM_OBJ) rom/rom.lds
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_i386 -static --no-dynamic-linker --no-warn-rwx-segments -z noexecstack \
		-z max-page-size=4096 --defsym=BASE=0x$* -T rom/rom.lds $(ROM_OBJ) -o $@

$(B)/rom/rom_pvh.o: rom/rom_pvh.asm $(GEN)
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) -I$(B)/gen/ -M -MP -MT $@ $< > $@.d
	$(Q)$(NASM) -f elf32 -Werror -I$(B)/gen/ $< -o $@

$(B)/rom/pvh-at-%.elf: $(PVH_OBJ) rom/rom.lds
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_i386 -static --no-dynamic-linker --no-warn-rwx-segments -z noexecstack \
		-z max-page-size=4096 --defsym=BASE=0x$* -T rom/rom.lds $(PVH_OBJ) -o $@

$(B)/rom/pv.rom: $(B)/rom/at-0.elf $(B)/rom/at-12345000.elf $(B)/mkrom
	$(call say,MKROM,$@)
	$(Q)$(B)/mkrom link $< --second $(word 2,$^) -o $@

$(B)/rom/pvh.rom: $(B)/rom/pvh-at-0.elf $(B)/rom/pvh-at-12345000.elf $(B)/mkrom
	$(call say,MKROM,$@)
	$(Q)$(B)/mkrom link $< --second $(word 2,$^) -o $@

# One file for both bindings: the domain entry takes the image of its own.
$(B)/vmi.rom: $(B)/rom/pv.rom $(B)/rom/pvh.rom $(B)/mkrom
	$(call say,MKROM,$@)
	$(Q)$(B)/mkrom join $< --with $(word 2,$^) -o $@

# --- the domain entry ----------------------------------------------------------

$(B)/entry/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ENTRY_CFLAGS) $(DEPS) -c $< -o $@

$(B)/entry/%.o: %.asm
	@mkdir -p $(@D)
	$(call say,NASM,$<)
	$(Q)$(NASM) -M -MP -MT $@ $< > $@.d
	$(Q)$(NASM) -f elf32 -Werror $< -o $@

$(B)/entry.elf: $(ENTRY_OBJ) entry/entry.lds
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_i386 -static --no-warn-rwx-segments -z noexecstack -z max-page-size=4096 \
		-T entry/entry.lds $(ENTRY_OBJ) -o $@

# --- host tools ----------------------------------------------------------------

$(B)/host/%.o: %.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(CC) $(HOST_CFLAGS) $(MKROM_CFLAGS) $(ANYWHERE) $(DEPS) -c $< -o $@

$(B)/mkrom: $(MKROM_OBJ)
	$(call say,HOSTLD,$@)
	$(Q)$(CC) $(MKROM_LDFLAGS) $^ -o $@

# --- the test guest, and running guests ------------------------------------------

include tests/guest/guest.mk
include tests/user.mk
include bench/bench.mk
include tests/stress/stress.mk

# What was typed is looked at before anything is made; then tools/host/run wraps
# the kernel and runs it.
.PHONY: run
run:
	@command -v python3 >/dev/null || tools/host/deps run
	@tools/host/run --env --prepare
	@$(LOCKED) $(MAKE) --no-print-directory $(if $(V),,-s) built
	@tools/host/run --env

# --- benchmarks -------------------------------------------------------------------

BENCH_KERNEL := $(filter-out $(B)/guest-pae.bzImage,$(KERNEL))

.PHONY: bench
bench: | deps-bench
	@$(LOCKED) $(MAKE) --no-print-directory built $(if $(BENCH_KERNEL),$(B)/bench.cpio)
	@bench/run $(if $(BENCH_KERNEL),--kernel "$$KERNEL") $${INITRD:+--initrd "$$INITRD"} \
		$${NATIVE:+--native "$$NATIVE"} --cmdline="$$CMDLINE" $${WORLDS:+--worlds "$$WORLDS"} \
		$${ONLY:+--only "$$ONLY"} $${DOCS:+--docs "$$DOCS"} $(if $(CEILINGS),--ceilings)

# What has to be built for these hosts, as a group of tools/host/deps.
to_build = $(if $(filter pv32 dom0,$(1)),pv32) $(if $(filter pvh,$(1)),qemu)

.PHONY: deps deps-run deps-test deps-bench
deps:
	@tools/host/deps build run test
deps-run:
	@tools/host/deps build run $(call to_build,$(HOST))
deps-bench:
	@tools/host/deps build run bench pv32
deps-test:
	@tools/host/deps build run test $(call to_build,$(HOSTS))

# --- tests -----------------------------------------------------------------------

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined
UNIT_CFLAGS = $(HOST_CFLAGS) $(HOSTED) -Itests/unit -O1 $(SANITIZE)
UNIT_TESTS := $(wildcard tests/unit/test_*.c)
# What builds on the host, in one library: a test links what it names.  The
# monitor's window and its stack lie below 4 GB there, as in a guest; u64 has
# another name, and the red zone is not for code that pushes its flags.
UNIT_MONITOR_SRC := $(filter-out lib/mem.c pc/%,$(ROM_SRC))
# The ROM's assembly as it is linked, on an emulated processor (asm_machine.h).
UNIT_ASM_SRC := $(wildcard tests/unit/asm_*.c)
UNIT_ASM_OBJ := $(UNIT_ASM_SRC:%.c=$(B)/unit/obj/%.o)
UNIT_ASM_TESTS := $(wildcard tests/unit/test_asm_*.c)
UNIT_LIB_SRC := $(filter-out tools/mkrom/main.c,$(MKROM_SRC)) entry/boot/rom.c $(wildcard pc/*.c) \
	$(UNIT_MONITOR_SRC) $(filter-out $(UNIT_TESTS) $(UNIT_ASM_SRC),$(wildcard tests/unit/*.c))
HOSTED := -fno-pie -fno-strict-aliasing -mno-red-zone -Wno-int-to-pointer-cast \
	-Wno-pointer-to-int-cast -Wno-format
UNIT_LIB_OBJ := $(UNIT_LIB_SRC:%.c=$(B)/unit/obj/%.o)

$(B)/unit/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,TESTCC,$<)
	$(Q)$(CC) $(UNIT_CFLAGS) $(DEPS) -c $< -o $@

$(B)/unit/lib.a: $(UNIT_LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/gen/asm_offsets.h: $(B)/gen/offsets.inc
	$(Q)sed 's/^%define \([A-Z0-9_]*\) \(.*\)/#define A_\1 ((u32)\2)/' $< > $@

$(B)/unit/obj/tests/unit/asm_%.o $(B)/unit/obj/tests/unit/test_asm_%.o: UNIT_CFLAGS += \
	-I$(B)/gen -DROM_ELF='"$(B)/rom/at-0.elf"' -DPVH_ELF='"$(B)/rom/pvh-at-0.elf"'
$(UNIT_ASM_OBJ) $(UNIT_ASM_TESTS:%.c=$(B)/unit/obj/%.o): $(B)/gen/asm_offsets.h
$(B)/unit/obj/tests/unit/asm_memory.o $(B)/unit/obj/tests/unit/test_asm_first.o: \
		$(B)/rom/at-0.elf $(B)/rom/pvh-at-0.elf
$(B)/unit/obj/tests/unit/test_asm_start.o: UNIT_CFLAGS += -DENTRY_ELF='"$(B)/entry.elf"'
$(B)/unit/obj/tests/unit/test_asm_start.o: $(B)/entry.elf

$(B)/unit/test_asm_%: $(B)/unit/obj/tests/unit/test_asm_%.o $(UNIT_ASM_OBJ)
	$(call say,TESTLD,$@)
	$(Q)$(CC) -no-pie $(SANITIZE) $^ -lcmocka -lunicorn -o $@

# The PVH binding's, with a processor of its own below it (tests/unit/pvh).
UNIT_PVH_SRC := $(filter-out lib/mem.c,$(PVH_SRC)) $(wildcard tests/unit/pvh/*.c) tests/unit/cpu.c \
	tests/unit/domain.c tests/unit/lowstack.c tests/unit/refusal.c
$(B)/unit/lib-pvh.a: $(UNIT_PVH_SRC:%.c=$(B)/unit/obj/%.o)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/unit/test_pvh_%: $(B)/unit/obj/tests/unit/test_pvh_%.o $(B)/unit/lib-pvh.a
	$(call say,TESTLD,$@)
	$(Q)$(CC) -no-pie $(SANITIZE) $^ -lcmocka -lZydis -o $@

$(B)/unit/test_%: $(B)/unit/obj/tests/unit/test_%.o $(B)/unit/lib.a
	$(call say,TESTLD,$@)
	$(Q)$(CC) -no-pie $(SANITIZE) $^ -lcmocka -lZydis -o $@

.PHONY: test unit
unit: $(UNIT_TESTS:tests/unit/%.c=$(B)/unit/%)

# --- fuzzers ---------------------------------------------------------------------

FUZZ_CC := clang
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIB_OBJ := $(UNIT_LIB_SRC:%.c=$(B)/fuzz/obj/%.o)
FUZZ_CFLAGS = $(HOST_CFLAGS) $(HOSTED) -Itests/unit -O1 $(FUZZ_GUIDE) $(SANITIZE)
# What is tested guides the fuzzer, not the tests.
FUZZ_GUIDE := -fsanitize=fuzzer-no-link
$(B)/fuzz/obj/tests/%.o: FUZZ_GUIDE :=

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(DEPS) -c $< -o $@

$(B)/fuzz/lib.a: $(FUZZ_LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/fuzz_%.o $(B)/fuzz/obj/tests/fuzz/main.o $(B)/fuzz/lib.a
	$(call say,FUZZLD,$@)
	$(Q)$(FUZZ_CC) -no-pie $(SANITIZE) $^ \
		$$($(FUZZ_CC) -print-file-name=libclang_rt.fuzzer_no_main-x86_64.a) \
		-lZydis -lstdc++ -lm -lpthread -o $@

.PHONY: fuzz fuzzers
fuzzers: $(FUZZ_TARGETS:%=$(B)/fuzz/%)
fuzz: | deps-test
	@$(LOCKED) $(MAKE) --no-print-directory fuzzers
	@tests/fuzz/fuzz.py --time "$${TIME:-600}" --only "$$ONLY" $(if $(KEEP),--keep)

# --- what the tests on the host reach ----------------------------------------------

COV := $(B)/coverage
COV_TESTS := $(filter-out $(UNIT_ASM_TESTS),$(UNIT_TESTS))
COV_CFLAGS = $(HOST_CFLAGS) $(HOSTED) -Itests/unit -O0 --coverage -Wno-unused-function

$(COV)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,COVCC,$<)
	$(Q)$(CC) $(COV_CFLAGS) $(DEPS) -c $< -o $@

$(COV)/lib.a: $(UNIT_LIB_SRC:%.c=$(COV)/obj/%.o)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(COV)/lib-pvh.a: $(UNIT_PVH_SRC:%.c=$(COV)/obj/%.o)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(COV)/test_pvh_%: $(COV)/obj/tests/unit/test_pvh_%.o $(COV)/lib-pvh.a
	$(Q)$(CC) -no-pie --coverage $^ -lcmocka -lZydis -o $@

$(COV)/test_%: $(COV)/obj/tests/unit/test_%.o $(COV)/lib.a
	$(Q)$(CC) -no-pie --coverage $^ -lcmocka -lZydis -o $@

.PHONY: coverage
coverage: | deps-test
	@$(LOCKED) $(MAKE) --no-print-directory $(COV_TESTS:tests/unit/%.c=$(COV)/%)
	@tests/coverage $(if $(V),--missing)

test: | deps-test
	@$(LOCKED) $(MAKE) --no-print-directory built unit fuzzers
	@tests/run --hosts "$$HOSTS" --only "$$ONLY" $${JUNIT:+--junit="$$JUNIT"}

# --- does the ROM keep its contract? ------------------------------------------------

.PHONY: conformance
conformance: | deps-run
	@$(LOCKED) $(MAKE) --no-print-directory $(if $(V),,-s) built
	@tests/conformance --host "$$HOST" $${ROM:+--rom "$$ROM"} $(if $(filter bare,$(HOST)),--partial) \
		$${JUNIT:+--junit="$$JUNIT"}

# Takes long: no part of make test.
.PHONY: mutants
mutants: | deps-run
	@tools/host/deps pv32 qemu
	@$(LOCKED) $(MAKE) --no-print-directory $(if $(V),,-s) built
	@tests/mutants/run --only "$$ONLY" $(if $(SAMPLE),--random "$$SAMPLE")

# Downloads 300 MB and builds each series' Xen, once: no part of make test.
.PHONY: matrix
matrix: | deps-run
	@tools/host/deps pv32 qemu
	@$(LOCKED) $(MAKE) --no-print-directory $(if $(V),,-s) built
	@tests/xen/matrix.py $${XEN_SERIES:+--series "$$XEN_SERIES"}

.PHONY: hostile
hostile: | deps-run
	@$(LOCKED) $(MAKE) --no-print-directory $(if $(V),,-s) built
	@tests/hostile --host "$$HOST" --seeds "$$SEEDS"

# --- into a system --------------------------------------------------------------------

# What is installed has the tree's own layout in LIB, so that every part finds the others
# as it does here (tools/vmixen/places.py). mkrom is in the path, and linked to from there.
PREFIX := /usr/local
LIB = $(PREFIX)/lib/vmixen
VERSION = $(shell sed -n 's/^\#define VMIXEN_M[AI][JN]OR //p' include/image.h | paste -sd.)
PAGES := $(wildcard docs/man/*)
INSTALLED := $(filter-out $(addprefix tools/host/,__pycache__ locked nearest mkmusl) tools/vmixen/__pycache__, \
	$(wildcard tools/host/* tools/vmixen/*))

.PHONY: install dist
install:
	@$(LOCKED) $(MAKE) --no-print-directory $(if $(V),,-s) built
	install -d '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(LIB)/build' '$(DESTDIR)$(LIB)/docs' \
		'$(DESTDIR)$(LIB)/tools/host' '$(DESTDIR)$(LIB)/tools/vmixen' \
		'$(DESTDIR)$(PREFIX)/share/bash-completion/completions' '$(DESTDIR)$(PREFIX)/share/doc/vmixen'
	install -m 755 $(B)/mkrom '$(DESTDIR)$(PREFIX)/bin/mkrom'
	install -m 644 $(B)/vmi.rom $(B)/entry.elf $(B)/guest-pae.bzImage $(B)/guest-2level.bzImage '$(DESTDIR)$(LIB)/build'
	ln -sfn ../../../bin/mkrom '$(DESTDIR)$(LIB)/build/mkrom'
	for f in $(INSTALLED); do \
		if [ -x $$f ]; then mode=755; else mode=644; fi; \
		install -m $$mode $$f '$(DESTDIR)$(LIB)'/$$f || exit 1; done
	for f in vmixen vmixen-boot; do \
		ln -sfn ../lib/vmixen/tools/vmixen/$$f '$(DESTDIR)$(PREFIX)/bin'/$$f || exit 1; done
	install -m 644 docs/compatibility.md '$(DESTDIR)$(LIB)/docs'
	for f in $(PAGES); do dir='$(DESTDIR)$(PREFIX)'/share/man/man$${f##*.}; \
		install -d "$$dir" && install -m 644 $$f "$$dir" || exit 1; done
	install -m 644 tools/completion/vmixen '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vmixen'
	ln -sfn vmixen '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/vmixen-boot'
	install -m 644 README.md docs/*.md '$(DESTDIR)$(PREFIX)/share/doc/vmixen'

# The tree as it is committed; the same commit gives the same bytes.
dist:
	@git rev-parse --verify -q HEAD >/dev/null || { \
		echo 'dist: this is no git tree, of which an archive could be made' >&2; exit 1; }
	@git diff --quiet HEAD || echo 'dist: what is not committed is not in it' >&2
	@mkdir -p $(B)
	@git archive --prefix=vmixen-$(VERSION)/ HEAD | gzip -9n >$(B)/vmixen-$(VERSION).tar.gz
	@echo $(B)/vmixen-$(VERSION).tar.gz

# --- looking after the tree --------------------------------------------------------

# In an unpacked archive, too, which git knows nothing of.
C_FILES := $(or $(shell git ls-files '*.c' '*.h' 2>/dev/null), \
	$(shell find . -path './$(B)' -prune -o -name '*.[ch]' -printf '%P\n'))

# The layout is the opinion of this version; others lay some macros out otherwise.
LAYOUT := 14
CLANG_FORMAT := $(or $(shell command -v clang-format-$(LAYOUT)),clang-format)
layout_is_ours = $(CLANG_FORMAT) --version | grep -q 'version $(LAYOUT)\.'
layout_is_not = echo "$@: the layout is clang-format $(LAYOUT)'s, and there is none here"

.PHONY: check format
# comparePointers: the test guest's tables end where the linker says.
check: | deps-test
	@if $(layout_is_ours); then $(CLANG_FORMAT) --dry-run --Werror $(C_FILES); else $(layout_is_not); fi
	@cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability $(INCLUDES) -Itools/mkrom \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress='comparePointers:tests/guest/*' \
		$(filter %.c,$(C_FILES))
	@tests/arrows
	@echo "check: clean"

format:
	@$(layout_is_ours) || { $(layout_is_not); exit 1; }
	$(CLANG_FORMAT) -i $(C_FILES)

.PHONY: clean help
clean:
	rm -rf $(B)

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make                 the ROM, mkrom, the domain entry and the test guest
#: make run             boots a guest on Xen and shows its console
#:   KERNEL=bzImage       the guest (default: the test guest; PAE, on pvh 2-level)
#:   INITRD=file          its initrd
#:   CMDLINE="..."        its command line
#:   MEMORY=64            its memory in MB
#:   VCPUS=1              its CPUs; the ROM runs one
#:   DISK=image           its first disk; the guest writes to the file. Behind the file's name
#:                        ,ro ,snapshot ,vdev=hda say otherwise (docs/hosts.md)
#:   VIF=dom0             a network card, whose other end is dom0 (docs/hosts.md); VIF2= another
#:   DISK2= DISK3= DISK4= DISK5= DISK6= DISK7= DISK8=     more of them
#:   NAME=name            the domain's name and the log's (default: the kernel's)
#:   RUN_DIR=build/run    where the log, the console and the domain's files go
#:   HOST=pvh             pvh: stock Debian Xen, a plain PVH domain (docs/pvh.md); with
#:                        KERNEL= in a QEMU that is built once
#:                        shim: the same Xen, the guest in xen-shim
#:                        pv32: Xen built with CONFIG_PV32, a plain PV domain
#:                        dom0: the same Xen, the guest as dom0
#:                        bare: the guest without Xen and ROM
#:   XEN_SERIES=4.17      the host's Xen: 4.14, 4.17 or 4.20 (default: this Debian's)
#:   XEN_SOURCE=file      a tarball of its source, to build instead of Debian's
#:   QEMU_SOURCE=file     the same of QEMU's, for HOST=pvh
#:   TIMEOUT=120          seconds from the guest's start; 0 for none
#:   ICOUNT=1             QEMU counts instructions: runs repeat exactly
#:   V=1                  show what Xen, dom0 and the build say, too
#:                        make itself ends with 2 after any failure; the last line
#:                        names the exit code, and tools/host/run ends with it
#: make test            all tests; HOSTS="pvh shim bare pv32 dom0", ONLY=words
#:   JUNIT=file.xml       the results as JUnit XML, too (and make conformance's);
#:                        one unit program alone speaks TAP:
#:                        CMOCKA_MESSAGE_OUTPUT=TAP build/unit/test_NAME
#: make conformance     every VMI call and every rule of the ABI, as a table; HOST=, ROM=, JUNIT=
#: make fuzz            TIME=600 seconds of fuzzing in all; ONLY=name; KEEP=1 to
#:                      put what is new into tests/fuzz/corpus
#: make coverage        lines and branches that the tests on the host reach; V=1
#:                      lists the lines that they do not
#: make bench           instructions per operation, on Xen by the ROM and natively
#:   KERNEL=bzImage       Linux with VMI and Xen guests (default: the test guest)
#:   NATIVE=bzImage       another build for the native columns
#:   WORLDS="bare xen rom xen-shim rom-shim pvh"   ONLY=words of a row's name
#:   DOCS=1               puts the result into docs/benchmarks-tables.md
#:   CEILINGS=1           what make test allows the test guest is what this run counted
#: make mutants         deliberate mistakes in the ROM, each caught by a check: three
#:                      quarters of an hour on two cores
#:   SAMPLE=6             this many of them, by chance   ONLY=words of their names
#: make matrix          the test guest on pvh, shim and pv32 of Xen 4.14, 4.17 and 4.20, as
#:                      a table; XEN_SERIES= for one of them
#: make hostile         random and boundary arguments to every call; HOST=, SEEDS=1-20
#: make stress          a Linux under load for half an hour; every byte is checked
#:   KERNEL=bzImage HOST=pvh MEMORY=128 TIME=1800 SEED=1
#: make install         into PREFIX=/usr/local; DESTDIR=folder for a package of it
#: make dist            the committed tree as build/vmixen-VERSION.tar.gz
#: make check           clang-format, cppcheck, and which room may use which
#: make format          lays the C out as make check wants it
#: make deps            installs the Debian packages that are needed
#: make clean

-include $(shell find $(B) -name '*.d' 2>/dev/null)
