/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions and interrupts into the guest's own handlers, through its own
 * IDT, with the frame that hardware would push (Intel SDM vol. 3A, 6.12).
 * Before Init the guest's kernel stays at CPL 3 and never changes its stack.
 */
#include "monitor.h"

/* Filled from its end downwards, as a stack. */
struct frame {
	u32 words[6];
	unsigned count;
};

static void push(struct frame *f, u32 word)
{
	f->words[ARRAY_SIZE(f->words) - ++f->count] = word;
}

static bool read_gate(struct vcpu *v, u32 vector, u64 *gate)
{
	struct access_fault f;

	if (vector * 8 + 7 > v->idtr.limit)
		return false;
	return !guest_read(v, v->idtr.base + vector * 8, gate, 8, &f) && (*gate >> 47 & 1);
}

static void deliver(struct vcpu *v, u32 vector, bool has_error, u32 error)
{
	struct regs *r = &v->r;
	struct frame f = {.count = 0};
	struct access_fault fault;
	u32 esp = r->gpr[GPR_ESP], type;
	u64 gate;

	if (!read_gate(v, vector, &gate))
		guest_die("triple fault: exception or interrupt %u (error code %x) without a gate "
			  "in the IDT at %08x",
			  vector, error, v->idtr.base);
	type = gate >> 40 & 0x1F;
	if (type != 0xE && type != 0xF)
		guest_die("triple fault: the IDT's gate %u has type %x", vector, type);
	if (!guest_in_kernel(v)) {
		push(&f, r->ss);
		push(&f, esp);
		esp = v->esp0;
		r->ss = v->kernel_ss;
	}
	push(&f, r->eflags);
	push(&f, r->cs);
	push(&f, r->eip);
	if (has_error)
		push(&f, error);
	esp -= 4 * f.count;
	if (guest_write(v, esp, &f.words[ARRAY_SIZE(f.words) - f.count], 4 * f.count, &fault))
		guest_die("triple fault: no stack at %08x for vector %u", esp, vector);
	r->gpr[GPR_ESP] = esp;
	r->cs = (gate >> 16 & 0xFFFC) | v->kernel_rpl;
	r->eip = (u32)((gate >> 32 & 0xFFFF0000) | (gate & 0xFFFF));
	r->eflags &= ~(EFLAGS_TF | EFLAGS_NT);
	if (type == 0xE)
		r->eflags &= ~EFLAGS_IF;
}

void inject_exception(struct vcpu *v, u32 vector, bool has_error, u32 error)
{
	deliver(v, vector, has_error, error);
}

/* INT n; false: there is no gate, or not for this privilege level. */
bool inject_int(struct vcpu *v, u32 vector)
{
	u64 gate;

	if (!read_gate(v, vector, &gate) || (!guest_in_kernel(v) && (gate >> 45 & 3) != 3))
		return false;
	deliver(v, vector, false, 0);
	return true;
}

void inject_page_fault(struct vcpu *v, gva_t va, u32 error)
{
	v->cr2 = va;
	deliver(v, EXC_PF, true, error);
}

void inject_interrupt(struct vcpu *v, u32 vector)
{
	COUNT(event_interrupt);
	deliver(v, vector, false, 0);
}
