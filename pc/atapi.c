/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: MMC-3 (T10/1363D) and SPC-2 (T10/1236D); how ATA carries them: ATA/ATAPI-7
 * volume 1, 6.24.
 *
 * A CD-ROM drive with one data track, the whole disc.  Its blocks are of 2048 bytes; what
 * the host has behind the last whole one does not exist.
 *
 * Kept true: a command that finds another medium than the last one did, or none, says so
 * before it does anything, once for a medium that has changed.  A reply is never longer
 * than the packet allows.
 *
 * Not there: audio, writing, changers, MODE SELECT.
 */
#include "atapi.h"
#include "lib/mem.h"

#define SECTORS (ATAPI_BLOCK / DISK_SECTOR) /* of the disk's, in a block */
#define BLOCKS_MAX (65536 / SECTORS)	    /* of one READ */
#define LEADOUT 0xAA
#define SPEED 2816 /* kB/s that the drive says it has */

#define NOT_READY 2
#define MEDIUM_ERROR 3
#define ILLEGAL_REQUEST 5
#define UNIT_ATTENTION 6
#define ABORTED_COMMAND 11

/* Additional sense codes, with their qualifier in the low byte. */
#define NO_SENSE_CODE 0x0000
#define UNRECOVERED_READ 0x1100
#define INVALID_COMMAND 0x2000
#define OUT_OF_RANGE 0x2100
#define INVALID_FIELD 0x2400
#define MEDIUM_CHANGED 0x2800
#define SAVING_NOT_SUPPORTED 0x3900
#define NO_MEDIUM 0x3A00
#define REMOVAL_PREVENTED 0x5302

#define EVENT_NEW 2
#define EVENT_REMOVED 3
#define EVENT_CLASS_MEDIA 4

static void succeed(struct ata_regs *r)
{
	r->status = ATA_READY;
	r->error = 0;
	r->count[0] = ATAPI_COMMAND | ATAPI_TO_HOST;
}

static void check(struct ata_drive *d, struct ata_regs *r, u8 key, u32 code)
{
	d->key = key;
	d->asc = (u8)(code >> 8);
	d->ascq = (u8)code;
	r->status = ATA_READY | ATA_ERR;
	r->error = (u8)(key << 4 | ATA_ABRT);
	r->count[0] = ATAPI_COMMAND | ATAPI_TO_HOST;
}

void atapi_end(struct ata_drive *d, struct ata_regs *r, enum disk_status status)
{
	switch (status) {
	case DISK_OK:
		succeed(r);
		break;
	case DISK_MEDIUM:
		check(d, r, MEDIUM_ERROR, UNRECOVERED_READ);
		break;
	case DISK_MEMORY:
		check(d, r, ABORTED_COMMAND, NO_SENSE_CODE);
		break;
	case DISK_ABSENT:
		check(d, r, NOT_READY, NO_MEDIUM);
		break;
	case DISK_REFUSED:
		check(d, r, ILLEGAL_REQUEST, OUT_OF_RANGE);
		break;
	}
}

void atapi_look(struct ata_drive *d, const struct disk_info *before)
{
	/* A drive at IDE stays when the unit goes; the medium goes. */
	if (!d->info.cdrom)
		d->info = (struct disk_info){.cdrom = true, .vdev = before->vdev};
	if (d->info.sectors == before->sectors)
		return;
	d->changed = d->info.sectors != 0;
	d->media_event = d->info.sectors ? EVENT_NEW : EVENT_REMOVED;
	d->open = false;
}

static u32 blocks(const struct ata_drive *d)
{
	u64 n = d->open ? 0 : d->info.sectors / SECTORS;

	return n > 0xFFFFFFFF ? 0xFFFFFFFF : (u32)n;
}

static void put16be(u8 *at, u32 value)
{
	at[0] = value >> 8 & 0xFF;
	at[1] = value & 0xFF;
}

static void put32be(u8 *at, u32 value)
{
	put16be(at, value >> 16);
	put16be(at + 2, value);
}

static u32 get16be(const u8 *at)
{
	return (u32)(at[0] << 8 | at[1]);
}

static u32 get32be(const u8 *at)
{
	return get16be(at) << 16 | get16be(at + 2);
}

/* The reply has so many bytes, of which the host takes at most so many. */
static void reply_of(struct ata_regs *r, struct ata_work *w, u32 bytes, u32 most)
{
	succeed(r);
	w->bytes = bytes < most ? bytes : most;
	if (w->bytes)
		w->need = ATA_REPLY;
}

