/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Before Init the guest's kernel runs at CPL 3 and must not find that out.  Two things
 * would show it without a trap: RPL 3 in CS, and the interrupt flag.
 *
 * CS.  Linux 2.6.21 asks first of all, by "mov eax, cs; test eax, 3; jnz", whether a
 * hypervisor has put it into another ring; if so it wants an interface that VMI is not.
 * Hardware breakpoints stand at the addresses where a kernel begins once it is unpacked.
 * If it begins with these instructions, they are skipped with the answer of a bare
 * machine.
 *
 * The interrupt flag.  At CPL 3 pushf always shows IF set and popf does not change it, and
 * neither traps.  So a kernel that saves and restores its flags would take interrupts for
 * enabled from the start.  A VMI kernel has each of these operations once, as a function,
 * near a function that is only "cli; ret".  That one is found in one of two ways: when its
 * cli traps, or earlier by a search.  The search is made when the kernel loads its IDT,
 * which is the last that it does before its C code.  It begins where the kernel begins:
 * at the page in which it loaded its first GDT, with paging still off.  Near "cli; ret"
 * the instructions "pushf; pop eax" and "push eax; popf" get hardware breakpoints, so no
 * byte of the guest is changed.  A kernel that is built otherwise gets no breakpoints;
 * all that it loses is a line in its log.
 */
#include "pv.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "lib/mem.h"
#include "xenbind/hypercall.h"

#define NEIGHBOURHOOD 256u    /* bytes before and behind "cli; ret" */
#define SEARCHED (1u << 20)   /* bytes of the kernel's text; its first objects have the functions */
#define DR7_EXECUTE_0_1 0x05u /* DR0 and DR1, local, on execution */
#define DR7_EXECUTE_2_3 0x50u

enum { PUSH_EAX = 0x50, POP_EAX = 0x58, PUSHF = 0x9C, POPF = 0x9D, RET = 0xC3, CLI = 0xFA };

/* Where kernels begin: Linux's default CONFIG_PHYSICAL_START, and that of some
 * distributions. */
static const u32 beginnings[] = {0x100000, 0x400000};

void prelude_start(void)
{
	xen_set_debugreg(2, beginnings[0]);
	xen_set_debugreg(3, beginnings[1]);
	xen_set_debugreg(7, DR7_EXECUTE_2_3);
}

/* Deals with a breakpoint at the kernel's beginning; false if EIP is not at one. */
static bool beginning(struct vcpu *v)
{
	static const u8 asks[] = {0x8C, 0xC8, 0xA9, 3, 0, 0, 0, 0x0F, 0x85};
	u8 code[sizeof(asks)];
	struct regs *r = &v->r;
	struct access_fault f;

	if (r->eip != beginnings[0] && r->eip != beginnings[1])
		return false;
	if (!guest_read(v, r->eip, code, sizeof(code), &f) &&
	    memcmp(code, asks, sizeof(asks)) == 0) {
		r->gpr[GPR_EAX] = r->cs & ~3u;
		r->eip += sizeof(asks) + 4;
	} else {
		r->eflags |= EFLAGS_RF;
	}
	return true;
}

/* The address of two successive bytes in the code that was read from base; 0 if they are not
 * in it. */
static gva_t find(const u8 *code, u32 bytes, gva_t base, u8 first, u8 second)
{
	for (u32 i = 0; i + 1 < bytes; i++)
		if (code[i] == first && code[i + 1] == second)
			return base + i;
	return 0;
}

/* If "cli; ret" is at va, with the two other functions near it, sets breakpoints on these and
 * answers true. */
static bool learn(struct vcpu *v, gva_t va)
{
	u8 code[2 * NEIGHBOURHOOD];
	gva_t base = va - NEIGHBOURHOOD;
	struct access_fault f;

	if (guest_read(v, va, code, 2, &f) || code[0] != CLI || code[1] != RET ||
	    guest_read(v, base, code, sizeof(code), &f))
		return false;
	v->flags_save = find(code, sizeof(code), base, PUSHF, POP_EAX);
	v->flags_restore = find(code, sizeof(code), base, PUSH_EAX, POPF);
	if (!v->flags_save || !v->flags_restore) {
		v->flags_save = 0;
		return false;
	}
	xen_set_debugreg(0, v->flags_save);
	xen_set_debugreg(1, v->flags_restore);
	xen_set_debugreg(7, DR7_EXECUTE_0_1);
	return true;
}

void prelude_cli(struct vcpu *v, gva_t va)
{
	v->vif = 0;
	if (!v->flags_save)
		learn(v, va);
}

void prelude_lgdt(struct vcpu *v)
{
	if (!(v->cr0 & CR0_PG))
		v->kernel_first = v->r.eip & ~(PAGE_SIZE - 1);
}

void prelude_lidt(struct vcpu *v)
{
	u8 code[512];
	struct access_fault f;
	gva_t first;
	u64 gpa;

	if (!(v->cr0 & CR0_PG) || !v->kernel_first || v->flags_save ||
	    !space_translate(v, v->r.eip, &gpa))
		return;
	first = v->r.eip - (u32)gpa + v->kernel_first;
	v->kernel_first = 0;
	for (u32 at = 0; at < SEARCHED; at += sizeof(code) - 1) {
		if (guest_read(v, first + at, code, sizeof(code), &f))
			return;
		for (u32 i = 0; i + 1 < sizeof(code); i++)
			if (code[i] == CLI && code[i + 1] == RET && learn(v, first + at + i))
				return;
	}
}

bool prelude_breakpoint(struct vcpu *v)
{
	const u32 status = EFLAGS_STATUS | EFLAGS_DF;
	struct regs *r = &v->r;

	if (v->paravirtual)
		return false;
	if (!v->flags_save)
		return beginning(v);
	if (r->eip == v->flags_save) {
		r->gpr[GPR_EAX] = (r->eflags & ~EFLAGS_IF) | (v->vif ? EFLAGS_IF : 0);
	} else if (r->eip == v->flags_restore) {
		v->vif = r->gpr[GPR_EAX] & EFLAGS_IF;
		r->eflags = (r->eflags & ~status) | (r->gpr[GPR_EAX] & status);
	} else {
		return false;
	}
	r->eip += 2;
	return true;
}

void prelude_end(struct vcpu *v)
{
	xen_set_debugreg(7, 0);
	control_debug_forget();
	v->flags_save = 0;
}
