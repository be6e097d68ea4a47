/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IDE channels: the accesses that Linux's libata (ata_piix.c, libata-sff.c) and its
 * older IDE driver (ide-probe.c, ide-dma.c, ide-taskfile.c, ide-cd.c) make, in their order,
 * and what must not happen whatever the guest does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_disk.h"
#include "pc/pc.h"

#define HDA 768u
#define HDB 832u
#define HDC 5632u
#define SECTORS 4096u
#define BM 0xC000
#define DATA_PORT 0x1F0
#define CONTROL 0x3F6
#define PRDS 0x10000u
#define AT 0x80000u

static struct pc pc;
static struct pc_time now;

static u32 in(u16 port, unsigned size)
{
	return pc_in(&pc, port, size, &now);
}

static void out(u16 port, unsigned size, u32 value)
{
	pc_out(&pc, port, size, value, &now);
}

static u8 inb(u16 port)
{
	return (u8)in(port, 1);
}

static void outb(u16 port, u8 value)
{
	out(port, 1, value);
}

static u32 pci_config(u8 device, u8 function, u8 reg)
{
	out(0xCF8, 4, 0x80000000u | device << 11 | function << 8 | (reg & 0xFC));
	return in(0xCFC, 4);
}

static bool irq(unsigned channel)
{
	return pic_line(&pc.pic, 14 + channel);
}

static void serve(void)
{
	while (fake.count) {
		fake_serve_one(0);
		pc_update_disks(&pc);
	}
}

static int power_on(void **state)
{
	(void)state;
	fake_reset();
	memset(&pc, 0xA5, sizeof(pc));
	pc_reset(&pc);
	return 0;
}

static int ready(void **state)
{
	power_on(state);
	fake_disk(0, HDA, SECTORS);
	pc_disk_changed(&pc, 0);
	outb(CONTROL, 8);
	return 0;
}

static void same_data(u32 gpa, u64 sector, u32 bytes)
{
	assert_memory_equal(fake.memory + gpa, fake_sector(0, sector), bytes);
}

/* --- what the drivers do ------------------------------------------------------------------ */

/* ata_sff_tf_load() with 48 bits, or without, and ata_sff_exec_command(). */
static void command(u8 code, u64 lba, u32 count, bool wide)
{
	if (wide) {
		outb(0x1F1, 0);
		outb(0x1F2, (u8)(count >> 8));
		outb(0x1F3, (u8)(lba >> 24));
		outb(0x1F4, (u8)(lba >> 32));
		outb(0x1F5, (u8)(lba >> 40));
	}
	outb(0x1F1, 0);
	outb(0x1F2, (u8)count);
	outb(0x1F3, (u8)lba);
	outb(0x1F4, (u8)(lba >> 8));
	outb(0x1F5, (u8)(lba >> 16));
	outb(0x1F6, (u8)(0xE0 | (wide ? 0 : lba >> 24)));
	outb(0x1F7, code);
}

static void prd(u32 i, u32 gpa, u32 bytes, bool last)
{
	fake_put32(PRDS + i * 8, gpa);
	fake_put32(PRDS + i * 8 + 4, (bytes & 0xFFFF) | (last ? 0x80000000u : 0));
}

/* ata_bmdma_setup(), and then ata_bmdma_start() behind the command. */
static void dma(u8 code, u64 lba, u32 count, bool write)
{
	out(BM + 4, 4, PRDS);
	outb(BM, write ? 0 : 8);
	command(code, lba, count, true);
	outb(BM, (u8)(inb(BM) | 1));
}

/* ata_sff_host_intr() with DMA: the status, after the bus master has stopped. */
static u8 dma_end(u8 *bm)
{
	assert_true(irq(0));
	*bm = inb(BM + 2);
	assert_true(*bm & 4);
	outb(BM, (u8)(inb(BM) & ~1)); /* ata_bmdma_stop() */
	inb(CONTROL);
	assert_false(inb(CONTROL) & 0x80);
	u8 status = inb(0x1F7);
	outb(BM + 2, (u8)(inb(BM + 2) | 6)); /* ata_sff_irq_clear() */
	assert_false(inb(BM + 2) & 7);
	assert_false(irq(0));
	return status;
}

