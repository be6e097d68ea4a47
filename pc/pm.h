/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACPI's fixed hardware (600-60B): power-off, power button, PM timer; the
 * older ways to turn a PC off or reset it that are no keyboard: ports 92
 * (fast reset), CF9 (reset control), B2-B3 (APM); and port 80, where a BIOS
 * shows how far it got.
 */
#ifndef VMIXEN_PC_PM_H
#define VMIXEN_PC_PM_H

#include "base.h"

/* For whoever writes ACPI tables. */
#define PM1A_EVENT 0x600u /* 4 bytes: status, enable */
#define PM1A_CONTROL 0x604u
#define PM_TIMER 0x608u
#define PM_TIMER_HZ 3579545u
#define PM_SCI_IRQ 9
#define PM_SLEEP_S5 0u	     /* SLP_TYP that means off */
#define PM_ACPI_ENABLE 0xF1u /* written to port B2 */
#define PM_ACPI_DISABLE 0xF0u

struct pm {
	u8 post;
	u8 port92;
	u8 reset_control;
	u8 apm[2];
	u16 status; /* PM1a status, enable and control */
	u16 enable;
	u16 control;
	bool reset;    /* the guest asked for it; the owner clears it */
	bool poweroff; /* likewise */
};

void pm_reset(struct pm *pm);

/* One byte; now is in ns. */
u8 pm_read(const struct pm *pm, u16 port, u64 now);
void pm_write(struct pm *pm, u16 port, u8 value);

/* The SCI line is active. */
bool pm_sci(const struct pm *pm);

/* The power button was pressed.  False: the guest does not listen now (it may
 * find the event when it begins to). */
bool pm_power_button(struct pm *pm);

#endif
