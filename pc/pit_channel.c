/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Intel 8254 datasheet (231164-005).
 *
 * No counter is ever advanced: the state of a channel is the tick at which it
 * was loaded, and the count, the output and the next edge are computed from
 * it when somebody asks.  A count that is written is in the counter one tick
 * later (start), as in the hardware; mode 0's output thus rises count + 1
 * ticks after the write.
 *
 * Simplified: modes 1 and 5 act as 0 and 4 (only channel 2 has a gate to
 * trigger them); a new count in modes 2 and 3 begins a new period at once; a
 * tick before the load, which only a clock that runs backwards can ask for,
 * is taken as the load.
 */
#include "pit_channel.h"
#include "lib/muldiv.h"

#define STATUS_OUT 0x80u
#define STATUS_NULL 0x40u /* the counter does not hold the written count yet */

static bool periodic(const struct pit_channel *ch)
{
	return ch->mode == 2 || ch->mode == 3;
}

/* Ticks counted since the counter held ch->count; < 0: it does not yet. */
static s64 elapsed(const struct pit_channel *ch, u64 tick)
{
	return ch->gate ? (s64)(tick - ch->start) : ch->held;
}

/* Position in the period of a periodic channel. */
static u32 phase(const struct pit_channel *ch, s64 ticks)
{
	u32 rem;

	if (ticks < 0)
		return 0;
	div64((u64)ticks, ch->count, &rem);
	return rem;
}

bool pit_channel_output(const struct pit_channel *ch, u64 tick)
{
	s64 e = elapsed(ch, tick);

	if (!ch->loaded)
		return ch->mode != 0;
	if (ch->mode == 0)
		return e >= (s64)ch->count;
	if (ch->mode == 4)
		return e != (s64)ch->count;
	if (!ch->gate)
		return true;
	if (ch->mode == 2)
		return phase(ch, e) != ch->count - 1;
	return phase(ch, e) < (ch->count + 1) / 2;
}

static u16 to_bcd(u32 n)
{
	return n % 10 | n / 10 % 10 << 4 | n / 100 % 10 << 8 | n / 1000 % 10 << 12;
}

static u32 from_bcd(u16 n)
{
	return (n & 15) + (n >> 4 & 15) * 10 + (n >> 8 & 15) * 100 + (n >> 12) * 1000u;
}

/* The counter's value; it was loaded. */
static u32 counter(const struct pit_channel *ch, s64 e)
{
	u32 modulus = ch->bcd ? 10000 : 0x10000;
	u32 half = (ch->count + 1) / 2;
	u32 p;

	if (periodic(ch)) {
		p = phase(ch, e);
		if (ch->mode == 2)
			return ch->count - p;
		return (ch->count & ~1u) - 2 * (p < half ? p : p - half);
	}
	if (e < 0)
		return ch->count;
	div64((u64)e, modulus, &p); /* it counts on below 0 */
	return (ch->count % modulus + modulus - p) % modulus;
}

/* What the guest reads; 0 between a control word and the count. */
static u16 visible(const struct pit_channel *ch, u64 tick)
{
	u32 n = ch->loaded ? counter(ch, elapsed(ch, tick)) : 0;

	return ch->bcd ? to_bcd(n) : (u16)n;
}

u64 pit_channel_next_rise(const struct pit_channel *ch, u64 tick)
{
	s64 e = elapsed(ch, tick);
	u64 end = ch->start + ch->count + (ch->mode == 4);
	u32 rem;

	if (!ch->loaded || !ch->gate)
		return PIT_NEVER;
	if (!periodic(ch))
		return (s64)(end - tick) > 0 ? end : PIT_NEVER;
	if (e < 0)
		return end;
	return ch->start + (div64((u64)e, ch->count, &rem) + 1) * ch->count;
}

void pit_channel_control(struct pit_channel *ch, u8 value)
{
	u8 mode = value >> 1 & 7;

	if (mode > 5) /* the high bit of 2 and 3 does not count */
		mode -= 4;
	ch->mode = mode == 1 ? 0 : mode == 5 ? 4 : mode;
	ch->access = value >> 4 & 3;
	ch->bcd = value & 1;
	ch->loaded = false;
	ch->high_next = false;
	ch->read_high = false;
	ch->latched = 0;
	ch->status_latched = false;
}

void pit_channel_load(struct pit_channel *ch, u16 value, u64 tick)
{
	ch->count = ch->bcd ? from_bcd(value) : value;
	if (ch->count == 0)
		ch->count = ch->bcd ? 10000 : 0x10000;
	if (ch->count == 1 && periodic(ch)) /* illegal; would never be low */
		ch->count = 2;
	ch->start = tick + 1;
	ch->held = 0;
	ch->loaded = true;
}

void pit_channel_write(struct pit_channel *ch, u8 value, u64 tick)
{
	switch (ch->access) {
	case 1:
		pit_channel_load(ch, value, tick);
		break;
	case 2:
		pit_channel_load(ch, (u16)(value << 8), tick);
		break;
	default:
		ch->high_next = !ch->high_next;
		if (!ch->high_next) {
			pit_channel_load(ch, (u16)(value << 8 | ch->low), tick);
			break;
		}
		ch->low = value;
		if (ch->mode == 0) /* the first byte stops the counter */
			ch->loaded = false;
	}
}

void pit_channel_latch_count(struct pit_channel *ch, u64 tick)
{
	if (ch->latched)
		return;
	ch->latch = visible(ch, tick);
	ch->latched = ch->access == 3 ? 2 : 1;
}

void pit_channel_latch_status(struct pit_channel *ch, u64 tick)
{
	if (ch->status_latched)
		return;
	ch->status = ch->access << 4 | ch->mode << 1 | ch->bcd;
	if (pit_channel_output(ch, tick))
		ch->status |= STATUS_OUT;
	if (!ch->loaded || elapsed(ch, tick) < 0)
		ch->status |= STATUS_NULL;
	ch->status_latched = true;
}

u8 pit_channel_read(struct pit_channel *ch, u64 tick)
{
	u16 n = ch->latched ? ch->latch : visible(ch, tick);
	bool high = ch->access == 2 || (ch->access == 3 && ch->read_high);

	if (ch->status_latched) {
		ch->status_latched = false;
		return ch->status;
	}
	if (ch->latched)
		ch->latched--;
	if (ch->access == 3)
		ch->read_high = !ch->read_high;
	return high ? n >> 8 : n & 0xFF;
}

void pit_channel_set_gate(struct pit_channel *ch, bool gate, u64 tick)
{
	s64 e = elapsed(ch, tick);

	if (gate == ch->gate)
		return;
	if (!gate)
		ch->held = e > 0 ? e : 0;
	else
		ch->start = periodic(ch) ? tick + 1 : tick - (u64)ch->held;
	ch->gate = gate;
}
