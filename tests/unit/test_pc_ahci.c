/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The AHCI controller: the accesses that Linux's ahci.c and libata make, in their order,
 * and what must not happen whatever the guest has in its memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_disk.h"
#include "pc/pc.h"

#define BAR 0xFEBF0000u
#define SDA 2048u
#define SECTORS 4096u

enum { CAP = 0, GHC = 4, IS = 8, PI = 0xC, VS = 0x10 };
enum {
	CLB = 0x00,
	FB = 0x08,
	PIS = 0x10,
	PIE = 0x14,
	CMD = 0x18,
	TFD = 0x20,
	SIG = 0x24,
	SSTS = 0x28,
	SCTL = 0x2C,
	SERR = 0x30,
	SACT = 0x34,
	CI = 0x38
};

/* Guest memory: a list, an area for FISes and tables for each port, and data. */
#define LIST(port) (0x10000u + (port)*0x10000u)
#define FISES(port) (LIST(port) + 0x400)
#define TABLE(port, slot) (LIST(port) + 0x800 + (slot)*0x100)
#define DATA 0x80000u
#define ALL_PORT_IRQS 0x7DC0007Fu

static struct pc pc;
static struct pc_time now;

static u32 in(u32 offset)
{
	u32 value = 0xA5A5A5A5;

	assert_true(pc_mmio_read(&pc, BAR + offset, &value, 4));
	return value;
}

static void out(u32 offset, u32 value)
{
	assert_true(pc_mmio_write(&pc, BAR + offset, &value, 4));
}

static u32 port_in(u32 port, u32 reg)
{
	return in(0x100 + port * 0x80 + reg);
}

static void port_out(u32 port, u32 reg, u32 value)
{
	out(0x100 + port * 0x80 + reg, value);
}

static bool line(void)
{
	return pic_line(&pc.pic, PCI_AHCI_IRQ);
}

/* The front end serves all that waits, in order. */
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

/* --- what the driver does --------------------------------------------------------------- */

/* ahci_stop_engine() */
static bool stop_engine(u32 port)
{
	port_out(port, CMD, port_in(port, CMD) & ~1u);
	return !(port_in(port, CMD) & 0x8000);
}

/* ahci_start_engine() */
static void start_engine(u32 port)
{
	port_out(port, CMD, port_in(port, CMD) | 1);
	assert_true(port_in(port, CMD) & 0x8000);
}

/* ahci_save_initial_config(), ahci_reset_controller(), ahci_init_controller() and, of each
 * port, ahci_port_start(). */
static u32 probe(void)
{
	u32 ports = in(PI), n = (in(CAP)&0x1F) + 1;

	assert_int_equal(ports, (1u << n) - 1); /* 2.6.24 wants both alike */
	out(GHC, in(GHC) | 0x80000000u);
	out(GHC, in(GHC) | 1);
	assert_int_equal(in(GHC), 0x80000000u); /* the reset is over */
	for (u32 i = 0; i < n; i++) {
		assert_true(stop_engine(i)); /* ahci_deinit_port() */
		port_out(i, CMD, port_in(i, CMD) & ~0x10u);
		assert_false(port_in(i, CMD) & 0x4000);
		port_out(i, SERR, port_in(i, SERR));
		port_out(i, PIS, port_in(i, PIS));
		out(IS, 1u << i);
	}
	out(GHC, in(GHC) | 2);
	for (u32 i = 0; i < n; i++) {
		port_out(i, CMD, port_in(i, CMD) | 0x10000000u | 2); /* ahci_power_up() */
		port_out(i, CLB, LIST(i));
		port_out(i, FB, FISES(i));
		port_out(i, CMD, port_in(i, CMD) | 0x10);
		start_engine(i);
	}
	return n;
}

/* ahci_hardreset() and sata_link_hardreset(): what the device is, 0 for none. */
static u32 hardreset(u32 port)
{
	u32 sig;

	port_out(port, PIE, 0); /* ahci_freeze() */
	stop_engine(port);
	memset(fake.memory + FISES(port) + 0x40, 0, 20);
	fake.memory[FISES(port) + 0x42] = 0x80;
	port_out(port, SCTL, 0x301);
	assert_int_equal(port_in(port, SSTS) & 0xF, 0);
	port_out(port, SCTL, 0x300);
	port_out(port, SERR, port_in(port, SERR)); /* sata_link_resume() */
	port_out(port, CMD, port_in(port, CMD) | 1);
	if ((port_in(port, SSTS) & 0xF) != 3)
		return 0;
	if (port_in(port, TFD) & 0x80) /* ahci_check_ready() */
		return 0;
	sig = port_in(port, SIG);
	port_out(port, PIS, port_in(port, PIS)); /* ahci_thaw() */
	out(IS, 1u << port);
	port_out(port, PIE, ALL_PORT_IRQS);
	return sig;
}

struct entry {
	u32 gpa, bytes;
};

