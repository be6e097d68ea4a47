/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way from the guest into C in ring 0, and the way back, in the PVH binding.
 *
 *   entry/pvh/traps.asm -> monitor_trap -> handler -> monitor_resume -> exit_guest
 *
 * In struct regs EFLAGS.IF is the guest's own flag, which is vcpu.vif while the guest
 * runs; of vcpu.vif no other bit counts.  The processor's flag is always set while the guest runs
 * after Init.
 */
#include "cpu_pvh.h"
#include "guard.h"
#include "pvh.h"
#include "monitor/binding.h"
#include "monitor/cpu/inject.h"
#include "monitor/cpu/iret.h"
#include "monitor/emul/emul.h"
#include "monitor/io/events.h"
#include "monitor/life.h"

extern const u32 exit_iret_offset, fixup_count;
extern const u32 exception_code_offset[2];
extern const s32 fixup_table[][2];

/* Makes struct regs of the frame that the processor has pushed at trap_esp. */
static void load_frame(struct vcpu *v)
{
	struct regs *r = &v->r;
	const u32 *f = (const u32 *)v->trap_esp;

	r->eip = f[0];
	r->cs = f[1] & 0xFFFF;
	r->eflags = f[2];
	r->gpr[GPR_ESP] = f[3];
	r->ss = f[4] & 0xFFFF;
	if (r->eflags & EFLAGS_VM)
		for (u32 i = 0; i < ARRAY_SIZE(v->v86_segs); i++)
			v->v86_segs[i] = f[5 + i] & 0xFFFF;
	else if ((r->cs & 3) != 3)
		r->eflags = (r->eflags & ~EFLAGS_IF) | (v->vif & EFLAGS_IF);
}

/* Writes the frame with which exit_guest returns, where the processor would have put it: at
 * the top of the monitor's stack. */
static void store_frame(struct vcpu *v)
{
	struct regs *r = &v->r;
	bool v86 = r->eflags & EFLAGS_VM, user = v86 || (r->cs & 3) == 3;
	u32 *f = (u32 *)(WIN_STACK_TOP - (v86 ? 36 : 20));

	idt_use_v86(v, v86);
	v->vif = r->eflags & EFLAGS_IF;
	f[0] = r->eip;
	f[1] = r->cs;
	f[2] = (user ? r->eflags : r->eflags & ~EFLAGS_NT) & ~EFLAGS_IF;
	if (v->paravirtual)
		f[2] |= EFLAGS_IF;
	f[3] = r->gpr[GPR_ESP];
	f[4] = r->ss;
	if (v86) {
		for (u32 i = 0; i < ARRAY_SIZE(v->v86_segs); i++)
			f[5 + i] = v->v86_segs[i];
		f[2] &= ~EFLAGS_IOPL;
		r->ds = r->es = 0;
	}
	v->exit_esp = (u32)f;
}

/* Carries out the CPUID, or the RDTSC with CR4.TSD set, of the ROM's own code in ring 1;
 * false if EIP is at none. */
static bool own_instruction(struct vcpu *v)
{
	struct insn insn;

	if (!guest_in_kernel(v) || v->r.eip < WIN_TEXT ||
	    v->r.eip >= WIN_TEXT + WIN_TEXT_PAGES * PAGE_SIZE ||
	    decode_insn((const u8 *)v->r.eip, INSN_MAX_LEN, false, &insn) != DECODE_OK ||
	    !cpu_unprivileged(v, &insn))
		return false;
	v->r.eip += insn.len;
	return true;
}

static void page_fault(struct vcpu *v)
{
	if (v->r.error & PF_U)
		COUNT(fault_user);
	else
		COUNT(fault_kernel);
	inject_page_fault(v, cpu_cr2(), v->r.error);
}

/* Reads the frame that the ROM's own code in ring 1 has left at ESP.  A guest can get here
 * by an INT of its own, without a frame. */
