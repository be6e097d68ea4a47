/* SPDX-License-Identifier: GPL-2.0-only */
/* The shadow MMU's parts, one case each; random guests are in test_shadow.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "monitor/pv/mmu/paging.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/vcpu.h"

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
	assert_int_equal(shadow_fault(v, 0x400000, PF_W, true, &error, &gpa), SPACE_FILLED);
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
			 SPACE_FILLED);
	assert_int_equal(directory[1], TABLES | USER_FLAGS);
}

/* --- the TLB: Xen flushes what it is asked to, and nothing else -------------------------- */

void vmi_SetLinearMapping(u32 slot, gva_t va, u32 pages);
void vmi_UpdatePxE(gva_t ptep, u32 flags);
void vmi_FlushTLB(u32 flags);

static u32 fault(gva_t va, u32 bits)
{
	u32 error;
	u64 gpa;

	return shadow_fault(v, va, bits, !(bits & PF_U), &error, &gpa);
}

static u32 at_once(gva_t va, u32 bits)
{
	u32 mfn, code = xen_access(va, bits, &mfn);

	return code ? code : mfn << 8;
}

static u32 frame(u32 address)
{
	return GMFN[address >> PAGE_SHIFT] << 8;
}

/* What is hooked in the kernel's half while its linear mapping is not known makes
 * room for that: then nothing of it faults any more. */
static void the_linear_mapping_is_there_at_once(void **state)
{
	gva_t page = KERNEL(DATA), beside = KERNEL(DATA) + PAGE_SIZE;

	(void)state;
	for (u32 pae = 0; pae < 2; pae++) {
		init_without_linear_mapping(pae);
		xen_access(page, PF_W, &(u32){0});
		assert_int_equal(fault(page, PF_W), SPACE_FILLED);
		assert_int_equal(at_once(page, PF_W), frame(DATA));
		assert_int_not_equal(at_once(beside, PF_W), frame(DATA + PAGE_SIZE));
		xen_tlb_drop(page); /* it walks again, and keeps the directory's entry */
		assert_int_equal(at_once(page, PF_W), frame(DATA));
		VCPU->argument[0] = 0;
		vmi_SetLinearMapping(0, LINEAR, GUEST_PAGES);
		assert_int_equal(fault(KERNEL(ESP0), PF_W), SPACE_FILLED);
		assert_int_equal(at_once(beside, PF_W), frame(DATA + PAGE_SIZE));
		assert_int_equal(at_once(page, PF_W), frame(DATA));
	}
}

/* Before Init INVLPG of one page in a 2 MB mapping takes all of it away; the TLB
 * has its other pages until they are flushed, too. */
static void invlpg_flushes_what_is_not_hooked_any_more(void **state)
{
	u64 *table;
	gva_t page = KERNEL(0x210000), beside = KERNEL(0x211000);

	(void)state;
	domain_paging(true);
	table = PHYS(TABLES + 0x4000);
	assert_int_equal(fault(page, PF_W), SPACE_FILLED);
	assert_int_equal(at_once(page, PF_U), frame(0x210000));
	assert_int_equal(at_once(beside, PF_U), frame(0x211000));
	table[0x11] = DATA | USER_FLAGS;
	space_invlpg(v, page);
	space_invlpg(v, beside);
	assert_int_not_equal(at_once(beside, PF_U), frame(0x211000));
	assert_int_equal(fault(beside, 0), SPACE_FILLED);
	assert_int_equal(at_once(beside, PF_U), frame(DATA));
}

/* One flush for all that became weaker, and only if something has. */
static void a_flush_is_paid_when_it_is_due(void **state)
{
	u32 *directory, flushes;

	(void)state;
	domain_init(false);
	directory = PHYS(TABLES);
	assert_int_equal(fault(USER, PF_U), SPACE_FILLED);
	vmi_FlushTLB(1);
	flushes = xen.flushes;
	vmi_FlushTLB(1);
	assert_int_equal(xen.flushes, flushes);
	directory[USER >> 22] = 0;
	vmi_UpdatePxE(KERNEL(TABLES) + (USER >> 22) * 4, 2);
	vmi_FlushTLB(1);
	vmi_FlushTLB(1);
	assert_int_equal(xen.flushes, flushes + 1);
	assert_int_not_equal(at_once(USER, PF_U), frame(DATA));
}

/* Whoever looks a frame up does it in 2 MB that begin in RAM, and needs no bound. */
static void what_is_behind_ram_is_known_to_be_no_memory(void **state)
{
	static const u32 ends[] = {1, 511, 520, 1000, 1024, 1032, 2040, 2048};

	(void)state;
	domain_init(false);
	for (u32 n = 0; n < ARRAY_SIZE(ends); n++) {
		u32 end = ends[n], behind = (end + 511) / 512 * 512;

		memset(GMFN, 0, 4096 * sizeof(GMFN[0]));
		memset(HEADS, 0, 4096 * sizeof(HEADS[0]));
		GMFN[end / 2] = GMFN_NONE;
		frames_complete(end);
		for (u32 i = 0; i < behind; i++) {
			bool memory = i < end && i != end / 2;

			assert_int_equal(GMFN[i], memory ? 0 : GMFN_NONE);
			assert_int_equal(HEADS[i], memory ? SHADOW_NONE : HEAD_NO_MEMORY);
		}
		/* What may be another page is left alone. */
		assert_int_equal(GMFN[(end + 1023) / 1024 * 1024], 0);
		assert_int_equal(HEADS[(end + 2047) / 2048 * 2048], 0);
	}
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_sees_directory_and_table_at_once),
		cmocka_unit_test(pdptes_are_read_from_their_page_alone),
		cmocka_unit_test(a_directory_that_is_its_own_table),
		cmocka_unit_test(the_linear_mapping_is_there_at_once),
		cmocka_unit_test(invlpg_flushes_what_is_not_hooked_any_more),
		cmocka_unit_test(a_flush_is_paid_when_it_is_due),
		cmocka_unit_test(what_is_behind_ram_is_known_to_be_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