/* ata_devchk() */
static bool devchk(u16 base, u8 device)
{
	outb(base + 6, device ? 0xB0 : 0xA0);
	inb(base + 0x206); /* ata_sff_pause() */
	outb(base + 2, 0x55);
	outb(base + 3, 0xAA);
	outb(base + 2, 0xAA);
	outb(base + 3, 0x55);
	outb(base + 2, 0x55);
	outb(base + 3, 0xAA);
	return inb(base + 2) == 0x55 && inb(base + 3) == 0xAA;
}

/* ata_bus_softreset() */
static void softreset(u16 base)
{
	outb(base + 0x206, 0x08);
	outb(base + 0x206, 0x0C);
	assert_true(inb(base + 7) & 0x80);
	outb(base + 0x206, 0x08);
}

/* ata_sff_dev_classify(): the signature. */
static u32 classify(u16 base, u8 device)
{
	outb(base + 6, device ? 0xB0 : 0xA0);
	assert_int_equal(inb(base + 1), 1); /* the diagnostic code */
	return inb(base + 2) | inb(base + 3) << 8 | inb(base + 4) << 16 | (u32)inb(base + 5) << 24;
}

static void read_block(u16 base, u16 *to, u32 bytes)
{
	for (u32 i = 0; i < bytes / 2; i++)
		to[i] = (u16)in(base, 2);
}

/* --- probing ------------------------------------------------------------------------------- */

static void without_a_disk_there_are_no_ports(void **state)
{
	(void)state;
	fake_disk(0, 2048, SECTORS); /* AHCI is not IDE */
	pc_disk_changed(&pc, 0);
	for (u32 i = 0; i < 8; i++) {
		assert_int_equal(in((u16)(0x1F0 + i), 1), 0xFF);
		assert_int_equal(in((u16)(0x170 + i), 1), 0xFF);
		assert_int_equal(in((u16)(BM + i), 1), 0xFF);
	}
	assert_int_equal(in(0x1F0, 4), 0xFFFFFFFF);
	assert_int_equal(in(0x3F6, 1), 0xFF);
	assert_int_equal(pci_config(1, 1, 0), 0xFFFFFFFF);
	assert_int_equal(pci_config(1, 0, 0x0C), 0);
}

/* piix_init_one(), piix_pata_prereset(), ata_sff_softreset() */
static void ata_piix_finds_its_drives(void **state)
{
	(void)state;
	fake_disk(0, HDA, SECTORS);
	fake_disk(1, HDB, SECTORS);
	pc_disk_changed(&pc, 0);
	pc_disk_changed(&pc, 1);
	assert_int_equal(pci_config(1, 1, 0), 0x71118086);
	assert_int_equal(pci_config(1, 1, 0x40), 0x00008000); /* the second channel is off */
	assert_int_equal(in(0x177, 1), 0xFF);
	assert_int_equal(inb(BM + 2), 0x60); /* not simplex */
	for (u8 i = 0; i < 2; i++)
		assert_true(devchk(0x1F0, i));
	softreset(0x1F0);
	for (u8 i = 0; i < 2; i++) {
		assert_int_equal(classify(0x1F0, i), 0x101);
		assert_int_equal(inb(0x1F7), 0x50);
	}
	assert_false(irq(0));
}

static void a_lone_drive_answers_for_none_but_itself(void **state)
{
	(void)state;
	assert_true(devchk(0x1F0, 0));
	assert_false(devchk(0x1F0, 1));
	assert_int_equal(inb(0x1F7), 0); /* of the drive that is not there */
	assert_int_equal(inb(0x1F6), 0xB0);
	outb(0x1F7, 0xEC);
	assert_int_equal(inb(0x1F7), 0);
	outb(0x1F6, 0xA0);
	assert_int_equal(inb(0x1F7), 0x50);
	/* A slave without a master. */
	power_on(state);
	fake_disk(0, HDB, SECTORS);
	pc_disk_changed(&pc, 0);
	assert_false(devchk(0x1F0, 0));
	assert_true(devchk(0x1F0, 1));
}