static void request_sense(struct ata_drive *d, struct ata_regs *r, const u8 *packet, u8 *reply,
			  struct ata_work *w)
{
	reply[0] = 0x70;
	reply[2] = d->key;
	reply[7] = 10;
	reply[12] = d->asc;
	reply[13] = d->ascq;
	d->key = d->asc = d->ascq = 0;
	reply_of(r, w, 18, packet[4]);
}

static void inquiry(struct ata_drive *d, struct ata_regs *r, const u8 *packet, u8 *reply,
		    struct ata_work *w)
{
	if (packet[1] & 1 || packet[2]) {
		check(d, r, ILLEGAL_REQUEST, INVALID_FIELD);
		return;
	}
	reply[0] = 5;	 /* CD-ROM */
	reply[1] = 0x80; /* removable */
	reply[3] = 0x21;
	reply[4] = 31;
	memcpy(reply + 8, "vmixen  CD-ROM          1   ", 28);
	reply_of(r, w, 36, get16be(packet + 3));
}

static void start_stop(struct ata_drive *d, struct ata_regs *r, const u8 *packet)
{
	bool start = packet[4] & 1, tray = packet[4] & 2;

	if (tray && !start && d->locked) {
		check(d, r, ILLEGAL_REQUEST, REMOVAL_PREVENTED);
		return;
	}
	if (tray) {
		if (d->open && start && d->info.sectors) {
			d->changed = true;
			d->media_event = EVENT_NEW;
		}
		d->open = !start;
	}
	succeed(r);
}

static void read_capacity(struct ata_drive *d, struct ata_regs *r, u8 *reply, struct ata_work *w)
{
	put32be(reply, blocks(d) - 1);
	put32be(reply + 4, ATAPI_BLOCK);
	reply_of(r, w, 8, 8);
}

static void read_blocks(struct ata_drive *d, struct ata_regs *r, u32 first, u32 count,
			struct ata_work *w)
{
	u32 all = blocks(d);

	if (first >= all || count > all - first) {
		check(d, r, ILLEGAL_REQUEST, OUT_OF_RANGE);
	} else if (count > BLOCKS_MAX) {
		check(d, r, ILLEGAL_REQUEST, INVALID_FIELD);
	} else if (!count) {
		succeed(r);
	} else {
		w->need = ATA_READ;
		w->sector = (u64)first * SECTORS;
		w->sectors = count * SECTORS;
		w->block = SECTORS;
	}
}

static void put_time(u8 *at, bool msf, u32 block)
{
	if (!msf) {
		put32be(at, block);
		return;
	}
	block += 150; /* the pregap of two seconds */
	at[0] = 0;
	at[1] = (u8)(block / 75 / 60);
	at[2] = (u8)(block / 75 % 60);
	at[3] = (u8)(block % 75);
}

static u8 *put_track(u8 *at, bool msf, u8 track, u32 block)
{
	at[1] = 0x14; /* data */
	at[2] = track;
	put_time(at + 4, msf, block);
	return at + 8;
}

static void read_toc(struct ata_drive *d, struct ata_regs *r, const u8 *packet, u8 *reply,
		     struct ata_work *w)
{
	bool msf = packet[1] & 2;
	u8 format = packet[2] & 0xF ? packet[2] & 0xF : packet[9] >> 6, from = packet[6];
	u8 *at = reply + 4;

	if (format > 1 || (format == 0 && from > 1 && from != LEADOUT)) {
		check(d, r, ILLEGAL_REQUEST, INVALID_FIELD);
		return;
	}
	if (format == 1 || from <= 1)
		at = put_track(at, msf, 1, 0);
	if (format == 0)
		at = put_track(at, msf, LEADOUT, blocks(d));
	put16be(reply, (u32)(at - reply) - 2);
	reply[2] = reply[3] = 1; /* first and last track, or session */
	reply_of(r, w, (u32)(at - reply), get16be(packet + 7));
}

static u8 *put_page(u8 *at, u8 page, u8 bytes)
{
	at[0] = page;
	at[1] = bytes;
	if (page == 0x01) {
		at[3] = 5; /* retries */
	} else if (page == 0x2A) {
		at[2] = 3;    /* reads CD-R and CD-RW */
		at[6] = 0x29; /* a tray, that ejects and can be locked */
		put16be(at + 8, SPEED);
		put16be(at + 12, 512); /* KB of buffer */
		put16be(at + 14, SPEED);
	}
	return at + 2 + bytes;
}

static void mode_sense(struct ata_drive *d, struct ata_regs *r, const u8 *packet, u8 *reply,
		       struct ata_work *w)
{
	static const u8 pages[][2] = {{0x01, 6}, {0x0E, 14}, {0x2A, 18}};
	u8 wanted = packet[2] & 0x3F, *at = reply + 8;

