/* SPDX-License-Identifier: GPL-2.0-only */
/* VMI calls on page tables, machine frames and ports; random guests are in test_shadow.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "domain.h"
#include "xenbind/mmu.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/vcpu.h"
#include "monitor/pv/mmu/block.h"

void vmi_SetPxE(u32 pte, gva_t ptep, u32 flags);
void vmi_SetPxEPlain(gva_t ptep, u32 pte);
u32 vmi_GetPxE(gva_t ptep);
void vmi_SetPxE_stored(u32 gpfn, const u32 *e, u32 flags);
void vmi_SetPxELong_stored(u32 gpfn, const u32 *e, u32 flags);
u32 vmi_SwapPxE(gva_t ptep, u32 pte);
u64 vmi_GetPxELong(gva_t ptep);
void vmi_SetPxELongPlain(u32 low, u32 high, gva_t ptep);
u64 vmi_SwapPxELongAtomic(u32 low, u32 high, gva_t ptep);
u64 vmi_DeactivatePxELongAtomic(gva_t ptep);
u32 vmi_TestAndSetPxEBit(gva_t ptep, u32 bit);
u32 vmi_TestAndClearPxEBit(gva_t ptep, u32 bit);
u32 vmi_TestAndSetPxELongBit(gva_t ptep, u32 bit);
u32 vmi_TestAndClearPxELongBit(gva_t ptep, u32 bit);
u32 vmi_FlushDeferredCalls(u32 what);
u64 vmi_PhysicalToMachine(u32 address);
u64 vmi_MachineToPhysical(u32 low, u32 high);
void vmi_AllocatePage(u32 gpfn, u32 flags, u32 source);
void vmi_ReleasePage(u32 gpfn, u32 flags);
void vmi_InvalPage(gva_t va);
void vmi_SetLazyMode(u32 mode);
void vmi_SetLinearMapping(u32 slot, gva_t va, u32 pages);

struct port_call {
	u32 edi, esi, ebp, esp, ebx, edx, ecx, eax;
	u32 eflags;
};
void port_register(struct port_call *c, u32 size, u32 in);
void port_string(struct port_call *c, u32 size, u32 in);

static struct vcpu *const v = VCPU;

#define PAGE2 (USER + 2 * PAGE_SIZE) /* not mapped */
#define FRAME 0x51000u
#define FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)

static bool can(gva_t va, u32 bits)
{
	u32 error, mfn;
	u64 gpa;

	while (xen_access(va, bits, &mfn))
		if (shadow_fault(v, va, bits, !(bits & PF_U), &error, &gpa) != SPACE_FILLED)
			return false;
	return true;
}

static void entries_of_4_bytes(void **state)
{
	gva_t ptep = KERNEL(USER_PT) + 2 * 4;

	(void)state;
	domain_init(false);
	vmi_SetPxEPlain(ptep, FRAME | FLAGS);
	assert_int_equal(vmi_GetPxE(ptep), FRAME | FLAGS);
	assert_true(can(PAGE2, PF_U | PF_W));
	assert_int_equal(vmi_SwapPxE(ptep, FRAME | (FLAGS & ~PTE_RW)), FRAME | FLAGS);
	vmi_InvalPage(PAGE2);
	assert_false(can(PAGE2, PF_U | PF_W));
	assert_int_equal(vmi_TestAndClearPxEBit(ptep, 0), 1);
	assert_int_equal(vmi_TestAndClearPxEBit(ptep, 0), 0);
	vmi_InvalPage(PAGE2);
	assert_false(can(PAGE2, PF_U));
	assert_int_equal(vmi_TestAndSetPxEBit(ptep, 0), 0);
	assert_int_equal(vmi_TestAndSetPxEBit(ptep, 0), 1);
	assert_true(can(PAGE2, PF_U));
}

static void entries_of_8_bytes(void **state)
{
	gva_t ptep = KERNEL(USER_PT) + 2 * 8;

	(void)state;
	domain_init(true);
	vmi_SetPxELongPlain(FRAME | FLAGS, 0, ptep);
	assert_true(vmi_GetPxELong(ptep) == (FRAME | FLAGS));
	assert_true(can(PAGE2, PF_U | PF_W));
	assert_true(vmi_SwapPxELongAtomic(FRAME | (FLAGS & ~PTE_US), 0, ptep) == (FRAME | FLAGS));
	vmi_InvalPage(PAGE2);
	assert_false(can(PAGE2, PF_U));
	assert_int_equal(vmi_TestAndSetPxELongBit(ptep, 63), 0);
	assert_true(vmi_GetPxELong(ptep) >> 63);
	assert_int_equal(vmi_TestAndClearPxELongBit(ptep, 63), 1);
	assert_true(vmi_DeactivatePxELongAtomic(ptep) == (FRAME | (FLAGS & ~PTE_US)));
	vmi_InvalPage(PAGE2);
	assert_false(can(PAGE2, 0));
}