/* ata_dev_read_id(), polling: with nIEN */
static void libata_identifies_by_polling(void **state)
{
	u16 id[256];

	(void)state;
	outb(CONTROL, 0x0A);
	outb(0x1F6, 0xA0);
	outb(0x1F7, 0xEC);
	assert_int_equal(inb(CONTROL), 0x58);
	read_block(0x1F0, id, 512);
	assert_int_equal(inb(CONTROL), 0x50);
	assert_int_equal(inb(0x1F7), 0x50);
	assert_int_equal(id[60] | id[61] << 16, SECTORS);
	assert_int_equal(id[93] & 0xE000, 0x6000);
	assert_false(irq(0));
	assert_int_equal(inb(BM + 2) & 7, 0);
	assert_int_equal(in(0x1F0, 2), 0xFFFF); /* there are no more */
}

/* do_probe() and actual_try_to_identify() of ide-probe.c; data by insl */
static void the_old_driver_identifies_by_interrupt(void **state)
{
	u32 id[128];

	(void)state;
	outb(0x1F6, 0xA0);
	assert_int_equal(inb(0x1F6), 0xA0);
	outb(CONTROL, 0x08);
	assert_int_equal(inb(CONTROL) ^ inb(0x1F7), 0);
	outb(0x1F7, 0xEC);
	assert_true(irq(0));
	assert_int_equal(inb(0x1F7), 0x58);
	assert_false(irq(0));
	for (u32 i = 0; i < 128; i++)
		id[i] = in(0x1F0, 4);
	assert_int_equal(id[30], SECTORS);
	assert_int_equal(inb(0x1F7), 0x50);
	assert_false(irq(0));
	/* set_geometry and set_multmode of ide-disk.c */
	command(0x91, 0, 63, false);
	assert_true(irq(0));
	assert_int_equal(inb(0x1F7), 0x50);
	command(0xC6, 0, 8, false);
	assert_int_equal(inb(0x1F7), 0x50);
}

/* --- DMA ------------------------------------------------------------------------------------ */

static void dma_reads_and_writes(void **state)
{
	u8 bm;

	(void)state;
	prd(0, AT + 0x200, 0x1000, false);
	prd(1, AT + 0x4000, 0, true); /* 64 KB */
	dma(0x25, 100, 136, false);
	assert_int_equal(inb(CONTROL) & 0x80, 0x80);
	assert_int_equal(inb(BM + 2) & 7, 1);
	assert_false(irq(0));
	serve();
	assert_int_equal(dma_end(&bm), 0x50);
	assert_int_equal(bm & 7, 4);
	same_data(AT + 0x200, 100, 0x1000);
	same_data(AT + 0x4000, 108, 0x10000);
	dma(0x35, 300, 136, true);
	serve();
	assert_int_equal(dma_end(&bm), 0x50);
	assert_memory_equal(fake_sector(0, 300), fake_sector(0, 100), 136 * 512);
	assert_int_equal(fake.wrong, 0);
}

/* ide_dma_setup(), the command, ide_dma_start(); ide_dma_intr() and __ide_dma_end() */
static void the_old_driver_reads_by_dma(void **state)
{
	(void)state;
	prd(0, AT, 8 * 512, true);
	out(BM + 4, 4, PRDS);
	outb(BM, 8);
	outb(BM + 2, (u8)(inb(BM + 2) | 6));
	command(0xC8, 50, 8, false);
	outb(BM, (u8)(inb(BM) | 1));
	assert_false(inb(BM + 2) & 4); /* ide_dma_test_irq() */
	serve();
	assert_true(irq(0));
	assert_true(inb(BM + 2) & 4);
	assert_int_equal(inb(BM + 2) & 7, 4); /* __ide_dma_end(): it is exactly this */
	outb(BM, (u8)(inb(BM) & ~1));
	outb(BM + 2, (u8)(inb(BM + 2) | 6));
	assert_int_equal(inb(0x1F7), 0x50);
	same_data(AT, 50, 8 * 512);
}

