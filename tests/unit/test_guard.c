/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptor tables before Init: what the guest writes there is seen at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stepping.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/segment.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/guard.h"
#include "monitor/pv/mmu/paging.h"
#include "monitor/pv/pv.h"
#include "monitor/vcpu.h"
#include "monitor/pv/mmu/block.h"

static struct vcpu *const v = VCPU;
static const volatile u64 *const gdt = (const volatile u64 *)(uintptr_t)WIN_GDT;
static const volatile u64 *const ldt = (const volatile u64 *)(uintptr_t)WIN_LDT;

#define ENTRY (KERNEL(GDT) + SPARE)

static void what_is_written_counts_at_once(void **state)
{
	(void)state;
	for (u32 pae = 0; pae < 2; pae++) {
		guard_start(pae);
		store64(ENTRY, SEGMENT(0x123456));
		assert_true(gdt[SPARE >> 3] == ADJUSTED(0x123456));
		store64(ENTRY, SEGMENT(0x654321));
		assert_true(gdt[SPARE >> 3] == ADJUSTED(0x654321));
		store64(ENTRY, 0);
		assert_true(gdt[SPARE >> 3] == 0);
		assert_int_equal(v->r.eip, KERNEL(CODE) + 3);
		assert_false(is_writable(ENTRY));
		assert_false(v->r.eflags & EFLAGS_TF);
		store64(KERNEL(DATA), 0); /* elsewhere nobody looks */
		assert_true(is_writable(KERNEL(DATA)));
		assert_false(exit_flags() & EFLAGS_TF);
	}
}

static void a_step_ends_with_its_instruction(void **state)
{
	(void)state;
	guard_start(true);
	assert_true(can_store(ENTRY, 4));
	assert_true(exit_flags() & EFLAGS_TF);
	assert_true(is_writable(ENTRY));
	/* One more page is filled, and it goes on. */
	assert_true(can_store(KERNEL(DATA), 4));
	assert_true(exit_flags() & EFLAGS_TF);
	/* Another trap, and it is over: CLI is carried out. */
	memcpy(PHYS(CODE), "\xFA", 1);
	user_trap(EXC_GP, true, 0);
	assert_int_equal(v->r.eip, KERNEL(CODE) + 1);
	assert_false(exit_flags() & EFLAGS_TF);
	assert_false(is_writable(ENTRY));
}

static void a_fault_in_a_step_shows_no_tf(void **state)
{
	(void)state;
	guard_start(true);
	assert_true(can_store(ENTRY, 4));
	assert_true(user_page_fault(0x70000000, PF_U | PF_W));
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(1), KERNEL(CODE));
	assert_int_equal(domain_stack(2), KERNEL_CS); /* it is the kernel, and has RPL 0 */
	assert_false(domain_stack(3) & EFLAGS_TF);
	assert_false(exit_flags() & EFLAGS_TF);
	assert_false(is_writable(ENTRY));
	/* And one without memory behind it is emulated: there is no step behind it. */
	guard_start(true);
	memcpy(PHYS(CODE), "\x8B\x0B", 2);
	v->r.gpr[GPR_EBX] = KERNEL(HOLE);
	assert_true(can_store(ENTRY, 4));
	user_page_fault(KERNEL(HOLE), PF_U);
	assert_int_equal(v->r.eip, KERNEL(CODE) + 2);
	assert_false(exit_flags() & EFLAGS_TF);
}

/* As below a shim, when the real Xen has run another domain meanwhile. */
static void a_step_that_dr6_has_lost_is_one(void **state)
{
	(void)state;
	guard_start(true);
	assert_true(can_store(ENTRY, 4));
	user_trap(EXC_DB, false, 0);
	assert_false(domain_at(EXC_DB));
	assert_false(exit_flags() & EFLAGS_TF);
	assert_false(is_writable(ENTRY));
}

