/* SPDX-License-Identifier: GPL-2.0-only */
/* What an ATA disk answers to commands, whatever controller it is at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_disk.h"
#include "pc/ata.h"

#define SECTORS 1000000u

static struct ata_drive drive;
static struct ata_regs r;
static struct ata_work w;
static u8 reply[ATA_REPLY_MAX];

static int start(void **state)
{
	(void)state;
	fake_reset();
	fake_disk(0, 768, SECTORS);
	ata_attach(&drive, 0, false, false);
	r = (struct ata_regs){0};
	return 0;
}

static void command(u8 code)
{
	r.command = code;
	r.status = ATA_BSY;
	ata_command(&drive, &r, reply, &w);
}

/* A command with its address and count in the registers. */
static void at(u8 code, u32 lba, u8 count)
{
	r.device = (u8)(0x40 | lba >> 24);
	for (u32 i = 0; i < 3; i++)
		r.lba[i] = (u8)(lba >> (8 * i));
	r.count[0] = count;
	command(code);
}

static void at_wide(u8 code, u64 lba, u32 count)
{
	r.device = 0x40;
	for (u32 i = 0; i < 6; i++)
		r.lba[i] = (u8)(lba >> (8 * i));
	r.count[0] = (u8)count;
	r.count[1] = (u8)(count >> 8);
	command(code);
}

static void succeeds(void)
{
	assert_int_equal(w.need, ATA_NOTHING);
	assert_int_equal(r.status, ATA_READY);
	assert_int_equal(r.error, 0);
}

static void fails(u8 error)
{
	assert_int_equal(w.need, ATA_NOTHING);
	assert_int_equal(r.status, ATA_READY | ATA_ERR);
	assert_int_equal(r.error, error);
}

static void moves(enum ata_need need, u64 sector, u32 sectors)
{
	assert_int_equal(w.need, need);
	assert_int_equal(w.sector, sector);
	assert_int_equal(w.sectors, sectors);
}

static u32 word(u32 i)
{
	return reply[i * 2] | reply[i * 2 + 1] << 8;
}

static u64 lba(u32 bytes)
{
	u64 n = 0;

	while (bytes--)
		n = n << 8 | r.lba[bytes];
	return n;
}

static void identify(void)
{
	command(0xEC);
	assert_int_equal(w.need, ATA_REPLY);
	assert_int_equal(w.bytes, 512);
	assert_true(w.pio);
	ata_end(&drive, &r, &w, DISK_OK);
	assert_int_equal(r.status, ATA_READY);
}

/* ata_id_*() of Linux's ata.h, and ide-disk's own. */
static void identify_tells_what_linux_asks(void **state)
{
	(void)state;
	identify();
	assert_int_equal(word(0), 0x0040);
	assert_int_equal(word(60) | word(61) << 16, SECTORS);
	assert_int_equal(word(100) | word(101) << 16, SECTORS);
	assert_int_equal(word(102) | word(103), 0);
	assert_int_equal(word(1) * word(3) * word(6), SECTORS / 1008 * 1008);
	assert_int_equal(word(54), word(1));
	assert_int_equal(word(57) | word(58) << 16, SECTORS / 1008 * 1008);
	assert_int_equal(word(49) & 0x300, 0x300);   /* LBA, DMA */
	assert_int_equal(word(53) & 6, 6);	     /* 64 to 70, 88 */
	assert_int_equal(word(63) & 7, 7);	     /* multiword DMA 0 to 2 */
	assert_int_equal(word(64) & 3, 3);	     /* PIO 3 and 4 */
	assert_int_equal(word(88), 0x43F);	     /* UDMA 0 to 5, 2 is set */
	assert_int_equal(word(93) & 0xE000, 0x6000); /* 80 wires */
	assert_int_equal(word(83) & 0xC400, 0x4400); /* 48 bits */
	assert_int_equal(word(86) & 0x400, 0x400);
	assert_int_equal(word(47) & 0xFF, 8);
	assert_int_equal(word(59), 0);
	assert_int_equal(word(75) | word(76), 0); /* not SATA */
	assert_int_equal(word(82) & 1, 0);	  /* no SMART */
	assert_memory_equal(reply + 54, "mvxined si k", 12);
	assert_memory_equal(reply + 20, "mvxine0-000003 0", 16);
}

