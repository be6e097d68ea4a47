/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual PC's devices: the input is a sequence of port accesses, of time
 * that passes, keys and bytes that arrive, and interrupts that are taken.
 *
 * True at any time: a read has no bits above its width; an interrupt that is
 * asked for can be acknowledged; before pc_next_event() nothing changes of
 * itself; and the devices touch no memory but their own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "pc/lapic.h"
#include "pc/pc.h"

static void demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "pc: %s\n", what);
	abort();
}

/* A port that somebody owns, or any. */
static u16 some_port(void)
{
	static const struct {
		u16 first, last;
	} ports[] = {
#define PORTS8(first, last, device, comment) {first, last},
#define PORTS32(first, last, device, comment) {first, last},
#include "pc/ports.def"
	};
	u32 a = next(), n = a % (ARRAY_SIZE(ports) + 1);

	if (n == ARRAY_SIZE(ports))
		return (u16)next_word();
	return (u16)(ports[n].first + next() % (ports[n].last - ports[n].first + 1u));
}

static void access_port(struct pc *pc, struct pc_time *now, bool write)
{
	u16 port = some_port();
	unsigned size = 1u << next() % 3;
	u32 value;

	if (write) {
		value = next();
		if (size > 1)
			value |= next_word() << 8;
		pc_out(pc, port, size, value, now);
		return;
	}
	value = pc_in(pc, port, size, now);
	demand(size == 4 || !(value >> 8 * size), "a read has bits above its width");
}

/* Up to the next event the 8259 sees the same. */
static void quiet_until_event(const struct pc *pc, const struct pc_time *now)
{
	struct pc a = *pc, b = *pc;
	struct pc_time later = *now;
	u64 event;

	pc_update_irqs(&a, now);
	event = pc_next_event(&a, now);
	demand(event > now->ns, "the next event is not in the future");
	later.ns = event == PIT_NEVER ? now->ns + 3600000000000ull : event - 1;
	b = a;
	pc_update_irqs(&b, &later);
	demand(pic_intr(&a.pic) == pic_intr(&b.pic),
	       "an interrupt came before the next event was due");
}

static void take_interrupt(struct pc *pc, const struct pc_time *now)
{
	if (!pic_intr(&pc->pic))
		return;
	pic_ack(&pc->pic);
	if (next() & 1) { /* a handler that ends it */
		pc_out(pc, 0xA0, 1, 0x20, now);
		pc_out(pc, 0x20, 1, 0x20, now);
	}
}

static void use_lapic(struct lapic *l)
{
	u32 offset = next_word() & 0xFF0;

	switch (next() % 4) {
	case 0:
		lapic_write(l, offset, next_word() | next_word() << 16);
		break;
	case 1:
		lapic_read(l, offset);
		break;
	case 2:
		lapic_timer(l);
		break;
	default:
		if (lapic_intr(l))
			demand(lapic_ack(l) >= 16, "a vector below 16");
	}
}

static void step(struct pc *pc, struct lapic *lapic, struct pc_time *now)
{
	u8 byte;

	switch (next() % 16) {
	case 0 ... 4:
		access_port(pc, now, true);
		break;
	case 5 ... 7:
		access_port(pc, now, false);
		break;
	case 8:
		now->ns += next_word() * 100ull;
		break;
	case 9:
		now->ns += (u64)next_word() << next() % 24;
		now->epoch_s = 1200000000 + now->ns / 1000000000;
		break;
	case 10:
		uart_rx(&pc->uart, next());
		break;
	case 11:
		if (next() & 1)
			kbd_ctrl_alt_del(&pc->kbd);
		else
			pm_power_button(&pc->pm);
		break;
	case 12:
		while (uart_tx_take(&pc->uart, &byte))
			;
		break;
	case 13:
		quiet_until_event(pc, now);
		break;
	case 14:
		pc_update_irqs(pc, now);
		take_interrupt(pc, now);
		break;
	default:
		use_lapic(lapic);
	}
	pc->requests = 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct pc *pc = malloc(sizeof(*pc)); /* on the heap: its ends are guarded */
	struct lapic *lapic = malloc(sizeof(*lapic));
	struct pc_time now = {.ns = 5000000000ull, .epoch_s = 1204329599};

	if (!pc || !lapic)
		abort();
	memset(pc, 0xA5, sizeof(*pc));
	pc_reset(pc);
	lapic_reset(lapic);
	in = (struct input){data, bytes};
	cmos_set_memory(&pc->cmos, (u64)next() << 24);
	while (in.left)
		step(pc, lapic, &now);
	free(lapic);
	free(pc);
	return 0;
}