/* ahci_qc_prep() and ahci_fill_sg() */
static void fill(u32 port, u32 slot, const u8 fis[20], bool write, const struct entry *sg, u32 n)
{
	u32 table = TABLE(port, slot), at = LIST(port) + slot * 32;

	memcpy(fake.memory + table, fis, 20);
	for (u32 i = 0; i < n; i++) {
		fake_put32(table + 0x80 + i * 16, sg[i].gpa);
		fake_put32(table + 0x84 + i * 16, 0);
		fake_put32(table + 0x8C + i * 16, sg[i].bytes - 1);
	}
	fake_put32(at, 5 | (write ? 1 << 6 : 0) | n << 16);
	fake_put32(at + 4, 0);
	fake_put32(at + 8, table);
	fake_put32(at + 12, 0);
}

static void make_fis(u8 fis[20], u8 command, u64 lba, u32 count)
{
	memset(fis, 0, 20);
	fis[0] = 0x27;
	fis[1] = 0x80;
	fis[2] = command;
	fis[7] = 0x40;
	for (u32 i = 0; i < 3; i++) {
		fis[4 + i] = (u8)(lba >> (8 * i));
		fis[8 + i] = (u8)(lba >> (24 + 8 * i));
	}
	fis[12] = (u8)count;
	fis[13] = (u8)(count >> 8);
}

static bool is_write(u8 command)
{
	return command == 0x35 || command == 0x61 || command == 0xCA || command == 0x30;
}

/* Puts a command into a slot, without issuing it. */
static void put(u32 port, u32 slot, u8 command, u64 lba, u32 count, const struct entry *sg, u32 n)
{
	u8 fis[20];

	make_fis(fis, command, lba, count);
	if (command == 0x60 || command == 0x61) { /* ata_build_rw_tf() */
		fis[3] = (u8)count;
		fis[11] = (u8)(count >> 8);
		fis[12] = (u8)(slot << 3);
		fis[13] = 0;
	}
	fill(port, slot, fis, is_write(command), sg, n);
}

/* ahci_qc_issue() */
static void issue(u32 port, u32 slot, bool queued)
{
	if (queued)
		port_out(port, SACT, 1u << slot);
	port_out(port, CI, 1u << slot);
}

/* ahci_interrupt() and ahci_port_intr(): the port's status; *active is what is still
 * under way. */
static u32 interrupt(u32 port, bool queued, u32 *active)
{
	u32 status;

	assert_true(line());
	assert_int_equal(in(IS), 1u << port);
	status = port_in(port, PIS);
	port_out(port, PIS, status);
	*active = port_in(port, queued ? SACT : CI);
	out(IS, 1u << port);
	return status;
}

/* A driver that has found its disk at port 0. */
static int ready(void **state)
{
	power_on(state);
	fake_disk(0, SDA, SECTORS);
	pc_disk_changed(&pc, 0);
	probe();
	assert_int_equal(hardreset(0), 0x101);
	assert_false(line());
	return 0;
}

static void same_data(u32 gpa, u64 sector, u32 bytes)
{
	assert_memory_equal(fake.memory + gpa, fake_sector(0, sector), bytes);
}

static u32 pci_config(u8 device, u8 function, u8 reg)
{
	pc_out(&pc, 0xCF8, 4, 0x80000000u | device << 11 | function << 8 | reg, &now);
	return pc_in(&pc, 0xCFC, 4, &now);
}

static void set_pci_command(u32 value)
{
	pci_config(2, 0, 4);
	pc_out(&pc, 0xCFC, 2, value, &now);
}

/* --- coming and going --------------------------------------------------------------------- */

static void without_a_disk_there_is_no_controller(void **state)
{
	u32 value;

	(void)state;
	for (u32 i = 0; i < DISKS; i++)
		pc_disk_changed(&pc, i);
	assert_int_equal(pci_config(2, 0, 0), 0xFFFFFFFF);
	assert_false(pc_mmio_read(&pc, BAR, &value, 4));
	assert_false(pc_mmio_write(&pc, BAR, &value, 4));
	assert_null(pc_mmio_page(&pc, BAR));
	assert_int_equal(pic_read(&pc.pic, 0x4D0), 0);
	/* Nor for a number that has no model. */
	fake_disk(1, 33 << 8, SECTORS);
	pc_disk_changed(&pc, 1);
	assert_int_equal(pci_config(2, 0, 0), 0xFFFFFFFF);
}

static void disks_are_at_the_ports_of_their_letters(void **state)
{
	(void)state;
	fake_disk(3, SDA + 16, SECTORS);
	pc_disk_changed(&pc, 3);
	assert_int_equal(in(PI), 0xF);
	assert_int_equal(port_in(1, SSTS), 0x123);
	assert_int_equal(port_in(0, SSTS), 0);
	fake_disk(0, 51712, SECTORS); /* xvda */
	pc_disk_changed(&pc, 0);
	assert_int_equal(port_in(0, SSTS), 0x123);
	fake_disk(1, SDA, SECTORS); /* its place is taken */
	pc_disk_changed(&pc, 1);
	assert_int_equal(in(PI), 0xFF);
	assert_int_equal(in(CAP)&0x1F, 7);
	assert_int_equal(port_in(7, SSTS), 0x123);
	fake_disk(2, 1u << 28 | 25 << 8, SECTORS); /* xvdz */
	pc_disk_changed(&pc, 2);
	assert_int_equal(port_in(6, SSTS), 0x123);
	assert_int_equal(pic_read(&pc.pic, 0x4D0), 1u << PCI_AHCI_IRQ);
	assert_int_equal(pci_config(2, 0, 0), 0x29228086);
}

