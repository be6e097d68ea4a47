/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls for the registers and tables of the processor; see checks_each.h.
 * What is set is looked at by its effect: a load of GS, an exception, a fault.
 */
#include "checks_each.h"
#include "mm.h"
#include "trap.h"

extern char boot_stack_top[];
extern char other_ud[];
extern u32 other_ud_seen;

static bool t_cpuid(void)
{
	u32 native[4] = {0};

	native_cpuid(native);
	call(0, KEEP_EDX, 0);
	return out[OUT_EBX] == native[1] && out[OUT_ECX] == native[2] && out[OUT_EDX] == native[3];
}

static bool t_wrmsr(void)
{
	u64 value = 0;

	call(0xfedcba98, 0, 0x176); /* SYSENTER_EIP */
	if (xen_keeps_msrs())
		return ops.rdmsr(0x176) == 0xfedcba98;
	return try_rdmsr(0x176, &value) == TRY_OK && value == 0xfedcba98;
}

static bool t_rdmsr(void)
{
	if (xen_keeps_msrs())
		ops.wrmsr(0x175, 0x13572468); /* SYSENTER_ESP */
	else
		try_wrmsr(0x175, 0x13572468);
	call(FILL_EAX, KEEP_EDX, 0x175);
	return out64() == 0x13572468;
}

/* A descriptor behind the ordinary limit becomes one. */
static bool t_set_gdt(void)
{
	static u32 word = 0x9d79d79d;
	struct desc_ptr usual = {255, (u32)gdt_table}, longer = {511, (u32)gdt_table}, got = {0, 0};
	struct descriptor d = segment((u32)&word, 0xfffff, SEG_DATA3);
	u32 seen_word;

	gdt_table[40] = d;
	call((u32)&longer);
	ops.get_gdt(&got);
	load_gs(40 * 8 + 3);
	seen_word = read_gs0();
	load_gs(0);
	ops.set_gdt(&usual);
	return got.limit == 511 && got.base == (u32)gdt_table && seen_word == word;
}

static struct descriptor ldt[8] __attribute__((aligned(4096)));

static void ldt_descriptor(void)
{
	struct descriptor d = segment((u32)ldt, sizeof(ldt) - 1, 0x82);

	ops.write_gdt(gdt_table, GDT_LDT, d.lo, d.hi & ~0xc00000u);
}

static bool t_set_ldt(void)
{
	static u32 word = 0x1d71d71d;
	u32 seen_word;

	ldt[2] = segment((u32)&word, 0xfffff, SEG_DATA3);
	ldt_descriptor();
	call(SEL_LDT);
	load_gs(2 * 8 + 7);
	seen_word = read_gs0();
	load_gs(0);
	ops.set_ldt(0);
	return seen_word == word;
}

static bool t_write_ldt(void)
{
	static u32 word = 0x33d71d44;
	struct descriptor d = segment((u32)&word, 0xfffff, SEG_DATA3);
	u32 seen_word;

	ldt_descriptor();
	ops.set_ldt(SEL_LDT);
	stack_arguments(d.hi, 0);
	call((u32)ldt, 5, d.lo);
	load_gs(5 * 8 + 7);
	seen_word = read_gs0();
	load_gs(0);
	ops.set_ldt(0);
	return seen_word == word && ldt[5].lo == d.lo;
}

static bool t_write_gdt(void)
{
	static u32 word = 0x6d76d76d;
	struct descriptor d = segment((u32)&word, 0xfffff, SEG_DATA3);
	u32 seen_word;

	stack_arguments(d.hi, 0);
	call((u32)gdt_table, GDT_TLS, d.lo);
	load_gs(SEL_TLS);
	seen_word = read_gs0();
	load_gs(0);
	ops.write_gdt(gdt_table, GDT_TLS, 0, 0);
	return seen_word == word;
}

static bool ud_comes_to_other(void)
{
	other_ud_seen = 0;
	asm volatile(TRY("1: ud2"));
	return other_ud_seen;
}

