/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The start of the domain, and VMI_Init, from which on the guest is paravirtual.
 */
#include "pv.h"
#include "monitor/cpu/msr.h"
#include "monitor/cpu/segment.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/life/ends.h"
#include "monitor/life/start.h"
#include "monitor/monitor.h"
#include "monitor/pv/mmu/block.h"

extern const u32 upcall_offset, failsafe_offset;

static void set_callback(u16 type, u32 offset)
{
	struct callback_register cb = {
		.type = type,
		.flags = CALLBACKF_mask_events,
		.address = {.cs = FLAT_RING1_CS, .eip = WIN_TEXT + offset},
	};

	xen_must(xen_callback_op(CALLBACKOP_register, &cb), NEED_CALLBACK);
}

/*
 * The monitor's first C code, reached from the domain entry by monitor_entry.  The domain
 * entry has filled struct start and the window.  One line starts one subsystem; the order
 * matters: the console comes first, because anything may have to report; the shadow
 * before the segments, which take frames from its pool; the callbacks before the events,
 * which may come at once.
 */
void regparm3 monitor_start(struct vcpu *v)
{
	console_init(&MON->console, (void *)WIN_CONSOLE, MON->start.console_evtchn);
	events_own_page();
	start_registers(v, 3);
	v->frame = WIN_FRAME_TOP - 20; /* as if a trap had come from there */
	shadow_start();
	start_segments(v);
	set_callback(CALLBACKTYPE_event, upcall_offset);
	set_callback(CALLBACKTYPE_failsafe, failsafe_offset);
	xen_must(xen_stack_switch(FLAT_RING1_SS, WIN_FRAME_TOP), NEED_STACK);
	prelude_start();
	start_pc();
	events_start();
	say("vmixen: guest entered at %08x, %u MB, shadow pool %u KB\n", MON->start.code32,
	    MON->start.guest_pages / 256, PV->start.pool_pages * 4);
	events_listen();
	monitor_resume(v);
}

/*
 * The kernel goes on in ring 1: its descriptors get DPL 1, Xen pushes its frames on the
 * kernel's own stack, and the page tables that are live are adopted.  The guest's marked
 * UD2 has trapped, and the return address of its call is at the top of its stack.
 */
void vmi_init(struct vcpu *v)
{
	struct regs *r = &v->r;

	if (!start_init(v))
		return;
	control_check_stack(v, (u16)r->ss); /* Xen pushes its frames there from now on */
	guard_end(v);
	v->paravirtual = true;
	v->nmi = false;
	v->kernel_rpl = 1;
	r->cs = (r->cs & 0xFFFC) | 1;
	r->ss = (r->ss & 0xFFFC) | 1;
	r->eflags &= ~EFLAGS_IF;
	v->kernel_ss = (u16)r->ss;
	v->if_believed = v->flags_save ? EFLAGS_IF : 0;
	XEN_VCPU->evtchn_upcall_pending = 1; /* its first enable comes to the monitor */
	prelude_end(v);
	msr_adopt(v);
	control_adopt(v);
	shadow_adopt(v);
	segment_adopt(v);
}