static void the_bus_master_may_be_started_first(void **state)
{
	u8 bm;

	(void)state;
	prd(0, AT, 512, true);
	out(BM + 4, 4, PRDS);
	outb(BM, 9);
	assert_int_equal(inb(BM + 2) & 1, 1);
	command(0xC8, 50, 1, false);
	assert_int_equal(fake.count, 1);
	serve();
	dma_end(&bm);
	same_data(AT, 50, 512);
}

static void a_command_waits_for_the_bus_master(void **state)
{
	(void)state;
	command(0xC8, 50, 1, false);
	assert_int_equal(fake.count, 0);
	assert_true(inb(CONTROL) & 0x80);
	outb(CONTROL, 0x0C);
	outb(CONTROL, 0x08);
	assert_int_equal(inb(CONTROL), 0x50);
	outb(BM, 9);
	assert_int_equal(fake.count, 0);
}

static void a_flush_returns_when_the_host_has_flushed(void **state)
{
	(void)state;
	command(0xEA, 0, 0, true);
	assert_true(inb(CONTROL) & 0x80);
	assert_false(irq(0));
	serve();
	assert_int_equal(fake.unit[0].flushes, 1);
	assert_true(irq(0));
	assert_int_equal(inb(0x1F7), 0x50);
}

/* --- PIO ------------------------------------------------------------------------------------ */

/* task_in_intr() of ide-taskfile.c, ata_pio_sector() of libata */
static void pio_reads_sector_by_sector(void **state)
{
	u16 data[256];

	(void)state;
	command(0x20, 70, 19, false);
	for (u32 i = 0; i < 19; i++) {
		serve();
		assert_true(irq(0));
		assert_int_equal(inb(0x1F7), 0x58);
		assert_false(irq(0));
		read_block(0x1F0, data, 512);
		assert_memory_equal(data, fake_sector(0, 70 + i), 512);
	}
	assert_int_equal(inb(CONTROL), 0x50);
	assert_false(irq(0)); /* none behind the last */
	assert_int_equal(fake.unit[0].reads, 3);
}

static void multiple_reads_block_by_block(void **state)
{
	static u16 data[4 * 256];

	(void)state;
	command(0xC6, 0, 4, false);
	inb(0x1F7);
	command(0x29, 70, 18, true);
	for (u32 i = 0; i < 18; i += 4) {
		u32 n = 18 - i < 4 ? 18 - i : 4;

		serve();
		assert_true(irq(0));
		assert_int_equal(inb(0x1F7), 0x58);
		read_block(0x1F0, data, n * 512);
		assert_memory_equal(data, fake_sector(0, 70 + i), n * 512);
	}
	assert_int_equal(inb(CONTROL), 0x50);
	assert_false(irq(0));
}

/* task_out_intr(): the first block without an interrupt */
static void pio_writes_sector_by_sector(void **state)
{
	(void)state;
	command(0x30, 200, 3, false);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(irq(0), i > 0);
		assert_int_equal(inb(0x1F7), 0x58);
		for (u32 w = 0; w < 128; w++)
			out(0x1F0, 4, i << 16 | w);
		assert_true(inb(CONTROL) & 0x80);
		serve();
	}
	assert_true(irq(0));
	assert_int_equal(inb(0x1F7), 0x50);
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(*(u32 *)(fake_sector(0, 200 + i) + 12), i << 16 | 3);
	assert_int_equal(fake.unit[0].writes, 3);
}

/* --- errors --------------------------------------------------------------------------------- */