static void every_unit_finds_a_port(void **state)
{
	(void)state;
	for (u32 i = 0; i < DISKS; i++) {
		fake_disk(i, SDA, SECTORS);
		pc_disk_changed(&pc, i);
	}
	for (u32 i = 0; i < DISKS; i++)
		assert_int_equal(port_in(i, SSTS), 0x123);
}

static void linux_finds_a_disk_and_empty_ports(void **state)
{
	(void)state;
	fake_disk(0, SDA + 32, SECTORS);
	pc_disk_changed(&pc, 0);
	assert_int_equal(probe(), 4);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(hardreset(i), i == 2 ? 0x101 : 0);
	/* The signature's FIS is in memory, too. */
	assert_int_equal(fake.memory[FISES(2) + 0x40], 0x34);
	assert_int_equal(fake.memory[FISES(2) + 0x42], 0x50);
	assert_int_equal(in(CAP) >> 8 & 0x1F, 31); /* slots */
	assert_int_equal(in(CAP) >> 30, 1);	   /* NCQ, no 64-bit addresses */
	assert_int_equal(in(CAP)&0x01020000, 0);   /* no CLO, no port multipliers */
}

/* ata_dev_read_id(): an internal command is in slot 31. */
static void it_is_identified(void **state)
{
	struct entry sg = {DATA, 512};
	u32 active;

	(void)state;
	put(0, 31, 0xEC, 0, 0, &sg, 1);
	issue(0, 31, false);
	assert_int_equal(interrupt(0, false, &active) & 0x60000002, 2); /* PIO setup */
	assert_int_equal(active, 0);
	assert_false(line());
	assert_int_equal(fake_get32(DATA + 120), SECTORS);
	assert_int_equal(fake_get32(LIST(0) + 31 * 32 + 4), 512);
	assert_int_equal(fake.memory[FISES(0) + 0x20], 0x5F);
	assert_int_equal(fake.memory[FISES(0) + 0x42], 0x50);
	assert_int_equal(port_in(0, TFD), 0x50);
	assert_int_equal(fake.count, 0);
}

/* ahci_softreset(): two FISes to the control register, the second without the bit. */
static void a_soft_reset_brings_the_signature(void **state)
{
	u8 fis[20] = {0x27};

	(void)state;
	memset(fake.memory + FISES(0), 0, 256);
	fis[15] = 4;
	fill(0, 0, fis, false, NULL, 0);
	port_out(0, CI, 1);
	assert_int_equal(port_in(0, CI), 0);
	fis[15] = 0;
	fill(0, 0, fis, false, NULL, 0);
	port_out(0, CI, 1);
	assert_int_equal(port_in(0, CI), 0);
	assert_int_equal(port_in(0, SIG), 0x101);
	assert_int_equal(port_in(0, TFD), 0x150);
	assert_int_equal(fake.memory[FISES(0) + 0x40], 0x34);
}

/* --- commands -------------------------------------------------------------------------- */

static void dma_reads_and_writes(void **state)
{
	struct entry sg[] = {
		{DATA + 0x200, 0x1000}, {DATA + 0x3000, 0x200}, {DATA + 0x10000, 0xE00}};
	u32 active;

	(void)state;
	put(0, 3, 0x25, 100, 16, sg, 3);
	issue(0, 3, false);
	assert_int_equal(port_in(0, CI), 8);
	assert_true(port_in(0, TFD) & 0x80);
	assert_false(line());
	serve();
	assert_int_equal(interrupt(0, false, &active), 1);
	assert_int_equal(active, 0);
	same_data(DATA + 0x200, 100, 0x1000);
	same_data(DATA + 0x3000, 108, 0x200);
	same_data(DATA + 0x10000, 109, 0xE00);
	assert_int_equal(fake_get32(LIST(0) + 3 * 32 + 4), 0x2000);
	put(0, 4, 0x35, 200, 16, sg, 3);
	issue(0, 4, false);
	serve();
	assert_int_equal(interrupt(0, false, &active), 1);
	assert_memory_equal(fake_sector(0, 200), fake_sector(0, 100), 0x2000);
	put(0, 0, 0xEA, 0, 0, NULL, 0);
	issue(0, 0, false);
	assert_int_equal(fake.unit[0].flushes, 0);
	assert_int_equal(port_in(0, CI), 1);
	serve();
	assert_int_equal(fake.unit[0].flushes, 1);
	assert_int_equal(interrupt(0, false, &active), 1);
	assert_int_equal(active, 0);
	assert_int_equal(fake.wrong, 0);
}

static void serve_when_polled(unsigned unit)
{
	assert_int_equal(unit, 0);
	serve();
}