static void the_write_cache_is_shown_if_it_is_there(void **state)
{
	(void)state;
	identify();
	assert_int_equal(word(82) & word(85) & 0x20, 0x20);
	assert_int_equal(word(83) & word(86) & 0x3000, 0x3000);
	command(0xE7);
	assert_int_equal(w.need, ATA_SYNC);
	command(0xEA);
	assert_int_equal(w.need, ATA_SYNC);
	ata_end(&drive, &r, &w, DISK_OK);
	assert_int_equal(r.status, ATA_READY);
	fake.unit[0].info.flush = false;
	assert_true(ata_look(&drive));
	identify();
	assert_int_equal((word(82) | word(85)) & 0x20, 0);
	assert_int_equal((word(83) | word(86)) & 0x3000, 0);
	command(0xE7);
	succeeds();
	command(0xEA);
	succeeds();
}

static void large_disks_show_what_28_bits_can(void **state)
{
	(void)state;
	fake.unit[0].info.sectors = 0x123456789ABull;
	ata_look(&drive);
	identify();
	assert_int_equal(word(60) | word(61) << 16, 0x0FFFFFFF);
	assert_int_equal(word(100) | word(101) << 16, 0x456789AB);
	assert_int_equal(word(102) | word(103) << 16, 0x123);
	assert_int_equal(word(1), 16383);
	at_wide(0x25, 0x123456789A9ull, 2);
	moves(ATA_READ, 0x123456789A9ull, 2);
	at_wide(0x25, 0x123456789A9ull, 3);
	fails(ATA_IDNF);
	assert_true(lba(6) == 0x123456789ABull);
}

static void every_read_and_write_finds_its_sectors(void **state)
{
	static const struct {
		u8 code;
		bool wide, write, pio;
	} all[] = {
		{0x20, false, false, true},  {0x21, false, false, true},
		{0x24, true, false, true},   {0x25, true, false, false},
		{0x30, false, true, true},   {0x31, false, true, true},
		{0x34, true, true, true},    {0x35, true, true, false},
		{0xC8, false, false, false}, {0xC9, false, false, false},
		{0xCA, false, true, false},  {0xCB, false, true, false},
		{0x29, true, false, true},   {0x39, true, true, true},
		{0xC4, false, false, true},  {0xC5, false, true, true},
	};

	(void)state;
	r.count[0] = 4;
	command(0xC6);
	succeeds();
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		enum ata_need need = all[i].write ? ATA_WRITE : ATA_READ;

		if (all[i].wide)
			at_wide(all[i].code, 0x54321, 0x123);
		else
			at(all[i].code, 0x54321, 0x23);
		moves(need, 0x54321, all[i].wide ? 0x123 : 0x23);
		assert_int_equal(w.pio, all[i].pio);
		if (all[i].wide)
			at_wide(all[i].code, 5, 0);
		else
			at(all[i].code, 5, 0);
		moves(need, 5, all[i].wide ? 65536 : 256);
		assert_int_equal(w.block, i < 12 ? 1 : 4);
	}
}

static void sectors_behind_the_end_are_not_found(void **state)
{
	static const u8 all[] = {0x20, 0x30, 0x40, 0xC8, 0xCA};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		at(all[i], SECTORS - 1, 1);
		if (all[i] == 0x40)
			succeeds();
		else
			moves(all[i] == 0x30 || all[i] == 0xCA ? ATA_WRITE : ATA_READ, SECTORS - 1,
			      1);
		at(all[i], SECTORS - 1, 2);
		fails(ATA_IDNF);
		assert_int_equal(lba(3), SECTORS); /* the first that is not there */
		at(all[i], 0xFFFFFFF, 1);
		fails(ATA_IDNF);
		assert_int_equal(lba(3), 0xFFFFFF);
		assert_int_equal(r.device, 0x4F);
	}
	at_wide(0x42, 0xFFFFFFFFFFFFull, 65535);
	fails(ATA_IDNF);
	at_wide(0x35, 0xFFFFFFFFFFFFull, 0);
	fails(ATA_IDNF);
}

