/* SPDX-License-Identifier: GPL-2.0-only */
/* The groups of checks, in the order of main.c. */
#ifndef GUEST_CHECKS_H
#define GUEST_CHECKS_H

#include "ops.h"

void checks_boot(void);		/* checks_boot.c: state before Init */
void checks_gdt(void);		/* checks_gdt.c: descriptors before Init */
void checks_zapped(void);	/* checks_boot.c: the identity mapping is gone */
void checks_init(void);		/* checks_init.c: Init, get_reloc, patching */
void checks_desc(void);		/* checks_desc.c: GDT, LDT, IDT, TSS */
void checks_seg(void);		/* checks_seg.c: descriptors of processes */
void checks_trap(void);		/* checks_trap.c: exceptions from the kernel */
void checks_irqflag(void);	/* checks_irq.c: calls 29-32 */
void checks_alarm(void);	/* checks_irq.c: alarms and their delivery */
void checks_time(void);		/* checks_time.c: counters, Halt, wallclock */
void checks_pc(void);		/* checks_pc.c: devices that interrupt */
void checks_disk(void);		/* checks_disk.c: of one at an AHCI controller */
void checks_net(void);		/* checks_net.c: a network card */
void checks_life_boot(void);	/* checks_life.c: saved and restored, before Init */
void checks_life(void);		/* and behind it */
void checks_pte(void);		/* checks_pte.c: entries of the kernel's space */
void checks_space(void);	/* checks_space.c: several address spaces */
void checks_proc(void);		/* checks_proc.c: ring 3 */
void checks_fault(void);	/* checks_proc.c: what ring 3 must not do */
void checks_cpu(void);		/* checks_cpu.c: CRs, DRs, CPUID, MSRs, FPU */
void checks_convention(void);	/* checks_call.c: registers over every call */
void checks_each(void);		/* checks_each.c: every call by every way */
void checks_rules_mmu(void);	/* checks_rules_mmu.c */
void rules_user_bit(u32 frame); /* checks_rules_user.c, for the above */
void checks_rules_irq(void);	/* checks_rules_irq.c */
void rules_alarm(void);		/* checks_rules_alarm.c, for the above */
void checks_hostile(void);	/* checks_hostile.c: what must be survived */
void checks_own(void);		/* checks_own.c: of it, what only the processor sees */
void checks_emul(void);		/* checks_emul.c: what ring 3 meets in an emulator */
void checks_echo(void);		/* checks_cpu.c: receive a line */

#endif
