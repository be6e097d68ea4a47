# SPDX-License-Identifier: GPL-2.0-only
#
# make            the ROM, mkrom, the domain entry and the test guest
# make run        boots a guest on Xen: needs nothing but this tree
# make help       everything else
#
# Not recursive.  Everything made is in build/; what is downloaded, and Xen
# and dom0 for the host bed, in $XDG_CACHE_HOME/vmixen.

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

B := build
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' '$(1)' '$(2)')

CC := gcc
NASM := nasm
LD := ld

INCLUDES := -Iinclude -Irom -Imonitor -Ixenbind -Ipc
WARN := -std=gnu11 -Wall -Wextra -Werror -Wstrict-prototypes -Wshadow -Wpointer-arith
DEPS = -MMD -MP -MF $@.d

# 32-bit code without a C library and without anything but general registers.
FREESTANDING := -m32 -march=i686 -mgeneral-regs-only -ffreestanding -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -fno-strict-aliasing -fno-ident
# The ROM's C: position independent, no GOT entry, nothing writable.
ROM_CFLAGS := $(WARN) $(INCLUDES) $(FREESTANDING) -O2 -fpie -include rom/pic.h
ENTRY_CFLAGS := $(WARN) $(INCLUDES) -Ientry $(FREESTANDING) -O2 -fno-pic
HOST_CFLAGS := $(WARN) $(INCLUDES) -Itools/mkrom -O2 -g

ROM_SRC := $(wildcard monitor/*.c xenbind/*.c pc/*.c)
ROM_OBJ := $(B)/rom/rom.o $(ROM_SRC:%.c=$(B)/rom/%.o)
ENTRY_SRC := $(wildcard entry/*.c)
ENTRY_SRC := $(filter-out entry/offsets.c,$(ENTRY_SRC)) monitor/mem.c monitor/print.c xenbind/console.c
ENTRY_OBJ := $(B)/entry/entry/start.o $(ENTRY_SRC:%.c=$(B)/entry/%.o)
MKROM_SRC := $(wildcard tools/mkrom/*.c)
MKROM_OBJ := $(MKROM_SRC:%.c=$(B)/host/%.o)
GEN := $(B)/gen/offsets.inc $(B)/gen/calls.inc

.PHONY: all
all: $(B)/vmi.rom $(B)/mkrom $(B)/entry.elf

# --- the ROM -------------------------------------------------------------------

$(B)/gen/calls.inc: rom/calls_asm.h rom/calls.def
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -Irom -x c $< -o $@

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

$(B)/vmi.rom: $(B)/rom/at-0.elf $(B)/rom/at-12345000.elf $(B)/mkrom
	$(call say,MKROM,$@)
	$(Q)$(B)/mkrom link $< --second $(word 2,$^) -o $@

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
	$(Q)$(CC) $(HOST_CFLAGS) $(DEPS) -c $< -o $@

$(B)/mkrom: $(MKROM_OBJ)
	$(call say,HOSTLD,$@)
	$(Q)$(CC) $^ -o $@

.PHONY: clean
clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