static void cylinders_heads_and_sectors(void **state)
{
	(void)state;
	r.device = 0x05; /* head 5 */
	r.lba[0] = 7;
	r.lba[1] = 0x12;
	r.count[0] = 1;
	command(0x20);
	moves(ATA_READ, (0x12 * 16 + 5) * 63 + 6, 1);
	r.lba[0] = 0;
	command(0x20);
	fails(ATA_IDNF);
	r.lba[0] = 64;
	command(0x20);
	fails(ATA_IDNF);
	/* INITIALIZE DEVICE PARAMETERS: 4 heads of 17 sectors */
	r.device = 3;
	r.count[0] = 17;
	command(0x91);
	succeeds();
	r.device = 2;
	r.lba[0] = 17;
	r.count[0] = 2;
	command(0xC8);
	moves(ATA_READ, (0x12 * 4 + 2) * 17 + 16, 2);
	w.sector++;
	ata_end(&drive, &r, &w, DISK_MEDIUM);
	assert_int_equal(r.error, ATA_UNC);
	assert_int_equal(r.device, 3);
	assert_int_equal(lba(3), 0x1201);
	r.device = 4;
	command(0xC8);
	fails(ATA_IDNF);
	identify();
	assert_int_equal(word(3), 16);
	assert_int_equal(word(55), 4);
	assert_int_equal(word(56), 17);
	assert_int_equal(word(54), SECTORS / 68);
	r.count[0] = 0;
	command(0x91);
	fails(ATA_ABRT);
}

static void errors_of_the_host_reach_the_registers(void **state)
{
	static const enum disk_status aborts[] = {DISK_MEMORY, DISK_ABSENT, DISK_REFUSED};

	(void)state;
	at(0xC8, 0x0054321, 8);
	w.sector += 5;
	ata_end(&drive, &r, &w, DISK_MEDIUM);
	assert_int_equal(r.status, ATA_READY | ATA_ERR);
	assert_int_equal(r.error, ATA_UNC);
	assert_int_equal(lba(3), 0x54326);
	at_wide(0x35, 0x54321, 8);
	w.sector += 5;
	ata_end(&drive, &r, &w, DISK_MEDIUM);
	assert_int_equal(r.error, ATA_UNC);
	assert_int_equal(lba(6), 0x54326);
	for (u32 i = 0; i < ARRAY_SIZE(aborts); i++) {
		at(0xCA, 5, 8);
		ata_end(&drive, &r, &w, aborts[i]);
		assert_int_equal(r.status, ATA_READY | ATA_ERR);
		assert_int_equal(r.error, ATA_ABRT);
	}
}

static void a_read_only_disk_aborts_writes(void **state)
{
	static const u8 writes[] = {0x30, 0xCA, 0xC5};

	(void)state;
	fake.unit[0].info.read_only = true;
	ata_look(&drive);
	r.count[0] = 8;
	command(0xC6);
	for (u32 i = 0; i < ARRAY_SIZE(writes); i++) {
		at(writes[i], 5, 1);
		fails(ATA_ABRT);
	}
	at_wide(0x35, 5, 1);
	fails(ATA_ABRT);
	at(0xC8, 5, 1);
	moves(ATA_READ, 5, 1);
}

