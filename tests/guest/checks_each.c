/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every call by every way to it: what it does in the ordinary case, and what
 * it keeps.
 *
 * A row of `tests` makes one call by call() and answers whether its result and
 * its effect are right; around it the registers, the stack, the selectors, DF
 * and the interrupt flag are watched.  Each row is run by the address that
 * get_reloc answers, by the fixed slots of both generations in the option-ROM
 * area, by GetRelocationInfo and by a copy of the image; each with interrupts
 * off, and on while a timer ticks.
 *
 * Only under VMI.  What does not return (IRET to user mode, SYSEXIT, Reboot,
 * Shutdown) is tested elsewhere.
 */
#include "checks.h"
#include "irq.h"
#include "mm.h"
#include "rom.h"
#include "trap.h"
#include "../../rom/image.h"

extern char boot_stack_top[];
extern char other_ud[];
extern u32 other_ud_seen;

#define VA VMALLOC_START
#define KMAP (VMALLOC_START + 0x800000)
#define COPY (VMALLOC_START + 0xc00000)
#define UART_SCRATCH 0x3ff
#define PCI_ADDRESS 0xcf8
#define NATIVE_LEVEL PAGE_L1_FLAG
#define FILL_EAX 0xa1a2a3a4u

/* Registers beside EBX, ESI, EDI, EBP that a call keeps (+) or sets (-). */
#define KEEPS_ALL 1u /* EDX and ECX too */
#define KEEPS_EAX 2u
#define SETS_EBX 4u /* CPUID */
#define MOVES_ESI 8u
#define MOVES_EDI 16u
#define FLAG_FREE 32u /* what becomes of the interrupt flag is its purpose */
#define FRAME 64u     /* pops three words more */

static u32 entry, frame, other; /* of the call; two frames with marks */
static u32 *const out = vmi_call.out;
static bool flag; /* the interrupt flag before the call */

static void call3(u32 eax, u32 edx, u32 ecx)
{
	vmi_call.fn = entry;
	vmi_call.in[OUT_EAX] = eax;
	vmi_call.in[OUT_EDX] = edx;
	vmi_call.in[OUT_ECX] = ecx;
	vmi_call_run();
}

#define NTH(a, b, c, ...) a, b, c
#define call(...) call3(NTH(__VA_ARGS__, KEEP_EDX, KEEP_ECX, 0))
#define call0() call3(FILL_EAX, KEEP_EDX, KEEP_ECX)

static void stack_arguments(u32 a, u32 b)
{
	vmi_call.stack[0] = a;
	vmi_call.stack[1] = b;
}

static u64 out64(void)
{
	return (u64)out[OUT_EDX] << 32 | out[OUT_EAX];
}

/* --- registers and tables of the processor ---------------------------------- */

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
	return try_rdmsr(0x176, &value) == TRY_OK && value == 0xfedcba98;
}

static bool t_rdmsr(void)
{
	try_wrmsr(0x175, 0x13572468); /* SYSENTER_ESP */
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
		pte_make(frame, PTE_P | PTE_RW | PTE_US));
	call(virt_to_phys(space.pgd));
	current_mm = &space;
	there = *(volatile u32 *)0x10000000 == *(u32 *)page_address(frame);
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

/* --- interrupts --------------------------------------------------------------- */

static bool t_enable(void)
{
	irq_disable();
	call0();
	return irq_flags();
}

static bool t_disable(void)
{
	irq_enable();
	call0();
	return !irq_flags();
}

static bool t_get_mask(void)
{
	call0();
	return (out[OUT_EAX] & EFLAGS_IF) == (flag ? EFLAGS_IF : 0);
}

static bool t_set_mask(void)
{
	bool on;

	call(EFLAGS_IF | 0x46);
	on = irq_flags() && out[OUT_EAX] == (EFLAGS_IF | 0x46);
	call(~EFLAGS_IF);
	return on && !irq_flags() && out[OUT_EAX] == ~EFLAGS_IF;
}

static void one_shot(void)
{
	ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + cycles_ms(2), 0);
}

static bool t_halt(void)
{
	u32 before = ticks;

	one_shot();
	do {
		call0();
		if (!irq_flags())
			return false;
	} while (ticks == before);
	return true;
}