/* With the address in the current space the fault is saved. */
static void a_set_that_names_the_address_fills(void **state)
{
	u32 mfn;

	(void)state;
	domain_init(false);
	assert_true(can(KERNEL(USER_PT), PF_W)); /* the linear mapping is in use */
	assert_true(control_set_cr3(v, TABLES));
	assert_true(can(USER, PF_U));
	vmi_SetPxE(FRAME | FLAGS, KERNEL(USER_PT) + 2 * 4, PAGE2 | 0x11);
	assert_int_equal(xen_access(PAGE2, PF_U | PF_W, &mfn), 0);
	assert_int_equal(mfn, GMFN[FRAME >> PAGE_SHIFT]);
}

/* The short cut in assembly has stored the entry. */
static void a_short_sets_rest_announces_it(void **state)
{
	u32 mfn, *e = (u32 *)(uintptr_t)(KERNEL(USER_PT) + 16);

	(void)state;
	for (u32 wide = 0; wide < 2; wide++) {
		gva_t page = USER + 16 / (wide ? 8 : 4) * PAGE_SIZE;
		void (*stored)(u32, const u32 *, u32) =
			wide ? vmi_SetPxELong_stored : vmi_SetPxE_stored;

		domain_init(wide);
		assert_true(can(KERNEL(USER_PT), PF_W));
		assert_true(control_set_cr3(v, v->cr3));
		assert_true(can(USER, PF_U));
		e[0] = FRAME | FLAGS;
		stored(USER_PT >> PAGE_SHIFT, e, page | 0x11);
		assert_int_equal(xen_access(page, PF_U | PF_W, &mfn), 0);
		assert_int_equal(mfn, GMFN[FRAME >> PAGE_SHIFT]);
		e[0] = 0;
		stored(USER_PT >> PAGE_SHIFT, e, 1);
		vmi_InvalPage(page);
		assert_false(can(page, PF_U));
	}
	domain_init(false); /* eight bytes are two entries */
	e[0] = e[1] = FRAME | FLAGS;
	assert_true(can(USER + 4 * PAGE_SIZE, PF_U) && can(USER + 5 * PAGE_SIZE, PF_U));
	e[0] = e[1] = 0;
	vmi_SetPxELong_stored(USER_PT >> PAGE_SHIFT, e, 1);
	vmi_InvalPage(USER + 4 * PAGE_SIZE);
	vmi_InvalPage(USER + 5 * PAGE_SIZE);
	assert_false(can(USER + 4 * PAGE_SIZE, PF_U) || can(USER + 5 * PAGE_SIZE, PF_U));
}

static void lazy_updates_wait_for_a_flush(void **state)
{
	gva_t ptep = KERNEL(USER_PT);
	u32 queued;

	(void)state;
	domain_init(false);
	assert_true(can(USER, PF_U | PF_W));
	vmi_SetLazyMode(1);
	vmi_SetPxE(0, ptep, 1);
	queued = SHADOW_CPU->queued;
	assert_int_equal(queued, 1);
	assert_int_equal(vmi_FlushDeferredCalls(0x80), 0);
	assert_int_equal(SHADOW_CPU->queued, 0);
	vmi_SetPxE(DATA | FLAGS, ptep, 1);
	xen_tlb_drop(USER);
	assert_true(can(USER, PF_U));
	vmi_SetPxE(0, ptep, 1);
	assert_int_equal(SHADOW_CPU->queued, 1);
	vmi_SetLazyMode(0);
	assert_int_equal(SHADOW_CPU->queued, 0);
}

static void a_window_shows_tables(void **state)
{
	(void)state;
	domain_init(false);
	xen_set_highpte(2, 0xE0000000, 1, USER_PT >> PAGE_SHIFT);
	vmi_SetPxE(FRAME | FLAGS, 0xE0000008, 1);
	assert_int_equal(((u32 *)PHYS(USER_PT))[2], FRAME | FLAGS);
	assert_dies("no entry can be at e0001000", vmi_SetPxE(0, 0xE0001000, 1));
}

static void what_cannot_be_ends_the_domain(void **state)
{
	(void)state;
	domain_init(false);
	assert_dies("no entry can be at c0025002", vmi_SetPxE(0, KERNEL(USER_PT) + 2, 1));
	domain_init(false);
	assert_dies("no entry can be at c00a0000", vmi_GetPxE(KERNEL(HOLE)));
	domain_init(false);
}

static void set_linear_mapping(u32 slot, gva_t va, u32 pages, u32 gpfn)
{
	VCPU->argument[0] = gpfn;
	vmi_SetLinearMapping(slot, va, pages);
}

/* Slot 0 holds the kernel's mapping of low memory, and for a guest that says
 * before each Set where the table is, that, too. */
