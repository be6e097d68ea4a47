/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen refuses each hypercall once.  There is a plan for all of them: another way,
 * after which the guest sees what it would have seen, or a sentence that says what
 * was refused and ends the domain.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <xen/errno.h>

#include "domain.h"
#include "xenbind/mmu.h"
#include "shadow_play.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/shadow.h"
#include "monitor/vcpu.h"

#define SCRIPT_BYTES 1500u
#define SCRIPTS 24u
#define FOR_EVER (~0u)

void vmi_SetPxE(u32 pte, gva_t ptep, u32 flags);
void vmi_UpdatePxE(gva_t ptep, u32 flags);
void vmi_SetCR3(u32 value);
void vmi_CLTS(void);
void vmi_SetCR0(u32 value);
void vmi_SetDR(u32 reg, u32 value);
void vmi_SetLDT(u32 selector);
void vmi_WriteGDTEntry(gva_t table, u32 index, u32 low);
void vmi_WriteIDTEntry(gva_t table, u32 index, u32 low);
void vmi_UpdateKernelStack(u32 selector, u32 esp0);
void vmi_SetAlarm(u32 flags, u32 expiry_low, u32 expiry_high);
u32 vmi_CancelAlarm(u32 flags);
void vmi_HaltWait(void);
void vmi_InvalPage(gva_t va);
void vmi_FlushTLB(u32 flags);
void vmi_SetLazyMode(u32 mode);

static struct vcpu *const v = VCPU;

struct outcome {
	u32 lived, died;
};

/* What became of a domain: nothing, or the words on its console. */
static void judge(struct outcome *o, const char *failure, const char *who, u32 n)
{
	if (!failure)
		o->lived++;
	else if (strstr(failure, "Xen refused ") && xen.reason == SHUTDOWN_crash)
		o->died++;
	else
		fail_msg("%s, hypercall %u refused: %s", who, n, failure);
}

/* --- random guests, against the model of an MMU ------------------------------------------ */

static u8 script[SCRIPT_BYTES];

static void make_script(u32 seed)
{
	u64 state = seed * 0x9E3779B97F4A7C15ull + 1;

	for (u32 i = 0; i < SCRIPT_BYTES; i++) {
		state = state * 6364136223846793005ull + 1442695040888963407ull;
		script[i] = (u8)(state >> 56);
	}
}

/* Random guests, each as often as it makes hypercalls: from another one of them on so
 * many are refused. */
static struct outcome play_all(u32 count, int error)
{
	struct outcome o = {0};
	char who[32];

	for (u32 seed = 1; seed <= SCRIPTS; seed++) {
		make_script(seed);
		snprintf(who, sizeof(who), "script %u", seed);
		for (u32 n = 0;; n++) {
			xen_refusal =
				(struct xen_refusal){.first = n, .count = count, .error = error};
			judge(&o, shadow_play(script, SCRIPT_BYTES, false), who, n);
			if (!xen_refusal.refused)
				break;
		}
	}
	xen_refusal = (struct xen_refusal){0};
	return o;
}

static void random_guests_bear_a_refusal(void **state)
{
	struct outcome o = play_all(1, -XEN_ENOMEM);

	(void)state;
	assert_true(o.lived > 20 * SCRIPTS);
	assert_true(o.died > SCRIPTS);
}

static void what_passes_by_itself_is_waited_for(void **state)
{
	struct outcome o = play_all(3, -XEN_EBUSY);

	(void)state;
	assert_true(o.lived > 40 * SCRIPTS);
	assert_int_equal(o.died, 0);
}

static void refusals_without_end_are_an_end(void **state)
{
	struct outcome o = play_all(FOR_EVER, -XEN_EINVAL);

	(void)state;
	assert_true(o.died > 40 * SCRIPTS);
}

/* --- a kernel's life --------------------------------------------------------------------- */

#define FLAGS (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D)
#define SPACE 0x26000u /* another directory, of a process whose first page is the second's */
#define SPACE_PT 0x27000u
#define MANY 200u

static bool can(gva_t va, u32 bits, u32 address)
{
	u32 error, mfn;
	u64 gpa;

	while (xen_access(va, bits, &mfn))
		if (shadow_fault(v, va, bits, !(bits & PF_U), &error, &gpa) != SPACE_FILLED)
			return false;
	return mfn == GMFN[address >> PAGE_SHIFT];
}