/* Within the kernel: the frame has no ESP and SS. */
static bool t_iret(void)
{
	bool off;

	vmi_call.stack[0] = (u32)vmi_call_landing;
	vmi_call.stack[1] = SEL_KERNEL_CS | kernel_rpl;
	vmi_call.stack[2] = 2;
	call0();
	off = !irq_flags() && out[OUT_ESP] == 12;
	vmi_call.stack[2] = EFLAGS_IF | 2 | 0x8d5;
	call0();
	return off && irq_flags() && (out[OUT_EFLAGS] & 0x8d5) == 0x8d5;
}

/* --- page tables --------------------------------------------------------------- */

static u32 mark(u32 pfn)
{
	return *(volatile u32 *)page_address(pfn);
}

static bool shows(u32 va, u32 pfn)
{
	u32 v = 0;

	return try_read(va, &v) == TRY_OK && v == mark(pfn);
}

static bool faults(u32 va)
{
	return try_read(va, NULL) == V_PF;
}

/* An entry in use, and its address. */
static u32 used_entry(void)
{
	map_kernel(VA, frame, PTE_KERNEL);
	ops.inval_page(VA);
	(void)*(volatile u32 *)VA;
	return (u32)pte_of(&init_mm, VA);
}

/* Its neighbour, too, with 2-level tables. */
static u32 used_pair(void)
{
	u32 ptep = used_entry();

	if (sizeof(pte_t) == 4) {
		map_kernel(VA + PAGE_SIZE, frame, PTE_KERNEL);
		(void)*(volatile u32 *)(VA + PAGE_SIZE);
	}
	return ptep;
}

static bool cleaned(bool ok)
{
	unmap_kernel(VA);
	return ok && faults(VA);
}

static bool set_then_shows(u32 ptep, void (*set)(u32 ptep, u32 pfn))
{
	set(ptep, other);
	ops.inval_page(VA);
	return cleaned(shows(VA, other) && pte_pfn(*(pte_t *)ptep) == other);
}

static void set_pxe(u32 ptep, u32 pfn)
{
	call(pfn << PAGE_SHIFT | PTE_KERNEL, ptep, NATIVE_LEVEL | PAGE_CURRENT_AS | VA);
}

static void set_pxe_plain(u32 ptep, u32 pfn)
{
	call(ptep, pfn << PAGE_SHIFT | PTE_KERNEL);
}

/* With 2-level tables it sets two neighbours, as 2.6.24 does before PAE. */
static void set_pxe_long(u32 ptep, u32 pfn)
{
	u32 bits = pfn << PAGE_SHIFT | PTE_KERNEL;

	stack_arguments(NATIVE_LEVEL, 0);
	call(bits, sizeof(pte_t) == 8 ? 0 : bits, ptep);
}

static bool second_shows(u32 ptep)
{
	bool ok;

	ops.flush_tlb(FLUSH_GLOBAL);
	ok = sizeof(pte_t) == 8 || shows(VA + PAGE_SIZE, other);
	if (sizeof(pte_t) == 4)
		unmap_kernel(VA + PAGE_SIZE);
	(void)ptep;
	return ok;
}

static bool t_set_pxe(void)
{
	return set_then_shows(used_entry(), set_pxe);
}

static bool t_set_pxe_plain(void)
{
	return set_then_shows(used_entry(), set_pxe_plain);
}

static bool t_set_pxe_long(void)
{
	u32 ptep = used_pair();

	return set_then_shows(ptep, set_pxe_long) && second_shows(ptep);
}

static bool t_get_pxe(void)
{
	u32 ptep = used_entry();

	call(ptep);
	return cleaned(out[OUT_EAX] == *(u32 *)ptep);
}

static bool t_get_pxe_long(void)
{
	u32 ptep = used_entry();

	call(ptep);
	return cleaned(out64() == *(u64 *)ptep);
}

static bool t_swap_pxe(void)
{
	u32 ptep = used_entry(), old = *(u32 *)ptep;
	bool ok = set_then_shows(ptep, set_pxe_plain);

	return ok && out[OUT_EAX] == old;
}

static bool t_swap_pxe_long(void)
{
	u32 ptep = used_pair();
	u64 old = *(u64 *)ptep;
	bool ok = set_then_shows(ptep, set_pxe_long) && second_shows(ptep);

	return ok && out64() == old;
}

