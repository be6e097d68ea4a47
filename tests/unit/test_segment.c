/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor tables: what Xen is given of the guest's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/vcpu.h"

static struct vcpu *const v = VCPU;
static const volatile u64 *const gdt = (const volatile u64 *)(uintptr_t)WIN_GDT;
static const volatile u64 *const ldt = (const volatile u64 *)(uintptr_t)WIN_LDT;

static u64 dpl(u64 descriptor)
{
	return descriptor >> 45 & 3;
}

static void before_init_everything_has_dpl_3(void **state)
{
	(void)state;
	domain_paging(false);
	assert_int_equal(dpl(gdt[KERNEL_CS >> 3]), 3);
	assert_int_equal(dpl(gdt[KERNEL_DS >> 3]), 3);
	assert_int_equal(dpl(gdt[USER_CS >> 3]), 3);
	assert_true((gdt[KERNEL_CS >> 3] | 3ull << 45) ==
		    (((u64 *)PHYS(GDT))[KERNEL_CS >> 3] | 3ull << 45));
}

static void after_init_dpl_0_is_1(void **state)
{
	(void)state;
	domain_init(false);
	assert_int_equal(dpl(gdt[KERNEL_CS >> 3]), 1);
	assert_int_equal(dpl(gdt[USER_CS >> 3]), 3);
}

static void system_descriptors_stay_the_guests(void **state)
{
	(void)state;
	domain_init(false);
	assert_true(gdt[TSS_SEL >> 3] == 0);
	assert_true(gdt[LDT_SEL >> 3] == 0);
	segment_gdt_entry(v, 5, 0x00AF9B000000FFFFull); /* long mode means nothing */
	assert_true(gdt[5] == 0x008FBB000000FFFFull);
	segment_gdt_entry(v, 5, 0x1234); /* not present: as it is */
	assert_true(gdt[5] == 0x1234);
	segment_gdt_entry(v, 100000, 0x00CF9B000000FFFFull); /* behind the end */
}

/* The kernel makes a descriptor of its table something else, and says so. */
static void gdt_write(u32 selector, u64 d)
{
	((u64 *)PHYS(GDT))[selector >> 3] = d;
	segment_gdt_entry(v, selector >> 3, d);
}

static void ldt_write(u32 selector, u64 d)
{
	((u64 *)PHYS(LDT))[selector >> 3] = d;
	segment_ldt_entry(v, selector >> 3, d);
}

#define SPARE 0x48u	/* an entry of the GDT that nobody has */
#define TLS_SEL 0x33u	/* a process's own */
#define LDT_ENTRY 0x0Fu /* entry 1 of its LDT */

#define USER_SEGMENT 0x00CFF2001234FFFFull     /* with a base */
#define KERNEL_SEGMENT 0x00CF92001234FFFFull   /* the same of the kernel's */
#define ADJUSTED_SEGMENT 0x00CFB2001234FFFFull /* as Xen has it */

static void what_the_kernel_stands_on_stays(void **state)
{
	static const struct {
		enum seg seg;
		u16 selector;
	} own[] = {{SEG_CS, KERNEL_CS | 1}, {SEG_SS, KERNEL_DS | 1}, {SEG_DS, USER_DS}};
	/* Of each what does not do in its place: nothing, a TSS, another kind of segment. */
	static const u64 bad[] = {0, 0x00008B0000000067ull, 0x00CF990000000000ull};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(own); i++) {
		u32 index = own[i].selector >> 3;
		u64 old;

		domain_init(false);
		v->kernel_ss = USER_DS;
		old = gdt[index];
		for (u32 k = 0; k < ARRAY_SIZE(bad); k++) {
			gdt_write(own[i].selector, i == 0 && k == 2 ? KERNEL_SEGMENT : bad[k]);
			assert_true(gdt[index] == old);
		}
		gdt_write(own[i].selector, 0);
		xen.selector[own[i].seg] = SPARE;
		if (i == 2)
			xen.selector[SEG_ES] = SPARE;
		v->kernel_ss = KERNEL_DS | 1;
		gdt_write(SPARE, 0); /* any change: then what had to stay is looked at again */
		assert_true(gdt[index] == (i == 1 ? old : 0)); /* Xen needs the kernel's SS */
	}
}

