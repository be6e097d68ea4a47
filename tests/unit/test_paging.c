/* SPDX-License-Identifier: GPL-2.0-only */
/* The shadow MMU's parts, one case each; random guests are in test_shadow.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "paging.h"

static struct vcpu *const v = VCPU;

#define USER_FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define FAR 0x200000u /* so far apart frames shared a map slot, when there was one of each */

/* As Init leaves it, but SetLinearMapping is to come: tables are seen in slots. */
static void init_without_linear_mapping(bool pae)
{
	domain_paging(pae);
	v->r.gpr[GPR_ESP] -= 4;
	*(u32 *)(uintptr_t)v->r.gpr[GPR_ESP] = KERNEL(CODE);
	vmi_init(v);
}

static void a_walk_sees_directory_and_table_at_once(void **state)
{
	u32 *directory, *table = PHYS(TABLES + FAR), error;
	u64 gpa;

	(void)state;
	domain_paging(false);
	directory = PHYS(TABLES);
	memset(table, 0, PAGE_SIZE);
	table[0] = DATA | USER_FLAGS;
	table[1] = (DATA + PAGE_SIZE) | USER_FLAGS;
	directory[1] = (TABLES + FAR) | PTE_P | PTE_RW | PTE_US; /* A clear */
	assert_true(control_set_cr3(v, TABLES));
	assert_int_equal(shadow_fault(v, 0x400000, PF_W, true, &error, &gpa), SHADOW_FILLED);
	assert_int_equal(table[1], (DATA + PAGE_SIZE) | USER_FLAGS);
	assert_true(directory[1] & PTE_A);
}

static void pdptes_are_read_from_their_page_alone(void **state)
{
	u32 top = TABLES + 0x10000 + FAR, low = TABLES + 0x10000;
	u64 *pdpt = PHYS(top);
	const struct root *r;

	(void)state;
	init_without_linear_mapping(true);
	memset(pdpt, 0, PAGE_SIZE);
	memcpy(PHYS(low), PHYS(TABLES + 0x2000), PAGE_SIZE);
	pdpt[0] = low | PTE_P;
	pdpt[3] = (TABLES + 0x1000) | PTE_P;
	assert_true(control_set_cr3(v, top));
	r = root_current();
	assert_int_equal(r->table[0], low >> PAGE_SHIFT);
	assert_int_equal(r->table[1], GPFN_NONE);
	assert_int_equal(r->table[2], GPFN_NONE);
	assert_int_equal(r->table[3], (TABLES + 0x1000) >> PAGE_SHIFT);
}

/* The same in one page that is everything: it is seen in as many slots. */
static void a_directory_that_is_its_own_table(void **state)
{
	u32 *directory, error;
	u64 gpa;

	(void)state;
	domain_paging(false);
	directory = PHYS(TABLES);
	directory[1] = TABLES | PTE_P | PTE_RW | PTE_US;
	assert_true(control_set_cr3(v, TABLES));
	assert_int_equal(shadow_fault(v, 0x400000 + PAGE_SIZE, PF_W, true, &error, &gpa),
			 SHADOW_FILLED);
	assert_int_equal(directory[1], TABLES | USER_FLAGS);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_sees_directory_and_table_at_once),
		cmocka_unit_test(pdptes_are_read_from_their_page_alone),
		cmocka_unit_test(a_directory_that_is_its_own_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