/* As ahci_exec_polled_cmd() waits. */
static void a_driver_that_polls_the_registers_hears_of_the_end(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 3, 0x25, 7, 1, &sg, 1);
	issue(0, 3, false);
	assert_int_equal(port_in(0, CI), 8);
	fake.on_poll = serve_when_polled;
	assert_int_equal(port_in(0, CI), 0);
	same_data(DATA, 7, 512);
}

static void a_command_that_is_not_queued_waits_for_the_one_before(void **state)
{
	struct entry sg = {DATA, 512};
	u32 active;

	(void)state;
	put(0, 0, 0x25, 1, 1, &sg, 1);
	put(0, 1, 0x25, 2, 1, &sg, 1);
	port_out(0, CI, 3);
	assert_int_equal(fake.count, 1);
	fake_serve_one(0);
	pc_update_disks(&pc);
	assert_int_equal(port_in(0, CI), 2);
	assert_int_equal(fake.count, 1);
	serve();
	assert_int_equal(port_in(0, CI), 0);
	interrupt(0, false, &active);
	same_data(DATA, 2, 512);
}

static void queued_and_other_commands_do_not_mix(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 0, 0x60, 1, 1, &sg, 1);
	put(0, 1, 0x25, 2, 1, &sg, 1);
	put(0, 2, 0x60, 3, 1, &sg, 1);
	port_out(0, SACT, 5);
	port_out(0, CI, 7);
	assert_int_equal(fake.count, 1);
	fake_serve_one(0);
	pc_update_disks(&pc);
	assert_int_equal(fake.count, 1);
	assert_int_equal(fake.waiting[0].r->sector, 2);
	assert_int_equal(port_in(0, SACT), 4);
	serve();
	same_data(DATA, 3, 512);
	assert_int_equal(port_in(0, SACT) | port_in(0, CI), 0);
}

static void queued_commands_end_in_any_order(void **state)
{
	struct entry sg[8];
	u32 active;

	(void)state;
	for (u32 i = 0; i < 8; i++) {
		sg[i] = (struct entry){DATA + i * 0x1000, 0x1000};
		put(0, i * 3, i & 1 ? 0x61 : 0x60, i * 8, 8, &sg[i], 1);
		issue(0, i * 3, true);
	}
	assert_int_equal(fake.count, 8);
	assert_int_equal(port_in(0, CI), 0);
	assert_int_equal(port_in(0, SACT), 0x249249);
	assert_int_equal(port_in(0, TFD), 0x50); /* not busy */
	fake_serve_one(5);
	fake_serve_one(0);
	pc_update_disks(&pc);
	assert_int_equal(interrupt(0, true, &active), 8);
	assert_int_equal(active, 0x249249 & ~1u & ~(1u << 15));
	assert_int_equal(fake_get32(FISES(0) + 0x58) & 0xFFFF, 0x40A1);
	assert_int_equal(fake_get32(FISES(0) + 0x5C), 1 | 1u << 15);
	serve();
	interrupt(0, true, &active);
	assert_int_equal(active, 0);
	for (u32 i = 0; i < 8; i += 2)
		same_data(DATA + i * 0x1000, i * 8, 0x1000);
}

static void more_than_fit_wait_in_the_list(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	for (u32 i = 0; i < 32; i++)
		put(0, i, 0x60, i, 1, &sg, 1);
	port_out(0, SACT, 0xFFFFFFFF);
	port_out(0, CI, 0xFFFFFFFF);
	assert_int_equal(fake.count, ATA_QUEUE);
	assert_int_equal(port_in(0, CI), 0xFFFF0000);
	fake_serve_one(7);
	pc_update_disks(&pc);
	assert_int_equal(fake.count, ATA_QUEUE);
	assert_int_equal(port_in(0, CI), 0xFFFE0000);
	serve();
	assert_int_equal(port_in(0, CI) | port_in(0, SACT), 0);
	assert_int_equal(fake.unit[0].reads, 32);
}

/* Slots below it do not keep the ones above it waiting. */
static void slots_take_turns(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 0, 0x25, 1, 1, &sg, 1);
	put(0, 5, 0x25, 5, 1, &sg, 1);
	put(0, 9, 0x25, 9, 1, &sg, 1);
	port_out(0, CI, 1u << 5);
	port_out(0, CI, 1 | 1u << 9);
	fake_serve_one(0);
	pc_update_disks(&pc);
	assert_int_equal(fake.waiting[0].r->sector, 9);
	serve();
	assert_int_equal(port_in(0, CI), 0);
	assert_int_equal(fake.unit[0].reads, 3);
}

/* --- errors ---------------------------------------------------------------------------- */

/* ahci_error_intr(), then ahci_error_handler(). */
static u32 error(u32 expected)
{
	u32 active, status = interrupt(0, true, &active);

	assert_int_equal(status & 0x79000000, expected);
	return active;
}