static void in_order(void)
{
	const char *wrong = shadow_disorder();

	if (wrong)
		fail_msg("%s", wrong);
}

/* So many 2 MB that the pool is used up, by large pages. */
static void use_up_the_pool(void)
{
	u32 *directory = PHYS(TABLES);

	control_set_cr4(v, CR4_PSE);
	for (u32 i = 0x40; i < 0x80; i++)
		directory[i] = (u32)(PTE_PSE | FLAGS);
	for (u32 i = 0; i < 0x80; i++)
		assert_true(can((0x80 + i) << 21, PF_U | PF_W, (i & 1) << 21));
}

static void use_memory(void)
{
	u32 *space = PHYS(SPACE), *pt = PHYS(SPACE_PT);

	assert_true(can(KERNEL(DATA), PF_W, DATA));
	vmi_SetPxE(DATA | FLAGS, KERNEL(USER_PT), 1);
	assert_true(can(USER, PF_U | PF_W, DATA));
	memcpy(space, PHYS(TABLES), PAGE_SIZE);
	space[USER >> 22] = SPACE_PT | FLAGS;
	memset(pt, 0, PAGE_SIZE);
	pt[0] = (DATA + PAGE_SIZE) | FLAGS;
	vmi_SetCR3(SPACE);
	assert_true(can(USER, PF_U | PF_W, DATA + PAGE_SIZE));
	for (u32 i = 1; i < MANY; i++)
		vmi_SetPxE((0x100000 + i * PAGE_SIZE) | FLAGS, KERNEL(SPACE_PT) + i * 4,
			   (USER + i * PAGE_SIZE) | 0x11);
	vmi_SetLazyMode(1);
	for (u32 i = 0; i < MANY; i++) /* so many that the table is rewritten */
		vmi_SetPxE(0, KERNEL(SPACE_PT) + i * 4, 1);
	vmi_SetLazyMode(0);
	in_order();
	vmi_FlushTLB(1);
	for (u32 i = 1; i < MANY; i++)
		assert_false(can(USER + i * PAGE_SIZE, PF_U, 0x100000 + i * PAGE_SIZE));
	vmi_SetLazyMode(1);
	for (u32 i = 1; i < MANY; i++)
		vmi_SetPxE((0x200000 + i * PAGE_SIZE) | FLAGS, KERNEL(SPACE_PT) + i * 4,
			   (USER + i * PAGE_SIZE) | 0x11);
	vmi_SetLazyMode(0);
	in_order();
	for (u32 i = 1; i < MANY; i++)
		assert_true(can(USER + i * PAGE_SIZE, PF_U, 0x200000 + i * PAGE_SIZE));
	vmi_SetCR3(TABLES);
	assert_true(can(USER, PF_U | PF_W, DATA));
	vmi_SetPxE(0, KERNEL(USER_PT), 1);
	vmi_InvalPage(USER);
	assert_false(can(USER, PF_U, DATA));
}

static void ring(void)
{
	pic_set_irq(&MON->pc.pic, 5, true);
}

static void use_the_processor(void)
{
	const volatile u64 *gdt = (const volatile u64 *)(uintptr_t)WIN_GDT;

	VCPU->argument[0] = 0x00CFF200;
	vmi_WriteGDTEntry(KERNEL(GDT), 6, 0x1234FFFF);
	assert_true(gdt[6] == 0x00CFF2001234FFFFull);
	vmi_SetLDT(LDT_SEL);
	assert_int_equal(xen.ldt_entries, 8);
	VCPU->argument[0] = 0xC006EF00;
	vmi_WriteIDTEntry(KERNEL(IDT), 0x81, KERNEL_CS << 16 | 0x0810);
	assert_int_equal(xen.trap[0x81].address, 0xC0060810);
	vmi_UpdateKernelStack(KERNEL_DS, KERNEL(ESP0));
	assert_int_equal(xen.stack_esp, KERNEL(ESP0));
	vmi_SetCR0(v->cr0 | CR0_TS);
	assert_true(xen.ts);
	vmi_CLTS();
	assert_false(xen.ts);
	vmi_SetDR(0, KERNEL(CODE));
	say("a line\n");
	for (u32 i = 0; i < 4; i++) /* the 8259, with nothing but IRQ 5 */
		port_out(v, i ? 0x21 : 0x20, 1, "\x11\x20\x04\x01"[i]);
	port_out(v, 0x21, 1, 0xDF);
	vmi_SetAlarm(0, 0, 0x70000000);
	assert_int_not_equal(xen.singleshot, 0);
	xen.on_poll = ring;
	vmi_HaltWait();
	assert_true(events_interrupt());
	vmi_CancelAlarm(0);
}

