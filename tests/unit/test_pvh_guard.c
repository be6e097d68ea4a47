/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors before Init, in the PVH binding (monitor/pvh/guard.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "monitor/pvh/cpu_pvh.h"
#include "monitor/pvh/guard.h"
#include "monitor/pvh/pvh.h"
#include "pvh/processor.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/io/events.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

#define SPARE 0x40u /* a selector of the guest's GDT that is nobody's */
#define PRESENT_HIGH 0x8000u
#define DR6_STEP 0xFFFF4FF0u

static struct vcpu *const v = VCPU;

static u64 *guest_gdt(u32 selector)
{
	return (u64 *)PHYS(GDT) + (selector >> 3);
}

/* What the processor has there. */
static u32 *slot(u32 selector)
{
	return (u32 *)(selector & 4 ? WIN_LDT : WIN_GDT) + (selector >> 3) * 2;
}

static bool is_present(u32 selector)
{
	return slot(selector)[1] & PRESENT_HIGH;
}

static u64 data(u32 base)
{
	return 0x00CF92000000FFFFull | (u64)(base & 0xFFFFFF) << 16 | (u64)(base >> 24) << 56;
}

static u32 base_in(u32 selector)
{
	u32 *s = slot(selector);

	return s[0] >> 16 | (s[1] & 0xFF) << 16 | (s[1] & 0xFF000000);
}

/* The guest loads a data segment register that faults. */
static void load(u32 selector)
{
	trap(is_present(selector) ? EXC_GP : EXC_NP, true, selector & 0xFFFC);
}

static void step_ends(void)
{
	cpu.dr[6] = DR6_STEP;
	trap(EXC_DB, false, 0);
}

static void enter(void)
{
	domain_paging(false);
	*guest_gdt(SPARE) = data(0x1000);
	trap(VECTOR_UPCALL, false, 0);
}

static void before_init_only_cs_and_ss_are_present(void **state)
{
	(void)state;
	enter();
	assert_true(is_present(KERNEL_CS));
	assert_true(is_present(KERNEL_DS));
	assert_false(is_present(USER_CS));
	assert_false(is_present(USER_DS));
	assert_int_equal(v->guard.reload[0].slot, (u32)(uintptr_t)slot(USER_DS));
	assert_true(v->guard.reload[0].taken[1] & PRESENT_HIGH);
	assert_false(v->guard.reload[0].shut[1] & PRESENT_HIGH);
	vmi_init(v);
	assert_true(is_present(USER_CS));
	assert_true(is_present(USER_DS));
}

static void a_load_takes_what_memory_says_now(void **state)
{
	(void)state;
	enter();
	*guest_gdt(SPARE) = data(0x2000);
	load(SPARE);
	assert_true(is_present(SPARE));
	assert_int_equal(base_in(SPARE), 0x2000);
	assert_int_equal(frame(0), KERNEL(CODE));
	assert_int_equal(frame(2) & EFLAGS_TF, EFLAGS_TF);
	v->r.es = SPARE;
	v->r.eip += 2;
	step_ends();
	assert_int_equal(frame(0), KERNEL(CODE + 2)); /* nothing for the guest */
	assert_int_equal(frame(2) & EFLAGS_TF, 0);
	assert_false(is_present(SPARE));
	*guest_gdt(SPARE) = data(0x3000);
	trap(VECTOR_UPCALL, false, 0); /* ES keeps what it has taken */
	assert_int_equal(v->guard.reload[0].taken[0] >> 16, 0x2000);
	load(SPARE); /* and so while it is loaded again */
	step_ends();
	assert_int_equal(v->guard.reload[0].taken[0] >> 16, 0x3000);
	assert_int_equal(v->guard.reload[1].slot, (u32)(uintptr_t)slot(USER_DS));
}

static void a_fault_that_stays_is_the_guests(void **state)
{
	(void)state;
	enter();
	load(SPARE);
	step_ends();
	*guest_gdt(SPARE) = 0;
	load(SPARE);
	assert_int_equal(frame(0), KERNEL(CODE));
	memcpy(PHYS(CODE), "\x8E\xE8", 2); /* mov gs, eax */
	trap(EXC_GP, true, SPARE);
	assert_true(domain_at(EXC_GP));
	assert_int_equal(domain_stack(0), SPARE);
	assert_int_equal(domain_stack(3) & EFLAGS_TF, 0);
	assert_int_equal(frame(2) & EFLAGS_TF, 0);
}

static void a_selector_beyond_the_table_is_the_guests_fault(void **state)
{
	(void)state;
	enter();
	memcpy(PHYS(CODE), "\x8E\xE8", 2);
	trap(EXC_GP, true, 0x2F8);
	assert_true(domain_at(EXC_GP));
}

static void who_steps_himself_sees_the_step(void **state)
{
	(void)state;
	enter();
	v->r.eflags |= EFLAGS_TF;
	load(SPARE);
	v->r.eip += 2;
	step_ends();
	assert_true(domain_at(EXC_DB));
	assert_int_equal(domain_stack(2) & EFLAGS_TF, EFLAGS_TF);
}

static void a_fault_in_the_step_shows_no_tf(void **state)
{
	(void)state;
	enter();
	load(SPARE);
	cpu.cr2 = 0x70000000;
	trap(EXC_PF, true, 0);
	assert_true(domain_at(EXC_PF));
	assert_int_equal(domain_stack(3) & EFLAGS_TF, 0);
	assert_false(is_present(SPARE));
}

/* RETF to user mode needs CS and SS at a time. */
static void one_instruction_may_need_two(void **state)
{
	(void)state;
	enter();
	*guest_gdt(USER_CS) = 0x00CFFB000000FFFFull;
	load(USER_CS & ~3u);
	trap(EXC_SS, true, SPARE);
	assert_true(is_present(USER_CS));
	assert_true(is_present(SPARE));
	step_ends();
	assert_false(is_present(SPARE));
	assert_false(is_present(USER_CS));
}

/* The IDT's CS has not been loaded yet. */
static void a_gate_may_lead_to_a_segment_that_is_shut(void **state)
{
	(void)state;
	enter();
	*guest_gdt(SPARE) = 0x00CF9A000000FFFFull;
	((u64 *)PHYS(IDT))[EXC_DE] = (u64)(HANDLER(0) >> 16) << 48 | 0x8E0000000000ull |
				     SPARE << 16 | (HANDLER(0) & 0xFFFF);
	trap(EXC_DE, false, 0);
	assert_int_equal(frame(1), SPARE | 1);
	assert_true(is_present(SPARE));
	assert_false(is_present(KERNEL_CS));
}

static void after_init_nothing_is_shut(void **state)
{
	(void)state;
	domain_init(false);
	call_in_ring0();
	vmi_WriteGDTEntry(KERNEL(GDT), SPARE >> 3, (u32)data(0x5000));
	trap(VECTOR_UPCALL, false, 0);
	assert_true(is_present(USER_DS));
	assert_false(guard_late(v, SPARE));
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_init_only_cs_and_ss_are_present),
		cmocka_unit_test(a_load_takes_what_memory_says_now),
		cmocka_unit_test(a_fault_that_stays_is_the_guests),
		cmocka_unit_test(a_selector_beyond_the_table_is_the_guests_fault),
		cmocka_unit_test(who_steps_himself_sees_the_step),
		cmocka_unit_test(a_fault_in_the_step_shows_no_tf),
		cmocka_unit_test(one_instruction_may_need_two),
		cmocka_unit_test(a_gate_may_lead_to_a_segment_that_is_shut),
		cmocka_unit_test(after_init_nothing_is_shut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
