/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Intel 82371SB (PIIX3) datasheet (port 92,
 * APM, CF9); ACPI specification 1.0b (PM1 registers, PM timer).
 *
 * Requests are latched: once the guest has asked for a reset or for power
 * off, `reset` or `poweroff` stays until the owner clears it.
 *
 * Of ACPI's fixed hardware there is what unmodified kernels use: the machine
 * is turned off by SLP_TYP = PM_SLEEP_S5 with SLP_EN, the power button is the
 * one event that happens, and the PM timer counts the owner's ns, so it does
 * not drift.  Timer carry, global lock release and RTC alarm have an enable
 * bit, because ACPICA reads back what it enabled, but no status: no kernel
 * waits for the first, and the others do not happen.  There is no sleep button
 * and no general-purpose event.
 *
 * The machine starts in ACPI mode, as no system management code has to hand
 * over anything; port B2 leaves and enters it.
 */
#include "pm.h"
#include "lib/muldiv.h"

#define NS_PER_S 1000000000u

#define P92_RESET 0x01u
#define P92_A20 0x02u
#define CF9_CPU 0x04u /* its rise is the reset */
#define CF9_WRITABLE 0x06u
#define PM1_TIMER 0x0001u
#define PM1_GLOBAL_LOCK 0x0020u
#define PM1_POWER_BUTTON 0x0100u
#define PM1_RTC 0x0400u
#define PM1_ENABLES (PM1_TIMER | PM1_GLOBAL_LOCK | PM1_POWER_BUTTON | PM1_RTC)
#define PM1_SCI_EN 0x0001u
#define PM1_RELEASE 0x0004u  /* GBL_RLS: write-only, nobody to tell */
#define PM1_SLEEP_EN 0x2000u /* write-only */
#define PM_TIMER_MASK 0xFFFFFFu

static u8 byte_of(u32 value, unsigned i)
{
	return value >> (8 * i) & 0xFF;
}

static u32 timer(u64 now)
{
	u32 rem;

	return (u32)muldiv64(now, PM_TIMER_HZ, NS_PER_S, &rem) & PM_TIMER_MASK;
}

u8 pm_read(const struct pm *pm, u16 port, u64 now)
{
	switch (port) {
	case 0x80:
		return pm->post;
	case 0x92:
		return pm->port92;
	case 0xB2:
	case 0xB3:
		return pm->apm[port - 0xB2];
	case PM1A_EVENT:
	case PM1A_EVENT + 1:
		return byte_of(pm->status, port & 1);
	case PM1A_EVENT + 2:
	case PM1A_EVENT + 3:
		return byte_of(pm->enable, port & 1);
	case PM1A_CONTROL:
	case PM1A_CONTROL + 1:
		return byte_of(pm->control, port & 1);
	case PM_TIMER ... PM_TIMER + 3:
		return byte_of(timer(now), port & 3);
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

/* old with the byte that port means replaced. */
static u16 with_byte(u16 old, u16 port, u8 value)
{
	return port & 1 ? (u16)((old & 0x00FF) | value << 8) : (u16)((old & 0xFF00) | value);
}

static void write_control(struct pm *pm, u16 value)
{
	/* SCI_EN is changed through port B2 only. */
	pm->control =
		(value & ~(PM1_SLEEP_EN | PM1_RELEASE | PM1_SCI_EN)) | (pm->control & PM1_SCI_EN);
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
	case PM1A_EVENT:
	case PM1A_EVENT + 1:
		pm->status &= ~with_byte(0, port, value); /* ones clear */
		break;
	case PM1A_EVENT + 2:
	case PM1A_EVENT + 3:
		pm->enable = with_byte(pm->enable, port, value) & PM1_ENABLES;
		break;
	case PM1A_CONTROL:
	case PM1A_CONTROL + 1:
		write_control(pm, with_byte(pm->control, port, value));
		break;
	case 0xCF9:
		pm->reset |= (value & ~pm->reset_control & CF9_CPU) != 0;
		pm->reset_control = value & CF9_WRITABLE;
		break;
	}
}

bool pm_sci(const struct pm *pm)
{
	return pm->control & PM1_SCI_EN && pm->status & pm->enable;
}

bool pm_power_button(struct pm *pm)
{
	pm->status |= PM1_POWER_BUTTON;
	return pm_sci(pm);
}

void pm_reset(struct pm *pm)
{
	*pm = (struct pm){.port92 = P92_A20, .control = PM1_SCI_EN};
}
