/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor tables: what Xen is given of the guest's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"

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

static void what_is_loaded_keeps_its_descriptor(void **state)
{
	u64 old;

	(void)state;
	domain_init(false);
	old = gdt[KERNEL_CS >> 3];
	segment_gdt_entry(v, KERNEL_CS >> 3, 0);
	assert_true(gdt[KERNEL_CS >> 3] == old);
	v->r.cs = USER_CS;
	v->r.ss = USER_DS;
	segment_gdt_entry(v, KERNEL_CS >> 3, 0);
	assert_true(gdt[KERNEL_CS >> 3] == 0);
}

static void a_gdt_may_be_cut_or_unmapped(void **state)
{
	(void)state;
	domain_init(false);
	v->r.ss = USER_DS;
	segment_load_gdt(v, 0x67, KERNEL(GDT));
	assert_true(gdt[KERNEL_DS >> 3] == 0);
	v->r.cs = v->r.ss = v->r.ds = v->r.es = 0;
	segment_load_gdt(v, 0xFFFF, 0x70000000);
	assert_true(gdt[KERNEL_CS >> 3] == 0);
	assert_int_equal(xen.gdt_entries, WIN_GDT_PAGES * 512);
	segment_load_gdt(v, GDT_LIMIT, KERNEL(GDT));
	assert_int_equal(dpl(gdt[KERNEL_CS >> 3]), 1);
}

static void an_ldt_is_copied(void **state)
{
	u64 *own;

	(void)state;
	domain_init(false);
	own = PHYS(LDT);
	own[1] = 0x00CFF2000000FFFFull;
	assert_int_equal(segment_ldt_base(v), 0);
	assert_true(segment_load_ldt(v, LDT_SEL));
	assert_int_equal(xen.ldt_entries, 8);
	assert_true(ldt[1] == own[1]);
	assert_int_equal(segment_ldt_base(v), KERNEL(LDT));
	segment_ldt_entry(v, 2, 0x00CF92000000FFFFull);
	assert_true(ldt[2] == 0x00CFB2000000FFFFull);
	segment_ldt_entry(v, 8, 0x00CF92000000FFFFull); /* behind the end */
	assert_true(ldt[8] == 0);
	/* Entries in use go on to be there. */
	v->r.ds = 0x0F;
	assert_true(segment_load_ldt(v, 0));
	assert_int_equal(xen.ldt_entries, 2);
	assert_true(ldt[1] == own[1]);
	v->r.ds = USER_DS;
	assert_true(segment_load_ldt(v, 0));
	assert_int_equal(xen.ldt_entries, 0);
	assert_true(segment_load_ldt(v, 0));
	assert_false(segment_load_ldt(v, KERNEL_CS));
	assert_false(segment_load_ldt(v, 0x4));
	assert_false(segment_load_ldt(v, 0xF0)); /* behind the limit */
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
	assert_true(segment_tss(v, &base, &limit));
	assert_int_equal(base, KERNEL(TSS));
	assert_int_equal(limit, 0x2068);
	v->tr = 0;
	assert_false(segment_tss(v, &base, &limit));
	v->tr = 0xF8;
	assert_false(segment_tss(v, &base, &limit));
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
		cmocka_unit_test(what_is_loaded_keeps_its_descriptor),
		cmocka_unit_test(a_gdt_may_be_cut_or_unmapped),
		cmocka_unit_test(an_ldt_is_copied),
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
