/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way from Xen into C, and the way back.
 *
 *   entry/pv/traps.asm -> monitor_trap -> handler -> monitor_resume -> exit_guest
 *
 * monitor_trap makes struct regs of Xen's frame, a handler changes struct regs, and
 * monitor_resume delivers what is pending and writes the frame that the iret of exit_guest
 * takes.
 */
#include "pv.h"
#include "monitor/cpu/inject.h"
#include "monitor/cpu/iret.h"
#include "monitor/cpu/segment.h"
#include "monitor/emul/emul.h"
#include "monitor/io/events.h"
#include "monitor/life.h"
#include "monitor/pv/mmu/block.h"

extern const u32 failsafe_offset, fixup_count;
extern const s32 fixup_table[][2];

#define MOV_ESP 0xBC /* an immediate */

/* Makes struct regs of the frame that Xen has pushed at trap_esp. */
static void load_frame(struct vcpu *v)
{
	struct regs *r = &v->r;
	u32 *f = (u32 *)v->trap_esp;

	r->error = r->vector & VECTOR_HAS_ERROR ? *f++ : 0;
	/* Xen called failsafe when it was about to deliver this exception, so the frame of
	 * the exception names failsafe, and that of the code which has caused it is behind.
	 * Stack: EIP, CS, EFLAGS of failsafe, the four selectors, the frame. */
	if (f[0] == WINDOW_CODE(failsafe_offset) && (f[1] & 3) != 3) {
		segment_failsafe(&f[3]);
		f += 3 + 4;
	}
	/* Before Init upcalls are on in ring 3, and in ring 1 only between the instruction of
	 * exit_guest that unmasks them and its iret.  One that comes there has Xen's frame
	 * for our exit first, and the guest's frame behind it. */
	if ((r->vector & VECTOR_UPCALL) && !v->paravirtual && (f[1] & 3) != 3)
		f += 3;
	v->frame = (u32)f;
	r->eip = f[0];
	r->cs = f[1] & 0xFFFF;
	r->eflags = v->paravirtual ? f[2] : f[2] & ~EFLAGS_IF; /* store_frame sets it again */
	if ((r->cs & 3) == 3) {
		r->gpr[GPR_ESP] = f[3];
		r->ss = f[4] & 0xFFFF;
	} else {
		r->gpr[GPR_ESP] = (u32)&f[3];
	}
}

/* Ends the domain if Xen went through a gate of the guest's whose selector names no code any
 * more.  Then the fault is one of Xen's return, and CS has the selector. */
static void gate_fault(const struct vcpu *v)
{
	const struct regs *r = &v->r;

	if ((r->error & ~7u) && (r->cs & 3) != 3 && !segment_is_kernel_code(v, (u16)r->cs))
		guest_die("triple fault: a gate leads to %04x:%08x, which is no code of the "
			  "kernel's",
			  r->cs, r->eip);
}

static void page_fault(struct vcpu *v)
{
	gva_t va = XEN_VCPU->arch.cr2;
	u32 error;
	u64 gpa;

	switch (shadow_fault(v, va, v->r.error, guest_in_kernel(v), &error, &gpa)) {
	case SPACE_FILLED:
		break;
	case SPACE_OPENED:
		guard_step(v);
		break;
	case SPACE_FAULT:
		if (error & PF_U)
			COUNT(fault_user);
		else
			COUNT(fault_kernel);
		inject_page_fault(v, va, error);
		break;
	case SPACE_MMIO:
		COUNT(fault_mmio);
		guard_close(v);
		emulate_mmio(v, va, gpa);
		break;
	}
}

/* Is EIP at the instruction of a VMI call that changes to the monitor's stack?  The call has
 * then noted in vcpu.call_esp where the guest's stack is.  If a kernel steps through our
 * code, its handler for the #DB makes calls itself and would overwrite the note, so the
 * step is not delivered there. */
static bool leaves_stack(const struct regs *r)
{
	const struct {
		u8 opcode;
		u32 stack;
	} packed *const mov_esp = (const void *)(uintptr_t)r->eip;

	return (r->cs & 3) != 3 && r->eip >= WIN_TEXT &&
	       r->eip <= WIN_TEXT + WIN_TEXT_PAGES * PAGE_SIZE - sizeof(*mov_esp) &&
	       mov_esp->opcode == MOV_ESP && mov_esp->stack == WIN_STACK_TOP;
}

static void exception(struct vcpu *v)
{
	u32 vector = v->r.vector & VECTOR_NUMBER;

	COUNT(exception[vector & 31]);
	if (PV->guard.opened && guard_trap(v, vector))
		return;
	switch (vector) {
	case EXC_PF:
		page_fault(v);
		break;
	case EXC_DB:
		if (leaves_stack(&v->r)) {
			control_debug_forget();
			break;
		}
		if (prelude_breakpoint(v)) {
			control_debug_forget();
			break;
		}
		control_debug_trap(v);
		inject_exception(v, vector, false, 0);
		break;
	case EXC_GP:
	case EXC_NP:
	case EXC_SS:
		if ((!v->paravirtual && segment_late(v, v->r.error)) || iret_fault(v))
			break;
		gate_fault(v);
		if (vector == EXC_GP)
			emulate(v, vector);
		else
			inject_exception(v, vector, true, v->r.error);
		break;
	case EXC_UD:
		emulate(v, vector);
		break;
	case EXC_NMI: /* before Init the kernel has no handler for it */
		v->nmi = v->paravirtual;
		if (!v->nmi)
			nmi_unblock();
		break;
	default:
		inject_exception(v, vector, v->r.vector & VECTOR_HAS_ERROR, v->r.error);
	}
}

