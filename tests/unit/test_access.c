/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses that the monitor makes for an instruction of the guest's: with the
 * rights of its CPL, its segments and its pages, and with no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/pv/mmu/paging.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/segment.h"
#include "monitor/vcpu.h"

#define DATA_RW 0xC0F3u
#define DATA_RO 0x40F1u
#define LIMITED 0x40F3u	 /* limit in bytes */
#define DOWN_16 0x00F7u	 /* expand-down, B clear */
#define DOWN_32 0x40F7u	 /* expand-down, B set */
#define EXECUTE 0x40F9u	 /* code that cannot be read */
#define READABLE 0x40FBu /* code that can be */
#define NOT_PRESENT 0x4073u

static struct vcpu *const v = VCPU;
static struct access_fault f;
static u32 word;

static int start(void **state)
{
	(void)state;
	domain_init(true);
	domain_user();
	word = 0x77777777;
	return 0;
}

/* DS becomes such a segment of the LDT. */
static void load_ds(u32 base, u32 limit, u32 access)
{
	u64 *ldt = PHYS(LDT);

	ldt[1] = (u64)(base >> 24) << 56 | (u64)(access & 0xF000) << 40 |
		 (u64)(limit >> 16 & 15) << 48 | (u64)(access & 0xFF) << 40 |
		 (u64)(base & 0xFFFFFF) << 16 | (limit & 0xFFFF);
	v->r.ds = USER_DS; /* what is loaded would stay */
	assert_true(segment_load_ldt(v, LDT_SEL));
	v->r.ds = 0x0F;
}

static bool reads(u32 offset, u32 bytes)
{
	return operand_access(v, SEG_DS, offset, &word, bytes, 0, &f) >= 0;
}

static bool writes(u32 offset, u32 bytes)
{
	return operand_access(v, SEG_DS, offset, &word, bytes, PF_W, &f) >= 0;
}

static void is_gp(void)
{
	assert_int_equal(f.vector, EXC_GP);
	assert_int_equal(f.error, 0);
}

static void is_pf(gva_t va, u32 error)
{
	assert_int_equal(f.vector, EXC_PF);
	assert_int_equal(f.va, va);
	assert_int_equal(f.error, error);
}

static void a_segment_ends_with_its_limit(void **state)
{
	(void)state;
	load_ds(USER + 0x100, 0xFF, LIMITED);
	*(u32 *)PHYS(DATA + 0x1FC) = 0x12345678;
	assert_true(reads(0xFC, 4));
	assert_int_equal(word, 0x12345678);
	assert_false(reads(0xFD, 4));
	is_gp();
	assert_true(reads(0xFF, 1));
	assert_false(reads(0x100, 1));
	assert_false(reads(0xFFFFFFFF, 4)); /* the sum wraps */
	assert_false(writes(0xFE, 4));
	assert_true(writes(0xFE, 2));
	load_ds(USER, 0, DATA_RW); /* in pages: 4 KB */
	assert_true(reads(0xFFC, 4));
	assert_false(reads(0xFFD, 4));
}

static void an_expand_down_segment_begins_there(void **state)
{
	(void)state;
	load_ds(USER, 0xFF, DOWN_32);
	assert_false(reads(0xFF, 1));
	is_gp();
	assert_true(reads(0x100, 4));
	assert_true(writes(0x100, 4));
	load_ds(USER - 0xFF00, 0xFF0F, DOWN_16);
	assert_true(reads(0xFF10, 4));
	assert_true(reads(0xFFFC, 4));
	assert_false(reads(0xFFFD, 4)); /* behind 64 KB */
	assert_false(reads(0x10000, 1));
	assert_false(reads(0xFF0F, 1));
}

static void a_segment_has_its_type(void **state)
{
	(void)state;
	load_ds(USER, 0xFFF, DATA_RO);
	assert_true(reads(0, 4));
	assert_false(writes(0, 4));
	is_gp();
	load_ds(USER, 0xFFF, EXECUTE);
	assert_false(reads(0, 4));
	assert_false(writes(0, 4));
	load_ds(USER, 0xFFF, READABLE);
	assert_true(reads(0, 4));
	assert_false(writes(0, 4));
	load_ds(USER, 0xFFF, NOT_PRESENT);
	assert_false(reads(0, 4));
}

static void a_null_selector_is_no_segment(void **state)
{
	(void)state;
	((u64 *)PHYS(GDT))[0] = 0x00CFF3000000FFFFull; /* whatever stands there */
	segment_load_gdt(v, GDT_LIMIT, KERNEL(GDT));
	v->r.ds = 0;
	assert_false(reads(USER, 4));
	is_gp();
	v->r.ds = 3;
	assert_false(reads(USER, 4));
	v->r.ds = 0x2F; /* no such entry of an LDT */
	assert_false(reads(USER, 4));
	v->r.ds = 0x9F3; /* nor of the GDT */
	assert_false(reads(USER, 4));
	v->r.ds = FLAT_RING3_DS; /* Xen's own will do */
	assert_true(reads(USER, 4));
}

static void the_stack_segment_has_an_exception_of_its_own(void **state)
{
	(void)state;
	load_ds(USER, 0xFF, LIMITED);
	v->r.ss = 0x0F;
	assert_int_equal(operand_access(v, SEG_SS, 0x100, &word, 4, 0, &f), -1);
	assert_int_equal(f.vector, EXC_SS);
	assert_int_equal(f.error, 0);
}

