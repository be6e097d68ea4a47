# SPDX-License-Identifier: GPL-2.0-only
#
# The test guest: build/guest-pae.bzImage and build/guest-2level.bzImage from
# the same sources, objects under build/guest/.  To be included by the
# Makefile at the top; uses its $(Q), $(say) and $(ANYWHERE)
# where they are set.
#
# GUEST_SRCS    C of the kernel          GUEST_ASMS   its NASM files
# GUEST_USER_SRCS, GUEST_USER_ASMS       the blob that runs in ring 3

GUEST_DIR := tests/guest
GUEST_OUT := build/guest
GUEST_IMAGES := build/guest-pae.bzImage build/guest-2level.bzImage build/guest-pae-16m.bzImage

GUEST_SRCS := main.c lib.c console.c check.c cmdline.c rom.c patch.c \
	ops_native.c ops_vmi.c time_native.c desc.c trap.c irq.c \
	page.c pagetable.c mm.c proc.c syscall.c die.c asked.c \
	checks_boot.c checks_gdt.c checks_init.c checks_desc.c checks_seg.c checks_trap.c checks_irq.c \
	checks_time.c checks_pte.c checks_space.c checks_proc.c checks_cpu.c \
	checks_call.c checks_each.c checks_each_cpu.c checks_each_irq.c checks_each_mmu.c \
	checks_each_port.c checks_each_time.c checks_pc.c checks_disk.c checks_life.c checks_net.c checks_rules_mmu.c checks_rules_irq.c \
	checks_rules_alarm.c checks_rules_user.c checks_hostile.c checks_own.c checks_emul.c \
	fuzz.c fuzz_args.c fuzz_calls.c \
	bench.c bench_calls.c bench_processes.c
GUEST_ASMS := head.asm traps.asm
GUEST_USER_SRCS := user.c fault.c nowhere.c segment.c
GUEST_USER_ASMS := ustart.asm

GUEST_CC ?= gcc
GUEST_LD ?= ld
GUEST_OBJCOPY ?= objcopy
GUEST_NASM ?= nasm

# Both programs: no libraries, no FPU or SSE in generated code.
GUEST_COMMON_CFLAGS := -m32 -march=i686 -std=gnu11 -O2 -g -ffreestanding $(ANYWHERE) \
	-fno-pic -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables \
	-I. -Iinclude -fcf-protection=none -fno-strict-aliasing -fno-omit-frame-pointer \
	-mno-sse -mno-mmx -msoft-float -mpreferred-stack-boundary=2 \
	-Wall -Wextra -Werror
# The kernel's functions have the convention of VMI calls.
GUEST_CFLAGS := $(GUEST_COMMON_CFLAGS) -mregparm=3
GUEST_CFLAGS_pae := -DPAE
GUEST_CFLAGS_2level :=

guest: $(GUEST_IMAGES) build/guest-null.rom build/guest-xen.elf build/guest-disk.img

build/guest-disk.img: $(GUEST_DIR)/mkdisk
	@mkdir -p $(@D)
	$(Q)$< $@

# ---- the user blob, the same for both

# What every program needs comes first, in one page.
GUEST_USER_OBJS := $(GUEST_USER_ASMS:%.asm=$(GUEST_OUT)/user/%.o) \
	$(GUEST_USER_SRCS:%.c=$(GUEST_OUT)/user/%.o)

$(GUEST_OUT)/user/%.o: $(GUEST_DIR)/user/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(GUEST_CC) $(GUEST_COMMON_CFLAGS) -Os -MMD -MP -c -o $@ $<

$(GUEST_OUT)/user/%.o: $(GUEST_DIR)/user/%.asm
	@mkdir -p $(@D)
	$(Q)$(GUEST_NASM) -M -MP -MT $@ -I $(GUEST_DIR)/user/ $< > $(@:.o=.d)
	$(call say,NASM,$@)
	$(Q)$(GUEST_NASM) -f elf32 -I $(GUEST_DIR)/user/ -o $@ $<

$(GUEST_OUT)/user/user.elf: $(GUEST_USER_OBJS) $(GUEST_DIR)/user/user.lds
	$(call say,LD,$@)
	$(Q)$(GUEST_LD) -m elf_i386 --no-warn-execstack -T $(GUEST_DIR)/user/user.lds -o $@ $(GUEST_USER_OBJS)

$(GUEST_OUT)/user.bin: $(GUEST_OUT)/user/user.elf
	$(call say,OBJCOPY,$@)
	$(Q)$(GUEST_OBJCOPY) -O binary $< $@

-include $(GUEST_USER_OBJS:.o=.d)

# ---- $(call guest_kernel,pae|2level)

