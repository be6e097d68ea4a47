/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways to turn a PC off or reset it that are no keyboard: ports 92 (fast
 * reset), CF9 (reset control), B2-B3 (APM), 604-605 (ACPI PM1a control); and
 * port 80, where a BIOS shows how far it got.
 */
#ifndef VMIXEN_PC_PM_H
#define VMIXEN_PC_PM_H

#include "base.h"

#define PM1A_CONTROL 0x604u  /* for whoever writes ACPI tables */
#define PM_SLEEP_S5 5u	     /* SLP_TYP that means off */
#define PM_ACPI_ENABLE 0xF1u /* written to port B2 */
#define PM_ACPI_DISABLE 0xF0u

struct pm {
	u8 post;
	u8 port92;
	u8 reset_control;
	u8 apm[2];
	u16 control;   /* PM1a control */
	bool reset;    /* the guest asked for it; the owner clears it */
	bool poweroff; /* likewise */
};

void pm_reset(struct pm *pm);
u8 pm_read(const struct pm *pm, u16 port);
void pm_write(struct pm *pm, u16 port, u8 value);

#endif
