/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions and interrupts enter the guest's own handlers, through its own IDT, with
 * the frame that hardware would push (Intel SDM vol. 3A, 6.12).  Before Init there is no
 * user mode, so the kernel's stack never changes.
 */
#include "inject.h"
#include "access.h"
#include "gate.h"
#include "task.h"
#include "monitor/binding.h"
#include "monitor/life.h"
#include "counters.h"

/* Error codes of a fault that a gate causes (Intel SDM vol. 3A, 6.13). */
#define ERROR_IDT(vector) ((vector)*8 + 2)
#define ERROR_EXT 1u /* an interrupt from outside was to be delivered */

/* Filled from its end downwards, as a stack. */
struct frame {
	u32 words[10];
	unsigned count;
};

static void push(struct frame *f, u32 word)
{
	f->words[ARRAY_SIZE(f->words) - ++f->count] = word;
}

/* Pushes the frame and makes the handler the guest's next context.  The gate is usable.  false,
 * with *stack the address where the frame should be, if it cannot be pushed there; then
 * the context has not changed. */
static bool enter(struct vcpu *v, const struct gate *g, bool has_error, u32 error, gva_t *stack)
{
	struct regs *r = &v->r;
	struct frame f = {.count = 0};
	struct access_fault fault;
	u32 esp = r->gpr[GPR_ESP], ss = r->ss;

	guard_close(v);
	if (r->eflags & EFLAGS_VM)
		for (u32 i = ARRAY_SIZE(v->v86_segs); i; i--)
			push(&f, v->v86_segs[i - 1]);
	if (!guest_in_kernel(v)) {
		push(&f, r->ss);
		push(&f, esp);
		esp = v->esp0;
		ss = v->kernel_ss;
	}
	push(&f, r->eflags);
	push(&f, v->paravirtual ? r->cs : r->cs & ~3u); /* as at CPL 0: IRET traps */
	push(&f, r->eip);
	if (has_error)
		push(&f, error);
	*stack = esp -= 4 * f.count;
	if (guest_write(v, esp, &f.words[ARRAY_SIZE(f.words) - f.count], 4 * f.count, &fault))
		return false;
	r->gpr[GPR_ESP] = esp;
	r->ss = ss;
	r->cs = g->cs;
	r->eip = g->eip;
	if (r->eflags & EFLAGS_VM)
		r->ds = r->es = 0; /* the processor has nulled FS and GS */
	r->eflags &= ~(EFLAGS_TF | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM);
	if (g->type == GATE_INTERRUPT)
		r->eflags &= ~EFLAGS_IF;
	return true;
}

/* A double fault at EIP.  false if the guest has no way into a handler of it. */
static bool double_fault(struct vcpu *v)
{
	struct gate g = idt_gate(v, EXC_DF);
	gva_t stack;

	if (g.usable)
		return enter(v, &g, true, 0, &stack);
	return g.present && g.type == GATE_TASK && task_enter(v, g.cs & 0xFFFC, 0);
}

void inject_double_fault(struct vcpu *v)
{
	if (!double_fault(v))
		guest_die("triple fault: a double fault without a handler that can be entered");
}

/* What cannot be pushed becomes a double fault, as the page fault of the push would. */
static void deliver(struct vcpu *v, const struct gate *g, u32 vector, bool has_error, u32 error)
{
	gva_t stack;

	if (!enter(v, g, has_error, error, &stack) && !double_fault(v))
		guest_die("triple fault: no stack at %08x for vector %u", stack, vector);
}

/* Where the gate is not usable a processor raises a double fault.  (Of a benign exception it
 * would first try its handler of #GP or #NP.) */
void inject_exception(struct vcpu *v, u32 vector, bool has_error, u32 error)
{
	struct gate g = idt_gate(v, vector);

	if (g.usable)
		deliver(v, &g, vector, has_error, error);
	else if (v->idtr.limit < 7) /* as reboot=t makes it */
		domain_reset("faults with an empty IDT");
	else if (double_fault(v))
		return;
	else if (!g.present)
		guest_die("triple fault: exception %u (error code %x) without a gate in the IDT "
			  "at %08x",
			  vector, error, v->idtr.base);
	else
		guest_die("triple fault: the IDT's gate %u has type %x and selector %04x", vector,
			  g.type, g.cs);
}

/* Injects the fault that hardware raises when code of this privilege (0 or 3) asks for a
 * gate that it cannot have.  ext: ERROR_EXT or 0.  false if the gate can be used, and
 * nothing was injected. */
static bool refused(struct vcpu *v, const struct gate *g, u32 vector, u32 privilege, u32 ext)
{
	bool known = g->type == GATE_INTERRUPT || g->type == GATE_TRAP;

	if (!known || g->dpl < privilege)
		inject_exception(v, EXC_GP, true, ERROR_IDT(vector) | ext);
	else if (!g->present)
		inject_exception(v, EXC_NP, true, ERROR_IDT(vector) | ext);
	else if (!g->usable)
		inject_exception(v, EXC_GP, true, (g->cs & 0xFFFC) | ext);
	else
		return false;
	return true;
}

void inject_int(struct vcpu *v, u32 vector, gva_t next)
{
	struct gate g = idt_gate(v, vector);

	if (refused(v, &g, vector, guest_in_kernel(v) ? 0 : 3, 0))
		return;
	v->r.eip = next;
	deliver(v, &g, vector, false, 0);
}

void inject_page_fault(struct vcpu *v, gva_t va, u32 error)
{
	control_set_cr2(v, va);
	inject_exception(v, EXC_PF, true, error);
}

void inject_interrupt(struct vcpu *v, u32 vector)
{
	struct gate g = idt_gate(v, vector);

	COUNT(event_interrupt);
	if (!refused(v, &g, vector, 0, ERROR_EXT))
		deliver(v, &g, vector, false, 0);
}