static void errors_are_in_the_registers(void **state)
{
	u8 bm;

	(void)state;
	fake.unit[0].bad = 0x105;
	prd(0, AT, 16 * 512, true);
	dma(0x25, 0x100, 16, false);
	serve();
	assert_int_equal(dma_end(&bm), 0x51);
	assert_int_equal(inb(0x1F1), 0x40);
	assert_int_equal(inb(0x1F3), 5);
	assert_int_equal(inb(0x1F4), 1);
	outb(CONTROL, 0x88); /* HOB, ata_sff_tf_read() */
	assert_int_equal(inb(0x1F3), 0);
	assert_int_equal(inb(0x1F2), 0);
	outb(CONTROL, 8);
	command(0x20, 0x102, 8, false);
	serve();
	assert_int_equal(inb(0x1F7), 0x51);
	assert_int_equal(inb(0x1F3), 5);
	command(0x20, SECTORS, 1, false);
	assert_true(irq(0));
	assert_int_equal(inb(0x1F7), 0x51);
	assert_int_equal(inb(0x1F1), 0x10);
	command(0xF8, 0, 0, false);
	assert_int_equal(inb(0x1F7), 0x51);
	assert_int_equal(inb(0x1F1), 4);
	assert_int_equal(fake.count, 0);
}

static void high_bytes_are_those_written_before(void **state)
{
	(void)state;
	outb(0x1F3, 0x12);
	outb(0x1F3, 0x34);
	outb(0x1F2, 0x56);
	outb(0x1F2, 0x78);
	assert_int_equal(inb(0x1F3), 0x34);
	outb(CONTROL, 0x88);
	assert_int_equal(inb(0x1F3), 0x12);
	assert_int_equal(inb(0x1F2), 0x56);
	outb(0x1F4, 0); /* any of them ends it */
	assert_int_equal(inb(0x1F3), 0x34);
	assert_int_equal(in(0x1F2, 2), 0x3478); /* two registers */
}

static void memory_that_is_none_is_an_error(void **state)
{
	static const u32 holes[] = {FAKE_HOLE, FAKE_MEMORY, 0xFFFFFE00u, FAKE_HOLE - 256};
	u8 before[PAGE_SIZE], bm;

	(void)state;
	memcpy(before, fake.memory + FAKE_HOLE, PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(holes); i++) {
		prd(0, holes[i], 512, true);
		dma(0x25, 1, 1, false);
		serve();
		assert_int_equal(dma_end(&bm), 0x51);
		assert_int_equal(bm & 7, 6);
		assert_int_equal(inb(0x1F1), 4);
	}
	assert_memory_equal(before, fake.memory + FAKE_HOLE, PAGE_SIZE);
	out(BM + 4, 4, FAKE_HOLE);
	command(0xC8, 1, 1, false);
	outb(BM, 9);
	serve();
	assert_int_equal(dma_end(&bm), 0x51);
}

static void tables_without_an_end(void **state)
{
	u8 bm;

	(void)state;
	prd(0, AT, 512, true);
	dma(0x25, 1, 2, false); /* too short */
	serve();
	assert_int_equal(dma_end(&bm), 0x51);
	assert_int_equal(bm & 7, 6);
	/* No last entry in all of the 64 KB: of two bytes each */
	for (u32 i = 0; i < 8192; i++)
		prd(i, AT, 2, false);
	fake.pieces = 0;
	dma(0x25, 1, 64, false);
	serve();
	assert_int_equal(dma_end(&bm), 0x51);
	assert_int_equal(fake.pieces, 8193);
	/* The table does not go on in the next 64 KB. */
	out(BM + 4, 4, PRDS + 0xFFF8);
	command(0xC8, 1, 1, false);
	outb(BM, 9);
	serve();
	assert_int_equal(dma_end(&bm), 0x51);
}

static void without_the_master_bit_memory_is_not_reached(void **state)
{
	u8 bm;

	(void)state;
	pci_config(1, 1, 4);
	out(0xCFC, 2, 1);
	fake.dma = 0;
	prd(0, AT, 512, true);
	dma(0x25, 1, 1, false);
	serve();
	assert_int_equal(dma_end(&bm), 0x51);
	assert_int_equal(fake.dma, 0);
	pci_config(1, 1, 4);
	out(0xCFC, 2, 0);
	assert_int_equal(inb(0x1F7), 0xFF);
	assert_int_equal(inb(BM + 2), 0xFF);
}