/* Xen reads SS again at each return: of 16 bits, or not all of memory, it would carry
 * no frame of its own. */
static void a_stack_that_xen_cannot_use_does_not_follow(void **state)
{
	static const u64 bad[] = {0x000092000000FFFFull, 0x008F92000000FFFFull,
				  0x00C392000000FFFFull, 0x00CF96000000FFFFull};

	(void)state;
	domain_init(true);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		u64 old = gdt[KERNEL_DS >> 3];

		gdt_write(KERNEL_DS, bad[i]);
		assert_true(gdt[KERNEL_DS >> 3] == old);
	}
	gdt_write(KERNEL_DS, 0x00DF92000000FFFFull); /* a bit that means nothing */
	assert_true(gdt[KERNEL_DS >> 3] == 0x00DFB2000000FFFFull);
}

static void in_a_trap_the_selectors_are_those_of_the_trap(void **state)
{
	(void)state;
	domain_init(false);
	xen.selector[SEG_CS] = FLAT_RING1_CS;
	xen.selector[SEG_DS] = xen.selector[SEG_ES] = FLAT_RING1_DS;
	v->r.ds = SPARE;
	v->r.es = v->r.cs = KERNEL_CS | 1;
	gdt_write(SPARE, KERNEL_SEGMENT);
	gdt_write(SPARE, 0);
	assert_true(gdt[SPARE >> 3] == ADJUSTED_SEGMENT);
	v->r.ds = USER_DS;
	gdt_write(SPARE, 0);
	assert_true(gdt[SPARE >> 3] == 0);
	gdt_write(KERNEL_CS, 0);
	assert_true(gdt[KERNEL_CS >> 3] != 0);
	/* In a call struct regs has only the last trap's. */
	domain_call();
	v->r.ds = v->r.es = v->r.ss = SPARE;
	gdt_write(SPARE, KERNEL_SEGMENT);
	gdt_write(SPARE, 0);
	assert_true(gdt[SPARE >> 3] == 0);
}

static void a_segment_of_the_kernel_in_fs_stays(void **state)
{
	(void)state;
	domain_init(false);
	gdt_write(SPARE, KERNEL_SEGMENT);
	assert_true(xen_load_selector(SEG_FS, SPARE));
	gdt_write(SPARE, 0);
	assert_true(gdt[SPARE >> 3] == ADJUSTED_SEGMENT);
	gdt_write(SPARE, KERNEL_SEGMENT + 0x10000); /* one that does is taken */
	assert_true(gdt[SPARE >> 3] == ADJUSTED_SEGMENT + 0x10000);
	gdt_write(SPARE, 0);
	xen.selector[SEG_FS] = 0;
	gdt_write(TLS_SEL, 0);
	assert_true(gdt[SPARE >> 3] == 0);
}

/* A process switch as Linux makes it: GS has the last one's selector until behind
 * both tables are the next one's. */
static void a_process_never_finds_another_ones_segment(void **state)
{
	(void)state;
	domain_init(false);
	gdt_write(TLS_SEL, USER_SEGMENT);
	((u64 *)PHYS(LDT))[LDT_ENTRY >> 3] = USER_SEGMENT;
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_true(xen_load_selector(SEG_GS, TLS_SEL));
	gdt_write(TLS_SEL, 0);
	assert_false(xen_load_selector(SEG_FS, TLS_SEL));
	assert_true(xen_load_selector(SEG_GS, LDT_ENTRY));
	v->r.ds = LDT_ENTRY; /* at the last trap of the process */
	((u64 *)PHYS(LDT))[LDT_ENTRY >> 3] = 0;
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_true(ldt[LDT_ENTRY >> 3] == 0);
	assert_false(xen_load_selector(SEG_FS, LDT_ENTRY));
	/* The next has no LDT, or a short one. */
	((u64 *)PHYS(LDT))[LDT_ENTRY >> 3] = USER_SEGMENT;
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_true(xen_load_selector(SEG_GS, LDT_ENTRY));
	assert_true(segment_load_ldt(v, 0));
	assert_int_equal(xen.ldt_entries, 0);
	assert_false(xen_load_selector(SEG_FS, LDT_ENTRY));
	/* It goes on to be in GS until the kernel has saved it, but not when an entry
	 * is taken away by itself. */
	assert_int_equal(xen.selector[SEG_GS], LDT_ENTRY);
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_true(xen_load_selector(SEG_GS, LDT_ENTRY));
	ldt_write(LDT_ENTRY, USER_SEGMENT + 0x10000);
	assert_int_equal(xen.selector[SEG_GS], LDT_ENTRY);
	ldt_write(LDT_ENTRY, 0);
	assert_int_equal(xen.selector[SEG_GS], 0);
	assert_false(xen_load_selector(SEG_FS, LDT_ENTRY));
}