static void the_kernel_is_trusted_with_its_segments(void **state)
{
	(void)state;
	load_ds(USER, 0xFF, LIMITED);
	v->r.cs = KERNEL_CS | 1;
	assert_true(reads(0x100, 4));
	v->r.ds = 0;
	assert_true(reads(KERNEL(DATA), 4));
}

static void user_mode_has_only_its_pages(void **state)
{
	u32 *kernel = PHYS(0x60000);

	(void)state;
	*kernel = 0x12345678;
	assert_false(reads(KERNEL(0x60000), 4));
	is_pf(KERNEL(0x60000), PF_U | PF_P);
	assert_false(writes(KERNEL(0x60000), 4));
	is_pf(KERNEL(0x60000), PF_U | PF_P | PF_W);
	assert_int_equal(*kernel, 0x12345678);
	assert_false(writes(USER + PAGE_SIZE, 4)); /* read-only */
	is_pf(USER + PAGE_SIZE, PF_U | PF_P | PF_W);
	assert_true(reads(USER + PAGE_SIZE, 4));
	assert_false(reads(0x70000000, 4)); /* nothing there */
	is_pf(0x70000000, PF_U);
	assert_false(reads(WIN_VCPU, 4)); /* ours */
	assert_int_equal(f.vector, EXC_PF);
	assert_false(reads(WINDOW_BASE - 2, 4));
	assert_false(reads(0xFFFFFFFE, 4)); /* over the end of the address space */
	v->r.cs = KERNEL_CS | 1;	    /* ring 0 may all that, but for the window */
	assert_true(reads(KERNEL(0x60000), 4));
	assert_true(writes(KERNEL(0x60000), 4));
	assert_false(reads(WIN_VCPU, 4));
}

static void a_write_over_two_pages_is_all_or_nothing(void **state)
{
	u32 *first = PHYS(DATA + PAGE_SIZE - 4);

	(void)state;
	*first = 0x11111111;
	assert_false(writes(USER + PAGE_SIZE - 2, 4));
	is_pf(USER + PAGE_SIZE, PF_U | PF_P | PF_W);
	assert_int_equal(*first, 0x11111111);
	assert_true(reads(USER + PAGE_SIZE - 2, 4));
}

/* A page of user mode where the kernel's linear mapping is: the processor would
 * find the linear mapping. */
static void the_linear_mapping_is_the_kernels(void **state)
{
	u64 *low = PHYS(TABLES + 0x3000);
	u32 va = KERNEL(0x70000);

	(void)state;
	v->r.cs = KERNEL_CS | 1;
	assert_true(reads(va, 4)); /* hooked now */
	v->r.cs = USER_CS;
	low[0x70] |= PTE_US;
	((u64 *)PHYS(TABLES + 0x1000))[0] |= PTE_US;
	assert_false(reads(va, 4));
	is_pf(va, PF_U | PF_P);
}

static void frames_without_memory(void **state)
{
	(void)state;
	assert_int_equal(operand_access(v, SEG_DS, USER_NOWHERE, &word, 4, 0, &f), ACCESS_MMIO);
	assert_int_equal(word, 0xFFFFFFFF);
	assert_int_equal(operand_access(v, SEG_DS, USER_NOWHERE, &word, 4, PF_W, &f), ACCESS_MMIO);
	assert_int_equal(operand_access(v, SEG_DS, USER, &word, 4, 0, &f), 0);
	/* The guest's tables say that it was there, as a processor's walk does. */
	((u64 *)PHYS(USER_PT))[2] &= ~(PTE_A | PTE_D);
	assert_true(reads(USER_NOWHERE, 1));
	assert_int_equal(((u64 *)PHYS(USER_PT))[2] & (PTE_A | PTE_D), PTE_A);
	assert_true(writes(USER_NOWHERE, 1));
	assert_int_equal(((u64 *)PHYS(USER_PT))[2] & (PTE_A | PTE_D), PTE_A | PTE_D);
}

static void without_paging_all_is_allowed(void **state)
{
	(void)state;
	domain_start();
	v->r.ds = FLAT_RING3_DS;
	*(u32 *)PHYS(DATA) = 0x12345678;
	assert_true(reads(DATA, 4));
	assert_int_equal(word, 0x12345678);
	assert_true(reads(HOLE, 4));
	assert_int_equal(word, 0xFFFFFFFF);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_segment_ends_with_its_limit, start),
		cmocka_unit_test_setup(an_expand_down_segment_begins_there, start),
		cmocka_unit_test_setup(a_segment_has_its_type, start),
		cmocka_unit_test_setup(a_null_selector_is_no_segment, start),
		cmocka_unit_test_setup(the_stack_segment_has_an_exception_of_its_own, start),
		cmocka_unit_test_setup(the_kernel_is_trusted_with_its_segments, start),
		cmocka_unit_test_setup(user_mode_has_only_its_pages, start),
		cmocka_unit_test_setup(a_write_over_two_pages_is_all_or_nothing, start),
		cmocka_unit_test_setup(the_linear_mapping_is_the_kernels, start),
		cmocka_unit_test_setup(frames_without_memory, start),
		cmocka_unit_test_setup(without_paging_all_is_allowed, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
