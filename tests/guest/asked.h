/* SPDX-License-Identifier: GPL-2.0-only */
/* What whoever sits before the machine asks for: power button, Ctrl-Alt-Del. */
#ifndef GUEST_ASKED_H
#define GUEST_ASKED_H

#include "cpu.h"

/* Wait for it, and do it; never return. */
noreturn void asked_by_button(void); /* ACPI power-off */
noreturn void asked_by_keys(void);   /* reset by the 8042 */
noreturn void asked_by_nothing(void);
noreturn void asked_by_nmi(void); /* three of them: power-off */
noreturn void asked_by_nmi_busy(void);
void asked_irq(u32 irq);

#endif
