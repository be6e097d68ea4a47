/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random and boundary arguments to every call in every order.
 *
 *   fuzz=SEED calls=N   N calls, reproducible; then the kernel must be whole
 *   wild                pointers and values that a guest cannot survive, too
 *
 * A call is made by any way that there is to it, with interrupts on or off.
 * Without `wild` the arguments are bad in every way in which a guest can be
 * bad and go on: whatever is asked for, the call returns, or a fault comes
 * where the guest can catch it; then what the guest needs is set right again
 * by the same calls.  With `wild` the domain may end, but with a report.
 *
 * Kept true: memory that a call may write to is `page` or a table of ours;
 * what an entry of those tables maps is written to only if it is `page`.
 */
#include "checks.h"
#include "fuzz.h"
#include "irq.h"
#include "mm.h"
#include "proc.h"
#include "rom.h"
#include "trap.h"
#include "../../rom/image.h"

#define REGION (VMALLOC_START + 0x1000000) /* what `table` maps */
#define UVA 0x30000000u
#define LDT_ENTRIES 64u
#define HEALTH 512u /* calls between two looks at everything */

extern char boot_stack_top[], iret_caught[];

static u32 state, calls_left;
static bool wild;
static u32 page, table, user_table; /* frames */
static u32 user_stack;		    /* the kernel's for entries from ring 3: not the one in use */
static struct mm space;
static u32 cr0, cr4, rom_sum, window_sum;
static struct descriptor ldt[LDT_ENTRIES] __attribute__((aligned(4096)));

/* --- random choices -------------------------------------------------------------- */

