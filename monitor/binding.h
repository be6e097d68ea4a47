/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between the shared part of the monitor and its binding to Xen: one function
 * for each thing that the two bindings do differently.  monitor/pv and monitor/pvh
 * define them in files of the same names, and an image contains one of the two.
 *
 * The binding's VMI calls on page tables (vmi_mmu.c) and its way in and out (trap.c)
 * are not here, because no shared file uses them.
 */
#ifndef VMIXEN_BINDING_H
#define VMIXEN_BINDING_H

#include "base.h"
#include "monitor/vcpu.h"

struct access_fault;
struct insn;
struct pool_use;

/* --- init.c, trap.c, guard.c: the guest's way -------------------------------------------- */

/* Carries out VMI_Init, whose marked UD2 has trapped at EIP.  On success EAX is 0, the
 * kernel goes on behind its call, and VMI's contract holds from then on.  On failure EAX
 * is -1, EIP is behind the mark, and nothing else has changed. */
void vmi_init(struct vcpu *v);
/* Notes that an interrupt may wait for the guest: the guest's next call that enables
 * interrupts comes to the monitor, which then asks events_interrupt(). */
void irq_raise(void);
/* guard.c, before Init: ends what was arranged for the instruction at EIP alone.  Guest
 * tables that were opened for a write are read-only again, TF is the guest's own, and
 * the processor's descriptors are those of the guest's tables.  Called before the guest's
 * EFLAGS are shown to it, and before EIP becomes another one. */
void guard_close(struct vcpu *v);

/* --- linear.c: guest-virtual memory, for the processor's own accesses -------------------- */

/* Copy between a buffer of the monitor's and the guest's linear addresses from va on, with
 * the rights of ring 0.  They reach memory alone: a frame without memory and the ROM's
 * window are faults.  0, or -1 with *f set to the fault; a write that ends with -1 may
 * have stored the bytes before the one that faults. */
int guest_read(struct vcpu *v, gva_t va, void *to, u32 bytes, struct access_fault *f);
int guest_write(struct vcpu *v, gva_t va, const void *from, u32 bytes, struct access_fault *f);

/* --- frames.c: guest-physical memory, for devices ------------------------------------------ */

/* Sets *frame to the number by which Xen's grant table knows the guest's frame gpfn.  false if
 * the guest has no memory there. */
bool frame_of_guest(u64 gpfn, u32 *frame);
/* Where the monitor can read and write the guest's frame, until the next call of this or of a
 * VMI call.  NULL if the guest has no memory there. */
void *frame_show(u64 gpfn);
/* Makes so many pages of the domain's grant table appear at WIN_GRANTS, where some may be
 * already.  false if Xen refuses. */
bool grants_map(u32 pages);

/* --- suspend.c: xl save, xl restore, xl migrate -------------------------------------------- */

/* Can this binding suspend a domain? */
bool suspend_able(void);
/* Suspends the domain; returns when it goes on.  false: it is the domain that it was, and
 * nothing has changed (xl save -c, or a save that failed).  true: it is another domain for Xen,
 * with the same memory and registers.  Then Xen's shared page is there, MON->start has the event
 * channels of console and xenstore, whose rings are empty, and nothing else is bound. */
bool suspend_xen(void);
/* Sets the TSC, which other domains do not share. */
void cycles_set(u64 tsc);

/* --- the guest's address space --------------------------------------------------------- */

/* What an access of the guest's meets. */
enum space_result {
	SPACE_FILLED, /* memory, and the guest's tables allow the access */
	SPACE_OPENED, /* the same; a guarded table was opened for the write (PV's guard.h) */
	SPACE_FAULT,  /* the guest's own tables refuse the access */
	SPACE_MMIO,   /* a frame without memory */
};

/* Tells what an access to va would meet, and changes nothing.  bits: PF_W for a write,
 * PF_I for a fetch, 0 for a read.  kernel: with the rights of the guest's ring 0, else
 * with those of user mode.  After SPACE_FAULT *guest_error is the error code that the
 * guest shall see; after the others *gpa is the guest-physical address of va. */
enum space_result space_look(struct vcpu *v, gva_t va, u32 bits, bool kernel, u32 *guest_error,
			     u64 *gpa);
/* Sets *gpa to the guest-physical address of va, and changes nothing else.  false if the
 * guest's tables do not map va. */
bool space_translate(struct vcpu *v, gva_t va, u64 *gpa);
/* Carries out INVLPG, or the call InvalPage, for the page of va. */
void space_invlpg(struct vcpu *v, gva_t va);
/* The guest is about to get a device with registers in memory.  From now on each access of its
 * kernel's to a frame without memory comes to the monitor.  false: it is too late for that, and
 * the device must not be shown. */
