/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Init as Linux's vmi_activate: interrupts saved, Init, get_reloc for every
 * call, patching, linear mapping, interrupts restored.
 */
#include "checks.h"
#include "mm.h"
#include "rom.h"
#include "image.h"

#define LAST_CALL 73u

static bool is_kind(u32 call, u32 kind)
{
	return (u8)(rom_get_reloc(call) >> 32) == kind;
}

static void check_init_registers(void)
{
	check_eq("init: EAX", 0, init_out[OUT_EAX]);
	check_eq("init: EBX kept", KEEP_EBX, init_out[OUT_EBX]);
	check_eq("init: ESI kept", KEEP_ESI, init_out[OUT_ESI]);
	check_eq("init: EDI kept", KEEP_EDI, init_out[OUT_EDI]);
	check_eq("init: EBP kept", KEEP_EBP, init_out[OUT_EBP]);
	check_eq("init: ESP kept", 0, init_out[OUT_ESP]);
	if (under_hypervisor())
		check_range("init: RPL of CS", 1, 2, read_cs() & 3);
	check_eq("init: CS", SEL_KERNEL_CS | kernel_rpl, read_cs());
	check_eq("init: SS", SEL_KERNEL_DS | kernel_rpl, read_ss());
	check_eq("init: FS reads the per-CPU word", 0x50435055, read_fs0());
}

/* Informative: what the ROM offers beside what calls.def says. */
static void list_relocations(void)
{
	static const char *const kinds[] = {"NONE", "CALL", "JUMP", "NOP"};

	for (u32 i = 0; i < call_count; i++) {
		const struct call_info *c = &call_table[i];
		u64 reloc = c->id < 0 ? 0 : rom_get_reloc((u32)c->id);
		u8 kind = (u8)(reloc >> 32);

		if (c->id >= 0 && rom_generation() == 3 && kind != c->kind && kind < 4)
			printk("info: get_reloc %s: %s, calls.def says %s\n", c->name, kinds[kind],
			       kinds[c->kind]);
	}
}

static bool mandatory_jump(u32 call)
{
	return call == VMI_IRET || call == VMI_SYSEXIT;
}

/* Outside the ROM's window and its image there can be no code of the ROM. */
static bool within_rom(u32 address)
{
	u32 image = (u32)rom_found();

	if (address >= image && address < image + rom_found()->length * ROM_UNIT)
		return true;
	return address >= rom_virtual_top();
}

static void check_relocations(void)
{
	u32 bad_kind = 0, bad_jump = 0, bad_address = 0, not_none = 0;

	for (u32 call = 0; call <= LAST_CALL; call++) {
		u64 reloc = rom_get_reloc(call);
		u8 kind = (u8)(reloc >> 32);

		bad_kind += kind > RELOC_NOP;
		bad_jump += kind == RELOC_JUMP && !mandatory_jump(call);
		if (kind == RELOC_CALL || kind == RELOC_JUMP)
			bad_address += !within_rom((u32)reloc);
	}
	for (u32 call = LAST_CALL + 1; call < 512; call++)
		not_none += !is_kind(call, RELOC_NONE);
	not_none += !is_kind(72, RELOC_NONE);
	not_none += !is_kind(0x80000000, RELOC_NONE) + !is_kind(~0u, RELOC_NONE);
	check_eq("get_reloc: kinds within 0-3", 0, bad_kind);
	check_eq("get_reloc: no JUMP where Linux wants CALL", 0, bad_jump);
	check_eq("get_reloc: addresses within the ROM", 0, bad_address);
	check_eq("get_reloc: unknown calls are NONE", 0, not_none);
	check("get_reloc: IRET is CALL or JUMP",
	      is_kind(VMI_IRET, RELOC_CALL) || is_kind(VMI_IRET, RELOC_JUMP));
	check("get_reloc: SYSEXIT is CALL or JUMP",
	      is_kind(VMI_SYSEXIT, RELOC_CALL) || is_kind(VMI_SYSEXIT, RELOC_JUMP));
	if (is_kind(VMI_GetCycleFrequency, RELOC_NONE))
		return;
	for (u32 call = VMI_GetCycleCounter; call <= VMI_WallclockUpdated; call++)
		check("get_reloc: time calls come together", is_kind(call, RELOC_CALL));
}

/* The page right below virtual_top is ours; one at it is never touched. */
static void check_top_page(void)
{
	u32 va = rom_virtual_top() - 2 * PAGE_SIZE, pfn = page_alloc_zeroed();

	map_kernel(va, pfn, PTE_KERNEL);
	*(volatile u32 *)va = 0x70707070;
	check_eq("init: a page below virtual_top can be mapped", 0x70707070,
		 *(volatile u32 *)page_address(pfn));
	unmap_kernel(va);
	page_put(pfn);
}

/* To a guest that has not asked yet, the wallclock is a change. */
static void check_first_wallclock(void)
{
	if (is_kind(VMI_WallclockUpdated, RELOC_NONE))
		return;
	check_eq("WallclockUpdated: true at first", 1, ops.wallclock_updated() & 0xff);
	check_eq("WallclockUpdated: and not again", 0, ops.wallclock_updated() & 0xff);
}

void checks_init(void)
{
	u32 flags, sites;

	if (!rom_found())
		return;
	flags = irq_save();
	if (!rom_activate()) {
		check_eq("init: EAX", 0, init_out[OUT_EAX]);
		printk("VMI: Init failed, running native\n");
		patch_native();
		irq_restore(flags);
		return;
	}
	printk("guest: ring %u after Init\n", kernel_rpl);
	check_init_registers();
	check_relocations();
	list_relocations();
	vmi_bind();
	sites = patch_vmi();
	ops.set_linear_mapping(0, PAGE_OFFSET, MAXMEM >> PAGE_SHIFT, 0);
	ops.set_cr4(ops.get_cr4() | CR4_PSE); /* as 2.6.21, on a stack used but not yet touched */
	irq_restore(flags);
	check("init: call sites are patched", sites > 0);
	check_eq("init: interrupts are off after Linux's save and restore around it", 0,
		 irq_flags());
	irq_disable();
	check_eq("init: CR3 as before", virt_to_phys(init_mm.pgd), ops.get_cr3());
	check_eq("init: CR0 as before", 0x80050033, ops.get_cr0() & ~CR0_TS);
	check_eq("init: a page mapped before Init is still there", 0x600df00d,
		 *(volatile u32 *)(VMALLOC_END - PAGE_SIZE));
	check_top_page();
	check_first_wallclock();
}
