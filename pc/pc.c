/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: IBM PC/AT technical reference (which IRQ is whose).
 *
 * What is kept true: before and after every access the 8259's inputs are what
 * the devices drive, so the guest never reads a request register that is
 * behind, and an interrupt that an access caused can be delivered at once.
 * Before it, time alone can have changed them: whoever brings input says so
 * (pc.h).
 *
 * The port table becomes a switch, not an array of handlers: the image has no
 * relocations, so it can hold no pointers.
 */
#include "pc.h"

#define IRQ_TIMER 0
#define IRQ_KEYBOARD 1
#define IRQ_CASCADE 2 /* where the slave is: masks all from 8 on */
#define IRQ_SERIAL 4
#define IRQ_CLOCK 8

/* One pair of adapters a device: same shape for the table below. */

static u8 in_pic(struct pc *pc, u16 port, const struct pc_time *now)
{
	(void)now;
	return pic_read(&pc->pic, port);
}

static void out_pic(struct pc *pc, u16 port, u8 value, const struct pc_time *now)
{
	(void)now;
	pic_write(&pc->pic, port, value);
}

static u8 in_pit(struct pc *pc, u16 port, const struct pc_time *now)
{
	return pit_read(&pc->pit, port, now->ns);
}

static void out_pit(struct pc *pc, u16 port, u8 value, const struct pc_time *now)
{
	pit_write(&pc->pit, port, value, now->ns);
}

static u8 in_cmos(struct pc *pc, u16 port, const struct pc_time *now)
{
	return cmos_read(&pc->cmos, port, now->ns, now->epoch_s);
}

static void out_cmos(struct pc *pc, u16 port, u8 value, const struct pc_time *now)
{
	cmos_write(&pc->cmos, port, value, now->ns, now->epoch_s);
}

static u8 in_kbd(struct pc *pc, u16 port, const struct pc_time *now)
{
	(void)now;
	return kbd_read(&pc->kbd, port);
}

static void out_kbd(struct pc *pc, u16 port, u8 value, const struct pc_time *now)
{
	(void)now;
	kbd_write(&pc->kbd, port, value);
}

static u8 in_uart(struct pc *pc, u16 port, const struct pc_time *now)
{
	(void)now;
	return uart_read(&pc->uart, port & 7);
}

static void out_uart(struct pc *pc, u16 port, u8 value, const struct pc_time *now)
{
	(void)now;
	uart_write(&pc->uart, port & 7, value);
}

static u8 in_pm(struct pc *pc, u16 port, const struct pc_time *now)
{
	return pm_read(&pc->pm, port, now->ns);
}

static void out_pm(struct pc *pc, u16 port, u8 value, const struct pc_time *now)
{
	(void)now;
	pm_write(&pc->pm, port, value);
}

/* One access as a device of the table can take it; false: it must be split into bytes, or
 * is for none of them. */
static bool try_in(struct pc *pc, u16 port, unsigned size, const struct pc_time *now, u32 *value)
{
	*value = 0xFF;
	switch (port) {
#define PORTS8(first, last, device, comment)                                                       \
	case first ... last:                                                                       \
		if (size == 1)                                                                     \
			*value = in_##device(pc, port, now);                                       \
		break;
#define PORTS32(first, last, device, comment)                                                      \
	case first ... last:                                                                       \
		*value = device##_read(&pc->device, port, size);                                   \
		return true;
#include "ports.def"
#undef PORTS8
#undef PORTS32
	default:
		return false;
	}
	return size == 1;
}

static bool try_out(struct pc *pc, u16 port, unsigned size, u32 value, const struct pc_time *now)
{
	switch (port) {
#define PORTS8(first, last, device, comment)                                                       \
	case first ... last:                                                                       \
		if (size == 1)                                                                     \
			out_##device(pc, port, value & 0xFF, now);                                 \
		break;
#define PORTS32(first, last, device, comment)                                                      \
	case first ... last:                                                                       \
		device##_write(&pc->device, port, size, value);                                    \
		return true;
#include "ports.def"
#undef PORTS8
#undef PORTS32
	default:
		return false;
	}
	return size == 1;
}

/* Mostly an input is at that level already. */
static void drive(struct pc *pc, unsigned irq, bool level)
{
	if (pic_line(&pc->pic, irq) != level)
		pic_set_irq(&pc->pic, irq, level);
}

/* What time alone brings. */
static void update_timers(struct pc *pc, const struct pc_time *now)
{
	if (now->ns >= pc->cmos.due) {
		cmos_take_due(&pc->cmos, now->ns);
		drive(pc, IRQ_CLOCK, pc->cmos.irq);
	}
	if (pit_irq_take(&pc->pit, now->ns)) {
		pic_set_irq(&pc->pic, IRQ_TIMER, false);
		pic_set_irq(&pc->pic, IRQ_TIMER, true);
	}
}

void pc_update_irqs(struct pc *pc, const struct pc_time *now)
{
	/* The line falls between two bytes: an edge for each. */
	drive(pc, IRQ_KEYBOARD, kbd_irq(&pc->kbd));
	kbd_pump(&pc->kbd);
	drive(pc, IRQ_KEYBOARD, kbd_irq(&pc->kbd));
	drive(pc, IRQ_SERIAL, uart_irq(&pc->uart));
	drive(pc, PM_SCI_IRQ, pm_sci(&pc->pm));
	drive(pc, IRQ_CLOCK, pc->cmos.irq);
	update_timers(pc, now);
}