bool space_show_mmio(struct vcpu *v);

/* Counts what the frames of the shadow pool are used for.  All 0 in a binding that has no
 * pool. */
void pool_count(struct pool_use *use);

/* --- control.c: control and debug registers ---------------------------------------------- */

/* The guest loads a control register with value.  control_set_cr0 and control_set_cr3 are
 * the loads alone; what a load may end is in monitor/life/ends.h. */
void control_set_cr0(struct vcpu *v, u32 value);
/* false, with CR3 as before, if value leads to no page directory that can be used. */
bool control_set_cr3(struct vcpu *v, u32 value);
void control_set_cr4(struct vcpu *v, u32 value);
/* The guest's CR2, read and written. */
u32 control_get_cr2(struct vcpu *v);
void control_set_cr2(struct vcpu *v, u32 value);
/* Makes the processor's CR0.TS the guest's again, after Xen has cleared it to deliver an
 * #NM (vcpu.ts_cleared). */
void control_restore_ts(struct vcpu *v);
/* Would an instruction of the FPU's be an #NM now? */
bool control_fpu_is_off(const struct vcpu *v);
/* Changes EFER.NXE; nxe is EFER_NXE or 0. */
void control_set_nx(struct vcpu *v, u64 nxe);
/* The guest writes and reads debug register reg, of which the low three bits count; 4 and
 * 5 are 6 and 7, as with CR4.DE clear. */
void control_set_dr(struct vcpu *v, u32 reg, u32 value);
u32 control_get_dr(struct vcpu *v, u32 reg);
/* Makes the guest's DR6 name a single step as the cause of the #DB that is injected next. */
void control_single_step(struct vcpu *v);
/* Carries out HLT: returns when there is an interrupt or an NMI for the guest. */
void control_halt(struct vcpu *v);
/* Carries out CPUID, or the kernel's RDTSC, where the binding makes them trap although
 * they need no privilege.  true if it has done so; EIP is left to the caller. */
bool cpu_unprivileged(struct vcpu *v, const struct insn *i);

/* --- prelude.c: what the guest's kernel must not find out before Init ---------------------- */

/* Before Init, the guest's kernel has executed CLI at linear address va, LGDT at EIP, or
 * LIDT at EIP. */
void prelude_cli(struct vcpu *v, gva_t va);
void prelude_lgdt(struct vcpu *v);
void prelude_lidt(struct vcpu *v);

/* --- idt.c: the guest's IDT, as the processor or Xen has it ---------------------------------- */

/* Loads the guest's IDT register; every gate of the table takes effect.  limit: the offset
 * of the table's last byte.  base: its linear address. */
void idt_load(struct vcpu *v, u16 limit, u32 base);
/* The guest has stored the eight bytes gate as the gate of vector in its IDT, and the gate
 * takes effect.  A vector above 255 has no gate and is ignored. */
void idt_entry(struct vcpu *v, u32 vector, u64 gate);

/* --- tables.c: the GDT and the LDT that the processor reads, at WIN_GDT and WIN_LDT ---------- */

/* A table, numbered as bit 2 (TI) of a selector is. */
enum { GDT, LDT };

/* Stores descriptor d at index of the processor's table, which has pages for it
 * (tables_need). */
void tables_write(u32 table, u32 index, u64 d);
/* Gives the processor's table pages for at least so many descriptors. */
void tables_need(u32 table, u32 entries);
/* Sets how many descriptors the processor's LDT has; with 0 there is no LDT. */
void tables_set_ldt(u32 entries);
/* In a trap the guest's DS and ES are in struct regs and the processor's are the monitor's;
 * in a VMI call the processor still holds the guest's own.  Is this a trap? */
bool tables_in_trap(void);
/* In a VMI call: the selector that the guest has in seg, which is SEG_CS or SEG_SS. */
u16 tables_call_selector(enum seg seg);

/* --- entry/pv, entry/pvh: assembly ------------------------------------------------------- */

/* Copy bytes between a buffer of the monitor's and linear addresses that the processor may
 * refuse.  The number of bytes that were not copied: 0, or what was left at the fault. */
u32 regparm3 copy_from_linear(void *to, gva_t from, u32 bytes);
u32 regparm3 copy_to_linear(gva_t to, const void *from, u32 bytes);
/* Calls the code at WIN_RUN, one instruction and a RET, with the registers gpr (by enum
 * gpr; ESP is not loaded) and the flags *eflags, and stores what it leaves in them.
 * RUN_DONE, or the vector of the exception that the instruction has met: then neither
 * gpr nor *eflags has changed. */
u32 regparm3 run_code(u32 gpr[8], u32 *eflags);
#define RUN_DONE 0x100u

#endif