static void a_channel_can_be_disabled(void **state)
{
	(void)state;
	pci_config(1, 1, 0x40);
	out(0xCFD, 1, 0);
	assert_int_equal(inb(0x1F7), 0xFF);
	outb(0x1F6, 0xB0);
	pci_config(1, 1, 0x40);
	out(0xCFD, 1, 0x80);
	assert_int_equal(inb(0x1F7), 0x50);
	assert_int_equal(inb(0x1F6), 0xA0);
}

/* --- giving up ------------------------------------------------------------------------------ */

static void serve_when_polled(unsigned unit)
{
	assert_int_equal(unit, 0);
	serve();
}

/* nIEN is set, and nobody looks at the interrupt's line. */
static void a_driver_that_polls_the_status_hears_of_the_end(void **state)
{
	static const u16 status[] = {0x1F7, CONTROL};

	(void)state;
	prd(0, AT, 512, true);
	for (u32 i = 0; i < ARRAY_SIZE(status); i++) {
		fake.on_poll = NULL;
		outb(CONTROL, 0x0A);
		dma(0x25, 7 + i, 1, false);
		assert_int_equal(inb(status[i]) & 0x80, 0x80);
		fake.on_poll = serve_when_polled;
		assert_int_equal(inb(status[i]), 0x50);
		same_data(AT, 7 + i, 512);
		outb(BM, 0);
	}
}

static void a_reset_waits_for_what_is_at_the_backend(void **state)
{
	(void)state;
	prd(0, AT, 512, true);
	dma(0x25, 100, 1, false);
	outb(BM, 0);
	softreset(0x1F0);
	assert_int_equal(inb(CONTROL), 0x80);
	outb(0x1F7, 0xEC); /* nobody hears */
	assert_int_equal(fake.count, 1);
	assert_int_equal(inb(CONTROL), 0x80);
	serve();
	assert_int_equal(inb(CONTROL), 0x50);
	assert_memory_equal(fake.memory + AT, "\0\0\0\0", 4);
	assert_int_equal(classify(0x1F0, 0), 0x101);
	assert_false(irq(0));
	assert_int_equal(inb(BM + 2) & 7, 0);
	/* While the reset bit is set the drive stays busy. */
	dma(0x25, 100, 1, false);
	outb(CONTROL, 0x0C);
	serve();
	assert_int_equal(inb(CONTROL), 0x80);
	outb(CONTROL, 0x08);
	assert_int_equal(inb(CONTROL), 0x50);
}

static void the_interrupt_follows_its_mask(void **state)
{
	(void)state;
	outb(CONTROL, 0x0A);
	command(0xE3, 0, 0, false);
	assert_false(irq(0));
	assert_int_equal(inb(BM + 2) & 4, 0);
	outb(CONTROL, 8);
	assert_true(irq(0));
	assert_int_equal(inb(BM + 2) & 4, 4);
	outb(CONTROL, 0x0A);
	assert_false(irq(0));
	outb(CONTROL, 8);
	inb(CONTROL); /* not by this one */
	assert_true(irq(0));
	inb(0x1F7);
	assert_false(irq(0));
}

static void a_diagnosis_is_of_both(void **state)
{
	(void)state;
	fake_disk(1, HDB, SECTORS);
	pc_disk_changed(&pc, 1);
	outb(0x1F6, 0xB0);
	outb(0x1F7, 0x90);
	assert_true(irq(0));
	assert_int_equal(inb(0x1F6), 0xA0);
	assert_int_equal(inb(0x1F7), 0x50);
	assert_int_equal(classify(0x1F0, 0), 0x101);
	assert_int_equal(classify(0x1F0, 1), 0x101);
}

/* --- CD-ROM ---------------------------------------------------------------------------------- */

static int with_cdrom(void **state)
{
	power_on(state);
	fake_disk(2, HDC, 4000);
	fake.unit[2].info.cdrom = fake.unit[2].info.read_only = true;
	pc_disk_changed(&pc, 2);
	outb(0x376, 8);
	return 0;
}

