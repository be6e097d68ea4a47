/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest and a backend at the AHCI controller: the input is a sequence of register writes
 * over guest memory that it fills with lists, tables and rubbish, of requests that are done
 * in any order and in any way, and of disks that come and go.
 *
 * True at any time, beside what fake_disk.h demands: the controller reaches guest memory
 * alone, and only as PCI's command register allows; a list runs (CR) while a request of its
 * port is with the front end, and no request is anywhere else; the interrupt is what the
 * registers say; reading changes nothing.  In the end, when all requests are done, a reset
 * brings back a controller whose drives are ready.
 */
#define FAKE_MEMORY 0x20000u
#define FAKE_HOLE 0x18000u
#define FAKE_SECTORS 64u
#include "fake_disk.h"
#include "pc/pc.h"
#include "input.h"

#define BAR 0xFEBF0000u
#define LISTS 0x1000u	/* of each port, in its own 4 KB */
#define TABLES 0x9000u	/* likewise: 16 tables of 256 bytes */
#define MOST_DMA 70000u /* accesses to memory in one step: a PRD table has 65535 entries */

static struct pc *pc;
static struct pc_time now;

static void demand(bool good, const char *what)
{
	fake_demand(good, what);
}

static u32 read(u32 offset)
{
	u32 value = 0;

	demand(pc_mmio_read(pc, BAR + offset, &value, 4) || !pc_mmio_page(pc, BAR), "no register");
	return value;
}

static void write(u32 offset, u32 value)
{
	pc_mmio_write(pc, BAR + offset, &value, 4);
}

static void set_pci_command(u8 value)
{
	pc_out(pc, 0xCF8, 4, 0x80001004, &now);
	pc_out(pc, 0xCFC, 1, value, &now);
}

/* A guest-physical address: mostly memory, and its ends. */
static u32 some_address(void)
{
	static const u32 edges[] = {FAKE_HOLE, FAKE_MEMORY, 0xFFFFF000u, 0};
	u8 how = next();

	if (how < 200)
		return next_word() * 2 % FAKE_MEMORY;
	return edges[how % 4] + (how % 8 < 4 ? next() : 0u - next());
}

static u32 some_value(void)
{
	u8 how = next();

	switch (how % 4) {
	case 0:
		return 1u << next() % 32;
	case 1:
		return next();
	case 2:
		return some_address();
	default:
		return next_word() | next_word() << 16;
	}
}

static void put_table(u32 table, u8 command)
{
	u8 *fis = fake.memory + table;

	memset(fis, 0, 0x80);
	fis[0] = 0x27;
	fis[1] = next() % 16 ? 0x80 : 0;
	fis[2] = command;
	fis[3] = next() % 12;
	fis[4] = next() % 80;
	fis[7] = 0x40;
	fis[12] = next();
	fis[15] = next() & 4;
	for (u32 i = 0; i < 12; i++)
		fis[0x40 + i] = command == 0xA0 ? next() : 0;
	for (u32 i = 0; i < 8; i++) {
		fake_put32(table + 0x80 + i * 16, some_address());
		fake_put32(table + 0x8C + i * 16, next_word() | (next() % 16 ? 1 : 0x300000));
	}
}

/* A command as a driver would give it, or nearly. */
static void give_command(void)
{
	static const u8 commands[] = {0x25, 0x35, 0x60, 0x61, 0x60, 0x61, 0xEC, 0xA0, 0xA1,
				      0xEA, 0x20, 0x30, 0x2F, 0xC8, 0xEF, 0xE0, 0x08, 0x90};
	u32 port = next() % AHCI_PORTS, slot = next() % AHCI_SLOTS, n = next();
	u32 list = LISTS + port * 0x1000 + slot * 32, table = TABLES + (slot & 15) * 0x100;
	u8 command = n < 200 ? commands[n % ARRAY_SIZE(commands)] : next();
	u32 regs = 0x100 + port * 0x80;

	put_table(table, command);
	if ((command & 0xFE) == 0x60 && next() % 16)
		fake.memory[table + 12] = (u8)(slot << 3);
	fake_put32(list, 5 | (u32)(next() % 16 ? next() % 9 : next_word()) << 16);
	fake_put32(list + 8, next() % 16 ? table : some_address());
	if (next() % 32)
		write(regs, LISTS + port * 0x1000);
	write(regs + 0x08, next() % 32 ? 0x800 : some_address());
	write(regs + 0x18, 0x11);
	if ((command & 0xFE) == 0x60)
		write(regs + 0x34, 1u << slot);
	write(regs + 0x38, 1u << slot);
}

/* The guest may write to all of its memory; the hole is not its own. */
static void poke(void)
{
	u32 at = next_word() * 4 % (FAKE_MEMORY - 4);

	if (at / PAGE_SIZE != FAKE_HOLE / PAGE_SIZE &&
	    (at + 4) / PAGE_SIZE != FAKE_HOLE / PAGE_SIZE)
		fake_put32(at, some_value());
}

