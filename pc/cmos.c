/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Motorola MC146818 datasheet (ADI1189); layout of the RAM from the
 * IBM PC/AT technical reference and Ralf Brown's CMOS list.
 *
 * What is kept true:
 *  - The clock's second changes where the ns clock's does, so that the update
 *    pulse (UIP) comes right before it: it shows the ns clock's whole seconds
 *    + wall + offset.  wall follows the owner's epoch_s, whose second begins
 *    at another moment: a constant distance gives two values, and wall is the one
 *    that was seen first, until epoch_s is further away than the other.  The clock
 *    is within 1 s of epoch_s.
 *  - A guest that sets the clock moves offset; the owner's clock is not ours
 *    to change.  While register B says SET, the time registers are RAM; when
 *    SET goes, what they hold becomes the time, if any was written.
 *  - A loop that waits for UIP to fall ends, even if the owner's clock stands
 *    still: two reads of register A at the same ns do not both show it.
 *
 * Not modelled: crystals of another frequency (divider 000 and 001), the square
 * wave, daylight saving; a divider in reset stops no time, only interrupts.
 */
#include "cmos_regs.h"
#include "lib/muldiv.h"

#define UIP_NS 2228000u /* 1984 us of update and 244 us of warning */

#define EQUIPMENT 0x14
#define BASE_KB 0x15
#define EXTENDED_KB 0x17
#define CHECKSUM_FROM 0x10
#define CHECKSUM 0x2E /* big-endian sum of the bytes before it */
#define EXTENDED_KB_POST 0x30
#define CENTURY 0x32
#define ABOVE_16M 0x34 /* in 64 KB */
#define ABOVE_4G 0x5B  /* in 64 KB, 3 bytes */

#define A_32KHZ 0x26u /* divider for a 32768 Hz crystal, rate 1024 Hz */
#define D_VALID 0x80u
#define PM 0x80u

static bool is_time(u8 index)
{
	return index == SECONDS || index == MINUTES || index == HOURS ||
	       (index >= WEEKDAY && index <= YEAR) || index == CENTURY;
}

u8 cmos_encode(const struct cmos *cmos, u8 n)
{
	return cmos->ram[REG_B] & B_BINARY ? n : n / 10 << 4 | n % 10;
}

static u8 decode(const struct cmos *cmos, u8 n)
{
	return cmos->ram[REG_B] & B_BINARY ? n : (n >> 4) * 10 + (n & 15);
}

u8 cmos_encode_hour(const struct cmos *cmos, u8 hour)
{
	if (cmos->ram[REG_B] & B_24H)
		return cmos_encode(cmos, hour);
	return cmos_encode(cmos, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? PM : 0);
}

static u8 decode_hour(const struct cmos *cmos, u8 value)
{
	if (cmos->ram[REG_B] & B_24H)
		return decode(cmos, value);
	return decode(cmos, value & ~PM) % 12 + (value & PM ? 12 : 0);
}

/* The wall clock as this clock counts it, in seconds since 1970; every access
 * to the data port asks, so that the alarm knows it, too. */
static s64 wall_clock(struct cmos *cmos, u64 ns, u64 epoch_s)
{
	u32 rem;
	s64 ns_s = (s64)div64(ns, NS_PER_S, &rem);
	s64 distance = (s64)(epoch_s - (u64)ns_s);

	if (distance < cmos->wall - 1 || distance > cmos->wall + 1)
		cmos->wall = distance;
	return ns_s + cmos->wall;
}

void cmos_show(const struct cmos *cmos, u64 second, struct calendar *t)
{
	calendar_from_seconds(t, (s64)second + cmos->wall + cmos->offset);
}

/* Fills the time registers with what the clock shows. */
static void show(struct cmos *cmos, u64 ns, u64 epoch_s)
{
	struct calendar t;
	u8 *ram = cmos->ram;

	calendar_from_seconds(&t, wall_clock(cmos, ns, epoch_s) + cmos->offset);
	ram[SECONDS] = cmos_encode(cmos, t.second);
	ram[MINUTES] = cmos_encode(cmos, t.minute);
	ram[HOURS] = cmos_encode_hour(cmos, t.hour);
	ram[WEEKDAY] = cmos_encode(cmos, t.weekday);
	ram[DAY] = cmos_encode(cmos, t.day);
	ram[MONTH] = cmos_encode(cmos, t.month);
	ram[YEAR] = cmos_encode(cmos, t.year % 100);
	ram[CENTURY] = cmos_encode(cmos, t.year / 100);
}

/* Makes what the time registers hold the time. */
static void adopt(struct cmos *cmos, u64 ns, u64 epoch_s)
{
	const u8 *ram = cmos->ram;
	struct calendar t = {
		.second = decode(cmos, ram[SECONDS]),
		.minute = decode(cmos, ram[MINUTES]),
		.hour = decode_hour(cmos, ram[HOURS]),
		.day = decode(cmos, ram[DAY]),
		.month = decode(cmos, ram[MONTH]),
		.year = decode(cmos, ram[CENTURY]) * 100u + decode(cmos, ram[YEAR]),
	};

	cmos->offset = calendar_to_seconds(&t) - wall_clock(cmos, ns, epoch_s);
	cmos->written = false;
}