static void a_failed_read_is_a_medium_error(void **state)
{
	struct entry sg = {DATA, 8 * 512};

	(void)state;
	fake.unit[0].bad = 105;
	put(0, 2, 0x25, 100, 8, &sg, 1);
	issue(0, 2, false);
	serve();
	error(0x40000000);
	assert_int_equal(port_in(0, CI), 4); /* it stays until ST is cleared */
	assert_int_equal(port_in(0, TFD), 0x4051);
	assert_int_equal(fake.memory[FISES(0) + 0x42], 0x51);
	assert_int_equal(fake.memory[FISES(0) + 0x43], 0x40);
	assert_int_equal(fake.memory[FISES(0) + 0x44], 105); /* ahci_qc_fill_rtf() */
	/* Nothing is begun before the engine was stopped. */
	put(0, 3, 0x25, 1, 1, &sg, 1);
	issue(0, 3, false);
	assert_int_equal(fake.count, 0);
	assert_true(stop_engine(0));
	assert_int_equal(port_in(0, CI), 0);
	start_engine(0);
	issue(0, 3, false);
	serve();
	assert_int_equal(port_in(0, CI), 0);
}

/* ata_eh_analyze_ncq_error() */
static void a_failed_queued_command_ends_all_and_is_in_the_log(void **state)
{
	struct entry sg[4], log = {DATA + 0x8000, 512};

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		sg[i] = (struct entry){DATA + i * 0x1000, 0x1000};
		put(0, i + 4, 0x60, i * 8, 8, &sg[i], 1);
		issue(0, i + 4, true);
	}
	fake.unit[0].bad = 10;
	fake_serve_one(1);
	pc_update_disks(&pc);
	assert_false(line()); /* three more are at the backend */
	put(0, 9, 0x60, 500, 8, &sg[0], 1);
	issue(0, 9, true); /* not begun any more */
	assert_int_equal(fake.count, 3);
	fake_serve_one(0);
	pc_update_disks(&pc);
	serve();
	assert_int_equal(error(0x40000000), 1u << 5 | 1u << 9);
	assert_int_equal(port_in(0, CI), 1u << 9);
	assert_int_equal(port_in(0, TFD), 0x4051);
	assert_true(stop_engine(0));
	start_engine(0);
	put(0, 31, 0x2F, 0x10, 1, &log, 1); /* ata_eh_read_log_10h() */
	issue(0, 31, false);
	assert_int_equal(port_in(0, CI), 0);
	assert_int_equal(fake.memory[log.gpa], 5);
	assert_int_equal(fake.memory[log.gpa + 3], 0x40);
	assert_int_equal(fake.memory[log.gpa + 4], 10);
}

static void a_queued_command_that_is_refused_at_once(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 1, 0x60, SECTORS, 1, &sg, 1);
	issue(0, 1, true);
	assert_int_equal(error(0x40000000), 2);
	assert_int_equal(port_in(0, TFD), 0x1051); /* not found */
	stop_engine(0);
	start_engine(0);
	put(0, 1, 0x60, 1, 1, &sg, 1);
	fake.memory[TABLE(0, 1) + 12] = 7 << 3; /* another tag */
	issue(0, 1, true);
	assert_int_equal(error(0x40000000), 2);
	assert_int_equal(port_in(0, TFD), 0x0451);
	assert_int_equal(fake.count, 0);
}

static void memory_that_is_none_is_an_error(void **state)
{
	static const struct entry holes[] = {{FAKE_HOLE, 512},		{FAKE_HOLE - 512, 1024},
					     {FAKE_MEMORY, 512},	{0xFFFFFE00, 512},
					     {FAKE_MEMORY - 512, 1024}, {0xFFFFFE00, 4096}};
	u8 before[PAGE_SIZE];

	(void)state;
	memcpy(before, fake.memory + FAKE_HOLE, PAGE_SIZE);
	for (u32 i = 0; i < ARRAY_SIZE(holes); i++) {
		put(0, 0, 0x25, 100, holes[i].bytes / 512, &holes[i], 1);
		issue(0, 0, false);
		serve();
		error(0x60000000);
		assert_int_equal(port_in(0, TFD), 0x0451);
		stop_engine(0);
		start_engine(0);
		put(0, 0, 0x60, 100, holes[i].bytes / 512, &holes[i], 1);
		issue(0, 0, true);
		serve();
		error(0x60000000);
		stop_engine(0);
		start_engine(0);
		put(0, 0, 0xEC, 0, 0, &holes[i], 1);
		issue(0, 0, false);
		if (i != 1 && i != 4) /* the first 512 bytes are memory */
			error(0x60000000);
		stop_engine(0);
		start_engine(0);
	}
	assert_memory_equal(before, fake.memory + FAKE_HOLE, PAGE_SIZE);
	assert_true(fake.wrong > 0);
}

static void a_table_that_is_too_short_is_an_overflow(void **state)
{
	struct entry sg = {DATA, 1024};

	(void)state;
	put(0, 0, 0x25, 100, 3, &sg, 1);
	issue(0, 0, false);
	serve();
	error(0x41000000);
	stop_engine(0);
	start_engine(0);
	put(0, 0, 0x35, 100, 3, NULL, 0);
	issue(0, 0, false);
	serve();
	error(0x41000000);
}