static void change_disk(void)
{
	static const u32 vdevs[] = {2048, 2064, 51712, 51728, 1u << 28 | 20 << 8, 2080, 51760, 99};
	u32 unit = next() % DISKS, how = next();
	struct fake_unit *u = &fake.unit[unit];

	u->absent = how & 1;
	u->bad = how & 2 ? next() : FAKE_NONE;
	u->info.flush = how & 4;
	if (how & 8) {
		u->info.read_only = how & 16;
		u->info.cdrom = how & 32;
		u->info.sectors = how & 64 ? next() : 0;
		u->info.vdev = vdevs[next() % ARRAY_SIZE(vdevs)];
		if (!u->info.sectors)
			u->absent = true;
	}
	/* What it was told before counts until then. */
	for (u32 i = 0; i < fake.count; i++)
		if (fake.waiting[i].unit == unit)
			u->absent = true;
	pc_disk_changed(pc, unit);
}

static void serve(void)
{
	if (fake.count)
		fake_serve_one(next() % fake.count);
}

static u32 requests_of(const struct ahci_port *p)
{
	u32 n = 0;

	for (u32 i = 0; i < fake.count; i++) {
		const u8 *r = (const u8 *)fake.waiting[i].r;

		n += r >= (const u8 *)p->command && r < (const u8 *)(p->command + ATA_QUEUE);
	}
	return n;
}

static void check(void)
{
	const struct ahci *a = &pc->disks.ahci;
	u32 all = 0;

	for (u32 i = 0; i < AHCI_PORTS; i++) {
		const struct ahci_port *p = &a->port[i];
		u32 n = requests_of(p);

		all += n;
		demand((u32)__builtin_popcount(p->busy) == n, "a request is lost");
		demand(!p->finished && !(p->dead & ~p->busy), "something was not looked at");
		if (i >= a->ports)
			continue;
		demand(!n || a->page->port[i].cmd & 0x8000, "the list has stopped too early");
		demand(!p->dead || a->page->port[i].tfd & 0x80, "the drive is ready too early");
	}
	demand(all == fake.count, "a request is nobody's");
	demand(pic_line(&pc->pic, PCI_AHCI_IRQ) ==
		       (a->ports && a->page->ghc & 2 && a->page->is != 0),
	       "the interrupt is wrong");
}

static void step(void)
{
	bool master = pci_masters(&pc->pci, PCI_AHCI), served = false;
	u32 n;

	fake.dma = 0;
	switch (next() % 12) {
	case 0 ... 1:
		write(next_word() % 0x600 & ~3u, some_value());
		break;
	case 2 ... 5:
		give_command();
		break;
	case 6 ... 7:
		serve();
		served = true; /* the front end reaches it, too */
		break;
	case 8:
		n = fake.dma;
		read(next_word() % PAGE_SIZE & ~3u);
		demand(n == fake.dma, "a read reaches memory");
		break;
	case 9:
		poke();
		break;
	case 10:
		change_disk();
		break;
	default:
		set_pci_command(next() % 4 ? 6 : next() & 7);
	}
	pc_update_disks(pc);
	demand(fake.dma < MOST_DMA * (fake.count + 2), "a step takes too long");
	demand(master || served || !fake.dma || pci_masters(&pc->pci, PCI_AHCI),
	       "memory is reached without leave");
	check();
}

/* All that is under way comes to its end, and a driver may begin. */
static void end(void)
{
	const struct ahci *a = &pc->disks.ahci;

	set_pci_command(6);
	for (u32 i = 0; fake.count; i++) {
		demand(i < 2000, "requests without an end");
		fake_serve_one(0);
		write(4, 0x80000001);
		pc_update_disks(pc);
	}
	write(4, 0x80000001);
	if (!a->ports)
		return;
	demand(read(4) == 0x80000000, "a reset without an end");
	for (u32 i = 0; i < a->ports; i++) {
		u32 regs = 0x100 + i * 0x80;
		bool there = a->port[i].drive.there;

		demand((read(regs + 0x28) & 0xF) == (there ? 3 : 0), "the link is wrong");
		demand(!there || !(read(regs + 0x20) & 0x80), "a drive that is busy for ever");
		demand(!there || read(regs + 0x24) == 0x101 || read(regs + 0x24) == 0xEB140101,
		       "no signature");
	}
	check();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static u8 hole[PAGE_SIZE];

	pc = malloc(sizeof(*pc)); /* on the heap: its ends are guarded */
	if (!pc)
		abort();
	fake_reset();
	memset(pc, 0xA5, sizeof(*pc));
	pc_reset(pc);
	in = (struct input){data, bytes};
	for (u32 i = 0; i < 2; i++) {
		fake_disk(i, 2048 + i * 16, 60);
		fake.unit[i].info.cdrom = fake.unit[i].info.read_only = i;
		pc_disk_changed(pc, i);
	}
	write(4, 0x80000002);
	while (in.left)
		step();
	end();
	demand(!memcmp(hole, fake.memory + FAKE_HOLE, PAGE_SIZE), "the hole was written to");
	free(pc);
	return 0;
}
