/* SPDX-License-Identifier: GPL-2.0-only */
/* What a CD-ROM drive answers to packets, whatever controller it is at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_disk.h"
#include "pc/atapi.h"

#define BLOCKS 400u

static struct ata_drive drive;
static struct ata_regs r;
static struct ata_work w;
static u8 reply[ATA_REPLY_MAX];

static void insert(u64 sectors)
{
	fake.unit[0].info.sectors = sectors;
	assert_true(ata_look(&drive));
}

static int start(void **state)
{
	(void)state;
	fake_reset();
	fake_disk(0, 5632, BLOCKS * 4 + 3);
	fake.unit[0].info.cdrom = fake.unit[0].info.read_only = true;
	ata_attach(&drive, 0, false, false);
	assert_true(drive.there);
	ata_reset(&drive, &r);
	return 0;
}

static void command(u8 code)
{
	r.command = code;
	ata_command(&drive, &r, reply, &w);
}

static void packet(const char *text)
{
	u8 bytes[ATAPI_PACKET] = {0};

	for (u32 i = 0; *text && i < ATAPI_PACKET; i++, text += *text == ' ')
		bytes[i] = (u8)strtoul(text, (char **)&text, 16);
	r.feature[0] = 1;
	command(0xA0);
	assert_int_equal(w.need, ATA_PACKET);
	assert_false(w.pio);
	memset(reply, 0xA5, sizeof(reply));
	atapi_packet(&drive, &r, bytes, reply, &w);
	assert_true(w.packet);
}

static void succeeds(const char *text)
{
	packet(text);
	assert_int_equal(w.need, ATA_NOTHING);
	assert_int_equal(r.status, ATA_READY);
	assert_int_equal(r.count[0], 3);
}

static void is_checked(u8 key)
{
	assert_int_equal(r.status, ATA_READY | ATA_ERR);
	assert_int_equal(r.error, key << 4 | ATA_ABRT);
	assert_int_equal(r.count[0], 3);
}

static void replies(const char *text, u32 bytes)
{
	packet(text);
	assert_int_equal(w.need, ATA_REPLY);
	assert_int_equal(w.bytes, bytes);
	ata_end(&drive, &r, &w, DISK_OK);
	assert_int_equal(r.status, ATA_READY);
	assert_int_equal(r.count[0], 3);
}

/* The last command has failed, and REQUEST SENSE says why. */
static void because(u8 key, u32 code)
{
	is_checked(key);
	replies("03 0 0 0 12", 18);
	assert_int_equal(reply[0], 0x70);
	assert_int_equal(reply[2], key);
	assert_int_equal(reply[7], 10);
	assert_int_equal(reply[12] << 8 | reply[13], code);
	replies("03 0 0 0 12", 18);
	assert_int_equal(reply[2] | reply[12], 0); /* once */
}

static void fails(const char *text, u8 key, u32 code)
{
	packet(text);
	assert_int_equal(w.need, ATA_NOTHING);
	because(key, code);
}

static u32 be32(u32 at)
{
	return (u32)reply[at] << 24 | (u32)reply[at + 1] << 16 | (u32)reply[at + 2] << 8 |
	       reply[at + 3];
}

/* ata_dev_read_id() and ide's do_identify(): the signature tells a packet device. */
static void it_is_found_by_its_signature(void **state)
{
	(void)state;
	assert_int_equal(r.status, 0);
	assert_int_equal(r.lba[1], 0x14);
	assert_int_equal(r.lba[2], 0xEB);
	r.device = 0xB0;
	command(0xEC);
	assert_int_equal(r.status, ATA_READY | ATA_ERR);
	assert_int_equal(r.error, ATA_ABRT);
	assert_int_equal(r.lba[1], 0x14);
	assert_int_equal(r.device, 0x10);
	command(0xA1);
	assert_int_equal(w.need, ATA_REPLY);
	assert_int_equal(reply[0] | reply[1] << 8, 0x85C0);
	assert_int_equal(reply[99] & 3, 3); /* LBA, DMA */
	command(0x25);
	assert_int_equal(r.error, ATA_ABRT);
	command(0x08);
	assert_int_equal(w.need, ATA_NOTHING);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.lba[2], 0xEB);
	command(0xE7);
	assert_int_equal(r.error, ATA_ABRT);
	command(0xE0);
	assert_int_equal(w.need, ATA_NOTHING);
	assert_int_equal(r.status, ATA_READY);
}