static u32 rnd(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static u32 below(u32 n)
{
	return rnd() % n;
}

static bool one_in(u32 n)
{
	return !below(n);
}

static u32 any(void)
{
	static const u32 edges[] = {0,		1,	    2,		3,	    7,
				    8,		0xff,	    0x100,	0xfff,	    0x1000,
				    0xffff,	0x10000,    ~0u,	~1u,	    ~7u,
				    0xfffff000, 0x7fffffff, 0x80000000, 0xc0000000, 0xf4000000,
				    0xf5800000, 0xfee00000, 0xffc00000};

	switch (below(4)) {
	case 0:
		return edges[below(ARRAY_SIZE(edges))];
	case 1:
		return (1u << below(32)) - below(2);
	case 2:
		return below(1024);
	default:
		return rnd();
	}
}

/* Where nothing may be written, and little read. */
static u32 bad_pointer(void)
{
	switch (below(5)) {
	case 0:
		return any();
	case 1:
		return rom_virtual_top() + below(0x1800000); /* the hypervisor's */
	case 2:
		return 0xf5800000 + below(0xa800000);
	case 3:
		return (u32)page_address(page) + PAGE_SIZE * 0x100000;
	default:
		return below(PAGE_OFFSET);
	}
}

/* Memory of ours for `bytes`, at any alignment. */
static u32 pointer(u32 bytes)
{
	if (wild && one_in(300))
		return bad_pointer();
	return (u32)page_address(page) + below(PAGE_SIZE - bytes);
}

static u32 entry_pointer(u32 bytes)
{
	u32 t = one_in(3) ? user_table : table;

	if (wild && one_in(300))
		return bad_pointer();
	return (u32)page_address(t) + below(PAGE_SIZE / bytes) * bytes;
}

static u32 a_frame(void)
{
	switch (below(6)) {
	case 0:
		return table;
	case 1:
		return user_table;
	case 2:
		return below(lowmem_pages());
	case 3:
		return wild ? any() >> PAGE_SHIFT : page;
	default:
		return page;
	}
}

static u32 an_entry(void)
{
	u32 pfn = one_in(4) ? any() >> PAGE_SHIFT : a_frame();

	return one_in(8) ? any() : pfn << PAGE_SHIFT | (rnd() & 0xfff) | (rnd() & PTE_P);
}

static u32 update_flags(void)
{
	return one_in(2) ? any() : (REGION + below(0x200000)) | (rnd() & 0x3f);
}

/* --- making a call ------------------------------------------------------------------ */

static u32 address_of(u32 row)
{
	const struct call_info *c = &call_table[row];
	u64 reloc = rom_generation() == 3 && c->id >= 0 ? rom_get_reloc((u32)c->id) : 0;
	const struct rom_header *rom13 = rom_found13();

	if ((u8)(reloc >> 32) == RELOC_CALL && (one_in(2) || !rom13 || c->slot < 0)) {
		u32 slot = rom_slot3(rom_found(), c->id);

		return slot && one_in(3) ? slot : (u32)reloc;
	}
	return rom13 && c->slot >= 0 ? rom_slot13(rom13, c->slot) : (u32)reloc;
}

static u32 last_row;

static void go(u32 row, u32 eax, u32 edx, u32 ecx)
{
	vmi_call.fn = address_of(row);
	if (!vmi_call.fn)
		return;
	last_row = row;
	vmi_call.in[OUT_EAX] = eax;
	vmi_call.in[OUT_EDX] = edx;
	vmi_call.in[OUT_ECX] = ecx;
	vmi_call_run();
}

static void stack_words(u32 a, u32 b)
{
	vmi_call.stack[0] = a;
	vmi_call.stack[1] = b;
}

/* --- families of calls: a row of calls.def and its arguments ---------------------------- */

static void f_plain(u32 row)
{
	go(row, any(), any(), any());
}

static void f_table_register(u32 row)
{
	u32 at = pointer(6);

	if (at - (u32)page_address(page) < PAGE_SIZE) {
		*(u16 *)at = (u16)any();
		*(u32 *)(at + 2) = one_in(2) ? (u32)gdt_table : below(PAGE_OFFSET);
	}
	irq_disable();
	go(row, at, any(), any());
	ops.set_gdt(&(struct desc_ptr){255, (u32)gdt_table});
	ops.set_idt(&(struct desc_ptr){2047, (u32)idt_table});
}

static void f_store(u32 row)
{
	go(row, pointer(6), any(), any());
}

static void f_selector(u32 row)
{
	go(row, wild && one_in(20) ? any() : SEL_LDT | (rnd() & 0xffff0000), any(), any());
}

/* The kernel's own descriptors stay. */
static void f_gdt_entry(u32 row)
{
	u32 index = 32 + below(480);

	stack_words(any(), any());
	if (wild && one_in(20))
		go(row, bad_pointer(), any(), any());
	else if (one_in(2))
		go(row, (u32)gdt_table, index, any());
	else
		go(row, pointer(8), 0, any());
}

static void f_ldt_entry(u32 row)
{
	stack_words(any(), any());
	if (wild && one_in(20))
		go(row, bad_pointer(), any(), any());
	else
		go(row, (u32)ldt, below(LDT_ENTRIES), any());
}

static void f_idt_entry(u32 row)
{
	u32 vector = below(256);
	struct descriptor usual = idt_table[vector];

	irq_disable();
	stack_words(one_in(2) ? any() : (any() & 0xffff0000) | 0x8e00, any());
	go(row, wild && one_in(20) ? bad_pointer() : (u32)idt_table, vector, any());
	ops.write_idt(idt_table, vector, usual.lo, usual.hi);
}

static void f_kernel_stack(u32 row)
{
	irq_disable();
	go(row, any(), any(), any());
	ops.kernel_stack(SEL_KERNEL_DS, user_stack);
}

static void f_cr0(u32 row)
{
	irq_disable();
	go(row, wild && one_in(20) ? any() : any() | CR0_PG | 1, any(), any());
	ops.set_cr0(cr0);
}

static void f_cr3(u32 row)
{
	const u32 tops[] = {virt_to_phys(space.pgd), virt_to_phys(init_mm.pgd), page << PAGE_SHIFT,
			    table << PAGE_SHIFT, ops.get_cr3()};

	irq_disable();
	go(row, wild && one_in(30) ? any() : tops[below(ARRAY_SIZE(tops))] | below(32), any(),
	   any());
	ops.inval_page(any());
	try_read(REGION + below(0x200000), NULL);
	try_read(UVA + below(0x200000), NULL);
	ops.set_cr3(virt_to_phys((one_in(2) ? &init_mm : &space)->pgd));
}

static void f_cr4(u32 row)
{
	irq_disable();
	go(row, wild && one_in(20) ? any() : (any() & ~CR4_PAE) | (cr4 & CR4_PAE), any(), any());
	ops.set_cr4(cr4);
}

static void f_dr(u32 row)
{
	irq_disable();
	go(row, one_in(2) ? below(8) : any(), any(), any());
	ops.set_dr(7, 0);
	ops.set_dr(6, 0);
}

static void f_msr(u32 row)
{
	static const u32 known[] = {0x10,	0x1b,	    0x174, 0x175,      0x176,
				    0x277,	0x200,	    0x2ff, 0xc0000080, 0xc0000081,
				    0xc0010010, 0xc0000102, 0xfe,  0x1a0,      0x8b};
	u64 efer = ops.rdmsr(0xc0000080);

	go(row, any(), any(), one_in(2) ? known[below(ARRAY_SIZE(known))] : any());
	try_wrmsr(0xc0000080, efer);
}

static void f_set_entry(u32 row)
{
	u32 ptep = entry_pointer(4);

	/* pte, ptep, flags, or the order of 13.x: both halves are one of them */
	if (row == ROW_SetPxE)
		go(row, an_entry(), ptep, update_flags());
	else
		go(row, ptep, row == ROW_GetPxE ? any() : an_entry(), any());
}

static void f_bit(u32 row)
{
	go(row, entry_pointer(8), any(), any());
}

static void f_set_long(u32 row)
{
	stack_words(update_flags(), any());
	go(row, an_entry(), one_in(4) ? any() : below(2) << 31, entry_pointer(8));
}

static void f_ptep(u32 row)
{
	go(row, entry_pointer(8), update_flags(), any());
}

static void f_page(u32 row)
{
	stack_words(any(), any());
	go(row, a_frame(), any(), any());
}

/* Slot 0 as it is, the others where no table is named. */
static void f_linear(u32 row)
{
	u32 slot = 1 + below(8);

	stack_words(any(), any());
	if (wild && one_in(20))
		go(row, any(), any(), any());
	else
		go(row, one_in(4) ? any() | 4 : slot, below(PAGE_OFFSET - 0x1000000), below(64));
}

static bool guest_owns(u32 port)
{
	/* what would end the guest or silence it: 8259, 8042, UART, power, reset */
	return port - 0x20 < 2 || port - 0x60 < 5 || port == 0x92 || port - 0xa0 < 2 ||
	       port - 0xb2 < 2 || port - 0x3f8 < 8 || port == 0xe9 || port - 0x4d0 < 2 ||
	       port - 0x600 < 0x10 || port - 0xcf8 < 8;
}

static u32 a_port(void)
{
	u32 port;

	do {
		port = any() & 0xffff;
	} while ((!wild || !one_in(40)) && (guest_owns(port) || guest_owns(port + 1) ||
					    guest_owns(port + 2) || guest_owns(port + 3)));
	return (any() & 0xffff0000) | port;
}

static void f_port(u32 row)
{
	u32 bytes = 64;

	vmi_call.in[OUT_ESI] = vmi_call.in[OUT_EDI] = pointer(bytes);
	go(row, any(), a_port(), below(bytes / 4 + 1));
}

static void f_apic(u32 row)
{
	u32 reg = one_in(3) ? any() : below(64) << 4, value = any();

	/* a vector of an exception is the guest's own end */
	if ((!wild || !one_in(20)) && (reg & 0xfff) >= APIC_ICR && (reg & 0xfff) <= 0x370)
		value = (value & ~0xffu) | (0x40 + below(0x40));
	go(row, reg, value, any());
}

static void f_alarm(u32 row)
{
	u64 now = ops.cycle_counter(COUNTER_REAL) + any();
	u32 flags = one_in(2) ? any() : below(3) | (rnd() & (ALARM_PERIODIC | ALARM_LVTT));

	stack_words(any(), one_in(2) ? 0 : any());
	if (one_in(2))
		go(row, flags, (u32)now, (u32)(now >> 32));
	else
		go(row, flags, any(), any());
}

static void f_halt(u32 row)
{
	irq_disable();
	ops.apic_write(APIC_SVR, 0xff);
	pic_init();
	ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + 10000, 0);
	go(row, any(), any(), any());
}

