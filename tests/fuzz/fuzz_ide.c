/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest and a backend at the IDE channels: the input is a sequence of port accesses over
 * guest memory with tables and rubbish in it, and of requests that are done in any way.
 *
 * True at any time, beside what fake_disk.h demands: a channel has one request at most, and
 * while it has one its drive is busy; what the data register moves stays in the buffer; the
 * interrupt is what the channel says; guest memory is reached only as PCI's command register
 * allows.  In the end a reset brings back drives that are ready and can be identified.
 */
#define FAKE_MEMORY 0x20000u
#define FAKE_HOLE 0x18000u
#define FAKE_SECTORS 64u
#include "fake_disk.h"
#include "pc/pc.h"
#include "input.h"

#define BM 0xC000
#define PRDS 0x1000u
#define MOST_DMA 20000u /* accesses to memory in one step: a PRD table has 8192 entries */

static struct pc *pc;
static struct pc_time now;

static void demand(bool good, const char *what)
{
	fake_demand(good, what);
}

static u32 some_address(void)
{
	static const u32 edges[] = {FAKE_HOLE, FAKE_MEMORY, 0xFFFFF000u, 0};
	u8 how = next();

	if (how < 200)
		return next_word() * 2 % FAKE_MEMORY;
	return edges[how % 4] + (how % 8 < 4 ? next() : 0u - next());
}

static void out(u16 port, unsigned size, u32 value)
{
	pc_out(pc, port, size, value, &now);
}

static u32 read(u16 port, unsigned size)
{
	u32 value = pc_in(pc, port, size, &now);

	demand(size == 4 || !(value >> 8 * size), "a read has bits above its width");
	return value;
}

static u16 some_port(void)
{
	static const u16 bases[] = {0x1F0, 0x170, BM, BM + 8};
	u8 n = next();

	if (n % 16 == 0)
		return n & 16 ? 0x3F6 : 0x376;
	return (u16)(bases[n % 4] + next() % 8);
}

/* Mostly as much as the drive has announced, in the direction that it has. */
static void move_data(unsigned channel)
{
	const struct ide_channel *ch = &pc->disks.ide.channel[channel];
	u16 base = channel ? 0x170 : 0x1F0;
	u8 how = next();
	bool write = how & 1 ? ch->phase != IDE_IN : how & 2;
	u32 size = how & 4 ? 2 : 4, n = ch->block_end - ch->at;

	n = how & 8 ? next() : n / size + (n % size != 0);
	for (u32 i = 0; i < n; i++) {
		if (write)
			out(base, size, how * 0x01010101u);
		else
			read(base, size);
	}
}

/* A command as a driver would give it, or nearly. */
static void give_command(void)
{
	static const u8 commands[] = {0x20, 0x30, 0x25, 0x35, 0xC8, 0xCA, 0xC4, 0xC5, 0xC6,
				      0xEC, 0xA1, 0xA0, 0xA0, 0xEA, 0x29, 0x39, 0xEF, 0x08,
				      0x90, 0x91, 0x24, 0x34, 0x40, 0xE0, 0xE5};
	u16 base = next() & 1 ? 0x1F0 : 0x170, bm = base == 0x1F0 ? BM : BM + 8;
	u8 n = next(), command = n < 225 ? commands[n % ARRAY_SIZE(commands)] : next();
	bool start = next() & 1;

	out(base + 1, 1, next() & 1);
	out(base + 2, 1, 0);
	out(base + 2, 1, next() % 12);
	for (u16 i = 3; i < 6; i++) {
		out(base + i, 1, 0);
		out(base + i, 1, i == 3 || command == 0xA0 ? next() % 80 : 0);
	}
	out(base + 6, 1, 0xE0 | (next() & 0x10));
	out(bm, 1, 0);
	out(bm + 4, 4, next() % 16 ? PRDS : some_address());
	out(base + 7, 1, command);
	if (command == 0xA0)
		for (u32 i = 0; i < 6; i++)
			out(base, 2, next_word());
	if (start)
		out(bm, 1, 9);
}

static void put_table(void)
{
	u32 n = next() % 16;

	for (u32 i = 0; i < n; i++) {
		fake_put32(PRDS + i * 8, some_address());
		fake_put32(PRDS + i * 8 + 4, next_word() | (next() % 8 ? 0 : 0x80000000u));
	}
}

static void change_disk(void)
{
	static const u32 vdevs[] = {768, 832, 5632, 5696};
	u32 unit = next() % 4, how = next();
	struct fake_unit *u = &fake.unit[unit];

	u->absent = how & 1;
	u->bad = how & 2 ? next() : FAKE_NONE;
	u->info.flush = how & 4;
	if (how & 8) {
		u->info.read_only = how & 16;
		u->info.sectors = how & 64 ? next() : 0;
		u->info.cdrom = how & 32;
		u->info.vdev = vdevs[unit];
	}
	for (u32 i = 0; i < fake.count; i++)
		if (fake.waiting[i].unit == unit)
			u->absent = true;
	pc_disk_changed(pc, unit);
}