static const char *live(void)
{
	jmp_buf death;
	bool dead;

	xen.death = &death;
	dead = setjmp(death);
	if (!dead) {
		domain_init(false);
		use_memory();
		use_up_the_pool();
		use_the_processor();
		use_memory();
	}
	xen.death = NULL;
	if (!dead)
		in_order();
	return dead ? xen.console : NULL;
}

static void a_kernel_bears_a_refusal_at_any_time(void **state)
{
	static const u32 asked[] = {__HYPERVISOR_set_trap_table,  __HYPERVISOR_mmu_update,
				    __HYPERVISOR_set_gdt,	  __HYPERVISOR_stack_switch,
				    __HYPERVISOR_fpu_taskswitch,  __HYPERVISOR_set_debugreg,
				    __HYPERVISOR_mmuext_op,	  __HYPERVISOR_update_va_mapping,
				    __HYPERVISOR_set_timer_op,	  __HYPERVISOR_update_descriptor,
				    __HYPERVISOR_sched_op,	  __HYPERVISOR_callback_op,
				    __HYPERVISOR_event_channel_op};
	struct outcome o = {0};
	u64 numbers = 0;

	(void)state;
	for (u32 n = 0;; n++) {
		xen_refusal = (struct xen_refusal){.first = n, .count = 1, .error = -XEN_ENOMEM};
		judge(&o, live(), "a kernel", n);
		numbers |= xen_refusal.numbers;
		if (!xen_refusal.refused)
			break;
	}
	xen_refusal = (struct xen_refusal){0};
	for (u32 i = 0; i < ARRAY_SIZE(asked); i++)
		if (!(numbers >> asked[i] & 1))
			fail_msg("hypercall %u was never asked for", asked[i]);
	assert_true(o.lived > 20 && o.died > 20);
}

static bool is_unpin(unsigned number, u32 argument)
{
	return number == __HYPERVISOR_mmuext_op &&
	       ((const struct mmuext_op *)(uintptr_t)argument)->cmd == MMUEXT_UNPIN_TABLE;
}

static void a_page_that_xen_keeps_is_left_alone(void **state)
{
	(void)state;
	domain_init(false);
	use_up_the_pool();
	xen_refusal = (struct xen_refusal){.count = 2, .error = -XEN_EINVAL, .which = is_unpin};
	vmi_SetLDT(LDT_SEL);
	assert_int_equal(xen_refusal.refused, 2);
	xen_refusal = (struct xen_refusal){0};
	assert_int_equal(xen.ldt_entries, 8);
	in_order();
}

static bool is_pin(unsigned number, u32 argument)
{
	const struct mmuext_op *op = (const void *)(uintptr_t)argument;

	return number == __HYPERVISOR_mmuext_op &&
	       (op->cmd == MMUEXT_PIN_L1_TABLE || op->cmd == MMUEXT_PIN_L3_TABLE);
}

/* The tables that there are must do. */
static void no_more_tables_than_at_init(void **state)
{
	(void)state;
	domain_init(false);
	use_memory();
	xen_refusal =
		(struct xen_refusal){.count = FOR_EVER, .error = -XEN_ENOMEM, .which = is_pin};
	for (u32 i = 0; i < 3; i++) {
		u32 space = 0x60000 + i * PAGE_SIZE;

		memcpy(PHYS(space), PHYS(TABLES), PAGE_SIZE);
		vmi_SetCR3(space);
		assert_true(can(KERNEL(DATA), PF_W, DATA));
		assert_true(can(USER + PAGE_SIZE, PF_U, DATA + PAGE_SIZE));
	}
	assert_true(xen_refusal.refused > 0);
	xen_refusal = (struct xen_refusal){0};
	in_order();
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_guests_bear_a_refusal),
		cmocka_unit_test(what_passes_by_itself_is_waited_for),
		cmocka_unit_test(refusals_without_end_are_an_end),
		cmocka_unit_test(a_kernel_bears_a_refusal_at_any_time),
		cmocka_unit_test(a_page_that_xen_keeps_is_left_alone),
		cmocka_unit_test(no_more_tables_than_at_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