static bool t_deactivate(void)
{
	u32 ptep = used_entry();
	u64 old = *(u64 *)ptep;

	call(ptep);
	ops.inval_page(VA);
	return cleaned(out64() == old && *(u64 *)ptep == 0 && faults(VA));
}

/* Bit 1 is RW, bit 9 the guest's own. */
static bool t_clear_bit(void)
{
	u32 ptep = used_entry();
	bool was, was_not;

	*(volatile u32 *)VA = mark(frame);
	call(ptep, 1);
	was = out[OUT_EAX];
	ops.inval_page(VA);
	was &= try_write(VA, 0) == V_PF && shows(VA, frame);
	call(ptep, 9);
	was_not = !out[OUT_EAX];
	return cleaned(was && was_not && !(*(u32 *)ptep & 0x202));
}

static bool t_set_bit(void)
{
	u32 ptep = used_entry();
	bool was, was_not;

	call(ptep, 9);
	was_not = !out[OUT_EAX];
	call(ptep, 9);
	was = out[OUT_EAX];
	return cleaned(was && was_not && (*(u32 *)ptep & 0x200) && shows(VA, frame));
}

static bool t_update(void)
{
	u32 ptep = used_entry();

	native_ops.set_pte(pte_make(other, PTE_KERNEL), (pte_t *)ptep, 0);
	call(ptep, NATIVE_LEVEL | PAGE_CURRENT_AS | VA);
	ops.inval_page(VA);
	return cleaned(shows(VA, other));
}

/* A new table with entries in it is hooked in. */
static bool t_allocate(void)
{
	u32 va = VA + 0x400000, table = page_alloc_zeroed();
	pte_t *pmd = pmd_of(&init_mm, va), *pte = page_address(table);
	bool ok;

	pte[(va >> PAGE_SHIFT) % PT_ENTRIES] = pte_make(frame, PTE_KERNEL);
	stack_arguments(0, 0);
	call(table, NATIVE_LEVEL | ALLOC_FORMAT, 0);
	ops.set_pte(pte_make(table, PTE_TABLE), pmd, PAGE_L2_FLAG);
	ok = shows(va, frame);
	pt_free(&init_mm, va);
	ops.flush_tlb(FLUSH_GLOBAL);
	page_put(table);
	return ok && faults(va);
}

/* Released with an entry in it; what is written then is data. */
static bool t_release(void)
{
	u32 va = VA + 0x400000, table;
	pte_t *pmd = pmd_of(&init_mm, va);
	volatile u32 *word;
	bool ok;

	map_kernel(va, frame, PTE_KERNEL);
	ok = shows(va, frame);
	table = pte_pfn(*pmd);
	ops.set_pte(0, pmd, PAGE_L2_FLAG);
	call(table, NATIVE_LEVEL | ALLOC_FORMAT);
	ops.flush_tlb(FLUSH_GLOBAL);
	word = page_address(table);
	*word = 0x0da7a0da;
	ok &= *word == 0x0da7a0da && faults(va);
	page_put(table);
	return ok;
}

/* A deferred change counts from the call on. */
static bool deferred(void (*flush)(void))
{
	u32 ptep = used_entry();

	native_ops.set_pte(pte_make(other, PTE_KERNEL), (pte_t *)ptep, 0);
	ops.update_pte((pte_t *)ptep, NATIVE_LEVEL | PAGE_CURRENT_AS | PAGE_DEFER | VA);
	flush();
	return cleaned(shows(VA, other));
}

static void inval(void)
{
	call(VA);
}

static void flush(void)
{
	call(FLUSH_TLB);
}

static void flush_deferred(void)
{
	call(0xc0);
	ops.inval_page(VA); /* it flushes updates, not the TLB */
}

static void leave_lazy(void)
{
	call(LAZY_NONE);
	ops.inval_page(VA);
}

static bool t_inval(void)
{
	return deferred(inval);
}

static bool t_flush(void)
{
	return deferred(flush);
}

static bool t_flush_deferred(void)
{
	return deferred(flush_deferred) && !out[OUT_EAX];
}

static bool t_lazy(void)
{
	call(LAZY_MMU);
	return deferred(leave_lazy);
}