static void the_guests_own_tf_stays(void **state)
{
	(void)state;
	guard_start(true);
	v->r.eflags |= EFLAGS_TF;
	store64(ENTRY, SEGMENT(1));
	assert_true(domain_at(EXC_DB));
	assert_true(domain_stack(2) & EFLAGS_TF);
	assert_int_equal(v->dr[6] & 0x400F, STEP);
	assert_true(gdt[SPARE >> 3] == ADJUSTED(1));
	/* A breakpoint of its own in the same instruction is not a step to it. */
	guard_start(true);
	assert_true(can_store(ENTRY, 4));
	xen.debugreg[6] |= STEP | 2;
	user_trap(EXC_DB, false, 0);
	assert_true(domain_at(EXC_DB));
	assert_int_equal(v->dr[6] & 0x400F, 2);
	assert_false(domain_stack(2) & EFLAGS_TF);
	/* One before the instruction has run leaves the flags where they are. */
	guard_start(true);
	memcpy(PHYS(CODE), "\x9C", 1);
	v->r.gpr[GPR_ESP] = KERNEL(GDT) + 0x800;
	assert_true(can_store(KERNEL(GDT) + 0x7FC, 4));
	xen.debugreg[6] |= 1;
	user_trap(EXC_DB, false, 0);
	assert_true(domain_at(EXC_DB));
	assert_int_equal(v->dr[6] & 0x400F, 1);
}

/* On a stack in the table's page. */
static u32 pushed_flags(const char *code, u32 own)
{
	u32 flags = 0x346 | own;

	guard_start(true);
	memcpy(PHYS(CODE), code, strlen(code));
	v->r.gpr[GPR_ESP] = KERNEL(GDT) + 0x800;
	v->r.eflags |= own;
	assert_true(can_store(KERNEL(GDT) + 0x7FC, 4));
	assert_true(exit_flags() & EFLAGS_TF);
	v->r.gpr[GPR_ESP] -= 4;
	memcpy(PHYS(GDT + 0x7FC), &flags, 4);
	xen.debugreg[6] |= STEP;
	user_trap(EXC_DB, false, 0);
	memcpy(&flags, PHYS(GDT + 0x7FC), 4);
	return flags;
}

static void pushed_flags_show_no_tf(void **state)
{
	(void)state;
	assert_int_equal(pushed_flags("\x9C", 0), 0x246);
	assert_int_equal(pushed_flags("\x2E\x66\xF3\x9C", 0), 0x246);
	assert_int_equal(pushed_flags("\x9C", EFLAGS_TF), 0x346);
	assert_int_equal(pushed_flags("\x50", 0), 0x346); /* PUSH EAX, whatever that is */
}

static void what_the_monitor_writes_counts_too(void **state)
{
	const u64 d = SEGMENT(0x777777);
	struct access_fault f;

	(void)state;
	guard_start(false);
	assert_int_equal(guest_write(v, ENTRY, &d, 8, &f), 0);
	monitor_resume(v);
	assert_true(gdt[SPARE >> 3] == ADJUSTED(0x777777));
	assert_false(is_writable(ENTRY));
	assert_false(exit_flags() & EFLAGS_TF);
	/* The frame of an exception, on a stack in the page. */
	v->r.gpr[GPR_ESP] = KERNEL(GDT) + 0x800;
	user_trap(EXC_DE, false, 0);
	assert_int_equal(domain_stack(0), KERNEL(CODE));
	assert_false(is_writable(ENTRY));
}

/* However a table lies, each of its entries. */
static void a_table_lies_anywhere(void **state)
{
	(void)state;
	for (u32 at = DATA + PAGE_SIZE - SPARE - 9; at <= DATA + PAGE_SIZE - SPARE + 1; at++) {
		guard_start(true);
		memcpy(PHYS(at), PHYS(GDT), GDT_LIMIT + 1);
		segment_load_gdt(v, GDT_LIMIT, KERNEL(at));
		guard_resume(v);
		store64(KERNEL(at) + SPARE, SEGMENT(at));
		assert_true(gdt[SPARE >> 3] == ADJUSTED(at));
		assert_true(is_writable(KERNEL(GDT)) || can_store(KERNEL(GDT), 4));
		assert_false(exit_flags() & EFLAGS_TF); /* that is no table any more */
	}
	/* None at all. */
	guard_start(true);
	v->gdtr.limit = 6;
	guard_resume(v);
	assert_int_equal(PV->guard.frames, 0);
	/* As large as can be, over all of memory and its holes. */
	segment_load_gdt(v, 0xFFFF, KERNEL(HOLE) - 0x8004);
	guard_resume(v);
	assert_int_equal(PV->guard.frames, 9);
	segment_load_gdt(v, 0xFFFF, KERNEL(HOLE) - 0x10004);
	v->ldt = v->gdtr;
	guard_resume(v);
	assert_int_equal(PV->guard.frames, 2 * 17);
	segment_load_gdt(v, 0xFFFF, 0xFFFFF004);
	guard_resume(v);
}