/* Xen runs another vCPU while GS has a selector that is nobody's any more. */
static void lost_to_xen(u16 selector)
{
	u32 before[4];
	u64 of_gdt = gdt[selector >> 3], of_ldt = ldt[selector >> 3];

	xen.selector[SEG_GS] = selector;
	assert_false(xen_context_switch(before));
	assert_int_equal(xen.selector[SEG_GS], 0);
	segment_failsafe(before);
	assert_int_equal(xen.selector[SEG_GS], selector);
	assert_true((xen.hidden[SEG_GS] & 0xFF0000FFFFFF0000ull) == 0); /* no base */
	assert_true(gdt[selector >> 3] == of_gdt && ldt[selector >> 3] == of_ldt);
	assert_false(xen_load_selector(SEG_FS, selector));
}

static void another_vcpu_runs(void)
{
	u32 before[4];

	xen.at_set_ldt = NULL;
	if (!xen_context_switch(before))
		segment_failsafe(before);
	xen.at_set_ldt = another_vcpu_runs;
}

/* Xen does so in the middle of the change, when GS has the last process's selector. */
static void it_comes_back_while_the_ldt_changes(void **state)
{
	(void)state;
	domain_init(false);
	((u64 *)PHYS(LDT))[LDT_ENTRY >> 3] = USER_SEGMENT;
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_true(xen_load_selector(SEG_GS, LDT_ENTRY));
	xen.at_set_ldt = another_vcpu_runs;
	assert_true(segment_load_ldt(v, 0));
	assert_int_equal(xen.ldt_entries, 0);
	assert_int_equal(xen.selector[SEG_GS], LDT_ENTRY);
	((u64 *)PHYS(LDT))[LDT_ENTRY >> 3] = 0;
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_int_equal(xen.ldt_entries, 8);
	assert_int_equal(xen.selector[SEG_GS], LDT_ENTRY);
	assert_false(xen_load_selector(SEG_FS, LDT_ENTRY));
}

static void a_selector_that_xen_could_not_load_comes_back(void **state)
{
	u32 before[4];

	(void)state;
	domain_init(false);
	((u64 *)PHYS(LDT))[LDT_ENTRY >> 3] = USER_SEGMENT;
	assert_true(segment_load_ldt(v, LDT_SEL));
	lost_to_xen(TLS_SEL);
	ldt_write(LDT_ENTRY, 0);
	lost_to_xen(LDT_ENTRY);
	assert_int_equal(xen.ldt_entries, 8);
	assert_true(segment_load_ldt(v, 0));
	lost_to_xen(LDT_ENTRY);
	assert_int_equal(xen.ldt_entries, 0);
	/* What can be loaded is, whatever another register holds. */
	xen.selector[SEG_FS] = USER_DS;
	assert_false(xen_context_switch(before));
	segment_failsafe(before);
	assert_int_equal(xen.selector[SEG_FS], USER_DS);
	assert_int_equal(xen.selector[SEG_GS], LDT_ENTRY);
	/* Nothing can be done where Xen has no table of ours. */
	before[3] = 0xFFFF;
	xen.selector[SEG_GS] = 0;
	segment_failsafe(before);
	before[3] = 3;
	segment_failsafe(before);
	assert_int_equal(xen.selector[SEG_GS], 0);
}