/* Slot 1: a table of high memory is mapped for the moment; its entries are
 * named by that address. */
static bool t_linear(void)
{
	u32 ptep = used_entry(), table = pte_pfn(*pmd_of(&init_mm, VA));

	map_kernel(KMAP, table, PTE_KERNEL);
	ops.inval_page(KMAP);
	stack_arguments(table, 0);
	call(1, KMAP, 1);
	ops.set_pte(pte_make(other, PTE_KERNEL), (pte_t *)(KMAP + ptep % PAGE_SIZE),
		    PAGE_L1_FLAG | PAGE_CURRENT_AS | VA);
	ops.inval_page(VA);
	unmap_kernel(KMAP);
	return cleaned(shows(VA, other));
}

static bool t_to_machine(void)
{
	u64 a, b, hole;

	call(frame << PAGE_SHIFT | 0x123);
	a = out64();
	call(other << PAGE_SHIFT);
	b = out64();
	call(0xa0000); /* no memory */
	hole = out64();
	return a != b && (a & 0xfff) == 0x123 && hole == ~0ull;
}

static bool t_to_physical(void)
{
	u64 (*to_machine)(u32) = (void *)(u32)rom_get_reloc(VMI_PhysicalToMachine), machine;

	machine = to_machine(frame << PAGE_SHIFT | 0x456);
	call((u32)machine, (u32)(machine >> 32));
	if (out64() != (frame << PAGE_SHIFT | 0x456))
		return false;
	call(0, 0xff); /* far above every frame */
	return out64() == ~0ull;
}

/* --- ports ---------------------------------------------------------------------- */

static u32 in_dword(u16 port)
{
	u32 v;

	asm volatile("inl %1, %0" : "=a"(v) : "d"(port));
	return v;
}

static void out_dword(u16 port, u32 v)
{
	asm volatile("outl %0, %1" ::"a"(v), "d"(port));
}

static bool t_inb(void)
{
	outb(0x6c, UART_SCRATCH);
	call(FILL_EAX, UART_SCRATCH);
	return out[OUT_EAX] == ((FILL_EAX & ~0xffu) | 0x6c);
}

static bool t_inw(void)
{
	u16 native;

	outb(0x6d, UART_SCRATCH);
	asm volatile("inw %1, %0" : "=a"(native) : "d"((u16)(UART_SCRATCH - 1)));
	call(FILL_EAX, UART_SCRATCH - 1);
	return native >> 8 == 0x6d && out[OUT_EAX] == ((FILL_EAX & ~0xffffu) | native);
}

static bool t_in(void)
{
	out_dword(PCI_ADDRESS, 0x80001234);
	call(FILL_EAX, PCI_ADDRESS);
	return out[OUT_EAX] == 0x80001234;
}

static bool t_outb(void)
{
	call(0xffffff35, UART_SCRATCH);
	return inb(UART_SCRATCH) == 0x35;
}

static bool t_outw(void)
{
	call(0xffff4700, UART_SCRATCH - 1);
	return inb(UART_SCRATCH) == 0x47;
}

static bool t_out(void)
{
	call(0x80005678, PCI_ADDRESS);
	return in_dword(PCI_ADDRESS) == 0x80005678;
}

static u32 buffer[4];

static bool string(u32 edi, u32 esi, u32 port, u32 moved)
{
	vmi_call.in[OUT_EDI] = edi;
	vmi_call.in[OUT_ESI] = esi;
	call(FILL_EAX, port, 3);
	vmi_call.in[OUT_EDI] = KEEP_EDI;
	vmi_call.in[OUT_ESI] = KEEP_ESI;
	return out[OUT_ECX] == 0 && out[OUT_EDX] == port && out[OUT_EAX] == FILL_EAX &&
	       out[OUT_EDI] == edi + (edi == KEEP_EDI ? 0 : moved) &&
	       out[OUT_ESI] == esi + (esi == KEEP_ESI ? 0 : moved);
}

static bool ins(u32 port, u32 moved)
{
	memset(buffer, 0xee, sizeof(buffer));
	return string((u32)buffer, KEEP_ESI, port, moved);
}

static bool outs(u32 port, u32 moved)
{
	return string(KEEP_EDI, (u32)buffer, port, moved);
}