static void multiple_needs_to_be_set(void **state)
{
	static const u8 wrong[] = {3, 5, 16, 128};

	(void)state;
	at(0xC4, 5, 1);
	fails(ATA_ABRT);
	for (u32 i = 0; i < ARRAY_SIZE(wrong); i++) {
		r.count[0] = wrong[i];
		command(0xC6);
		fails(ATA_ABRT);
	}
	r.count[0] = 8;
	command(0xC6);
	succeeds();
	at(0xC4, 5, 1);
	moves(ATA_READ, 5, 1);
	assert_int_equal(w.block, 8);
	identify();
	assert_int_equal(word(59), 0x108);
	r.count[0] = 0;
	command(0xC6);
	succeeds();
	at(0xC5, 5, 1);
	fails(ATA_ABRT);
}

/* ata_dev_set_xfermode() of libata. */
static void transfer_modes_are_set_and_shown(void **state)
{
	(void)state;
	r.feature[0] = 3;
	r.count[0] = 0x45;
	command(0xEF);
	succeeds();
	identify();
	assert_int_equal(word(88) >> 8, 0x20);
	assert_int_equal(word(63) >> 8, 0);
	r.feature[0] = 3;
	r.count[0] = 0x22;
	command(0xEF);
	succeeds();
	identify();
	assert_int_equal(word(88) >> 8, 0);
	assert_int_equal(word(63) >> 8, 4);
	for (u32 mode = 0; mode < 256; mode++) {
		bool good = mode <= 1 || (mode >= 8 && mode <= 12) ||
			    (mode >= 0x20 && mode <= 0x22) || (mode >= 0x40 && mode <= 0x45);

		r.feature[0] = 3;
		r.count[0] = (u8)mode;
		command(0xEF);
		if (good)
			succeeds();
		else
			fails(ATA_ABRT);
	}
}

static void features_that_are_there(void **state)
{
	(void)state;
	for (u32 feature = 0; feature < 256; feature++) {
		if (feature == 3)
			continue;
		r.feature[0] = (u8)feature;
		command(0xEF);
		if (feature == 0x02 || feature == 0x55 || feature == 0xAA || feature == 0x66 ||
		    feature == 0xCC)
			succeeds();
		else
			fails(ATA_ABRT);
	}
}

static void standby_flushes_and_idle_wakes(void **state)
{
	static const u8 standby[] = {0xE0, 0xE2, 0xE6, 0x94, 0x96, 0x99};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(standby); i++) {
		command(0xE5);
		succeeds();
		assert_int_equal(r.count[0], 0xFF);
		command(standby[i]);
		assert_int_equal(w.need, ATA_SYNC);
		ata_end(&drive, &r, &w, DISK_OK);
		command(i & 1 ? 0xE5 : 0x98);
		succeeds();
		assert_int_equal(r.count[0], 0);
		if (i & 1)
			command(0xE1);
		else
			at(0xC8, 5, 1);
	}
}

static void what_is_not_there_is_aborted(void **state)
{
	/* NOP, DEVICE RESET, PACKET, IDENTIFY PACKET DEVICE, SMART, security, HPA, TRIM, FUA */
	static const u8 all[] = {0x00, 0x08, 0xA0, 0xA1, 0xB0, 0xF1, 0xF8, 0x27, 0x06, 0x3D, 0xFF};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(all); i++) {
		command(all[i]);
		fails(ATA_ABRT);
	}
	command(0x10);
	succeeds();
	command(0x70);
	succeeds();
	/* Queued commands and their log are SATA's. */
	command(0x60);
	fails(ATA_ABRT);
	command(0x2F);
	fails(ATA_ABRT);
}

static void a_reset_leaves_the_signature(void **state)
{
	(void)state;
	command(0x90);
	assert_int_equal(r.error, 1);
	assert_int_equal(r.status, ATA_READY);
	assert_int_equal(r.count[0], 1);
	assert_int_equal(lba(6), 1);
}

static void queued(u8 code, u8 tag, u64 sector, u32 sectors, u8 device)
{
	at_wide(code, sector, tag << 3);
	r.device = device;
	r.feature[0] = (u8)sectors;
	r.feature[1] = (u8)(sectors >> 8);
	command(code);
}

