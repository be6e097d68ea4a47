/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Intel 8254 datasheet (231164-005); port 61 from Intel 82371SB
 * (PIIX3) datasheet (NMI status and control register).
 *
 * Time.  The only clock is `now`, in ns.  Tick t is reached at the first ns
 * where t <= ns * PIT_HZ / 10^9, and everything is kept in absolute ticks
 * since ns = 0: a period is a whole number of ticks, so nothing is rounded
 * twice and the timer cannot drift against the owner's clock, however long it
 * runs.
 *
 * Interrupts.  Every rise of channel 0's output up to `asked` has been given
 * to the owner or is remembered in `edge`; so reprogramming the channel loses
 * none.  A control word that raises the output makes no interrupt.
 */
#include "pit.h"
#include "lib/muldiv.h"

#define NS_PER_S 1000000000u
#define REFRESH_TICKS 18u /* channel 1 as every BIOS programs it: 15 us */

#define P61_GATE2 0x01u
#define P61_WRITABLE 0x0Fu
#define P61_REFRESH 0x10u
#define P61_OUT2 0x20u

static u64 ns_to_tick(u64 ns)
{
	u32 rem;

	return muldiv64(ns, PIT_HZ, NS_PER_S, &rem);
}

/* The first ns that belongs to tick. */
static u64 tick_to_ns(u64 tick)
{
	u32 rem;
	u64 ns = muldiv64(tick, NS_PER_S, PIT_HZ, &rem);

	return ns + (rem != 0);
}

/* The first ns at which channel 0's output has risen again since tick. */
static u64 next_edge(const struct pit *pit, u64 tick)
{
	u64 rise = pit_channel_next_rise(&pit->channel[0], tick);

	return rise == PIT_NEVER ? PIT_NEVER : tick_to_ns(rise);
}

bool pit_irq_take(struct pit *pit, u64 now)
{
	u64 tick;
	bool edge = pit->edge;

	if (now < pit->quiet)
		return false;
	tick = ns_to_tick(now);
	if ((s64)(tick - pit->asked) > 0) {
		edge |= pit_channel_next_rise(&pit->channel[0], pit->asked) <= tick;
		pit->asked = tick;
	}
	pit->edge = false;
	pit->quiet = next_edge(pit, pit->asked);
	return edge;
}

u64 pit_next_edge(const struct pit *pit, u64 now)
{
	return now < pit->quiet ? pit->quiet : next_edge(pit, ns_to_tick(now));
}

/* Before channel 0 changes: what it did until now is not forgotten. */
static void settle(struct pit *pit, u64 now)
{
	pit->edge = pit_irq_take(pit, now);
}

static void read_back(struct pit *pit, u8 value, u64 tick)
{
	unsigned i;

	for (i = 0; i < 3; i++) {
		if (!(value & 2u << i))
			continue;
		if (!(value & 0x20))
			pit_channel_latch_count(&pit->channel[i], tick);
		if (!(value & 0x10))
			pit_channel_latch_status(&pit->channel[i], tick);
	}
}

static void write_control(struct pit *pit, u8 value, u64 tick)
{
	unsigned i = value >> 6;

	if (i == 3)
		read_back(pit, value, tick);
	else if (value & 0x30)
		pit_channel_control(&pit->channel[i], value);
	else
		pit_channel_latch_count(&pit->channel[i], tick);
}

void pit_write(struct pit *pit, u16 port, u8 value, u64 now)
{
	u64 tick = ns_to_tick(now);

	settle(pit, now);
	pit->quiet = 0;
	switch (port) {
	case 0x40:
	case 0x41:
	case 0x42:
		pit_channel_write(&pit->channel[port & 3], value, tick);
		break;
	case 0x43:
		write_control(pit, value, tick);
		break;
	case 0x61:
		pit->port61 = value & P61_WRITABLE;
		pit_channel_set_gate(&pit->channel[2], value & P61_GATE2, tick);
		break;
	}
}

static u8 read_61(const struct pit *pit, u64 tick)
{
	u8 value = pit->port61;
	u32 rem;

	if (div64(tick, REFRESH_TICKS, &rem) & 1)
		value |= P61_REFRESH;
	if (pit_channel_output(&pit->channel[2], tick))
		value |= P61_OUT2;
	return value;
}

u8 pit_read(struct pit *pit, u16 port, u64 now)
{
	u64 tick = ns_to_tick(now);

	switch (port) {
	case 0x40:
	case 0x41:
	case 0x42:
		return pit_channel_read(&pit->channel[port & 3], tick);
	case 0x61:
		return read_61(pit, tick);
	}
	return 0xFF; /* 43 is write-only */
}

void pit_reset(struct pit *pit)
{
	unsigned i;

	for (i = 0; i < 3; i++) {
		struct pit_channel *ch = &pit->channel[i];

		*ch = (struct pit_channel){.mode = 3, .access = 3, .gate = i != 2};
		if (i == 0) {
			pit_channel_load(ch, 0, 0);
			ch->start = 0;
		}
	}
	pit->port61 = 0;
	pit->edge = false;
	pit->asked = 0;
	pit->quiet = 0;
}