static void it_tells_who_it_is(void **state)
{
	(void)state;
	replies("12 0 0 0 24", 36);
	assert_int_equal(reply[0], 5);
	assert_int_equal(reply[1], 0x80);
	assert_memory_equal(reply + 8, "vmixen  CD-ROM          1   ", 28);
	replies("12 0 0 0 5", 5); /* no more than is asked for */
	succeeds("12 0 0 0 0");
	fails("12 1 0 0 24", 5, 0x2400);
	fails("A0 0 0 0 0 0 0 0 0 10", 5, 0x2000);
}

/* sr_probe(), get_sectorsize(), get_capabilities() of Linux's sr.c. */
static void what_sr_asks(void **state)
{
	(void)state;
	succeeds("00");
	replies("25", 8);
	assert_int_equal(be32(0), BLOCKS - 1);
	assert_int_equal(be32(4), 2048);
	replies("5A 0 2A 0 0 0 0 0 80", 28);
	assert_int_equal(reply[0] << 8 | reply[1], 26);
	assert_int_equal(reply[8], 0x2A);
	assert_int_equal(reply[9], 18);
	assert_int_equal(reply[14] >> 5, 1); /* a tray */
	assert_int_equal(reply[2], 1);
	replies("5A 0 3F 0 0 0 0 0 80", 8 + 8 + 16 + 20);
	fails("5A 0 05 0 0 0 0 0 80", 5, 0x2400);
	fails("5A 0 EA 0 0 0 0 0 80", 5, 0x3900);
	succeeds("BB 0 FF FF FF FF");
	succeeds("2B 0 0 0 0 1");
}

/* cdrom_read_toc() of ide-cd.c, and cdrom.c. */
static void the_disc_is_one_data_track(void **state)
{
	(void)state;
	replies("43 2 0 0 0 0 0 0 0C", 12); /* its header and the first track */
	replies("43 0 0 0 0 0 1 3 24", 20);
	assert_int_equal(reply[1], 18);
	assert_int_equal(reply[2], 1);
	assert_int_equal(reply[3], 1);
	assert_int_equal(reply[5], 0x14);
	assert_int_equal(reply[6], 1);
	assert_int_equal(be32(8), 0);
	assert_int_equal(reply[14], 0xAA);
	assert_int_equal(be32(16), BLOCKS);
	replies("43 2 0 0 0 0 AA 3 24", 12);
	assert_int_equal(be32(8), 0 << 16 | 7 << 8 | 25); /* 550 blocks: 0:07:25 */
	replies("43 0 0 0 0 0 0 3 24 40", 12);		  /* the last session */
	assert_int_equal(be32(8), 0);
	fails("43 0 0 0 0 0 2 3 24", 5, 0x2400);
	fails("43 0 2 0 0 0 1 3 24", 5, 0x2400);
}