static u8 read_a(struct cmos *cmos, u64 ns)
{
	bool again = ns == cmos->last_a;
	u8 value = cmos->ram[REG_A];
	u32 phase;

	cmos->last_a = ns;
	div64(ns, NS_PER_S, &phase);
	if (phase >= NS_PER_S - UIP_NS && !again && cmos_updates(cmos))
		value |= A_UIP;
	return value;
}

/* Reading clears it, and so ends the interrupt. */
static u8 read_c(struct cmos *cmos)
{
	u8 value = cmos->ram[REG_C];

	if (value & cmos->ram[REG_B] & INTERRUPTS)
		value |= C_IRQ;
	cmos->ram[REG_C] = 0;
	return value;
}

static u8 read_register(struct cmos *cmos, u64 ns, u64 epoch_s)
{
	if (cmos->index == REG_A)
		return read_a(cmos, ns);
	if (cmos->index == REG_C)
		return read_c(cmos);
	if (is_time(cmos->index) && !(cmos->ram[REG_B] & B_SET))
		show(cmos, ns, epoch_s);
	return cmos->ram[cmos->index];
}

u8 cmos_read(struct cmos *cmos, u16 port, u64 ns, u64 epoch_s)
{
	u8 value;

	if (port != 0x71)
		return 0xFF;
	cmos_settle(cmos, ns);
	wall_clock(cmos, ns, epoch_s);
	value = read_register(cmos, ns, epoch_s);
	cmos_set_due(cmos);
	return value;
}

static void write_b(struct cmos *cmos, u8 value, u64 ns, u64 epoch_s)
{
	if (~cmos->ram[REG_B] & value & B_SET)
		show(cmos, ns, epoch_s);
	if (value & B_SET) /* it clears this enable */
		value &= ~UPDATE_ENDED;
	cmos->ram[REG_B] = value;
	if (!(value & B_SET) && cmos->written)
		adopt(cmos, ns, epoch_s);
}

static void write_time(struct cmos *cmos, u8 value, u64 ns, u64 epoch_s)
{
	bool set = cmos->ram[REG_B] & B_SET;

	if (!set)
		show(cmos, ns, epoch_s);
	cmos->ram[cmos->index] = value;
	cmos->written = true;
	if (!set)
		adopt(cmos, ns, epoch_s);
}

static void write_register(struct cmos *cmos, u8 value, u64 ns, u64 epoch_s)
{
	if (is_time(cmos->index))
		write_time(cmos, value, ns, epoch_s);
	else if (cmos->index == REG_A)
		cmos->ram[REG_A] = value & ~A_UIP;
	else if (cmos->index == REG_B)
		write_b(cmos, value, ns, epoch_s);
	else if (cmos->index != REG_C && cmos->index != REG_D)
		cmos->ram[cmos->index] = value;
}

void cmos_write(struct cmos *cmos, u16 port, u8 value, u64 ns, u64 epoch_s)
{
	if (port == 0x70) { /* bit 7 masks NMI: there is none */
		cmos->index = value & 0x7F;
		return;
	}
	cmos_settle(cmos, ns);
	wall_clock(cmos, ns, epoch_s);
	write_register(cmos, value, ns, epoch_s);
	cmos_set_due(cmos);
}

static void put16(struct cmos *cmos, u8 index, u32 value)
{
	if (value > 0xFFFF)
		value = 0xFFFF;
	cmos->ram[index] = value & 0xFF;
	cmos->ram[index + 1] = value >> 8;
}

static void update_checksum(struct cmos *cmos)
{
	u16 sum = 0;
	unsigned i;

	for (i = CHECKSUM_FROM; i < CHECKSUM; i++)
		sum += cmos->ram[i];
	cmos->ram[CHECKSUM] = sum >> 8;
	cmos->ram[CHECKSUM + 1] = sum & 0xFF;
}

void cmos_set_memory(struct cmos *cmos, u64 bytes)
{
	u64 low = bytes < (u64)1 << 32 ? bytes : (u64)1 << 32;
	u32 kb = (u32)(low >> 10);
	u32 above_4g = (u32)((bytes - low) >> 16);

	put16(cmos, BASE_KB, kb < 640 ? kb : 640);
	put16(cmos, EXTENDED_KB, kb > 1024 ? kb - 1024 : 0);
	put16(cmos, EXTENDED_KB_POST, kb > 1024 ? kb - 1024 : 0);
	put16(cmos, ABOVE_16M, kb > 16384 ? (kb - 16384) >> 6 : 0);
	put16(cmos, ABOVE_4G, above_4g & 0xFFFF);
	cmos->ram[ABOVE_4G + 2] = above_4g >> 16 & 0xFF;
	update_checksum(cmos);
}

void cmos_reset(struct cmos *cmos)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(cmos->ram); i++)
		cmos->ram[i] = 0;
	cmos->ram[REG_A] = A_32KHZ;
	cmos->ram[REG_B] = B_24H;
	cmos->ram[REG_D] = D_VALID;
	cmos->ram[EQUIPMENT] = 0x02; /* an FPU */
	cmos->index = 0;
	cmos->written = false;
	cmos->last_a = 0;
	cmos->wall = 0;
	cmos->offset = 0;
	cmos->settled = 0;
	cmos_set_due(cmos);
	update_checksum(cmos);
}
