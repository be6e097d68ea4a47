/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between what both bindings share and the binding: one function for each
 * thing that differs.  monitor/pv has them in files of the same names as monitor/pvh;
 * an image contains one of the two.
 *
 * The binding's own calls of the guest (vmi_ functions of page tables) and its way in
 * and out (trap.c) are not here: nothing shared asks for them.
 */
#ifndef VMIXEN_BINDING_H
#define VMIXEN_BINDING_H

#include "base.h"
#include "monitor/vcpu.h"

struct access_fault;
struct insn;
struct pool_use;

/* --- init.c, trap.c, guard.c: the guest's way -------------------------------------------- */

/* The guest has called VMI_Init: its kernel goes on in ring 1, or the call has failed. */
void vmi_init(struct vcpu *v);
/* There is something for the guest: whoever enables interrupts next has to look. */
void irq_raise(void);
/* guard.c: the guest is going to be shown its flags, or to go on elsewhere.  What was done
 * before Init for the one instruction at which it is ends: nothing is open any more, TF is
 * the guest's, and the processor has what its descriptor tables say. */
void guard_close(struct vcpu *v);

/* --- linear.c: guest-virtual memory, for the processor's own accesses -------------------- */

/* As the guest's ring 0 sees it, and only memory, never the ROM's window.  0, or -1 with
 * *f set; of a write some may have been done then. */
int guest_read(struct vcpu *v, gva_t va, void *to, u32 bytes, struct access_fault *f);
int guest_write(struct vcpu *v, gva_t va, const void *from, u32 bytes, struct access_fault *f);

/* --- the guest's address space --------------------------------------------------------- */

/* What an access of the guest's meets. */
enum space_result {
	SPACE_FILLED, /* memory, and the access is allowed */
	SPACE_OPENED, /* the same, and the binding must know when it is over */
	SPACE_FAULT,  /* the guest's own tables refuse it */
	SPACE_MMIO,   /* a frame without memory */
};

/* What the access to va with these bits (PF_W, PF_I; kernel: with the rights of what the
 * guest takes for ring 0) would meet.  Nothing changes.  Of SPACE_FAULT *guest_error is
 * the error code that the guest shall see, of the others *gpa the guest-physical address. */
enum space_result space_look(struct vcpu *v, gva_t va, u32 bits, bool kernel, u32 *guest_error,
			     u64 *gpa);
/* Where va is in guest-physical memory; false if it is not mapped.  Nothing changes. */
bool space_translate(struct vcpu *v, gva_t va, u64 *gpa);
/* The guest executes INVLPG, or calls InvalPage. */
void space_invlpg(struct vcpu *v, gva_t va);

/* What the shadow pool's frames are used for; without a pool all 0. */
void pool_count(struct pool_use *use);

/* --- control.c: control and debug registers ---------------------------------------------- */

void control_set_cr0(struct vcpu *v, u32 value);
/* false: no processor loads that value, a #GP. */
bool control_set_cr3(struct vcpu *v, u32 value);
void control_set_cr4(struct vcpu *v, u32 value);
u32 control_get_cr2(struct vcpu *v);
void control_set_cr2(struct vcpu *v, u32 value);
/* CR0.TS may have been cleared without the guest: it is again what the guest has. */
void control_restore_ts(struct vcpu *v);
/* Would an instruction of the FPU's be an #NM now? */
bool control_fpu_is_off(const struct vcpu *v);
/* EFER.NXE is to become that. */
void control_set_nx(struct vcpu *v, u64 nxe);
void control_set_dr(struct vcpu *v, u32 reg, u32 value);
u32 control_get_dr(struct vcpu *v, u32 reg);
/* The next #DB of the guest's is that of a single step. */
void control_single_step(struct vcpu *v);
/* HLT: comes back when there is an interrupt for the guest. */
void control_halt(struct vcpu *v);
/* Carries out an instruction that is none of ring 0's and has trapped all the same:
 * CPUID, and the kernel's RDTSC; false if it is another. */
bool cpu_unprivileged(struct vcpu *v, const struct insn *i);

/* --- prelude.c: what the guest's kernel must not find out before Init ------------------------ */

/* The kernel's CLI at va has trapped; it has loaded its GDT, its IDT. */
void prelude_cli(struct vcpu *v, gva_t va);
void prelude_lgdt(struct vcpu *v);
void prelude_lidt(struct vcpu *v);

/* --- idt.c: the guest's IDT, as the processor or Xen has it ---------------------------------- */

/* The guest has loaded its IDT register. */
void idt_load(struct vcpu *v, u16 limit, u32 base);
/* It has written the gate of one vector. */
void idt_entry(struct vcpu *v, u32 vector, u64 gate);

/* --- tables.c: the GDT and the LDT that the processor reads, at WIN_GDT and WIN_LDT ---------- */

/* TI of a selector: which table. */
enum { GDT, LDT };

/* The entry, which is in the table, becomes d. */
void tables_write(u32 table, u32 index, u64 d);
/* The table has room for so many entries. */
void tables_need(u32 table, u32 entries);
/* The LDT has so many from now on, 0 for none. */
void tables_set_ldt(u32 entries);
/* Are the guest's DS and ES in struct regs, the processor's being the monitor's? */
bool tables_in_trap(void);
/* In a call: what the guest has in CS, or SS. */
u16 tables_call_selector(enum seg seg);

/* --- entry/pv, entry/pvh: assembly ------------------------------------------------------- */

/* Linear accesses that may fault; bytes not done are returned. */
u32 regparm3 copy_from_linear(void *to, gva_t from, u32 bytes);
u32 regparm3 copy_to_linear(gva_t to, const void *from, u32 bytes);
/* Calls the code at WIN_RUN with these registers, ESP apart, and these status flags.
 * RUN_DONE, or the vector of the exception that its first instruction has met: then
 * nothing has changed. */
u32 regparm3 run_code(u32 gpr[8], u32 *eflags);
#define RUN_DONE 0x100u

#endif