static void an_ldt_is_seen_too(void **state)
{
	(void)state;
	guard_start(true);
	assert_true(segment_load_ldt(v, LDT_SEL));
	guard_resume(v);
	store64(KERNEL(LDT) + 8, SEGMENT(0x111111));
	assert_true(ldt[1] == ADJUSTED(0x111111));
	store64(KERNEL(LDT) + 8, 0);
	assert_true(ldt[1] == 0);
}

static void by_another_mapping(void **state)
{
	(void)state;
	for (u32 pae = 0; pae < 2; pae++) {
		guard_start(pae);
		map(pae, ALIAS, MAPPED(GDT));
		map(pae, ALIAS + PAGE_SIZE, MAPPED(GDT));
		store64(ALIAS + SPARE, SEGMENT(0x222222));
		assert_true(gdt[SPARE >> 3] == ADJUSTED(0x222222));
		assert_false(is_writable(ALIAS));
		assert_true(store(ALIAS + PAGE_SIZE - 4, "01234567", 8)); /* over both */
		assert_false(is_writable(ALIAS));
		assert_false(is_writable(ALIAS + PAGE_SIZE));
		store64(ALIAS + PAGE_SIZE + SPARE, SEGMENT(0x333333));
		assert_true(gdt[SPARE >> 3] == ADJUSTED(0x333333));
		/* A clean mapping becomes dirty, a read-only one stays so. */
		map(pae, ALIAS + 0x2000, (GDT | 0x23u));
		store64(ALIAS + 0x2000 + SPARE, SEGMENT(0x444444));
		assert_true(gdt[SPARE >> 3] == ADJUSTED(0x444444));
		map(pae, ALIAS + 0x3000, (GDT | 0x21u));
		assert_false(can_store(ALIAS + 0x3000 + SPARE, 4));
	}
}

/* A store of a kind that there is not: to five pages at once. */
static void more_pages_than_can_be_open(void **state)
{
	(void)state;
	guard_start(true);
	for (u32 i = 0; i < 5; i++)
		map(true, ALIAS + i * PAGE_SIZE, MAPPED(GDT));
	for (u32 i = 0; i < 5; i++)
		user_page_fault(ALIAS + i * PAGE_SIZE, PF_W | PF_U);
	assert_int_equal(PV->guard.opened, 1);
	assert_false(is_writable(ALIAS));
	assert_true(is_writable(ALIAS + 4 * PAGE_SIZE));
}

/* GDTR has a linear address: what is mapped there is the table. */
static void the_table_is_mapped_elsewhere(void **state)
{
	(void)state;
	guard_start(true);
	memcpy(PHYS(DATA + 0x2000), PHYS(GDT), PAGE_SIZE);
	map(true, ALIAS, MAPPED(GDT));
	segment_load_gdt(v, GDT_LIMIT, ALIAS);
	guard_resume(v);
	((u64 *)PHYS(DATA + 0x2000))[SPARE >> 3] = SEGMENT(0x555555);
	map(true, ALIAS, MAPPED(DATA + 0x2000));
	space_invlpg(v, ALIAS);
	guard_resume(v);
	assert_true(gdt[SPARE >> 3] == ADJUSTED(0x555555));
	store64(KERNEL(DATA) + 0x2000 + SPARE, SEGMENT(0x666666));
	assert_true(gdt[SPARE >> 3] == ADJUSTED(0x666666));
	store64(KERNEL(GDT) + SPARE, SEGMENT(0x777777));
	assert_true(gdt[SPARE >> 3] == ADJUSTED(0x666666));
	assert_false(exit_flags() & EFLAGS_TF);
}