	if (packet[2] >> 6 == 3) {
		check(d, r, ILLEGAL_REQUEST, SAVING_NOT_SUPPORTED);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(pages); i++)
		if (wanted == pages[i][0] || wanted == 0x3F)
			at = put_page(at, pages[i][0], pages[i][1]);
	if (at == reply + 8) {
		check(d, r, ILLEGAL_REQUEST, INVALID_FIELD);
		return;
	}
	put16be(reply, (u32)(at - reply) - 2);
	reply[2] = d->open ? 0x71 : blocks(d) ? 0x01 : 0x70;
	reply_of(r, w, (u32)(at - reply), get16be(packet + 7));
}

static void event_status(struct ata_drive *d, struct ata_regs *r, const u8 *packet, u8 *reply,
			 struct ata_work *w)
{
	if (!(packet[1] & 1)) { /* an answer when something happens: there is no queue */
		check(d, r, ILLEGAL_REQUEST, INVALID_FIELD);
		return;
	}
	reply[3] = 1 << EVENT_CLASS_MEDIA;
	if (!(packet[4] & 1 << EVENT_CLASS_MEDIA)) {
		put16be(reply, 2);
		reply[2] = 0x80;
		reply_of(r, w, 4, get16be(packet + 7));
		return;
	}
	put16be(reply, 6);
	reply[2] = EVENT_CLASS_MEDIA;
	reply[4] = d->media_event;
	reply[5] = (u8)(d->open | (blocks(d) ? 2 : 0));
	d->media_event = 0;
	reply_of(r, w, 8, get16be(packet + 7));
}

/* Commands that tell nothing of the medium. */
static bool is_about_drive(u8 code)
{
	switch (code) {
	case 0x03: /* REQUEST SENSE */
	case 0x12: /* INQUIRY */
	case 0x1B: /* START STOP UNIT */
	case 0x1E: /* PREVENT ALLOW MEDIUM REMOVAL */
	case 0x4A: /* GET EVENT STATUS NOTIFICATION */
	case 0x5A: /* MODE SENSE (10) */
	case 0xBB: /* SET CD SPEED */
		return true;
	}
	return false;
}

static bool is_known(u8 code)
{
	switch (code) {
	case 0x00: /* TEST UNIT READY */
	case 0x25: /* READ CAPACITY */
	case 0x28: /* READ (10) */
	case 0x2B: /* SEEK (10) */
	case 0x43: /* READ TOC */
	case 0xA8: /* READ (12) */
		return true;
	}
	return is_about_drive(code);
}

/* Is there a medium, and the one that the guest knows? */
static bool ready(struct ata_drive *d, struct ata_regs *r)
{
	if (!blocks(d)) {
		check(d, r, NOT_READY, NO_MEDIUM);
		return false;
	}
	if (d->changed) {
		d->changed = false;
		check(d, r, UNIT_ATTENTION, MEDIUM_CHANGED);
		return false;
	}
	return true;
}

void atapi_packet(struct ata_drive *d, struct ata_regs *r, const u8 packet[ATAPI_PACKET], u8 *reply,
		  struct ata_work *w)
{
	u8 code = packet[0];

	*w = (struct ata_work){
		.need = ATA_NOTHING, .packet = true, .pio = w->pio, .block = SECTORS};
	memset(reply, 0, ATA_REPLY_MAX);
	if (!is_known(code)) {
		check(d, r, ILLEGAL_REQUEST, INVALID_COMMAND);
		return;
	}
	if (!is_about_drive(code) && !ready(d, r))
		return;
	switch (code) {
	case 0x03:
		request_sense(d, r, packet, reply, w);
		break;
	case 0x12:
		inquiry(d, r, packet, reply, w);
		break;
	case 0x1B:
		start_stop(d, r, packet);
		break;
	case 0x1E:
		d->locked = packet[4] & 1;
		succeed(r);
		break;
	case 0x25:
		read_capacity(d, r, reply, w);
		break;
	case 0x28:
		read_blocks(d, r, get32be(packet + 2), get16be(packet + 7), w);
		break;
	case 0x43:
		read_toc(d, r, packet, reply, w);
		break;
	case 0x4A:
		event_status(d, r, packet, reply, w);
		break;
	case 0x5A:
		mode_sense(d, r, packet, reply, w);
		break;
	case 0xA8:
		read_blocks(d, r, get32be(packet + 2), get32be(packet + 6), w);
		break;
	default: /* nothing to do */
		succeed(r);
	}
}