static u32 a_selector(void)
{
	static const u32 some[] = {0,		SEL_KERNEL_CS, SEL_KERNEL_DS, SEL_USER_CS,
				   SEL_USER_DS, SEL_TSS,       SEL_LDT,	      SEL_PERCPU,
				   SEL_TLS,	0xfff8,	       0x0f};

	return one_in(4) ? below(0x200) : some[below(ARRAY_SIZE(some))] | below(4);
}

/* A return that cannot be made, or that ends in a fault of user mode at once. */
static void f_iret(u32 row)
{
	u32 frame[5] = {below(0x10000), a_selector(), any() & ~0x20000u, any(), a_selector()};

	(void)row;
	if ((frame[1] & 3) != 3)
		frame[0] = (u32)iret_caught;
	iret_with_frame(frame);
	irq_disable();
}

static void f_sysexit(u32 row)
{
	(void)row;
	try_wrmsr(0x174, one_in(2) ? SEL_KERNEL_CS : a_selector());
	sysexit_with(below(0x10000), any());
	irq_disable();
}

static void f_lazy(u32 row)
{
	go(row, one_in(2) ? below(3) : any(), any(), any());
}

/* The end, if the dice say so. */
static void f_end(u32 row)
{
	if (wild && one_in(20))
		go(row, any(), any(), any());
}