static void check(void)
{
	u32 all = 0;

	for (u32 c = 0; c < IDE_CHANNELS; c++) {
		const struct ide_channel *ch = &pc->disks.ide.channel[c];
		u32 n = 0;

		for (u32 i = 0; i < fake.count; i++)
			n += fake.waiting[i].r == &ch->r;
		all += n;
		demand(n == (ch->phase == IDE_BUSY), "a channel's request is not what it is doing");
		demand(!ch->finished && (!ch->dead || n), "something was not looked at");
		demand(!n || ch->regs[ch->active].status & 0x80, "a drive is ready too early");
		if (ch->phase == IDE_IN || ch->phase == IDE_OUT || ch->phase == IDE_PACKET)
			demand(ch->at < ch->block_end && ch->block_end <= ch->end &&
				       ch->end <= IDE_BUFFER,
			       "data outside of the buffer");
		demand(pic_line(&pc->pic, 14 + c) == ide_irq(&pc->disks.ide, c),
		       "the interrupt is wrong");
	}
	demand(all == fake.count, "a request is nobody's");
}

static void step(void)
{
	u16 port;

	fake.dma = 0;
	switch (next() % 12) {
	case 0 ... 1:
		port = some_port();
		out(port, 1u << next() % 3, next_word() | next_word() << 16);
		break;
	case 2:
		port = some_port();
		read(port, 1u << next() % 3);
		break;
	case 3 ... 5:
		give_command();
		break;
	case 6:
		move_data(next() & 1);
		break;
	case 7 ... 8:
		if (fake.count)
			fake_serve_one(next() % fake.count);
		break;
	case 9:
		put_table();
		break;
	case 10:
		change_disk();
		break;
	default:
		out(0xCF8, 4, 0x80000904);
		out(0xCFC, 1, next() % 4 ? 5 : next() & 7);
	}
	pc_update_disks(pc);
	demand(fake.dma < MOST_DMA, "a step takes too long");
	check();
}

static void identify(u16 base, u8 device, bool cdrom)
{
	out(base + 6, 1, device ? 0xB0 : 0xA0);
	demand(!(read(base + 7, 1) & 0x80), "a drive that is busy for ever");
	demand(read(base + 4, 1) == (cdrom ? 0x14 : 0), "no signature");
	out(base + 7, 1, cdrom ? 0xA1 : 0xEC);
	demand(read(base + 7, 1) == 0x58, "a drive that cannot be identified");
	for (u32 i = 0; i < 256; i++)
		read(base, 2);
	demand(read(base + 7, 1) == 0x50, "an identification without an end");
}

/* All that is under way comes to its end, and a driver may begin. */
static void end(void)
{
	out(0xCF8, 4, 0x80000904);
	out(0xCFC, 1, 5);
	out(0xCF8, 4, 0x80000940);
	out(0xCFC, 4, 0x80008000);
	for (u32 i = 0; fake.count; i++) {
		demand(i < 2000, "requests without an end");
		out(0x3F6, 1, 0x0C);
		out(0x376, 1, 0x0C);
		fake_serve_one(0);
		pc_update_disks(pc);
	}
	for (u32 c = 0; c < IDE_CHANNELS; c++) {
		const struct ide_channel *ch = &pc->disks.ide.channel[c];
		u16 base = c ? 0x170 : 0x1F0;

		out(base + 0x206, 1, 0x0C);
		out(base + 0x206, 1, 0x08);
		for (u8 i = 0; i < IDE_DRIVES; i++)
			if (ch->drive[i].there)
				identify(base, i, ch->drive[i].info.cdrom);
	}
	check();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static const u32 vdevs[] = {768, 832, 5632};
	static u8 hole[PAGE_SIZE];

	pc = malloc(sizeof(*pc)); /* on the heap: its ends are guarded */
	if (!pc)
		abort();
	fake_reset();
	memset(pc, 0xA5, sizeof(*pc));
	pc_reset(pc);
	in = (struct input){data, bytes};
	for (u32 i = 0; i < 3; i++) {
		fake_disk(i, vdevs[i], 60);
		fake.unit[i].info.cdrom = fake.unit[i].info.read_only = i == 2;
		pc_disk_changed(pc, i);
	}
	while (in.left)
		step();
	end();
	demand(!memcmp(hole, fake.memory + FAKE_HOLE, PAGE_SIZE), "the hole was written to");
	free(pc);
	return 0;
}