static void read_own_frame(struct vcpu *v, u32 *f, u32 bytes)
{
	u32 esp = v->r.gpr[GPR_ESP];

	if (esp >= WINDOW_BASE - bytes || copy_from_linear(f, esp, bytes))
		guest_die("no frame at %08x to return to", esp);
}

/* A page fault of the kernel's at an address where it may have mapped a device.  The frame
 * of the fault is on the kernel's stack. */
static void device_fault(struct vcpu *v)
{
	struct regs *r = &v->r;
	gva_t va = cpu_cr2();
	u32 f[4];
	u64 gpa;

	read_own_frame(v, f, sizeof(f));
	r->error = f[0];
	r->eip = f[1];
	r->cs = f[2] & 0xFFFF;
	r->eflags = (f[3] & ~EFLAGS_IF) | (v->vif & EFLAGS_IF);
	r->gpr[GPR_ESP] += 16;
	if (!space_is_device(v, va, &gpa)) {
		page_fault(v);
		return;
	}
	COUNT(fault_mmio);
	if (!device_short(v, (u32)gpa))
		emulate_mmio(v, va, gpa);
}

/* IRET was about to take the frame at ESP, and an interrupt was pending.  If there is one,
 * that frame becomes the context which it interrupts; if not, IRET starts again. */
static void iret_context(struct vcpu *v)
{
	struct regs *r = &v->r;
	u32 f[5];

	if (!events_interrupt()) {
		r->eip = WINDOW_CODE(iret_window_offset[0]);
		r->eflags &= ~EFLAGS_IF;
		return;
	}
	read_own_frame(v, f, 12);
	r->eip = f[0];
	r->cs = f[1] & 0xFFFF;
	r->eflags = f[2];
	if ((r->cs & 3) == 3) {
		read_own_frame(v, f, 20);
		r->gpr[GPR_ESP] = f[3];
		r->ss = f[4] & 0xFFFF;
	} else {
		r->gpr[GPR_ESP] += 12;
	}
}

/* The guest has called IRET with a frame of virtual-8086 mode at ESP, which becomes the next
 * context.  Traps from there lead to ring 0 and are injected into the guest's kernel. */
static void enter_v86(struct vcpu *v)
{
	struct regs *r = &v->r;
	u32 f[9];

	read_own_frame(v, f, sizeof(f));
	r->eip = f[0];
	r->cs = f[1] & 0xFFFF;
	r->eflags = f[2] | EFLAGS_IF;
	r->gpr[GPR_ESP] = f[3];
	r->ss = f[4] & 0xFFFF;
	for (u32 i = 0; i < ARRAY_SIZE(v->v86_segs); i++)
		v->v86_segs[i] = f[5 + i] & 0xFFFF;
}

static void exception(struct vcpu *v)
{
	u32 vector = v->r.vector & VECTOR_NUMBER;
	bool has_error = v->r.vector & VECTOR_HAS_ERROR;

	if (vector < 32)
		COUNT(exception[vector]);
	if ((v->r.eflags & EFLAGS_VM) && vector != EXC_PF && vector != EXC_DB &&
	    vector != EXC_NMI && vector != EXC_DF) {
		inject_exception(v, vector, has_error, v->r.error);
		return;
	}
	if (guard_trap(v, vector))
		return;
	switch (vector) {
	case EXC_PF:
		page_fault(v);
		break;
	case EXC_DB:
		if (prelude_breakpoint(v))
			break;
		control_debug_trap(v);
		inject_exception(v, vector, false, 0);
		break;
	case EXC_NMI:
		v->nmi = v->paravirtual;
		if (!v->nmi)
			report_state(v);
		break;
	case EXC_DF:
		inject_double_fault(v);
		break;
	case EXC_GP:
	case EXC_NP:
	case EXC_SS:
		if (iret_fault(v) || own_instruction(v) || guard_late(v, v->r.error))
			break;
		guard_close(v);
		if (vector == EXC_GP)
			emulate(v, vector);
		else
			inject_exception(v, vector, true, v->r.error);
		break;
	case EXC_UD:
		emulate(v, vector);
		break;
	default:
		inject_exception(v, vector, has_error, v->r.error);
	}
}