static const struct {
	u32 row;
	void (*run)(u32 row);
} families[] = {
	{ROW_CPUID, f_plain},
	{ROW_WRMSR, f_msr},
	{ROW_RDMSR, f_msr},
	{ROW_SetGDT, f_table_register},
	{ROW_SetLDT, f_selector},
	{ROW_SetIDT, f_table_register},
	{ROW_SetTR, f_plain},
	{ROW_GetGDT, f_store},
	{ROW_GetLDT, f_plain},
	{ROW_GetIDT, f_store},
	{ROW_GetTR, f_plain},
	{ROW_WriteGDTEntry, f_gdt_entry},
	{ROW_WriteLDTEntry, f_ldt_entry},
	{ROW_WriteIDTEntry, f_idt_entry},
	{ROW_UpdateKernelStack, f_kernel_stack},
	{ROW_SetCR0, f_cr0},
	{ROW_SetCR2, f_plain},
	{ROW_SetCR3, f_cr3},
	{ROW_SetCR4, f_cr4},
	{ROW_GetCR0, f_plain},
	{ROW_GetCR2, f_plain},
	{ROW_GetCR3, f_plain},
	{ROW_GetCR4, f_plain},
	{ROW_INVD, f_plain},
	{ROW_WBINVD, f_plain},
	{ROW_SetDR, f_dr},
	{ROW_GetDR, f_dr},
	{ROW_RDPMC, f_plain},
	{ROW_RDTSC, f_plain},
	{ROW_CLTS, f_plain},
	{ROW_EnableInterrupts, f_plain},
	{ROW_DisableInterrupts, f_plain},
	{ROW_GetInterruptMask, f_plain},
	{ROW_SetInterruptMask, f_plain},
	{ROW_IRET, f_iret},
	{ROW_SYSEXIT, f_sysexit},
	{ROW_Pause, f_plain},
	{ROW_Halt, f_halt},
	{ROW_Reboot, f_end},
	{ROW_Shutdown, f_end},
	{ROW_SetPxE, f_set_entry},
	{ROW_SetPxEPlain, f_set_entry},
	{ROW_GetPxE, f_set_entry},
	{ROW_SwapPxE, f_set_entry},
	{ROW_SetPxELong, f_set_long},
	{ROW_SetPxELongPlain, f_set_long},
	{ROW_GetPxELong, f_ptep},
	{ROW_SwapPxELongAtomic, f_set_long},
	{ROW_TestAndSetPxEBit, f_bit},
	{ROW_TestAndClearPxEBit, f_bit},
	{ROW_UpdatePxE, f_ptep},
	{ROW_UpdatePxELong, f_ptep},
	{ROW_MachineToPhysical, f_plain},
	{ROW_PhysicalToMachine, f_plain},
	{ROW_AllocatePage, f_page},
	{ROW_ReleasePage, f_page},
	{ROW_InvalPage, f_plain},
	{ROW_FlushTLB, f_plain},
	{ROW_FlushDeferredCalls, f_plain},
	{ROW_SetLinearMapping, f_linear},
	{ROW_IN, f_port},
	{ROW_INB, f_port},
	{ROW_INW, f_port},
	{ROW_INS, f_port},
	{ROW_INSB, f_port},
	{ROW_INSW, f_port},
	{ROW_OUT, f_port},
	{ROW_OUTB, f_port},
	{ROW_OUTW, f_port},
	{ROW_OUTS, f_port},
	{ROW_OUTSB, f_port},
	{ROW_OUTSW, f_port},
	{ROW_SetIOPLMask, f_plain},
	{ROW_DeactivatePxELongAtomic, f_ptep},
	{ROW_TestAndSetPxELongBit, f_bit},
	{ROW_TestAndClearPxELongBit, f_bit},
	{ROW_SetInitialAPState, f_plain},
	{ROW_APICWrite, f_apic},
	{ROW_APICRead, f_apic},
	{ROW_IODelay, f_plain},
	{ROW_GetCycleFrequency, f_plain},
	{ROW_GetCycleCounter, f_plain},
	{ROW_SetAlarm, f_alarm},
	{ROW_CancelAlarm, f_plain},
	{ROW_GetWallclockTime, f_plain},
	{ROW_WallclockUpdated, f_plain},
	{ROW_SetLazyMode, f_lazy},
	{ROW_GetRelocationInfo, f_plain},
};