/* atapi_send_cdb() of libata, cdrom_start_packet_command() of ide-cd.c */
static void packet(u8 feature, u32 limit, const char bytes[12])
{
	u16 words[6];

	outb(0x176, 0xA0);
	outb(0x171, feature);
	outb(0x174, (u8)limit);
	outb(0x175, (u8)(limit >> 8));
	outb(0x177, 0xA0);
	assert_int_equal(inb(0x376), 0x58);
	assert_int_equal(inb(0x172) & 3, 1);
	assert_false(irq(1)); /* its identification says so */
	memcpy(words, bytes, 12);
	for (u32 i = 0; i < 6; i++)
		out(0x170, 2, words[i]);
}

static void is_over(u8 status)
{
	assert_true(irq(1));
	assert_int_equal(inb(0x177), status);
	assert_int_equal(inb(0x172) & 3, 3);
	assert_false(irq(1));
}

static void the_second_channel_has_a_cdrom(void **state)
{
	u16 id[256];

	(void)state;
	assert_int_equal(pci_config(1, 1, 0x40), 0x80000000);
	assert_int_equal(inb(0x1F7), 0xFF);
	softreset(0x170);
	assert_int_equal(classify(0x170, 0), 0xEB140101);
	assert_int_equal(inb(0x177), 0);
	outb(0x177, 0xA1);
	assert_true(irq(1));
	assert_int_equal(inb(0x177), 0x58);
	read_block(0x170, id, 512);
	assert_int_equal(id[0], 0x85C0);
	assert_int_equal(inb(0x177), 0x50);
}

/* cdrom_read_intr(), atapi_pio_bytes() */
static void packets_by_pio_come_in_pieces(void **state)
{
	u16 data[1024];

	(void)state;
	packet(0, 0x1000, "\x12\0\0\0\x24\0\0\0\0\0\0");
	assert_true(irq(1));
	assert_int_equal(inb(0x177), 0x58);
	assert_int_equal(inb(0x172) & 3, 2);
	assert_int_equal(inb(0x174) | inb(0x175) << 8, 36);
	read_block(0x170, data, 36);
	assert_memory_equal((u8 *)data + 8, "vmixen", 6);
	is_over(0x50);
	packet(0, 2048, "\x28\0\0\0\0\x10\0\0\x05\0\0");
	for (u32 i = 0; i < 5; i++) {
		serve();
		assert_true(irq(1));
		assert_int_equal(inb(0x177), 0x58);
		assert_int_equal(inb(0x174) | inb(0x175) << 8, 2048);
		read_block(0x170, data, 2048);
		assert_memory_equal(data, fake_sector(2, 0x40 + i * 4), 2048);
	}
	is_over(0x50);
	packet(0, 1000, "\x28\0\0\0\0\x11\0\0\x01\0\0");
	for (u32 done = 0; done < 2048;) {
		u32 n;

		serve();
		n = inb(0x174) | inb(0x175) << 8;
		assert_int_equal(inb(0x177), 0x58);
		assert_int_equal(n, done < 2000 ? 1000 : 48);
		read_block(0x170, data, n);
		assert_memory_equal(data, fake_sector(2, 0x44) + done, n);
		done += n;
	}
	is_over(0x50);
}

static void packets_by_dma(void **state)
{
	(void)state;
	prd(0, AT, 4096, true);
	out(BM + 12, 4, PRDS);
	packet(1, 0, "\x28\0\0\0\0\x10\0\0\x02\0\0");
	outb(BM + 8, 9);
	serve();
	assert_int_equal(inb(BM + 10) & 7, 4);
	assert_int_equal(inb(BM + 2) & 7, 0);
	is_over(0x50);
	assert_memory_equal(fake.memory + AT, fake_sector(2, 0x40), 4096);
	outb(BM + 8, 8);
	packet(1, 0, "\x25\0\0\0\0\0\0\0\0\0\0"); /* a reply */
	outb(BM + 8, 9);
	is_over(0x50);
	assert_memory_equal(fake.memory + AT, "\0\0\x03\xE7\0\0\x08\0", 8);
	outb(BM + 8, 8);
	prd(0, FAKE_HOLE, 4096, true);
	packet(1, 0, "\x25\0\0\0\0\0\0\0\0\0\0");
	outb(BM + 8, 9);
	is_over(0x51);
	assert_int_equal(inb(0x171), 0xB4);
}