static void lists_and_tables_that_are_no_memory(void **state)
{
	static const u32 nowhere[] = {FAKE_HOLE, FAKE_MEMORY, 0xFFFFFC00, 0xFFFFFF80};
	struct entry sg = {DATA, 512};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(nowhere); i++) {
		port_out(0, CLB, nowhere[i]);
		issue(0, 31, false);
		error(0x60000000);
		stop_engine(0);
		port_out(0, CLB, LIST(0));
		start_engine(0);
		put(0, 0, 0x25, 100, 1, &sg, 1);
		fake_put32(LIST(0) + 8, nowhere[i]);
		issue(0, 0, false);
		error(0x60000000);
		stop_engine(0);
		start_engine(0);
	}
	/* The PRD table of the last table of memory is behind its end. */
	put(0, 0, 0x25, 100, 1, &sg, 1);
	memcpy(fake.memory + FAKE_MEMORY - 128, fake.memory + TABLE(0, 0), 128);
	fake_put32(LIST(0) + 8, FAKE_MEMORY - 128);
	issue(0, 0, false);
	serve();
	error(0x60000000);
	assert_int_equal(fake.unit[0].reads, 1);
	/* The area for FISes. */
	stop_engine(0);
	port_out(0, FB, FAKE_HOLE);
	start_engine(0);
	put(0, 0, 0x25, 100, 1, &sg, 1);
	issue(0, 0, false);
	serve();
	error(0x20000000);
}

static void a_fis_of_another_kind_is_an_error(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 0, 0x25, 100, 1, &sg, 1);
	fake.memory[TABLE(0, 0)] = 0x41;
	issue(0, 0, false);
	error(0x60000000);
	assert_int_equal(fake.count, 0);
}

static void without_the_master_bit_memory_is_not_reached(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 0, 0x25, 100, 1, &sg, 1);
	set_pci_command(2);
	fake.dma = 0;
	issue(0, 0, false);
	error(0x60000000);
	assert_int_equal(fake.dma, 0);
}

/* --- giving up --------------------------------------------------------------------------- */

static void a_reset_waits_for_what_is_at_the_backend(void **state)
{
	struct entry sg = {DATA, 512};
	u32 pieces;

	(void)state;
	put(0, 1, 0x60, 100, 1, &sg, 1);
	put(0, 2, 0x60, 101, 1, &sg, 1);
	issue(0, 1, true);
	issue(0, 2, true);
	assert_false(stop_engine(0));
	assert_int_equal(port_in(0, CI) | port_in(0, SACT), 0);
	assert_int_equal(hardreset(0), 0); /* busy */
	assert_int_equal(port_in(0, TFD), 0x80);
	assert_int_equal(port_in(0, SIG), 0xFFFFFFFF);
	pieces = fake.pieces;
	fake_serve_one(1);
	pc_update_disks(&pc);
	assert_int_equal(port_in(0, TFD), 0x80);
	fake_serve_one(0);
	pc_update_disks(&pc);
	assert_int_equal(fake.pieces, pieces + 2);
	assert_memory_equal(fake.memory + DATA, "\0\0\0\0", 4); /* no piece was told */
	assert_int_equal(port_in(0, SIG), 0x101);
	assert_int_equal(hardreset(0), 0x101);
	assert_true(stop_engine(0));
	assert_int_equal(port_in(0, PIS) & 0x40000009, 0); /* nobody is told of the two */
}

static void stopping_waits_for_what_is_at_the_backend(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 1, 0x25, 100, 1, &sg, 1);
	issue(0, 1, false);
	assert_false(stop_engine(0));
	port_out(0, CMD, port_in(0, CMD) | 1);
	put(0, 2, 0x25, 101, 1, &sg, 1);
	issue(0, 2, false);
	assert_int_equal(fake.count, 1);
	fake_serve_one(0);
	pc_update_disks(&pc);
	assert_int_equal(port_in(0, CI), 4); /* now it is begun */
	assert_int_equal(fake.count, 1);
	serve();
	same_data(DATA, 101, 512);
	assert_true(stop_engine(0));
}

/* The request has come back, and the guest gives it up before that was looked at. */
static void what_is_done_when_it_is_given_up(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 1, 0x60, 100, 1, &sg, 1);
	issue(0, 1, true);
	fake_serve_one(0);
	assert_false(stop_engine(0));
	pc_update_disks(&pc);
	assert_false(line());
	assert_true(stop_engine(0));
	assert_int_equal(port_in(0, PIS), 0);
}

static void a_reset_of_the_controller_waits_too(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 1, 0x60, 100, 1, &sg, 1);
	issue(0, 1, true);
	out(GHC, in(GHC) | 1);
	assert_int_equal(in(GHC), 0x80000001);
	out(GHC, 0x80000000);
	port_out(0, CI, 2);
	assert_int_equal(in(GHC), 0x80000001);
	fake_serve_one(0);
	pc_update_disks(&pc);
	assert_int_equal(in(GHC), 0x80000000);
	assert_int_equal(port_in(0, CMD), 6);
	assert_int_equal(port_in(0, SIG), 0x101);
	assert_int_equal(port_in(0, PIE) | port_in(0, PIS) | in(IS), 0);
	assert_int_equal(port_in(0, CLB), LIST(0));
	probe();
	assert_int_equal(hardreset(0), 0x101);
}