static void every_slot_shows_tables(void **state)
{
	(void)state;
	domain_init(false);
	for (u32 slot = 0; slot < 4; slot += 3) {
		set_linear_mapping(slot, 0xE0001000, 1, USER_PT >> PAGE_SHIFT);
		vmi_SetPxE((slot << PAGE_SHIFT) | FLAGS, 0xE0001008, 1);
		assert_int_equal(((u32 *)PHYS(USER_PT))[2], (slot << PAGE_SHIFT) | FLAGS);
		set_linear_mapping(slot, 0, 0, 0);
		assert_dies("no entry can be at e0001008", vmi_SetPxE(0, 0xE0001008, 1));
	}
	set_linear_mapping(4, 0xE0001000, 1, USER_PT >> PAGE_SHIFT);
	set_linear_mapping(0, LINEAR, 5, 0); /* as each vCPU says it */
	assert_int_equal(PV->shadow.linear_base, LINEAR);
	assert_int_equal(PV->shadow.linear_pages, GUEST_PAGES);
}

/* Where there is no memory nothing can be a table. */
static void announcements_of_no_memory_are_ignored(void **state)
{
	(void)state;
	domain_init(false);
	vmi_AllocatePage(HOLE >> PAGE_SHIFT, 1, 0);
	vmi_AllocatePage(0x12345, 1, 0);
	vmi_ReleasePage(HOLE >> PAGE_SHIFT, 1);
	vmi_ReleasePage(0xFFFFFFFF, 1);
	assert_true(can(USER, PF_U));
}

static void machine_frames(void **state)
{
	u64 machine;

	(void)state;
	domain_init(false);
	machine = vmi_PhysicalToMachine(FRAME + 0x123);
	assert_true(machine == ((u64)GMFN[FRAME >> PAGE_SHIFT] << PAGE_SHIFT | 0x123));
	assert_true(vmi_MachineToPhysical((u32)machine, (u32)(machine >> 32)) == FRAME + 0x123);
	assert_true(vmi_PhysicalToMachine(HOLE) == ~0ull);
	assert_true(vmi_PhysicalToMachine(0xF0000000) == ~0ull);
	assert_true(vmi_MachineToPhysical(0xFFFFF000, 0xFFFFFFFF) == ~0ull);
	assert_true(vmi_MachineToPhysical(0x1000, 0) == ~0ull); /* the bootstrap's */
}

static void ports_by_register(void **state)
{
	struct port_call c = {.edx = 0x80, .eax = 0x11223344};

	(void)state;
	domain_init(false);
	port_register(&c, 1, false);
	c.eax = 0xFFFFFF00;
	port_register(&c, 1, true);
	assert_int_equal(c.eax, 0xFFFFFF44);
	c.edx = 0x1234;
	c.eax = 0;
	port_register(&c, 2, true);
	assert_int_equal(c.eax, 0xFFFF);
	port_register(&c, 4, true);
	assert_int_equal(c.eax, 0xFFFFFFFF);
}

static void ports_by_string(void **state)
{
	struct port_call c = {.edx = 0x3F8, .ecx = 3, .esi = KERNEL(DATA)};

	(void)state;
	domain_init(false);
	memcpy(PHYS(DATA), "abc", 3);
	port_string(&c, 1, false);
	console_flush(&MON->console);
	assert_non_null(strstr(xen.console, "abc"));
	assert_int_equal(c.esi, KERNEL(DATA) + 3);
	assert_int_equal(c.ecx, 0);
	c = (struct port_call){.edx = 0x1234, .ecx = 2, .edi = KERNEL(DATA) + 16, .eflags = 0x400};
	port_string(&c, 4, true);
	assert_int_equal(c.edi, KERNEL(DATA) + 8);
	assert_int_equal(((u32 *)PHYS(DATA))[3], 0xFFFFFFFF);
	assert_int_equal(((u32 *)PHYS(DATA))[4], 0xFFFFFFFF);
	assert_int_equal(((u32 *)PHYS(DATA))[2], 0);
	port_string(&c, 4, true); /* ECX is 0 */
	assert_int_equal(c.edi, KERNEL(DATA) + 8);
	c.ecx = 1;
	c.edi = 0x70000000;
	assert_dies("pointer to unmapped memory", port_string(&c, 4, true));
}

/* The stub comes back until ECX is 0, and lets events in before. */
static void a_long_string_is_moved_in_parts(void **state)
{
	struct port_call c = {.edx = 0x1234, .ecx = 0x80000001, .edi = KERNEL(DATA)};

	(void)state;
	domain_init(false);
	port_string(&c, 1, true);
	assert_int_equal(c.ecx, 0x80000001 - 1024);
	assert_int_equal(c.edi, KERNEL(DATA) + 1024);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_of_4_bytes),
		cmocka_unit_test(entries_of_8_bytes),
		cmocka_unit_test(a_set_that_names_the_address_fills),
		cmocka_unit_test(a_short_sets_rest_announces_it),
		cmocka_unit_test(lazy_updates_wait_for_a_flush),
		cmocka_unit_test(a_window_shows_tables),
		cmocka_unit_test(what_cannot_be_ends_the_domain),
		cmocka_unit_test(every_slot_shows_tables),
		cmocka_unit_test(announcements_of_no_memory_are_ignored),
		cmocka_unit_test(machine_frames),
		cmocka_unit_test(ports_by_register),
		cmocka_unit_test(ports_by_string),
		cmocka_unit_test(a_long_string_is_moved_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