static bool t_set_idt(void)
{
	static struct descriptor table[256] __attribute__((aligned(4096)));
	struct desc_ptr usual = {2047, (u32)idt_table}, changed = {2047, (u32)table};
	bool before = ud_comes_to_other(), while_set;

	memcpy(table, idt_table, sizeof(table));
	table[V_UD] = gate(other_ud, GATE_INTR);
	call((u32)&changed);
	while_set = ud_comes_to_other();
	ops.set_idt(&usual);
	return !before && while_set && !ud_comes_to_other();
}

static bool t_write_idt(void)
{
	struct descriptor usual = idt_table[V_UD], d = gate(other_ud, GATE_INTR);
	bool while_set;

	stack_arguments(d.hi, 0);
	call((u32)idt_table, V_UD, d.lo);
	while_set = ud_comes_to_other();
	ops.write_idt(idt_table, V_UD, usual.lo, usual.hi);
	return while_set && !ud_comes_to_other();
}

static bool t_set_tr(void)
{
	bool ok;

	call(SEL_DF_TSS);
	ok = (ops.get_tr() & ~3u) == SEL_DF_TSS;
	ops.set_tr(SEL_TSS);
	return ok;
}

static bool t_get_tr(void)
{
	call0();
	return (out[OUT_EAX] & ~3u) == SEL_TSS;
}

static bool t_get_gdt(void)
{
	struct desc_ptr d = {0, 0};

	call((u32)&d);
	return d.limit == 255 && d.base == (u32)gdt_table;
}

static bool t_get_idt(void)
{
	struct desc_ptr d = {0, 0};

	call((u32)&d);
	return d.limit == 2047 && d.base == (u32)idt_table;
}

static bool t_get_ldt(void)
{
	u32 with;

	ldt_descriptor();
	ops.set_ldt(SEL_LDT);
	call0();
	with = out[OUT_EAX];
	ops.set_ldt(0);
	call0();
	return (with & ~3u) == SEL_LDT && out[OUT_EAX] == 0;
}

/* Its effect is seen by every process. */
static bool t_kernel_stack(void)
{
	call(SEL_KERNEL_DS, (u32)boot_stack_top);
	return true;
}

static bool t_set_cr0(void)
{
	u32 cr0 = ops.get_cr0(), count;

	call(cr0 | CR0_TS);
	if (in_own_domain()) {
		bool reads = ops.get_cr0() == (cr0 | CR0_TS);

		ops.clts();
		return reads;
	}
	count = nm_count;
	asm volatile("fnop");
	return nm_count == count + 1 && ops.get_cr0() == (cr0 & ~CR0_TS);
}

static bool t_get_cr0(void)
{
	u32 cr0 = ops.get_cr0(), set;

	ops.set_cr0(cr0 | CR0_TS);
	call0();
	set = out[OUT_EAX];
	ops.clts();
	call0();
	return set == (cr0 | CR0_TS) && out[OUT_EAX] == (cr0 & ~CR0_TS) && (cr0 & CR0_PG);
}

static bool t_clts(void)
{
	u32 count = nm_count;

	ops.set_cr0(ops.get_cr0() | CR0_TS);
	call0();
	asm volatile("fnop");
	return nm_count == count && !(ops.get_cr0() & CR0_TS);
}

static bool t_set_cr2(void)
{
	call(0x2c2c2000);
	return ops.get_cr2() == 0x2c2c2000;
}

static bool t_get_cr2(void)
{
	try_read(0x12345678, NULL);
	call0();
	return out[OUT_EAX] == 0x12345678;
}

static bool t_set_cr3(void)
{
	static struct mm space;
	bool there, back;

	mm_alloc_tables(&space);
	pte_set(&space, 0x10000000, pte_alloc(&space, 0x10000000),
		pte_make(each_frame, PTE_P | PTE_RW | PTE_US));
	call(virt_to_phys(space.pgd));
	current_mm = &space;
	there = *(volatile u32 *)0x10000000 == *(u32 *)page_address(each_frame);
	mm_switch(&init_mm);
	back = try_read(0x10000000, NULL) == V_PF;
	pte_clear_native(pte_of(&space, 0x10000000));
	there &= seen.cr2 == 0x10000000;
	{
		u32 table = pte_pfn(*pmd_of(&space, 0x10000000));

		pt_free(&space, 0x10000000);
		page_put(table);
	}
	mm_free_tables(&space);
	return there && back;
}