static void blocks_are_read(void **state)
{
	(void)state;
	packet("28 0 0 0 0 12 0 0 4");
	assert_int_equal(w.need, ATA_READ);
	assert_int_equal(w.sector, 0x12 * 4);
	assert_int_equal(w.sectors, 16);
	assert_int_equal(w.block, 4);
	ata_end(&drive, &r, &w, DISK_OK);
	assert_int_equal(r.status, ATA_READY);
	packet("A8 0 0 0 1 8F 0 0 0 1");
	assert_int_equal(w.need, ATA_READ);
	assert_int_equal(w.sector, 399 * 4);
	ata_end(&drive, &r, &w, DISK_MEDIUM);
	because(3, 0x1100);
	succeeds("28 0 0 0 0 12 0 0 0");
	fails("28 0 0 0 1 90 0 0 1", 5, 0x2100);
	fails("28 0 0 0 1 8F 0 0 2", 5, 0x2100);
	fails("28 0 FF FF FF FF 0 FF FF", 5, 0x2100);
	fails("A8 0 0 0 0 0 FF FF FF FF", 5, 0x2100);
	insert(0x1000000);
	fails("00", 6, 0x2800);
	packet("A8 0 0 0 0 0 0 0 40 0");
	assert_int_equal(w.sectors, 65536);
	fails("A8 0 0 0 0 0 0 0 40 1", 5, 0x2400);
	packet("28 0 0 0 0 0 0 0 1");
	ata_end(&drive, &r, &w, DISK_ABSENT);
	because(2, 0x3A00);
	packet("28 0 0 0 0 0 0 0 1");
	ata_end(&drive, &r, &w, DISK_MEMORY);
	because(11, 0);
}

static u8 event(void)
{
	replies("4A 1 0 0 10 0 0 0 8", 8);
	assert_int_equal(reply[2], 4);
	assert_int_equal(reply[3], 0x10);
	return reply[4];
}

static void a_medium_goes_and_another_comes(void **state)
{
	(void)state;
	assert_int_equal(event(), 0);
	assert_int_equal(reply[5], 2);
	fake.unit[0].info = (struct disk_info){0}; /* xl block-detach */
	assert_true(ata_look(&drive));
	assert_int_equal(event(), 3);
	assert_int_equal(event(), 0);
	assert_int_equal(reply[5], 0);
	fails("00", 2, 0x3A00);
	fails("25", 2, 0x3A00);
	replies("12 0 0 0 24", 36);
	fake.unit[0].info = (struct disk_info){.cdrom = true, .sectors = 40};
	assert_true(ata_look(&drive));
	assert_int_equal(event(), 2);
	fails("28 0 0 0 0 0 0 0 1", 6, 0x2800); /* not before the guest knows */
	packet("28 0 0 0 0 0 0 0 1");
	assert_int_equal(w.need, ATA_READ);
	replies("25", 8);
	assert_int_equal(be32(0), 9);
	replies("4A 1 0 0 02 0 0 0 8", 4); /* another class */
	assert_int_equal(reply[2], 0x80);
	fails("4A 0 0 0 10 0 0 0 8", 5, 0x2400);
}

static void the_tray_opens_unless_it_is_locked(void **state)
{
	(void)state;
	succeeds("1E 0 0 0 1");
	fails("1B 0 0 0 2", 5, 0x5302);
	succeeds("00");
	succeeds("1E 0 0 0 0");
	succeeds("1B 0 0 0 2");
	fails("00", 2, 0x3A00);
	assert_int_equal(event(), 0);
	assert_int_equal(reply[5], 1);
	succeeds("1B 0 0 0 3");
	assert_int_equal(event(), 2);
	fails("00", 6, 0x2800);
	succeeds("00");
	succeeds("1B 0 0 0 1"); /* start: nothing moves */
	succeeds("00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(it_is_found_by_its_signature, start),
		cmocka_unit_test_setup(it_tells_who_it_is, start),
		cmocka_unit_test_setup(what_sr_asks, start),
		cmocka_unit_test_setup(the_disc_is_one_data_track, start),
		cmocka_unit_test_setup(blocks_are_read, start),
		cmocka_unit_test_setup(a_medium_goes_and_another_comes, start),
		cmocka_unit_test_setup(the_tray_opens_unless_it_is_locked, start),
	};

	return cmocka_run_group_tests_name("ATAPI", tests, NULL, NULL);
}
