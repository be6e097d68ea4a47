/* SPDX-License-Identifier: GPL-2.0-only */
/* The start of the domain, and VMI_Init, in the PVH binding. */
#include "cpu_pvh.h"
#include "pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/segment.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/life/start.h"
#include "monitor/monitor.h"
#include "lib/mem.h"

#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define MSR_MISC_FEATURES 0x140u
#define CPUID_FAULTING 1u

void processor_start(void)
{
	struct xen_hvm_param p = {
		.domid = DOMID_SELF,
		.index = HVM_PARAM_CALLBACK_IRQ,
		.value = (u64)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | VEC_EVENT,
	};

	leave_wrmsr(CPUID_FAULTING, 0, MSR_MISC_FEATURES);
	xen_must(hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, (u32)&p, 0, 0, 0), NEED_VECTOR);
}

extern const u32 hypercall_offset[2];

#define VMCALL_LAST 0xC1 /* 0F 01 C1; AMD's VMMCALL ends in D9 */

/* Makes the calls of Xen's hypercall page go through the ROM's code (hypercall_offset).  The
 * page has 32 bytes for each hypercall: "mov eax, number", then VMCALL or VMMCALL, which
 * becomes a jump. */
static void make_hypercalls(void)
{
	bool intel = *(const u8 *)(WIN_HYPERCALL + 7) == VMCALL_LAST;
	u32 code = WIN_TEXT + hypercall_offset[intel];

	for (u32 at = WIN_HYPERCALL; at < WIN_HYPERCALL + 64 * 32; at += 32) {
		u32 to = code - (at + 10);

		*(u8 *)(at + 5) = 0xE9;
		memcpy((u8 *)at + 6, &to, 4);
	}
}

static u32 guest_pages(void)
{
	const struct start_pvh *s = &PVH->start;

	return s->own_first + (s->low_end - s->own_end) + (s->high_end - FRAMES_4GB);
}

/* The monitor's first C code, reached from the domain entry by monitor_entry; one line starts
 * one subsystem. */
void regparm3 monitor_start(struct vcpu *v)
{
	start_registers(v, 1);
	v->trap_esp = WIN_STACK_TOP - 20; /* as if a trap had come from there */
	space_start(v);
	make_hypercalls();
	console_init(&MON->console, (void *)WIN_CONSOLE, MON->start.console_evtchn);
	events_own_page();
	tables_start();
	idt_start();
	start_segments(v);
	processor_start();
	prelude_start();
	start_pc();
	events_start();
	say("vmixen: guest entered at %08x, %u MB, in ring 1 of a PVH domain\n", MON->start.code32,
	    guest_pages() / 256);
	monitor_resume(v);
}

void vmi_init(struct vcpu *v)
{
	struct regs *r = &v->r;

	if (!start_init(v))
		return;
	v->paravirtual = true;
	r->eflags &= ~EFLAGS_IF;
	v->kernel_ss = (u16)r->ss;
	prelude_end(v);
	segment_adopt(v);
	((u32 *)WIN_TSS)[4] = v->kernel_ss;
}