/* Without a trap: a selector that cannot be loaded is looked up again. */
static void the_table_comes_late(void **state)
{
	(void)state;
	guard_start(true);
	segment_load_gdt(v, GDT_LIMIT, ALIAS);
	guard_resume(v);
	assert_true(gdt[SPARE >> 3] == 0);
	assert_true(gdt[KERNEL_CS >> 3] != 0); /* this runs */
	((u64 *)PHYS(GDT))[SPARE >> 3] = SEGMENT(0x888888);
	map(true, ALIAS, MAPPED(GDT));
	user_trap(EXC_GP, true, SPARE);
	assert_int_equal(v->r.eip, KERNEL(CODE)); /* it is tried again */
	assert_true(gdt[SPARE >> 3] == ADJUSTED(0x888888));
	user_trap(EXC_NP, true, 0x50);
	assert_true(domain_at(EXC_NP)); /* that is not there */
	assert_int_equal(domain_stack(0), 0x50);
}

static void paging_is_turned_on(void **state)
{
	u64 *boot;

	(void)state;
	domain_start();
	boot = PHYS(DATA);
	memcpy(&boot[2], ((u64[]){0x00CF9B000000FFFFull, 0x00CF93000000FFFFull}), 16);
	segment_load_gdt(v, 0x2F, DATA);
	guard_resume(v);
	assert_false(is_writable(DATA));
	store64(DATA + 0x20, SEGMENT(0x111111));
	assert_true(gdt[4] == ADJUSTED(0x111111));
	assert_false(is_writable(DATA));
	root_hook(root_current(), 0, SHADOW->one_to_one_first, true); /* as long ago */
	store64(DATA + 0x20, SEGMENT(0x222222));
	assert_true(gdt[4] == ADJUSTED(0x222222));
	store64(DATA + PAGE_SIZE, 1);
	assert_true(is_writable(DATA + PAGE_SIZE));
}

/* The table is one for both sides; after Init calls announce what is written. */
static void init_ends_it(void **state)
{
	(void)state;
	guard_start(true);
	store64(ENTRY, SEGMENT(0x123456));
	v->r.gpr[GPR_ESP] -= 4;
	*(u32 *)(uintptr_t)v->r.gpr[GPR_ESP] = KERNEL(CODE);
	assert_true(can_store(ENTRY, 4)); /* in the middle of a step */
	memcpy(PHYS(CODE), "\x0F\x0BVMXN", 6);
	v->r.eip = KERNEL(CODE);
	user_trap(EXC_UD, false, 0);
	assert_true(v->paravirtual);
	assert_int_equal(PV->guard.frames, 0);
	assert_false(exit_flags() & EFLAGS_TF);
	assert_true(gdt[SPARE >> 3] == (SEGMENT(0x123456) | 1ull << 45));
	for (u32 va = KERNEL(GDT); va < KERNEL(GDT) + 2; va++) {
		u32 mfn, error = xen_access(va, PF_W, &mfn);

		if (error) {
			XEN_VCPU->arch.cr2 = va;
			assert_int_equal(guest_write(v, va, "", 1, &(struct access_fault){0}), 0);
		}
		assert_int_equal(xen_access(va, PF_W, &mfn), 0);
	}
	assert_false(exit_flags() & EFLAGS_TF);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_counts_at_once),
		cmocka_unit_test(a_step_ends_with_its_instruction),
		cmocka_unit_test(a_fault_in_a_step_shows_no_tf),
		cmocka_unit_test(a_step_that_dr6_has_lost_is_one),
		cmocka_unit_test(the_guests_own_tf_stays),
		cmocka_unit_test(pushed_flags_show_no_tf),
		cmocka_unit_test(what_the_monitor_writes_counts_too),
		cmocka_unit_test(a_table_lies_anywhere),
		cmocka_unit_test(an_ldt_is_seen_too),
		cmocka_unit_test(by_another_mapping),
		cmocka_unit_test(more_pages_than_can_be_open),
		cmocka_unit_test(the_table_is_mapped_elsewhere),
		cmocka_unit_test(the_table_comes_late),
		cmocka_unit_test(paging_is_turned_on),
		cmocka_unit_test(init_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