/* Writes the frame with which exit_guest returns.  A return to ring 3 takes the place of the
 * frame that has come from there: if the iret faults, it does so on the stack on which the
 * guest called IRET.  EFLAGS.VM cannot be set, for a 64-bit Xen has no virtual-8086 mode.
 * NT is dropped for ring 1, where it would make the next iretd fault; for ring 3 it means
 * nothing and stays. */
static void store_frame(struct vcpu *v)
{
	struct regs *r = &v->r;
	bool user = (r->cs & 3) == 3;
	u32 frame[5] = {r->eip, r->cs, user ? r->eflags : r->eflags & ~EFLAGS_NT, r->gpr[GPR_ESP],
			r->ss};
	struct access_fault f;

	ASSERT(!(r->eflags & EFLAGS_VM));
	if (user) {
		if (!v->paravirtual) /* upcalls come to the monitor and not to the guest */
			frame[2] |= EFLAGS_IF;
		for (int i = 0; i < 5; i++)
			((u32 *)v->frame)[i] = frame[i];
		v->exit_esp = v->frame;
		r->ss = v->paravirtual ? v->kernel_ss : FLAT_RING1_SS;
		return;
	}
	v->exit_esp = r->gpr[GPR_ESP] - 12;
	if (guest_write(v, v->exit_esp, frame, 12, &f))
		guest_die("no kernel stack at %08x to return on", v->exit_esp);
}

/* Delivers a pending NMI.  The guest's own code can be interrupted anywhere.  Code of the
 * ROM's is interrupted only where an interrupt could come, that is with IF set; until then
 * evtchn_upcall_pending makes the next enable come here again. */
static void deliver_nmi(struct vcpu *v)
{
	const struct regs *r = &v->r;

	if (!v->nmi)
		return;
	if (r->eip >= WINDOW_BASE && (r->cs & 3) != 3 && !(r->eflags & EFLAGS_IF)) {
		XEN_VCPU->evtchn_upcall_pending = 1;
		return;
	}
	v->nmi = false;
	nmi_unblock();
	inject_exception(v, EXC_NMI, false, 0);
}

void monitor_resume(struct vcpu *v)
{
	volatile struct vcpu_info *x = XEN_VCPU;

	if (v->paravirtual) {
		bool asks = events_interrupt();

		iret_restart(&v->r);
		deliver_nmi(v);
		while ((v->r.eflags & EFLAGS_IF) && x->evtchn_upcall_pending) {
			__atomic_store_n(&x->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
			deliver_nmi(v);
			if (x->evtchn_pending_sel ||
			    !asks) { /* events_wait may have drained them */
				events_take();
				asks = events_interrupt();
			}
			if (asks) {
				inject_interrupt(v, events_ack());
				asks = events_interrupt();
			}
		}
		/* The PC still asks, with the guest's flag off: pending makes Enable deliver it. */
		if (asks)
			x->evtchn_upcall_pending = 1;
	} else {
		guard_resume(v);
	}
	store_frame(v);
}

void irq_raise(void)
{
	XEN_VCPU->evtchn_upcall_pending = 1;
}

void regparm3 monitor_trap(struct vcpu *v)
{
	load_frame(v);
	if (v->r.vector & VECTOR_UPCALL) {
		COUNT(event_upcall);
		if (v->paravirtual) {
			XEN_VCPU->evtchn_upcall_pending = 1;
			v->if_believed = EFLAGS_IF; /* an upcall proves that it enabled them */
		} else {
			events_take();
		}
	} else {
		exception(v);
	}
	monitor_resume(v);
}

/* The stack as trap_nested in entry/pv/traps.asm makes it, of the monitor's interrupted
 * code. */
struct nested_frame {
	u32 pushed[8]; /* EDI ESI EBP ESP EBX EDX ECX EAX */
	u32 vector, error, eip, cs, eflags;
};

/* The monitor's own code has trapped.  Goes on at the place that the fixup table has for the
 * instruction; without one the domain ends. */
void regparm3 nested_trap(struct nested_frame *f)
{
	u32 *eip = &f->eip;

	if (*eip ==
	    WINDOW_CODE(failsafe_offset)) /* see load_frame: failsafe runs first, then that code */
		eip = (u32 *)(f + 1) + 4;
	if (f->vector == EXC_DB) { /* the monitor has touched what the guest watches */
		control_debug_forget();
		f->eflags &= ~EFLAGS_TF;
		return;
	}
	for (u32 i = 0; i < fixup_count; i++)
		if (*eip == WINDOW_CODE(fixup_table[i][0])) {
			VCPU->nested_vector = f->vector;
			*eip = WINDOW_CODE(fixup_table[i][1]);
			return;
		}
	monitor_trapped(f->vector, f->error, *eip, f->pushed);
}