/* The 8259's own ports change no device. */
static bool is_pic(u16 port)
{
	return (port & ~0x81u) == 0x20;
}

/* What devices latched becomes a bit for the owner. */
static void collect_requests(struct pc *pc)
{
	if (pc->kbd.reset || pc->pm.reset)
		pc->requests |= PC_RESET;
	if (pc->pm.poweroff)
		pc->requests |= PC_POWEROFF;
	pc->kbd.reset = false;
	pc->pm.reset = false;
	pc->pm.poweroff = false;
}

static u32 in_bytes(struct pc *pc, u16 port, unsigned size, const struct pc_time *now)
{
	u32 value = 0;
	unsigned i;

	for (i = 0; i < size; i++) {
		u32 byte;

		try_in(pc, (u16)(port + i), 1, now, &byte);
		value |= byte << (8 * i);
	}
	return value;
}

static void out_bytes(struct pc *pc, u16 port, unsigned size, u32 value, const struct pc_time *now)
{
	unsigned i;

	for (i = 0; i < size; i++)
		try_out(pc, (u16)(port + i), 1, value >> (8 * i), now);
}

/* The same of a PC with disk controllers or network cards, which have what nobody of the table
 * has: their ports come and go. */
static bool try_cards_in(struct pc *pc, u16 port, unsigned size, u32 *value)
{
	return (pc->disks.there && disks_in(pc, port, size, value)) ||
	       (pc->nets.there && nets_in(pc, port, size, value));
}

static bool try_cards_out(struct pc *pc, u16 port, unsigned size, u32 value)
{
	return (pc->disks.there && disks_out(pc, port, size, value)) ||
	       (pc->nets.there && nets_out(pc, port, size, value));
}

static u32 in_with_cards(struct pc *pc, u16 port, unsigned size, const struct pc_time *now)
{
	u32 value = 0, byte;
	unsigned i;

	if (try_cards_in(pc, port, size, &value))
		return value;
	for (i = 0; i < size; i++) {
		if (!try_in(pc, (u16)(port + i), 1, now, &byte))
			try_cards_in(pc, (u16)(port + i), 1, &byte);
		value |= byte << (8 * i);
	}
	return value;
}

static void out_with_cards(struct pc *pc, u16 port, unsigned size, u32 value,
			   const struct pc_time *now)
{
	unsigned i;

	if (try_cards_out(pc, port, size, value))
		return;
	for (i = 0; i < size; i++)
		if (!try_out(pc, (u16)(port + i), 1, value >> (8 * i), now))
			try_cards_out(pc, (u16)(port + i), 1, value >> (8 * i) & 0xFF);
}

/* What the table has not as a whole.  A PC without them pays nothing. */
static u32 in_others(struct pc *pc, u16 port, unsigned size, const struct pc_time *now)
{
	if (pc->disks.there || pc->nets.there)
		return in_with_cards(pc, port, size, now);
	return size == 1 ? 0xFF : in_bytes(pc, port, size, now);
}

static void out_others(struct pc *pc, u16 port, unsigned size, u32 value, const struct pc_time *now)
{
	if (pc->disks.there || pc->nets.there)
		out_with_cards(pc, port, size, value, now);
	else if (size > 1)
		out_bytes(pc, port, size, value, now);
}

u32 pc_in(struct pc *pc, u16 port, unsigned size, const struct pc_time *now)
{
	u32 value;

	update_timers(pc, now);
	if (!try_in(pc, port, size, now, &value))
		value = in_others(pc, port, size, now);
	if (!is_pic(port))
		pc_update_irqs(pc, now);
	return value;
}

void pc_out(struct pc *pc, u16 port, unsigned size, u32 value, const struct pc_time *now)
{
	update_timers(pc, now);
	if (!try_out(pc, port, size, value, now))
		out_others(pc, port, size, value, now);
	if (is_pic(port))
		return;
	collect_requests(pc);
	pc_update_irqs(pc, now);
}

/* A BIOS leaves the keyboard on: only its interrupt tells of a driver. */
bool pc_ctrl_alt_del(struct pc *pc)
{
	return !(pc->pic.chip[0].imr & 1u << IRQ_KEYBOARD) && kbd_ctrl_alt_del(&pc->kbd);
}

static bool is_masked(const struct pc *pc, unsigned irq)
{
	const struct pic_chip *chip = pc->pic.chip;

	return (chip[irq >> 3].imr >> (irq & 7) & 1) ||
	       (irq > 7 && (chip[0].imr >> IRQ_CASCADE & 1));
}

u64 pc_next_event(const struct pc *pc, const struct pc_time *now)
{
	u64 tick = PIT_NEVER, clock = PIT_NEVER;

	if (!is_masked(pc, IRQ_TIMER))
		tick = pit_next_edge(&pc->pit, now->ns);
	if (!is_masked(pc, IRQ_CLOCK))
		clock = pc->cmos.due;
	return tick < clock ? tick : clock;
}

void pc_reset(struct pc *pc)
{
	pc->requests = 0;
	pic_reset(&pc->pic);
	pit_reset(&pc->pit);
	cmos_reset(&pc->cmos);
	kbd_reset(&pc->kbd);
	uart_reset(&pc->uart);
	pci_reset(&pc->pci);
	pm_reset(&pc->pm);
	disks_reset(&pc->disks);
	nets_reset(&pc->nets);
	/* ACPI: the SCI is a level, and shareable. */
	pic_write(&pc->pic, 0x4D1, 1u << (PM_SCI_IRQ & 7));
}
