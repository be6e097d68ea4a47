/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Short ways for what the kernel does to devices after Init.  Everything that they do not
 * know goes the long way (monitor/emul), by which the guest would find the same.
 *
 * IN and OUT are nearly all that comes to ring 0 as a #GP.  One without a prefix, in a flat
 * 32-bit segment, changes nothing but EAX and EIP.  So the guest goes on with the frame that
 * the processor has pushed, where it stands, unless an interrupt or an NMI follows.
 *
 * Of accesses to a device's registers in memory it is MOV, of four bytes.  Its operand is
 * where the fault was, so nothing but the instruction's length is read from it.
 */
#include "cpu_pvh.h"
#include "monitor/binding.h"
#include "monitor/emul/emul.h"
#include "monitor/io/events.h"
#include "counters.h"
#include "lib/mem.h"
#include "pc/lapic.h"

#define BASE_HIGH 0xFF0000FFu /* of a descriptor's high word: the base's upper half */
#define BIG_HIGH 0x00400000u  /* its D bit */

/* Has the processor a flat 32-bit segment for this selector of the kernel's code? */
static bool is_flat(u32 cs)
{
	const u32 *d = (const u32 *)(cs & 4 ? WIN_LDT : WIN_GDT) + (cs >> 3) * 2;

	return !(d[0] >> 16) && (d[1] & (BASE_HIGH | BIG_HIGH)) == BIG_HIGH;
}

/* Carries out IN or OUT without a prefix; false if the code is something else. */
static bool access_port(struct vcpu *v, const u8 code[2])
{
	u32 *eax = &v->r.gpr[GPR_EAX], size = code[0] & 1 ? 4 : 1;
	u16 port = (u16)(code[0] & 8 ? v->r.gpr[GPR_EDX] : code[1]);

	if ((code[0] & 0xF4) != 0xE4) /* E4 to E7, EC to EF */
		return false;
	COUNT(exception[EXC_GP]);
	if (code[0] & 2) {
		COUNT(emulated[INSN_OUT]);
		port_out(v, port, size, *eax);
	} else {
		u32 value = port_in(v, port, size);

		COUNT(emulated[INSN_IN]);
		*eax = size == 4 ? value : (*eax & ~0xFFu) | (value & 0xFF);
	}
	v->r.eip += code[0] & 8 ? 1 : 2;
	return true;
}

bool port_short(struct vcpu *v)
{
	u32 *f = (u32 *)v->trap_esp;
	struct regs *r = &v->r;
	u8 code[2];

	if (r->error || !v->paravirtual || (r->eflags & (EFLAGS_VM | EFLAGS_TF | EFLAGS_NT)) ||
	    !guest_in_kernel(v) || !is_flat(r->cs) || r->eip >= WINDOW_BASE - 1 ||
	    copy_from_linear(code, r->eip, 2) || !access_port(v, code))
		return false;
	r->eflags &= ~EFLAGS_RF;
	v->pend = events_interrupt() ? PEND : 0;
	if (v->nmi || (v->due & v->vif & EFLAGS_IF)) {
		monitor_resume(v);
		return true;
	}
	f[0] = r->eip;
	f[2] &= ~EFLAGS_RF;
	v->exit_esp = v->trap_esp;
	return true;
}

/* The length of a memory operand: ModRM, SIB and displacement; 0 for a register. */
static u32 operand_bytes(const u8 *modrm)
{
	u32 mod = *modrm >> 6, rm = *modrm & 7, sib = rm == 4;

	if (mod == 3)
		return 0;
	if (mod == 1)
		return 2 + sib;
	return 1 + sib + (mod == 2 || (sib ? modrm[1] & 7 : rm) == 5 ? 4 : 0);
}

/* A register of 4 bytes, read and written. */
static u32 register_read(struct vcpu *v, u32 gpa)
{
	u32 value;

	if (gpa >> PAGE_SHIFT == LAPIC_BASE >> PAGE_SHIFT)
		return lapic_read(&v->lapic, gpa & (PAGE_SIZE - 1));
	mmio_read(gpa, &value, 4);
	return value;
}

static void register_write(struct vcpu *v, u32 gpa, u32 value)
{
	if (gpa >> PAGE_SHIFT == LAPIC_BASE >> PAGE_SHIFT)
		lapic_write(&v->lapic, gpa & (PAGE_SIZE - 1), value);
	else
		mmio_write(gpa, &value, 4);
}

bool device_short(struct vcpu *v, u32 gpa)
{
	struct regs *r = &v->r;
	u32 operand, reg, value;
	bool moffs;
	u8 code[12]; /* none of these is longer */

	if ((gpa & 3) || (r->eflags & EFLAGS_TF) || !is_flat(r->cs) ||
	    r->eip >= WINDOW_BASE - sizeof(code) || copy_from_linear(code, r->eip, sizeof(code)))
		return false;
	moffs = (code[0] & 0xFD) == 0xA1; /* EAX, and an address without ModRM */
	operand = moffs ? 4 : operand_bytes(code + 1);
	reg = moffs ? GPR_EAX : code[1] >> 3 & 7;
	switch (operand ? code[0] : 0) {
	case 0x8B: /* MOV reg, [operand] */
	case 0xA1:
		r->gpr[reg] = register_read(v, gpa);
		break;
	case 0x89: /* MOV [operand], reg */
	case 0xA3:
		register_write(v, gpa, r->gpr[reg]);
		break;
	case 0xC7: /* MOV [operand], immediate */
		if (reg)
			return false;
		memcpy(&value, code + 1 + operand, 4);
		register_write(v, gpa, value);
		operand += 4;
		break;
	default:
		return false;
	}
	r->eip += 1 + operand;
	r->eflags &= ~EFLAGS_RF;
	return true;
}
