/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls for the interrupt flag, Halt, a return within the kernel and the
 * local APIC; see checks_each.h.
 */
#include "checks_each.h"
#include "irq.h"
#include "trap.h"

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
	return (out[OUT_EAX] & EFLAGS_IF) == (each_flag ? EFLAGS_IF : 0);
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

const struct each_test each_irq[] = {
	{ROW_EnableInterrupts, t_enable, KEEPS_ALL | KEEPS_EAX | FLAG_FREE},
	{ROW_DisableInterrupts, t_disable, KEEPS_ALL | KEEPS_EAX | FLAG_FREE},
	{ROW_GetInterruptMask, t_get_mask, KEEPS_ALL},
	{ROW_SetInterruptMask, t_set_mask, KEEPS_ALL | FLAG_FREE},
	{ROW_IRET, t_iret, KEEPS_ALL | KEEPS_EAX | FLAG_FREE | FRAME},
	{ROW_Halt, t_halt, FLAG_FREE},
	{ROW_APICWrite, t_apic_write, 0},
	{ROW_APICRead, t_apic_read, 0},
	{0, NULL, 0},
};
