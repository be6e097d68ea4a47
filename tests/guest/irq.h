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
extern u32 disk_irq_line;     /* 0: none */
void disk_irq(void);	      /* of that line: checks_disk.c */
extern u32 net_irq_line;      /* the same of checks_net.c */
void net_irq(void);
void clock_irq(void);	  /* IRQ 8: checks_pc.c */
void apic_as_found(void); /* as a BIOS leaves it, if there are calls for it */
void pic_init(void);	  /* all masked but IRQ 0 */
void irq_handle(u32 irq, struct regs *r);
void tick_start(void); /* periodic, HZ */
void tick_stop(void);
void irq_settle(void); /* what waits for interrupts to be enabled comes now */
u64 cycles_ms(u32 ms); /* so many milliseconds in cycles */
void spin_ms(u32 ms);  /* by the real-time counter, without halting */

#define DUE_MS 40u /* an alarm of 2 ms is later only on a busy host */

/* A one-shot alarm of the counter in flags. */
void alarm_in(u32 flags, u32 ms);
/* Until the 8259 has a request on IRQ 0, or the local APIC one of that vector, for an
 * alarm may be late on a busy host; or long enough. */
void wait_request(void);
void wait_apic_request(u32 vector);
/* Until *count has moved on from before by so many, or long enough. */
void wait_ticks(volatile u32 *count, u32 before, u32 more);

#endif