_Static_assert(ARRAY_SIZE(families) == ROW_GetRelocationInfo, "every call but the unassigned one");

/* --- between the calls --------------------------------------------------------------------- */

static bool writable_page(u32 va)
{
	pte_t pte = *pte_of(&init_mm, va);

	return pte >> PAGE_SHIFT == page;
}

/* Uses what the entries say now. */
static void touch(void)
{
	u32 va = REGION + below(PT_ENTRIES) * PAGE_SIZE;

	if (pte_pfn(*pmd_of(&init_mm, REGION)) != table)
		return;
	try_read(va, NULL);
	if (writable_page(va))
		try_write(va, rnd());
	if (current_mm == &init_mm)
		try_read(UVA + below(PT_ENTRIES) * PAGE_SIZE, NULL);
}

static u32 sum(const u32 *p, u32 words)
{
	u32 s = 0x811c9dc5;

	for (u32 i = 0; i < words; i++)
		s = (s ^ p[i]) * 0x01000193;
	return s;
}

static u32 image_sum(void)
{
	u32 at = (u32)rom_found();

	return sum((const u32 *)at, rom_found()->length * ROM_UNIT / 4);
}

static u32 the_window_sum(void)
{
	return sum((const u32 *)rom_virtual_top(), rom_found()->length * ROM_UNIT / 4);
}

