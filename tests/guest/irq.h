/* SPDX-License-Identifier: GPL-2.0-only */
/* The 8259 pair and the timer tick. */
#ifndef GUEST_IRQ_H
#define GUEST_IRQ_H

#include "cpu.h"

#define HZ 100u

extern volatile u32 ticks;	/* IRQ 0 */
extern volatile u32 ticks_user; /* of those, in user mode */
extern volatile u32 irqs_spurious;

extern volatile u32 apic_ticks[2]; /* V_LVTT, V_LVTT_OTHER */
extern void (*irq_hook)(void);	   /* in the handler of IRQ 0, interrupts off */

void apic_handle(u32 vector); /* counts, and ends the interrupt by APICWrite */
void pic_init(void);	      /* all masked but IRQ 0 */
void irq_handle(u32 irq, struct regs *r);
void tick_start(void); /* periodic, HZ */
void tick_stop(void);
u64 cycles_ms(u32 ms); /* so many milliseconds in cycles */
void spin_ms(u32 ms);  /* by the real-time counter, without halting */

#endif