define guest_kernel
GUEST_OBJS_$(1) := $$(GUEST_ASMS:%.asm=$(GUEST_OUT)/$(1)/%.o) \
	$$(GUEST_SRCS:%.c=$(GUEST_OUT)/$(1)/%.o) $(GUEST_OUT)/$(1)/blob.o

$(GUEST_OUT)/$(1)/%.o: $(GUEST_DIR)/%.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$$(Q)$$(GUEST_CC) $$(GUEST_CFLAGS) $$(GUEST_CFLAGS_$(1)) -MMD -MP -c -o $$@ $$<

$(GUEST_OUT)/$(1)/%.o: $(GUEST_DIR)/%.asm
	@mkdir -p $$(@D)
	$$(Q)$$(GUEST_NASM) -M -MP -MT $$@ $$(GUEST_CFLAGS_$(1)) $$< > $$(@:.o=.d)
	$$(call say,NASM,$$@)
	$$(Q)$$(GUEST_NASM) -f elf32 $$(GUEST_CFLAGS_$(1)) -o $$@ $$<

$(GUEST_OUT)/$(1)/blob.o: $(GUEST_DIR)/blob.asm $(GUEST_OUT)/user.bin
	@mkdir -p $$(@D)
	$$(call say,NASM,$$@)
	$$(Q)$$(GUEST_NASM) -f elf32 -DBLOB='"$(GUEST_OUT)/user.bin"' -o $$@ $$<

$(GUEST_OUT)/$(1)/guest.elf: $$(GUEST_OBJS_$(1)) $(GUEST_DIR)/guest.lds
	$$(call say,LD,$$@)
	$$(Q)$$(GUEST_LD) -m elf_i386 --no-warn-execstack -T $(GUEST_DIR)/guest.lds -o $$@ $$(GUEST_OBJS_$(1))

$(GUEST_OUT)/$(1)/guest.bin: $(GUEST_OUT)/$(1)/guest.elf
	$$(call say,OBJCOPY,$$@)
	$$(Q)$$(GUEST_OBJCOPY) -O binary $$< $$@

build/guest-$(1).bzImage: $(GUEST_DIR)/boot16.asm $(GUEST_OUT)/$(1)/guest.bin
	$$(call say,NASM,$$@)
	$$(Q)$$(GUEST_NASM) -f bin -DKERNEL='"$(GUEST_OUT)/$(1)/guest.bin"' -o $$@ $$<

-include $$(GUEST_OBJS_$(1):.o=.d)
endef

$(eval $(call guest_kernel,pae))
$(eval $(call guest_kernel,2level))

# ---- one that says that it unpacks itself at 16 MB, as kernels from 2.6.31 on do

build/guest-pae-16m.bzImage: $(GUEST_DIR)/boot16.asm $(GUEST_OUT)/pae/guest.bin
	$(call say,NASM,$@)
	$(Q)$(GUEST_NASM) -f bin -DALIGN=0x1000000 -DKERNEL='"$(GUEST_OUT)/pae/guest.bin"' -o $@ $<

# ---- the same kernel as a native PV guest of Xen, to measure against

GUEST_XEN_OBJS := $(filter-out %/main.o %/head.o,$(GUEST_OBJS_pae)) \
	$(patsubst %,$(GUEST_OUT)/xen/%.o,start main mmu ops)

$(GUEST_OUT)/xen/%.o: $(GUEST_DIR)/xen/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(GUEST_CFLAGS_pae) -MMD -MP -c -o $@ $<

$(GUEST_OUT)/xen/start.o: $(GUEST_DIR)/xen/start.asm
	@mkdir -p $(@D)
	$(call say,NASM,$@)
	$(Q)$(GUEST_NASM) -f elf32 -o $@ $<

build/guest-xen.elf: $(GUEST_XEN_OBJS) $(GUEST_DIR)/xen/guest.lds
	$(call say,LD,$@)
	$(Q)$(GUEST_LD) -m elf_i386 --no-warn-execstack --no-warn-rwx-segments \
		-T $(GUEST_DIR)/xen/guest.lds -o $@ $(GUEST_XEN_OBJS)

-include $(GUEST_XEN_OBJS:.o=.d)

# ---- a ROM that does everything natively, to test the guest itself.  Byte 7
# makes the bytes sum to 0.

build/guest-null.rom: $(GUEST_DIR)/nullrom.asm
	@mkdir -p $(@D)
	$(call say,NASM,$@)
	$(Q)$(GUEST_NASM) -f bin -o $@ $<
	$(Q)sum=$$(od -An -v -tu1 $@ | awk '{for (i = 1; i <= NF; i++) s += $$i} END {print s % 256}'); \
		printf "\\$$(printf %o $$(((256 - sum) % 256)))" | \
		dd of=$@ bs=1 seek=7 conv=notrunc status=none

.PHONY: guest