/* xl block-detach, xl block-attach; ahci_port_intr() sees PhyRdy change. */
static void disks_come_and_go(void **state)
{
	struct entry sg = {DATA, 512};
	u32 active;

	(void)state;
	put(0, 0, 0x60, 100, 1, &sg, 1);
	issue(0, 0, true);
	fake.unit[0].info.sectors = 0;
	fake.unit[0].absent = true;
	pc_disk_changed(&pc, 0);
	assert_int_equal(interrupt(0, true, &active) & 0x00400040, 0x00400000);
	assert_int_equal(port_in(0, SSTS), 0);
	serve();
	assert_int_equal(hardreset(0), 0);
	assert_int_equal(port_in(0, TFD), 0x7F);
	port_out(0, PIE, ALL_PORT_IRQS);
	out(IS, 1);
	pc_disk_changed(&pc, 0); /* nothing new */
	assert_false(line());
	fake.unit[0].info.sectors = SECTORS;
	fake.unit[0].absent = false;
	pc_disk_changed(&pc, 0);
	assert_int_equal(interrupt(0, true, &active) & 0x00400040, 0x00400040);
	assert_true(port_in(0, PIS) & 0x40); /* until SERR is cleared */
	assert_int_equal(hardreset(0), 0x101);
	assert_false(line());
	fake_disk(1, SDA + 16, SECTORS); /* a second one */
	port_out(1, PIE, ALL_PORT_IRQS);
	pc_disk_changed(&pc, 1);
	interrupt(1, true, &active);
	assert_int_equal(hardreset(1), 0x101);
}

/* The unit is another disk now: its port is that of the new number. */
static void a_unit_may_become_another_disk(void **state)
{
	(void)state;
	fake_disk(0, SDA + 32, SECTORS);
	pc_disk_changed(&pc, 0);
	assert_int_equal(port_in(0, SSTS), 0);
	assert_int_equal(port_in(2, SSTS), 0x123);
}

static void a_larger_disk_is_no_other_disk(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	fake.unit[0].info.sectors = SECTORS * 2;
	pc_disk_changed(&pc, 0);
	assert_false(line());
	put(0, 0, 0x25, SECTORS, 1, &sg, 1);
	issue(0, 0, false);
	assert_int_equal(fake.count, 1);
	serve();
}

/* --- CD-ROM ----------------------------------------------------------------------------- */

static void a_cdrom_is_there_too(void **state)
{
	struct entry sg = {DATA, 2048};
	u8 fis[20];
	u32 active;

	(void)state;
	fake_disk(1, SDA + 16, 1000);
	fake.unit[1].info.cdrom = fake.unit[1].info.read_only = true;
	pc_disk_changed(&pc, 1);
	assert_int_equal(hardreset(1), 0xEB140101);
	make_fis(fis, 0xA0, 0, 0);
	fis[3] = 1;
	fill(1, 0, fis, false, &sg, 1);
	memcpy(fake.memory + TABLE(1, 0) + 0x40, "\x28\0\0\0\0\x05\0\0\x01\0\0\0", 12);
	issue(1, 0, false);
	serve();
	interrupt(1, false, &active);
	assert_int_equal(active, 0);
	assert_memory_equal(fake.memory + DATA, fake_sector(1, 20), 2048);
	memcpy(fake.memory + TABLE(1, 0) + 0x40, "\x12\0\0\0\x24\0\0\0\0\0\0\0", 12);
	issue(1, 0, false);
	interrupt(1, false, &active);
	assert_memory_equal(fake.memory + DATA + 8, "vmixen  CD-ROM", 14);
	assert_int_equal(fake_get32(LIST(1) + 4), 36);
	/* Its command table ends where memory does. */
	memcpy(fake.memory + FAKE_MEMORY - 64, fis, 20);
	fake_put32(LIST(1) + 8, (FAKE_MEMORY - 64) & ~127u);
	memcpy(fake.memory + FAKE_MEMORY - 128, fis, 20);
	memcpy(fake.memory + FAKE_MEMORY - 64, "\xFF\0\0\0\0\0\0\0\0\0\0\0", 12);
	issue(1, 0, false);
	assert_true(interrupt(1, false, &active) & 0x40000000);
	assert_int_equal(port_in(1, TFD), 0x5451); /* sense key 5 */
}

/* --- the registers ------------------------------------------------------------------------ */

static void registers_are_a_page_that_may_be_read(void **state)
{
	const struct ahci_page *page = pc_mmio_page(&pc, BAR + 0x123);
	u64 two;
	u16 half;

	(void)state;
	assert_non_null(page);
	assert_int_equal(page->cap, in(CAP));
	assert_int_equal(page->port[0].ssts, 0x123);
	assert_int_equal(page->port[0].cmd, port_in(0, CMD));
	assert_int_equal(in(VS), 0x10100);
	assert_true(pc_mmio_read(&pc, BAR + 0x128, &two, 8));
	assert_int_equal((u32)two, 0x123);
	assert_true(pc_mmio_read(&pc, BAR + 2, &half, 2));
	assert_int_equal(half, in(CAP) >> 16);
	half = 0;
	assert_true(pc_mmio_write(&pc, BAR + 0x118, &half, 2)); /* not a part of one */
	assert_true(port_in(0, CMD) & 1);
	two = (u64)ALL_PORT_IRQS << 32;
	port_out(0, PIE, 0);
	assert_true(pc_mmio_write(&pc, BAR + 0x110, &two, 8)); /* two of them */
	assert_int_equal(port_in(0, PIE), ALL_PORT_IRQS);
	set_pci_command(4);
	assert_null(pc_mmio_page(&pc, BAR));
}