static bool t_insb(void)
{
	outb(0x91, UART_SCRATCH);
	return ins(UART_SCRATCH, 3) && buffer[0] == 0xee919191;
}

static bool t_insw(void)
{
	outb(0x92, UART_SCRATCH);
	return ins(UART_SCRATCH - 1, 6) && buffer[0] >> 24 == 0x92 && buffer[1] >> 16 == 0xeeee &&
	       (u16)buffer[1] == (u16)buffer[0];
}

static bool t_ins(void)
{
	out_dword(PCI_ADDRESS, 0x80009abc);
	return ins(PCI_ADDRESS, 12) && buffer[0] == 0x80009abc && buffer[2] == 0x80009abc &&
	       buffer[3] == 0xeeeeeeee;
}

static bool t_outsb(void)
{
	buffer[0] = 0xff5a0000;
	return outs(UART_SCRATCH, 3) && inb(UART_SCRATCH) == 0x5a;
}

static bool t_outsw(void)
{
	buffer[0] = 0;
	buffer[1] = 0xffff5b00;
	return outs(UART_SCRATCH - 1, 6) && inb(UART_SCRATCH) == 0x5b;
}

static bool t_outs(void)
{
	buffer[2] = 0x8000def0;
	return outs(PCI_ADDRESS, 12) && in_dword(PCI_ADDRESS) == 0x8000def0;
}

/* --- the rest --------------------------------------------------------------------- */