/* cdrom_decode_status() and ide_do_reset() */
static void a_packet_that_fails_and_device_reset(void **state)
{
	(void)state;
	packet(0, 8, "\xFF\0\0\0\0\0\0\0\0\0\0");
	is_over(0x51);
	assert_int_equal(inb(0x171), 0x54);
	packet(0, 2048, "\x28\0\0\0\0\x10\0\0\x01\0\0");
	assert_int_equal(fake.count, 1);
	outb(0x177, 0x08); /* DEVICE RESET is heard while the drive is busy */
	assert_int_equal(inb(0x376), 0x80);
	serve();
	assert_int_equal(inb(0x376), 0);
	assert_false(irq(1));
	assert_int_equal(classify(0x170, 0), 0xEB140101);
}

static void a_disk_that_goes_is_a_disk_without_sectors(void **state)
{
	(void)state;
	fake.unit[0].info = (struct disk_info){0};
	pc_disk_changed(&pc, 0);
	assert_int_equal(inb(0x1F7), 0x50);
	command(0xC8, 0, 1, false);
	assert_int_equal(inb(0x1F7), 0x51);
	assert_int_equal(fake.count, 0);
	/* The unit is a disk at AHCI now: it is no more here. */
	fake_disk(0, 2048, SECTORS);
	pc_disk_changed(&pc, 0);
	assert_int_equal(inb(0x1F7), 0xFF);
	assert_int_equal(pci_config(2, 0, 0), 0x29228086);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_a_disk_there_are_no_ports, power_on),
		cmocka_unit_test_setup(ata_piix_finds_its_drives, power_on),
		cmocka_unit_test_setup(a_lone_drive_answers_for_none_but_itself, ready),
		cmocka_unit_test_setup(libata_identifies_by_polling, ready),
		cmocka_unit_test_setup(the_old_driver_identifies_by_interrupt, ready),
		cmocka_unit_test_setup(dma_reads_and_writes, ready),
		cmocka_unit_test_setup(the_old_driver_reads_by_dma, ready),
		cmocka_unit_test_setup(the_bus_master_may_be_started_first, ready),
		cmocka_unit_test_setup(a_command_waits_for_the_bus_master, ready),
		cmocka_unit_test_setup(a_flush_returns_when_the_host_has_flushed, ready),
		cmocka_unit_test_setup(pio_reads_sector_by_sector, ready),
		cmocka_unit_test_setup(multiple_reads_block_by_block, ready),
		cmocka_unit_test_setup(pio_writes_sector_by_sector, ready),
		cmocka_unit_test_setup(errors_are_in_the_registers, ready),
		cmocka_unit_test_setup(high_bytes_are_those_written_before, ready),
		cmocka_unit_test_setup(memory_that_is_none_is_an_error, ready),
		cmocka_unit_test_setup(tables_without_an_end, ready),
		cmocka_unit_test_setup(without_the_master_bit_memory_is_not_reached, ready),
		cmocka_unit_test_setup(a_channel_can_be_disabled, ready),
		cmocka_unit_test_setup(a_driver_that_polls_the_status_hears_of_the_end, ready),
		cmocka_unit_test_setup(a_reset_waits_for_what_is_at_the_backend, ready),
		cmocka_unit_test_setup(the_interrupt_follows_its_mask, ready),
		cmocka_unit_test_setup(a_diagnosis_is_of_both, ready),
		cmocka_unit_test_setup(the_second_channel_has_a_cdrom, with_cdrom),
		cmocka_unit_test_setup(packets_by_pio_come_in_pieces, with_cdrom),
		cmocka_unit_test_setup(packets_by_dma, with_cdrom),
		cmocka_unit_test_setup(a_packet_that_fails_and_device_reset, with_cdrom),
		cmocka_unit_test_setup(a_disk_that_goes_is_a_disk_without_sectors, ready),
	};

	return cmocka_run_group_tests_name("IDE", tests, NULL, NULL);
}