static void what_is_read_only_stays(void **state)
{
	(void)state;
	out(CAP, 0);
	out(PI, 0);
	out(VS, 0);
	assert_int_equal(in(PI), 0xF);
	assert_int_equal(in(VS), 0x10100);
	port_out(0, SSTS, 0);
	port_out(0, TFD, 0xFF);
	port_out(0, SIG, 0);
	assert_int_equal(port_in(0, SSTS), 0x123);
	assert_int_equal(port_in(0, SIG), 0x101);
	port_out(9, CMD, 0x11); /* a port that is not there */
	assert_int_equal(port_in(9, CMD), 0);
	out(0xFFC, 1);
	assert_int_equal(in(0xFFC), 0);
	port_out(0, CLB + 4, 1); /* 64-bit addresses */
	assert_int_equal(port_in(0, CLB + 4), 0);
}

static void the_pin_follows_its_masks(void **state)
{
	struct entry sg = {DATA, 512};

	(void)state;
	put(0, 0, 0x25, 100, 1, &sg, 1);
	port_out(0, PIE, 0);
	issue(0, 0, false);
	serve();
	assert_false(line());
	port_out(0, PIE, ALL_PORT_IRQS);
	assert_true(line());
	out(IS, 1); /* the port still asks */
	assert_true(line());
	out(GHC, 0x80000000);
	assert_false(line());
	out(GHC, 0x80000002);
	assert_true(line());
	set_pci_command(0x406);
	pc_update_disks(&pc);
	assert_false(line());
	set_pci_command(6);
	port_out(0, PIS, 1);
	assert_true(line()); /* the controller's own bit is left */
	out(IS, 1);
	assert_false(line());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_a_disk_there_is_no_controller, power_on),
		cmocka_unit_test_setup(disks_are_at_the_ports_of_their_letters, power_on),
		cmocka_unit_test_setup(every_unit_finds_a_port, power_on),
		cmocka_unit_test_setup(linux_finds_a_disk_and_empty_ports, power_on),
		cmocka_unit_test_setup(it_is_identified, ready),
		cmocka_unit_test_setup(a_soft_reset_brings_the_signature, ready),
		cmocka_unit_test_setup(dma_reads_and_writes, ready),
		cmocka_unit_test_setup(a_driver_that_polls_the_registers_hears_of_the_end, ready),
		cmocka_unit_test_setup(a_command_that_is_not_queued_waits_for_the_one_before,
				       ready),
		cmocka_unit_test_setup(queued_and_other_commands_do_not_mix, ready),
		cmocka_unit_test_setup(queued_commands_end_in_any_order, ready),
		cmocka_unit_test_setup(more_than_fit_wait_in_the_list, ready),
		cmocka_unit_test_setup(slots_take_turns, ready),
		cmocka_unit_test_setup(a_failed_read_is_a_medium_error, ready),
		cmocka_unit_test_setup(a_failed_queued_command_ends_all_and_is_in_the_log, ready),
		cmocka_unit_test_setup(a_queued_command_that_is_refused_at_once, ready),
		cmocka_unit_test_setup(memory_that_is_none_is_an_error, ready),
		cmocka_unit_test_setup(a_table_that_is_too_short_is_an_overflow, ready),
		cmocka_unit_test_setup(lists_and_tables_that_are_no_memory, ready),
		cmocka_unit_test_setup(a_fis_of_another_kind_is_an_error, ready),
		cmocka_unit_test_setup(without_the_master_bit_memory_is_not_reached, ready),
		cmocka_unit_test_setup(a_reset_waits_for_what_is_at_the_backend, ready),
		cmocka_unit_test_setup(stopping_waits_for_what_is_at_the_backend, ready),
		cmocka_unit_test_setup(what_is_done_when_it_is_given_up, ready),
		cmocka_unit_test_setup(a_reset_of_the_controller_waits_too, ready),
		cmocka_unit_test_setup(disks_come_and_go, ready),
		cmocka_unit_test_setup(a_unit_may_become_another_disk, ready),
		cmocka_unit_test_setup(a_larger_disk_is_no_other_disk, ready),
		cmocka_unit_test_setup(a_cdrom_is_there_too, ready),
		cmocka_unit_test_setup(registers_are_a_page_that_may_be_read, ready),
		cmocka_unit_test_setup(what_is_read_only_stays, ready),
		cmocka_unit_test_setup(the_pin_follows_its_masks, ready),
	};

	return cmocka_run_group_tests_name("AHCI", tests, NULL, NULL);
}