/* Xen refuses what it does not know how to give a guest, and then the domain ends. */
static void xen_takes_whatever_a_table_has(void **state)
{
	u64 d = 1;

	(void)state;
	domain_init(false);
	assert_true(segment_load_ldt(v, LDT_SEL));
	for (u32 i = 0; i < 50000; i++) {
		d ^= d << 13;
		d ^= d >> 7;
		d ^= d << 17;
		segment_gdt_entry(v, i % 512, d);
		segment_ldt_entry(v, i % 8, d);
	}
	for (u32 i = 0; i < 0x10000; i++) /* all that access rights can say */
		segment_gdt_entry(v, 5, (u64)(i & 0xFF) << 40 | (u64)(i >> 8) << 48);
	v->paravirtual = false;
	v->kernel_rpl = 3;
	for (u32 i = 0; i < 0x10000; i++)
		segment_gdt_entry(v, 5, (u64)(i & 0xFF) << 40 | (u64)(i >> 8) << 48);
}

static void a_gdt_may_be_cut_or_unmapped(void **state)
{
	const u64 d = USER_SEGMENT;

	(void)state;
	domain_init(false);
	v->kernel_ss = USER_DS;
	xen.selector[SEG_SS] = USER_DS;
	segment_load_gdt(v, 0x67, KERNEL(GDT));
	assert_true(gdt[KERNEL_DS >> 3] == 0);
	memset(xen.selector, 0, sizeof(xen.selector));
	segment_load_gdt(v, 0xFFFF, 0x70000000);
	assert_true(gdt[KERNEL_CS >> 3] == 0);
	assert_int_equal(xen.gdt_entries, WIN_GDT_PAGES * 512);
	segment_load_gdt(v, GDT_LIMIT, KERNEL(GDT));
	assert_int_equal(dpl(gdt[KERNEL_CS >> 3]), 1);
	/* The end of memory in the middle of the table, and in the middle of an entry. */
	memcpy(PHYS(GUEST_PAGES * PAGE_SIZE - 12), &d, sizeof(d));
	segment_load_gdt(v, 0x1F, KERNEL(GUEST_PAGES * PAGE_SIZE - 12));
	assert_true(gdt[0] == USER_SEGMENT && gdt[1] == 0 && gdt[2] == 0);
	/* The end of all addresses. */
	segment_load_gdt(v, 0xFFFF, 0xFFFFFFFC);
	assert_true(gdt[KERNEL_CS >> 3] == 0);
}

static void an_ldt_is_copied(void **state)
{
	u64 *own;

	(void)state;
	domain_init(false);
	own = PHYS(LDT);
	own[1] = 0x00CFF2000000FFFFull;
	assert_int_equal(v->ldt.base, 0);
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_int_equal(xen.ldt_entries, 8);
	assert_true(ldt[1] == own[1]);
	assert_int_equal(v->ldt.base, KERNEL(LDT));
	segment_ldt_entry(v, 2, 0x00CF92000000FFFFull);
	assert_true(ldt[2] == 0x00CFB2000000FFFFull);
	segment_ldt_entry(v, 512, 0x00CF92000000FFFFull); /* no page there */
	assert_true(segment_load_ldt(v, 0));
	assert_int_equal(xen.ldt_entries, 0);
	assert_true(segment_load_ldt(v, 0));
	assert_false(segment_load_ldt(v, KERNEL_CS));
	assert_false(segment_load_ldt(v, 0x4));
	assert_false(segment_load_ldt(v, 0xF0)); /* behind the limit */
}

/* It goes on to be there as far as it is stood on. */
static void an_ldt_that_the_kernel_stands_on(void **state)
{
	(void)state;
	domain_init(false);
	((u64 *)PHYS(LDT))[1] = 0x00CFF2000000FFFFull;
	((u64 *)PHYS(LDT))[3] = 0x00CFF2000000FFFFull;
	assert_true(segment_load_ldt(v, LDT_SEL));
	xen.selector[SEG_ES] = LDT_ENTRY;
	assert_true(segment_load_ldt(v, 0));
	assert_int_equal(xen.ldt_entries, 2);
	assert_true(ldt[1] == 0x00CFF2000000FFFFull);
	assert_int_equal(v->ldtr, 0);
	xen.selector[SEG_ES] = USER_DS;
	gdt_write(SPARE, 0);
	assert_int_equal(xen.ldt_entries, 0);
}

