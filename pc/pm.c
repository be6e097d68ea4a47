/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Intel 82371SB (PIIX3) datasheet (port 92,
 * APM, CF9); ACPI specification 1.0b (PM1 control registers).
 *
 * Requests are latched: once the guest has asked for a reset or for power
 * off, `reset` or `poweroff` stays until the owner clears it.
 *
 * Of ACPI's fixed hardware there is only PM1a control: enough to turn the
 * machine off by SLP_TYP = PM_SLEEP_S5 with SLP_EN.  There are no events, no
 * SCI and no PM timer.
 */
#include "pm.h"

#define P92_RESET 0x01u
#define P92_A20 0x02u
#define CF9_CPU 0x04u /* its rise is the reset */
#define CF9_WRITABLE 0x06u
#define PM1_SCI_EN 0x0001u
#define PM1_SLEEP_EN 0x2000u /* write-only */

u8 pm_read(const struct pm *pm, u16 port)
{
	switch (port) {
	case 0x80:
		return pm->post;
	case 0x92:
		return pm->port92;
	case 0xB2:
	case 0xB3:
		return pm->apm[port - 0xB2];
	case PM1A_CONTROL:
		return pm->control & 0xFF;
	case PM1A_CONTROL + 1:
		return pm->control >> 8;
	case 0xCF9:
		return pm->reset_control;
	}
	return 0xFF;
}

static void write_apm(struct pm *pm, u8 value)
{
	pm->apm[0] = value;
	if (value == PM_ACPI_ENABLE)
		pm->control |= PM1_SCI_EN;
	if (value == PM_ACPI_DISABLE)
		pm->control &= ~PM1_SCI_EN;
}

static void write_control(struct pm *pm, u16 value)
{
	/* SCI_EN is changed through port B2 only. */
	pm->control = (value & ~(PM1_SLEEP_EN | PM1_SCI_EN)) | (pm->control & PM1_SCI_EN);
	if (value & PM1_SLEEP_EN && (value >> 10 & 7) == PM_SLEEP_S5)
		pm->poweroff = true;
}

void pm_write(struct pm *pm, u16 port, u8 value)
{
	switch (port) {
	case 0x80:
		pm->post = value;
		break;
	case 0x92:
		pm->reset |= value & ~pm->port92 & P92_RESET;
		pm->port92 = value & (P92_RESET | P92_A20);
		break;
	case 0xB2:
		write_apm(pm, value);
		break;
	case 0xB3:
		pm->apm[1] = value;
		break;
	case PM1A_CONTROL:
		write_control(pm, (pm->control & 0xFF00) | value);
		break;
	case PM1A_CONTROL + 1:
		write_control(pm, (u16)(value << 8 | (pm->control & 0xFF)));
		break;
	case 0xCF9:
		pm->reset |= (value & ~pm->reset_control & CF9_CPU) != 0;
		pm->reset_control = value & CF9_WRITABLE;
		break;
	}
}

void pm_reset(struct pm *pm)
{
	*pm = (struct pm){.port92 = P92_A20};
}