static bool t_get_cr3(void)
{
	call0();
	return out[OUT_EAX] == virt_to_phys(init_mm.pgd);
}

static bool t_set_cr4(void)
{
	u32 cr4 = ops.get_cr4(), with;

	call(cr4 | 0x200); /* OSFXSR */
	with = ops.get_cr4();
	call(cr4);
	return with == (cr4 | 0x200) && ops.get_cr4() == cr4;
}

static bool t_get_cr4(void)
{
	call0();
#ifdef PAE
	return out[OUT_EAX] & CR4_PAE;
#else
	return !(out[OUT_EAX] & CR4_PAE);
#endif
}

static bool t_set_dr(void)
{
	bool ok;

	call(1, 0xd1d1d1d0);
	ok = ops.get_dr(1) == 0xd1d1d1d0;
	ops.set_dr(1, 0);
	return ok;
}

static bool t_get_dr(void)
{
	ops.set_dr(2, 0xd2d2d2d0);
	call(2);
	ops.set_dr(2, 0);
	return out[OUT_EAX] == 0xd2d2d2d0;
}

static bool t_rdtsc(void)
{
	u64 before = rdtsc(), after;

	call0();
	after = rdtsc();
	return out64() >= before && out64() <= after;
}

static bool t_nothing(void)
{
	call0();
	return true;
}

static bool t_rdpmc(void)
{
	call(FILL_EAX, KEEP_EDX, 0);
	return true;
}

/* There is no such processor. */
static bool t_ap_state(void)
{
	u32 state[24];

	memset(state, 0, sizeof(state));
	call((u32)state, 77);
	return state[0] == 0;
}

static bool t_relocation_info(void)
{
	call(VMI13_SetCR3);
	if ((out[OUT_EDX] & 0xff) != RELOC_CALL || !out[OUT_EAX])
		return false;
	call(VMI13_IODelay); /* these guests know no NOP */
	if ((out[OUT_EDX] & 0xff) != RELOC_CALL)
		return false;
	call(5000);
	return (out[OUT_EDX] & 0xff) == RELOC_NONE;
}

const struct each_test each_cpu[] = {
	{ROW_CPUID, t_cpuid, SETS_EBX},
	{ROW_WRMSR, t_wrmsr, 0},
	{ROW_RDMSR, t_rdmsr, 0},
	{ROW_SetGDT, t_set_gdt, 0},
	{ROW_SetLDT, t_set_ldt, 0},
	{ROW_SetIDT, t_set_idt, 0},
	{ROW_SetTR, t_set_tr, 0},
	{ROW_GetGDT, t_get_gdt, 0},
	{ROW_GetLDT, t_get_ldt, 0},
	{ROW_GetIDT, t_get_idt, 0},
	{ROW_GetTR, t_get_tr, 0},
	{ROW_WriteGDTEntry, t_write_gdt, 0},
	{ROW_WriteLDTEntry, t_write_ldt, 0},
	{ROW_WriteIDTEntry, t_write_idt, 0},
	{ROW_UpdateKernelStack, t_kernel_stack, 0},
	{ROW_SetCR0, t_set_cr0, 0},
	{ROW_SetCR2, t_set_cr2, 0},
	{ROW_SetCR3, t_set_cr3, 0},
	{ROW_SetCR4, t_set_cr4, 0},
	{ROW_GetCR0, t_get_cr0, 0},
	{ROW_GetCR2, t_get_cr2, 0},
	{ROW_GetCR3, t_get_cr3, 0},
	{ROW_GetCR4, t_get_cr4, 0},
	{ROW_INVD, t_nothing, 0},
	{ROW_WBINVD, t_nothing, 0},
	{ROW_SetDR, t_set_dr, 0},
	{ROW_GetDR, t_get_dr, 0},
	{ROW_RDPMC, t_rdpmc, 0},
	{ROW_RDTSC, t_rdtsc, 0},
	{ROW_CLTS, t_clts, 0},
	{ROW_Pause, t_nothing, 0},
	{ROW_SetInitialAPState, t_ap_state, 0},
	{ROW_IODelay, t_nothing, 0},
	{ROW_GetRelocationInfo, t_relocation_info, 0},
	{0, NULL, 0},
};