static void the_ldt_is_what_its_register_has_taken(void **state)
{
	(void)state;
	domain_init(false);
	((u64 *)PHYS(LDT))[1] = USER_SEGMENT;
	assert_true(segment_load_ldt(v, LDT_SEL));
	((u64 *)PHYS(GDT))[LDT_SEL >> 3] = 0; /* it is not asked again */
	segment_gdt_entry(v, LDT_SEL >> 3, 0);
	assert_int_equal(v->ldt.base, KERNEL(LDT));
	segment_adopt(v);
	assert_int_equal(xen.ldt_entries, 8);
	assert_true(ldt[1] == USER_SEGMENT);
}

static void a_large_ldt_is_cut_and_an_unmapped_one_empty(void **state)
{
	(void)state;
	domain_init(false);
	/* 0x10000 entries at 0x70000000 */
	((u64 *)PHYS(GDT))[LDT_SEL >> 3] = 0x7080820000000000ull | 0xFF | 0xFull << 48;
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_int_equal(xen.ldt_entries, WIN_LDT_PAGES * 512);
	assert_true(ldt[0] == 0 && ldt[WIN_LDT_PAGES * 512 - 1] == 0);
	/* A limit of 4 GB is no limit of 0; one of 6 is no entry. */
	assert_true(segment_load_ldt(v, 0));
	((u64 *)PHYS(GDT))[LDT_SEL >> 3] |= 0xFFFF;
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_int_equal(xen.ldt_entries, WIN_LDT_PAGES * 512);
	((u64 *)PHYS(GDT))[LDT_SEL >> 3] = 0x7000820000000006ull;
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_int_equal(xen.ldt_entries, 0);
}

static void bases(void **state)
{
	gva_t base;
	u32 limit;

	(void)state;
	domain_init(false);
	segment_gdt_entry(v, 5, 0x12CFF2345678FFFFull);
	assert_int_equal(segment_base(v, 5 << 3), 0x12345678);
	assert_int_equal(segment_base(v, KERNEL_CS), 0);
	assert_int_equal(segment_base(v, 0xFFF8), 0); /* one of Xen's */
	assert_int_equal(segment_base(v, 0x0C), 0);   /* no LDT */
	v->tr = TSS_SEL;
	assert_true(segment_tss(v, v->tr, &base, &limit));
	assert_int_equal(base, KERNEL(TSS));
	assert_int_equal(limit, 0x2068);
	v->tr = 0;
	assert_false(segment_tss(v, v->tr, &base, &limit));
	v->tr = 0xF8;
	assert_false(segment_tss(v, v->tr, &base, &limit));
	v->tr = KERNEL_DS; /* no TSS */
	assert_false(segment_tss(v, v->tr, &base, &limit));
	v->tr = LDT_SEL;
	assert_false(segment_tss(v, v->tr, &base, &limit));
}

static void a_descriptor_that_xen_refuses_ends_the_domain(void **state)
{
	(void)state;
	domain_init(false);
	xen.answer[__HYPERVISOR_update_descriptor] = -22;
	assert_dies("Xen refused descriptor 5", segment_gdt_entry(v, 5, 0x00CFF2000000FFFFull));
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_init_everything_has_dpl_3),
		cmocka_unit_test(after_init_dpl_0_is_1),
		cmocka_unit_test(system_descriptors_stay_the_guests),
		cmocka_unit_test(what_the_kernel_stands_on_stays),
		cmocka_unit_test(a_stack_that_xen_cannot_use_does_not_follow),
		cmocka_unit_test(in_a_trap_the_selectors_are_those_of_the_trap),
		cmocka_unit_test(a_segment_of_the_kernel_in_fs_stays),
		cmocka_unit_test(a_process_never_finds_another_ones_segment),
		cmocka_unit_test(a_selector_that_xen_could_not_load_comes_back),
		cmocka_unit_test(it_comes_back_while_the_ldt_changes),
		cmocka_unit_test(xen_takes_whatever_a_table_has),
		cmocka_unit_test(a_gdt_may_be_cut_or_unmapped),
		cmocka_unit_test(an_ldt_is_copied),
		cmocka_unit_test(an_ldt_that_the_kernel_stands_on),
		cmocka_unit_test(the_ldt_is_what_its_register_has_taken),
		cmocka_unit_test(a_large_ldt_is_cut_and_an_unmapped_one_empty),
		cmocka_unit_test(bases),
		cmocka_unit_test(a_descriptor_that_xen_refuses_ends_the_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