static bool t_iopl(void)
{
	call(0x3000);
	call(0);
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

static bool t_apic_read(void)
{
	ops.apic_write(APIC_LDR, 0x5a000000);
	call(0xfee00000 + APIC_LDR); /* the low 12 bits count */
	return out[OUT_EAX] == 0x5a000000;
}

static bool t_apic_write(void)
{
	bool ok;

	call(0xfee00000 + APIC_TPR, 0x70);
	ok = ops.apic_read(APIC_TPR) == 0x70;
	call(APIC_TPR, 0);
	return ok && ops.apic_read(APIC_TPR) == 0;
}

static bool t_frequency(void)
{
	call0();
	return out64() == ops.cycle_frequency();
}

static bool t_counter(void)
{
	u64 before = ops.cycle_counter(COUNTER_REAL), real, available;

	call(COUNTER_REAL);
	real = out64();
	call(COUNTER_AVAILABLE);
	available = out64();
	call(COUNTER_STOLEN);
	if (real < before || real > ops.cycle_counter(COUNTER_REAL) ||
	    available + out64() < before || available > ops.cycle_counter(COUNTER_REAL))
		return false;
	call(3); /* no such counter */
	return out64() == 0;
}

static bool t_set_alarm(void)
{
	u64 far = ops.cycle_counter(COUNTER_REAL) + cycles_ms(100000);

	stack_arguments(0, 0);
	call(COUNTER_REAL, (u32)far, (u32)(far >> 32));
	if (ops.cancel_alarm(COUNTER_REAL) != 1)
		return false;
	call(COUNTER_STOLEN, (u32)far, (u32)(far >> 32)); /* has no alarm */
	return ops.cancel_alarm(COUNTER_REAL) == 0 && ops.cancel_alarm(COUNTER_STOLEN) == 0;
}

static bool t_cancel_alarm(void)
{
	u32 first;

	ops.set_alarm(COUNTER_REAL, ops.cycle_counter(COUNTER_REAL) + cycles_ms(100000), 0);
	call(COUNTER_REAL);
	first = out[OUT_EAX];
	call(COUNTER_REAL);
	return (first & 0xff) == 1 && !(out[OUT_EAX] & 0xff);
}

static bool t_wallclock(void)
{
	u64 before = ops.wallclock(), now;

	call0();
	now = out64();
	return now >= before && now <= ops.wallclock();
}

static bool t_wallclock_updated(void)
{
	call0();
	call0();
	return !(out[OUT_EAX] & 0xff);
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

static const struct {
	bool (*run)(void);
	u32 keeps;
} tests[] = {
	[ROW_CPUID] = {t_cpuid, SETS_EBX},
	[ROW_WRMSR] = {t_wrmsr, 0},
	[ROW_RDMSR] = {t_rdmsr, 0},
	[ROW_SetGDT] = {t_set_gdt, 0},
	[ROW_SetLDT] = {t_set_ldt, 0},
	[ROW_SetIDT] = {t_set_idt, 0},
	[ROW_SetTR] = {t_set_tr, 0},
	[ROW_GetGDT] = {t_get_gdt, 0},
	[ROW_GetLDT] = {t_get_ldt, 0},
	[ROW_GetIDT] = {t_get_idt, 0},
	[ROW_GetTR] = {t_get_tr, 0},
	[ROW_WriteGDTEntry] = {t_write_gdt, 0},
	[ROW_WriteLDTEntry] = {t_write_ldt, 0},
	[ROW_WriteIDTEntry] = {t_write_idt, 0},
	[ROW_UpdateKernelStack] = {t_kernel_stack, 0},
	[ROW_SetCR0] = {t_set_cr0, 0},
	[ROW_SetCR2] = {t_set_cr2, 0},
	[ROW_SetCR3] = {t_set_cr3, 0},
	[ROW_SetCR4] = {t_set_cr4, 0},
	[ROW_GetCR0] = {t_get_cr0, 0},
	[ROW_GetCR2] = {t_get_cr2, 0},
	[ROW_GetCR3] = {t_get_cr3, 0},
	[ROW_GetCR4] = {t_get_cr4, 0},
	[ROW_INVD] = {t_nothing, 0},
	[ROW_WBINVD] = {t_nothing, 0},
	[ROW_SetDR] = {t_set_dr, 0},
	[ROW_GetDR] = {t_get_dr, 0},
	[ROW_RDPMC] = {t_rdpmc, 0},
	[ROW_RDTSC] = {t_rdtsc, 0},
	[ROW_CLTS] = {t_clts, 0},
	[ROW_EnableInterrupts] = {t_enable, KEEPS_ALL | KEEPS_EAX | FLAG_FREE},
	[ROW_DisableInterrupts] = {t_disable, KEEPS_ALL | KEEPS_EAX | FLAG_FREE},
	[ROW_GetInterruptMask] = {t_get_mask, KEEPS_ALL},
	[ROW_SetInterruptMask] = {t_set_mask, KEEPS_ALL | FLAG_FREE},
	[ROW_IRET] = {t_iret, KEEPS_ALL | KEEPS_EAX | FLAG_FREE | FRAME},
	[ROW_Pause] = {t_nothing, 0},
	[ROW_Halt] = {t_halt, FLAG_FREE},
	[ROW_SetPxE] = {t_set_pxe, 0},
	[ROW_SetPxEPlain] = {t_set_pxe_plain, 0},
	[ROW_GetPxE] = {t_get_pxe, 0},
	[ROW_SwapPxE] = {t_swap_pxe, 0},
	[ROW_SetPxELong] = {t_set_pxe_long, 0},
	[ROW_SetPxELongPlain] = {t_set_pxe_long, 0},
	[ROW_GetPxELong] = {t_get_pxe_long, 0},
	[ROW_SwapPxELongAtomic] = {t_swap_pxe_long, 0},
	[ROW_TestAndSetPxEBit] = {t_set_bit, 0},
	[ROW_TestAndClearPxEBit] = {t_clear_bit, 0},
	[ROW_UpdatePxE] = {t_update, 0},
	[ROW_UpdatePxELong] = {t_update, 0},
	[ROW_MachineToPhysical] = {t_to_physical, 0},
	[ROW_PhysicalToMachine] = {t_to_machine, 0},
	[ROW_AllocatePage] = {t_allocate, 0},
	[ROW_ReleasePage] = {t_release, 0},
	[ROW_InvalPage] = {t_inval, 0},
	[ROW_FlushTLB] = {t_flush, 0},
	[ROW_FlushDeferredCalls] = {t_flush_deferred, 0},
	[ROW_SetLinearMapping] = {t_linear, 0},
	[ROW_IN] = {t_in, KEEPS_ALL},
	[ROW_INB] = {t_inb, KEEPS_ALL},
	[ROW_INW] = {t_inw, KEEPS_ALL},
	[ROW_INS] = {t_ins, MOVES_EDI},
	[ROW_INSB] = {t_insb, MOVES_EDI},
	[ROW_INSW] = {t_insw, MOVES_EDI},
	[ROW_OUT] = {t_out, KEEPS_ALL | KEEPS_EAX},
	[ROW_OUTB] = {t_outb, KEEPS_ALL | KEEPS_EAX},
	[ROW_OUTW] = {t_outw, KEEPS_ALL | KEEPS_EAX},
	[ROW_OUTS] = {t_outs, MOVES_ESI},
	[ROW_OUTSB] = {t_outsb, MOVES_ESI},
	[ROW_OUTSW] = {t_outsw, MOVES_ESI},
	[ROW_SetIOPLMask] = {t_iopl, 0},
	[ROW_DeactivatePxELongAtomic] = {t_deactivate, 0},
	[ROW_TestAndSetPxELongBit] = {t_set_bit, 0},
	[ROW_TestAndClearPxELongBit] = {t_clear_bit, 0},
	[ROW_SetInitialAPState] = {t_ap_state, 0},
	[ROW_APICWrite] = {t_apic_write, 0},
	[ROW_APICRead] = {t_apic_read, 0},
	[ROW_IODelay] = {t_nothing, 0},
	[ROW_GetCycleFrequency] = {t_frequency, 0},
	[ROW_GetCycleCounter] = {t_counter, 0},
	[ROW_SetAlarm] = {t_set_alarm, 0},
	[ROW_CancelAlarm] = {t_cancel_alarm, 0},
	[ROW_GetWallclockTime] = {t_wallclock, 0},
	[ROW_WallclockUpdated] = {t_wallclock_updated, 0},
	[ROW_SetLazyMode] = {t_lazy, 0},
	[ROW_GetRelocationInfo] = {t_relocation_info, 0},
};

/* What the last call kept; NULL if all that was promised. */
static const char *lost(u32 keeps)
{
	const u32 *in = vmi_call.in;

	if (!(keeps & SETS_EBX) && out[OUT_EBX] != in[OUT_EBX])
		return "EBX";
	if (!(keeps & MOVES_ESI) && out[OUT_ESI] != in[OUT_ESI])
		return "ESI";
	if (!(keeps & MOVES_EDI) && out[OUT_EDI] != in[OUT_EDI])
		return "EDI";
	if (out[OUT_EBP] != in[OUT_EBP])
		return "EBP";
	if (out[OUT_ESP] != (keeps & FRAME ? 12u : 0u))
		return "ESP";
	if ((keeps & KEEPS_ALL) && (out[OUT_EDX] != in[OUT_EDX] || out[OUT_ECX] != in[OUT_ECX]))
		return "EDX or ECX";
	if ((keeps & KEEPS_EAX) && out[OUT_EAX] != in[OUT_EAX])
		return "EAX";
	if (out[OUT_EFLAGS] & 0x400)
		return "DF";
	if (!(keeps & FLAG_FREE) && irq_flags() != (flag ? EFLAGS_IF : 0))
		return "the interrupt flag";
	return NULL;
}

static u32 selectors(void)
{
	u16 ds, es, fs;

	asm volatile("mov %%ds, %0\n\tmov %%es, %1\n\tmov %%fs, %2" : "=r"(ds), "=r"(es), "=r"(fs));
	return (u32)(ds << 20 ^ es << 10 ^ fs) ^ read_ss() << 5 ^ read_cs();
}

/* --- the ways to a call -------------------------------------------------------- */

static const struct rom_header *rom3, *rom13;
static u32 copy_of_13;

static u32 by_reloc(const struct call_info *c)
{
	u64 reloc = rom3 && c->id >= 0 ? rom_get_reloc((u32)c->id) : 0;

	return (u8)(reloc >> 32) == RELOC_CALL ? (u32)reloc : 0;
}

static u32 by_slot3(const struct call_info *c)
{
	if (!rom3 || !by_reloc(c))
		return 0;
	return rom_slot3(rom3, c->id);
}

static bool has13(const struct call_info *c)
{
	return rom13 && c->slot >= 0 &&
	       (c->slot < VMI13_GetRelocationInfo || rom13->api_minor >= 3);
}

static u32 by_slot13(const struct call_info *c)
{
	return has13(c) ? rom_slot13(rom13, c->slot) : 0;
}

static u32 by_info13(const struct call_info *c)
{
	u64 reloc = has13(c) && rom13->api_minor >= 3 ? rom_relocation13(rom13, c->slot) : 0;

	return (u8)(reloc >> 32) == RELOC_CALL ? (u32)reloc : 0;
}

/* Kernels of 2006 copy the image and go on with the copy. */
static u32 by_copy(const struct call_info *c)
{
	return has13(c) ? copy_of_13 + (u32)c->slot * ROM13_SLOT_SIZE : 0;
}

static const struct {
	const char *name;
	u32 (*address)(const struct call_info *c);
} ways[] = {
	{"get_reloc", by_reloc},	  {"3.0 slot", by_slot3}, {"13.x slot", by_slot13},
	{"GetRelocationInfo", by_info13}, {"13.x copy", by_copy},
};

static void run(u32 row, const char *way, bool on)
{
	char name[80];
	const char *l, *parts[] = {call_table[row].name, ": ", way,
				   on ? ", interrupts on" : ", interrupts off"};
	u32 n = 0, before = selectors();
	bool good;

	for (u32 i = 0; i < ARRAY_SIZE(parts); i++)
		for (const char *p = parts[i]; *p && n + 1 < sizeof(name); p++)
			name[n++] = *p;
	name[n] = 0;
	vmi_call.in[OUT_EBX] = KEEP_EBX;
	vmi_call.in[OUT_ESI] = KEEP_ESI;
	vmi_call.in[OUT_EDI] = KEEP_EDI;
	vmi_call.in[OUT_EBP] = KEEP_EBP;
	flag = on;
	irq_restore(on ? EFLAGS_IF : 0);
	good = tests[row].run();
	l = lost(tests[row].keeps);
	irq_disable();
	if (!good)
		printk("info: %s: the result is wrong\n", name);
	if (l)
		printk("info: %s: %s is lost\n", name, l);
	if (selectors() != before)
		printk("info: %s: a selector has changed\n", name);
	check(name, good && !l && selectors() == before);
}

static void copy_image(void)
{
	u32 pages = (rom13->length * ROM_UNIT + PAGE_SIZE - 1) / PAGE_SIZE;

	copy_of_13 = COPY + (u32)rom13 % PAGE_SIZE;
	for (u32 i = 0; i < pages + 1; i++)
		map_kernel(COPY + i * PAGE_SIZE, page_alloc(), PTE_KERNEL);
	memcpy((void *)copy_of_13, rom13, rom13->length * ROM_UNIT);
}

static void free_copy(void)
{
	u32 pages = (rom13->length * ROM_UNIT + PAGE_SIZE - 1) / PAGE_SIZE;

	for (u32 i = 0; i < pages + 1; i++) {
		u32 pfn = pte_pfn(*pte_of(&init_mm, COPY + i * PAGE_SIZE));

		unmap_kernel(COPY + i * PAGE_SIZE);
		page_put(pfn);
	}
}

static void all_ways(bool on)
{
	for (u32 w = 0; w < ARRAY_SIZE(ways); w++)
		for (u32 row = 0; row < ARRAY_SIZE(tests); row++) {
			entry = ways[w].address(&call_table[row]);
			if (tests[row].run && entry)
				run(row, ways[w].name, on);
		}
}

/* A call of the table that no row above makes, and that is not one of those
 * that do not return here. */
static void check_complete(void)
{
	for (u32 row = 0; row < call_count; row++) {
		bool made = row < ARRAY_SIZE(tests) && tests[row].run;

		if (made || row == ROW_SYSEXIT || row == ROW_Reboot || row == ROW_Shutdown ||
		    row == ROW_Unassigned)
			continue;
		printk("info: %s\n", call_table[row].name);
		check("every call is made by every way", false);
	}
}

void checks_each(void)
{
	if (!on_vmi || !under_hypervisor())
		return;
	rom3 = rom_generation() == 3 ? rom_found() : NULL;
	rom13 = rom_found13();
	frame = page_alloc_zeroed();
	other = page_alloc_zeroed();
	*(u32 *)page_address(frame) = 0xf7a3e001;
	*(u32 *)page_address(other) = 0x07e70002;
	check_complete();
	if (rom13)
		copy_image();
	all_ways(false);
	tick_start();
	all_ways(true);
	tick_stop();
	if (rom13)
		free_copy();
	irq_disable();
	page_put(frame);
	page_put(other);
}