/* Delivers a pending NMI.  Inside the ROM's ring-1 code for an exception or for IRET it cannot
 * be delivered, and waits for the next time that ring 0 is left. */
static void deliver_nmi(struct vcpu *v)
{
	if (!v->nmi || in_window_code(&v->r, exception_code_offset) ||
	    in_window_code(&v->r, iret_window_offset))
		return;
	v->nmi = false;
	inject_exception(v, EXC_NMI, false, 0);
}

void monitor_resume(struct vcpu *v)
{
	struct regs *r = &v->r;

	if (v->paravirtual) {
		bool asks = events_interrupt();

		iret_restart(r);
		deliver_nmi(v);
		if (asks && (r->eflags & EFLAGS_IF) && !in_window_code(r, exception_code_offset)) {
			inject_interrupt(v, events_ack());
			asks = events_interrupt();
		}
		v->pend = asks ? PEND : 0;
	}
	guard_resume(v);
	store_frame(v);
}

void irq_raise(void)
{
	VCPU->pend = PEND;
}

void regparm3 monitor_trap(struct vcpu *v)
{
	load_frame(v);
	if (XEN_VCPU->evtchn_upcall_pending) {
		COUNT(event_upcall);
		events_take();
	}
	if (v->r.vector == (EXC_GP | VECTOR_HAS_ERROR) && port_short(v))
		return;
	switch (v->r.vector & ~(VECTOR_NUMBER | VECTOR_HAS_ERROR)) {
	case VECTOR_UPCALL:
		break;
	case VECTOR_IRET:
		iret_context(v);
		break;
	case VECTOR_DEVICE:
		device_fault(v);
		break;
	case VECTOR_V86:
		enter_v86(v);
		break;
	default:
		exception(v);
	}
	monitor_resume(v);
}

/* The stack as trap_nested in entry/pvh/traps.asm makes it, of the monitor's interrupted
 * code. */
struct nested_frame {
	u32 pushed[8]; /* EDI ESI EBP ESP EBX EDX ECX EAX */
	u32 vector, error, eip, cs, eflags;
};

/* The monitor's own code has trapped, and not by an NMI.  Goes on at the place that the fixup
 * table has for the instruction; without one the domain ends. */
void regparm3 nested_trap(struct nested_frame *f)
{
	u32 vector = f->vector & VECTOR_NUMBER;

	if (vector == EXC_DB) { /* the monitor has touched what the guest watches */
		control_debug_forget();
		f->eflags &= ~EFLAGS_TF;
		return;
	}
	if (f->vector & VECTOR_UPCALL) /* the event stays pending and is taken later */
		return;
	if (f->eip == WINDOW_CODE(exit_iret_offset))
		guest_die("it cannot go on at %04x:%08x: vector %u, error code %x", VCPU->r.cs,
			  VCPU->r.eip, vector, f->error);
	VCPU->nested_error = f->error;
	VCPU->nested_vector = vector;
	for (u32 i = 0; i < fixup_count; i++)
		if (f->eip == WINDOW_CODE(fixup_table[i][0])) {
			f->eip = WINDOW_CODE(fixup_table[i][1]);
			return;
		}
	say("\nvmixen: vector %u, error code %x at %08x (image offset %x) in the monitor, cr2 "
	    "%08x\n",
	    vector, f->error, f->eip, f->eip - WIN_TEXT, cpu_cr2());
	say("vmixen: eax %08x ebx %08x ecx %08x edx %08x esi %08x edi %08x ebp %08x\n",
	    f->pushed[7], f->pushed[4], f->pushed[6], f->pushed[5], f->pushed[1], f->pushed[0],
	    f->pushed[2]);
	monitor_panic(__FILE_NAME__, __LINE__, "nested trap");
}