static void make_whole(void)
{
	irq_disable();
	ops.lazy_mode(LAZY_NONE);
	ops.cancel_alarm(COUNTER_REAL);
	ops.cancel_alarm(COUNTER_AVAILABLE);
	ops.apic_write(APIC_SVR, 0xff);
	for (u32 i = 0; i < 16; i++)
		ops.apic_write(APIC_EOI, 0);
	ops.apic_write(APIC_TPR, 0);
	for (u32 slot = 1; slot < 4; slot++)
		ops.set_linear_mapping(slot, 0, 0, 0);
	ops.set_ldt(0);
	ops.set_tr(SEL_TSS);
	ops.set_iopl(0);
	ops.set_cr0(cr0);
	ops.set_cr3(virt_to_phys(init_mm.pgd));
	ops.flush_tlb(FLUSH_GLOBAL);
	pic_init();
	irq_enable(); /* what waits comes now */
	asm volatile("nop");
	irq_disable();
}

static void check_whole(void)
{
	u32 bad = (image_sum() != rom_sum) + (the_window_sum() != window_sum) * 2;

	if (!bad)
		return;
	printk("info: after %s\n", call_table[last_row].name);
	check_eq("fuzz: neither the image nor the window's code has changed", 0, bad);
	finish();
}

/* An interrupt that nobody asked for, or a fault of user mode. */
static bool stray(struct regs *r)
{
	if (from_user(r) && r->vector < 32 && iret_resume_esp) {
		r->cs = SEL_KERNEL_CS | kernel_rpl;
		r->eip = (u32)iret_caught;
		r->eax = r->vector;
		r->eflags = 2;
		r->ds = r->es = SEL_USER_DS;
		r->fs = SEL_PERCPU;
		r->gs = 0;
		return true;
	}
	if (r->vector < 32 || r->vector == V_SYSCALL)
		return false;
	outb(0x20, 0x20);
	ops.apic_write(APIC_EOI, 0);
	return true;
}

static void prepare(void)
{
	struct descriptor d = segment((u32)ldt, sizeof(ldt) - 1, 0x82);

	cr0 = ops.get_cr0();
	cr4 = ops.get_cr4();
	page = page_alloc_zeroed();
	map_kernel(REGION, page, PTE_KERNEL);
	table = pte_pfn(*pmd_of(&init_mm, REGION));
	mm_alloc_tables(&space);
	pte_set(&space, UVA, pte_alloc(&space, UVA), pte_make(page, PTE_P | PTE_RW | PTE_US));
	user_table = pte_pfn(*pmd_of(&space, UVA));
	ops.write_gdt(gdt_table, GDT_LDT, d.lo, d.hi & ~0xc00000u);
	rom_sum = image_sum();
	window_sum = the_window_sum();
	user_stack = (u32)page_address(page_alloc()) + PAGE_SIZE;
	ops.kernel_stack(SEL_KERNEL_DS, user_stack);
	db_watched = true;
	stray_hook = stray;
	try_wrmsr(0x174, SEL_KERNEL_CS);
}

static void one_call(void)
{
	u32 i = below(ARRAY_SIZE(families));

	vmi_call.in[OUT_EBX] = KEEP_EBX;
	vmi_call.in[OUT_ESI] = KEEP_ESI;
	vmi_call.in[OUT_EDI] = KEEP_EDI;
	vmi_call.in[OUT_EBP] = KEEP_EBP;
	irq_restore(one_in(2) ? EFLAGS_IF : 0);
	families[i].run(families[i].row);
	touch();
	if (one_in(16))
		make_whole();
}

void fuzz(void)
{
	u32 seed = option_number("fuzz", 1), calls = option_number("calls", 5000);

	if (!on_vmi || !under_hypervisor())
		return;
	wild = option("wild");
	state = seed * 2654435761u | 1;
	printk("fuzz: seed %u, %u calls%s\n", seed, calls, wild ? ", wild" : "");
	prepare();
	for (calls_left = calls; calls_left; calls_left--) {
		one_call();
		if (!(calls_left % HEALTH)) {
			make_whole();
			check_whole();
		}
	}
	make_whole();
	check_whole();
	stray_hook = NULL;
	db_watched = false;
	ops.kernel_stack(SEL_KERNEL_DS, (u32)boot_stack_top);
	check_eq("fuzz: the kernel is whole, processes run", 42, proc_run(PROG_HELLO, 0));
}