static void queued_commands_are_of_sata(void **state)
{
	(void)state;
	ata_attach(&drive, 0, true, false);
	identify();
	assert_int_equal(word(75), ATA_QUEUE - 1);
	assert_int_equal(word(76) & 0x106, 0x106);
	assert_int_equal(word(93), 0);
	assert_int_equal(word(80) & 0x80, 0x80);
	assert_true(ata_is_queued(0x60) && ata_is_queued(0x61));
	assert_false(ata_is_queued(0x62) || ata_is_queued(0x25));
	queued(0x60, 5, 0x1234, 16, 0x40);
	moves(ATA_READ, 0x1234, 16);
	queued(0x61, 5, 0x1234, 0, 0x40);
	moves(ATA_WRITE, 0x1234, 65536);
	queued(0x61, 5, 0x1234, 8, 0xC0); /* FUA */
	fails(ATA_ABRT);
	fake.unit[0].info.flush = false;
	ata_look(&drive);
	queued(0x61, 5, 0x1234, 8, 0xC0);
	moves(ATA_WRITE, 0x1234, 8);
}

/* ata_eh_read_log_10h() of libata. */
static void read_log(u8 page)
{
	u8 sum = 0;

	at_wide(0x2F, page, 1);
	assert_int_equal(w.need, ATA_REPLY);
	assert_int_equal(w.bytes, 512);
	for (u32 i = 0; i < 512; i++)
		sum += reply[i];
	if (page)
		assert_int_equal(sum, 0);
}

static void the_log_tells_which_queued_command_failed(void **state)
{
	(void)state;
	ata_attach(&drive, 0, true, false);
	read_log(0x10);
	assert_int_equal(reply[0], 0x80);
	queued(0x60, 5, 0x54321, 16, 0x40);
	w.sector += 3;
	ata_end(&drive, &r, &w, DISK_MEDIUM);
	ata_note_failed(&drive, 5, &r);
	read_log(0x10);
	assert_int_equal(reply[0], 5);
	assert_int_equal(reply[2], ATA_READY | ATA_ERR);
	assert_int_equal(reply[3], ATA_UNC);
	assert_memory_equal(reply + 4, "\x24\x43\x05", 3);
	assert_int_equal(reply[7], 0x40);
	assert_int_equal(reply[12], 5 << 3);
	read_log(0x10);
	assert_int_equal(reply[0], 0x80); /* once */
	read_log(0);
	assert_int_equal(word(0), 1);
	assert_int_equal(word(0x10), 1);
	at_wide(0x2F, 0x11, 1);
	fails(ATA_ABRT);
	at_wide(0x2F, 0x10, 2);
	fails(ATA_ABRT);
	at_wide(0x2F, 0x110, 1);
	fails(ATA_ABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(identify_tells_what_linux_asks, start),
		cmocka_unit_test_setup(the_write_cache_is_shown_if_it_is_there, start),
		cmocka_unit_test_setup(large_disks_show_what_28_bits_can, start),
		cmocka_unit_test_setup(every_read_and_write_finds_its_sectors, start),
		cmocka_unit_test_setup(sectors_behind_the_end_are_not_found, start),
		cmocka_unit_test_setup(cylinders_heads_and_sectors, start),
		cmocka_unit_test_setup(errors_of_the_host_reach_the_registers, start),
		cmocka_unit_test_setup(a_read_only_disk_aborts_writes, start),
		cmocka_unit_test_setup(multiple_needs_to_be_set, start),
		cmocka_unit_test_setup(transfer_modes_are_set_and_shown, start),
		cmocka_unit_test_setup(features_that_are_there, start),
		cmocka_unit_test_setup(standby_flushes_and_idle_wakes, start),
		cmocka_unit_test_setup(what_is_not_there_is_aborted, start),
		cmocka_unit_test_setup(a_reset_leaves_the_signature, start),
		cmocka_unit_test_setup(queued_commands_are_of_sata, start),
		cmocka_unit_test_setup(the_log_tells_which_queued_command_failed, start),
	};

	return cmocka_run_group_tests_name("ATA", tests, NULL, NULL);
}
