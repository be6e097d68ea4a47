/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: ATA/ATAPI-7 (T13/1532D) volume 1, chapters 6 (commands) and 7; of queued
 * commands and their log Serial ATA 2.5, 13.6 and 13.7.
 *
 * What a drive is told and what it shows; no data pass through here but replies.
 *
 * Kept true:
 *  - ATA_READ and ATA_WRITE are asked for only with sectors that the disk has, and a write
 *    only if it may be written to.  ATA has no write protection of fixed disks: writes are
 *    aborted.
 *  - A write cache is shown if, and only if, the host keeps data back until it is told to
 *    flush; it cannot be switched off.  Standby and sleep flush it, too.
 *  - What a host's error means for the guest is said in one place, ata_end().
 *
 * READ VERIFY looks at the sectors' numbers alone, and a drive that sleeps wakes up by
 * itself.  Not there: SMART, security, the host protected area, TRIM, FUA.
 */
#include "ata.h"
#include "atapi.h"
#include "lib/mem.h"
#include "lib/muldiv.h"

#define LBA_BIT 0x40u	 /* of the device register */
#define DEVICE_BIT 0x10u /* likewise */
#define FUA_BIT 0x80u	 /* likewise, of WRITE FPDMA QUEUED */
#define HEADS 16	 /* the geometry after power on */
#define TRACK 63	 /* sectors of a track */
#define CYLINDERS 16383	 /* as many as a disk of more than 8 GB shows */
#define LBA28_MAX 0x0FFFFFFFu
#define NOT_QUEUED 0x80u /* in the log: no queued command has failed */
#define LOG_DIRECTORY 0x00
#define LOG_QUEUED_ERROR 0x10

enum action {
	DO_READ,
	DO_WRITE,
	DO_VERIFY,
	DO_SYNC,
	DO_STANDBY,
	DO_IDLE,
	DO_CHECK_POWER,
	DO_IDENTIFY,
	DO_PACKET,
	DO_SET_FEATURES,
	DO_SET_MULTIPLE,
	DO_SET_GEOMETRY,
	DO_SEEK,
	DO_READ_LOG,
	DO_RESET,
};

#define WIDE 1	   /* 48 bits of address, 16 of count */
#define PIO 2	   /* the data go through the data register */
#define MULTIPLE 4 /* in blocks of more than a sector */
#define QUEUED 8
#define DISK 16 /* only a disk knows it */
#define CD 32	/* only a CD-ROM drive knows it */

static const struct command {
	u8 first, last, action, flags;
} commands[] = {
	{0x08, 0x08, DO_RESET, CD},
	{0x10, 0x1F, DO_SEEK, DISK}, /* RECALIBRATE */
	{0x20, 0x21, DO_READ, DISK | PIO},
	{0x24, 0x24, DO_READ, DISK | PIO | WIDE},
	{0x25, 0x25, DO_READ, DISK | WIDE},
	{0x29, 0x29, DO_READ, DISK | PIO | WIDE | MULTIPLE},
	{0x2F, 0x2F, DO_READ_LOG, DISK | PIO},
	{0x30, 0x31, DO_WRITE, DISK | PIO},
	{0x34, 0x34, DO_WRITE, DISK | PIO | WIDE},
	{0x35, 0x35, DO_WRITE, DISK | WIDE},
	{0x39, 0x39, DO_WRITE, DISK | PIO | WIDE | MULTIPLE},
	{0x40, 0x41, DO_VERIFY, DISK},
	{0x42, 0x42, DO_VERIFY, DISK | WIDE},
	{0x60, 0x60, DO_READ, DISK | WIDE | QUEUED},
	{0x61, 0x61, DO_WRITE, DISK | WIDE | QUEUED},
	{0x70, 0x7F, DO_SEEK, DISK},
	{0x90, 0x90, DO_RESET, DISK | CD}, /* EXECUTE DEVICE DIAGNOSTIC */
	{0x91, 0x91, DO_SET_GEOMETRY, DISK},
	{0x94, 0x94, DO_STANDBY, DISK | CD}, /* these are old numbers of E0 to E6 */
	{0x95, 0x95, DO_IDLE, DISK | CD},
	{0x96, 0x96, DO_STANDBY, DISK | CD},
	{0x97, 0x97, DO_IDLE, DISK | CD},
	{0x98, 0x98, DO_CHECK_POWER, DISK | CD},
	{0x99, 0x99, DO_STANDBY, DISK | CD},
	{0xA0, 0xA0, DO_PACKET, CD},
	{0xA1, 0xA1, DO_IDENTIFY, CD | PIO},
	{0xC4, 0xC4, DO_READ, DISK | PIO | MULTIPLE},
	{0xC5, 0xC5, DO_WRITE, DISK | PIO | MULTIPLE},
	{0xC6, 0xC6, DO_SET_MULTIPLE, DISK},
	{0xC8, 0xC9, DO_READ, DISK},
	{0xCA, 0xCB, DO_WRITE, DISK},
	{0xE0, 0xE0, DO_STANDBY, DISK | CD}, /* STANDBY IMMEDIATE */
	{0xE1, 0xE1, DO_IDLE, DISK | CD},
	{0xE2, 0xE2, DO_STANDBY, DISK | CD},
	{0xE3, 0xE3, DO_IDLE, DISK | CD},
	{0xE5, 0xE5, DO_CHECK_POWER, DISK | CD},
	{0xE6, 0xE6, DO_STANDBY, DISK | CD}, /* SLEEP */
	{0xE7, 0xE7, DO_SYNC, DISK},
	{0xEA, 0xEA, DO_SYNC, DISK},
	{0xEC, 0xEC, DO_IDENTIFY, DISK | PIO},
	{0xEF, 0xEF, DO_SET_FEATURES, DISK | CD},
};

/* --- the end of a command ---------------------------------------------------------- */

static void done(struct ata_regs *r)
{
	r->status = ATA_READY;
	r->error = 0;
}

static void fail(struct ata_regs *r, u8 error)
{
	r->status = ATA_READY | ATA_ERR;
	r->error = error;
}

static u32 cylinder_size(const struct ata_drive *d)
{
	return (u32)d->heads * d->track;
}

/* The number of a sector, as the command's own kind of address. */
static void put_address(const struct ata_drive *d, struct ata_regs *r, bool wide, u64 sector)
{
	u32 low = (u32)sector, rest;

	if (wide) {
		for (u32 i = 0; i < 6; i++)
			r->lba[i] = sector >> (8 * i) & 0xFF;
		return;
	}
	if (r->device & LBA_BIT) {
		r->device = (u8)((r->device & 0xF0) | (low >> 24 & 0xF));
	} else {
		rest = low % cylinder_size(d);
		r->device = (u8)((r->device & 0xF0) | rest / d->track);
		low = low / cylinder_size(d) << 8 | (rest % d->track + 1);
	}
	for (u32 i = 0; i < 3; i++)
		r->lba[i] = low >> (8 * i) & 0xFF;
}

void ata_end(struct ata_drive *d, struct ata_regs *r, const struct ata_work *w,
	     enum disk_status status)
{
	if (w->packet) {
		atapi_end(d, r, status);
		return;
	}
	switch (status) {
	case DISK_OK:
		done(r);
		break;
	case DISK_MEDIUM:
		put_address(d, r, w->wide, w->sector);
		fail(r, ATA_UNC);
		break;
	case DISK_MEMORY:
	case DISK_ABSENT:
	case DISK_REFUSED:
		fail(r, ATA_ABRT);
		break;
	}
}

void ata_note_failed(struct ata_drive *d, u8 tag, const struct ata_regs *r)
{
	d->failed = *r;
	d->failed_tag = tag;
}

/* --- the drive itself ---------------------------------------------------------------- */

void ata_reset(struct ata_drive *d, struct ata_regs *r)
{
	*r = (struct ata_regs){
		.device = r->device & DEVICE_BIT, .error = 1, .count = {1}, .lba = {1}};
	if (d->info.cdrom) {
		r->lba[1] = 0x14;
		r->lba[2] = 0xEB;
	} else {
		r->status = ATA_READY;
	}
	d->standby = false;
	d->locked = false;
	d->failed_tag = NOT_QUEUED;
}

bool ata_look(struct ata_drive *d)
{
	struct disk_info before = d->info;

	disk_info(d->unit, &d->info);
	if (before.cdrom)
		atapi_look(d, &before);
	return d->info.sectors || d->info.cdrom;
}

void ata_attach(struct ata_drive *d, unsigned unit, bool sata, bool second)
{
	*d = (struct ata_drive){
		.unit = (u8)unit,
		.sata = sata,
		.second = second,
		.heads = HEADS,
		.track = TRACK,
		.udma = 1 << 2, /* as a BIOS leaves it */
		.failed_tag = NOT_QUEUED,
	};
	d->there = ata_look(d);
}

/* --- replies ----------------------------------------------------------------------- */

static void put(u8 *reply, u32 word, u32 value)
{
	reply[word * 2] = value & 0xFF;
	reply[word * 2 + 1] = value >> 8 & 0xFF;
}

static void put32(u8 *reply, u32 word, u32 value)
{
	put(reply, word, value);
	put(reply, word + 1, value >> 16);
}

/* A text of ATA's: the first character of a word is its high byte; blanks behind it. */
static void put_text(u8 *reply, u32 word, u32 words, const char *text)
{
	for (u32 i = 0; i < words * 2; i++)
		reply[(word * 2 + i) ^ 1] = *text ? (u8)*text++ : ' ';
}

static void put_names(u8 *reply, const struct ata_drive *d)
{
	char serial[] = "vmixen-00000000";

	for (u32 i = 0; i < 8; i++)
		serial[7 + i] = "0123456789ABCDEF"[d->info.vdev >> (28 - 4 * i) & 0xF];
	put_text(reply, 10, 10, serial);
	put_text(reply, 23, 4, "1");
	put_text(reply, 27, 20, d->info.cdrom ? "vmixen CD-ROM" : "vmixen disk");
}

/* Modes of transfer, which all drives have alike, and the interface. */
static void put_modes(u8 *reply, const struct ata_drive *d)
{
	put(reply, 49, 0x0F00); /* DMA, LBA, IORDY */
	put(reply, 51, 0x0200); /* PIO mode 2, without IORDY */
	put(reply, 53, 0x0007); /* words 54 to 58, 64 to 70 and 88 count */
	put(reply, 63, 0x0007 | d->mwdma << 8);
	put(reply, 64, 0x0003); /* PIO modes 3 and 4 */
	for (u32 word = 65; word <= 68; word++)
		put(reply, word, 120); /* ns of a cycle */
	put(reply, 88, 0x003F | d->udma << 8);
	if (d->sata)
		put(reply, 76, 0x0006); /* 1.5 and 3 Gb/s */
	else
		put(reply, 93, d->second ? 0x6B00 : 0x600B); /* a cable of 80 wires */
}

static void put_geometry(u8 *reply, const struct ata_drive *d)
{
	u32 all = d->info.sectors > LBA28_MAX ? LBA28_MAX : (u32)d->info.sectors;
	u32 cylinders = all / (HEADS * TRACK), now = all / cylinder_size(d);

	cylinders = cylinders > CYLINDERS ? CYLINDERS : cylinders;
	now = now > 0xFFFF ? 0xFFFF : now;
	if (d->heads == HEADS && d->track == TRACK)
		now = cylinders;
	put(reply, 1, cylinders);
	put(reply, 3, HEADS);
	put(reply, 6, TRACK);
	put(reply, 54, now);
	put(reply, 55, d->heads);
	put(reply, 56, d->track);
	put32(reply, 57, now * cylinder_size(d));
	put32(reply, 60, all);
	put32(reply, 100, (u32)d->info.sectors);
	put32(reply, 102, (u32)(d->info.sectors >> 32));
}

static void identify_disk(u8 *reply, const struct ata_drive *d)
{
	u32 set82 = 0x4048, set83 = 0x0400, set84 = 0; /* NOP, look-ahead, power; 48 bits */

	put(reply, 0, 0x0040); /* fixed */
	put_geometry(reply, d);
	put(reply, 47, 0x8000 | ATA_MULTIPLE_MAX);
	put(reply, 50, 0x4000);
	if (d->multiple)
		put(reply, 59, 0x0100 | d->multiple);
	put(reply, 80, d->sata ? 0x00F0 : 0x0070); /* ATA-4 to ATA-7 */
	if (d->info.flush) {
		set82 |= 0x0020;
		set83 |= 0x3000;
	}
	if (d->sata) {
		put(reply, 75, ATA_QUEUE - 1);
		put(reply, 76, 0x0106);
		set84 |= 0x0020; /* READ LOG EXT */
	}
	put(reply, 82, set82);
	put(reply, 83, 0x4000 | set83);
	put(reply, 84, 0x4000 | set84);
	put(reply, 85, set82);
	put(reply, 86, set83);
	put(reply, 87, 0x4000 | set84);
}

static void identify_cd(u8 *reply)
{
	put(reply, 0, 0x85C0); /* ATAPI, CD-ROM, removable, DRQ in 50 us, packets of 12 bytes */
	put(reply, 80, 0x0070);
	put(reply, 82, 0x4218); /* NOP, DEVICE RESET, PACKET, power */
	put(reply, 83, 0x4000);
	put(reply, 84, 0x4000);
	put(reply, 85, 0x4218);
	put(reply, 87, 0x4000);
}

static void reply_of(struct ata_work *w, u32 bytes)
{
	w->need = ATA_REPLY;
	w->bytes = bytes;
}

static void identify(const struct ata_drive *d, u8 *reply, struct ata_work *w)
{
	memset(reply, 0, ATA_REPLY_MAX);
	put_names(reply, d);
	put_modes(reply, d);
	if (d->info.cdrom)
		identify_cd(reply);
	else
		identify_disk(reply, d);
	reply_of(w, 512);
}

/* The page of the log that tells which queued command has failed; it tells once. */
static void put_failed(u8 *reply, struct ata_drive *d)
{
	const struct ata_regs *f = &d->failed;
	u8 sum = 0;

	reply[0] = d->failed_tag;
	if (d->failed_tag != NOT_QUEUED) {
		reply[2] = f->status;
		reply[3] = f->error;
		memcpy(reply + 4, f->lba, 3);
		reply[7] = f->device;
		memcpy(reply + 8, f->lba + 3, 3);
		reply[12] = f->count[0];
		reply[13] = f->count[1];
	}
	for (u32 i = 0; i < 511; i++)
		sum += reply[i];
	reply[511] = (u8)(0 - sum);
	d->failed_tag = NOT_QUEUED;
}

static void read_log(struct ata_drive *d, struct ata_regs *r, u8 *reply, struct ata_work *w)
{
	bool first_page = !r->lba[1] && !r->lba[4] && r->count[0] == 1 && !r->count[1];
	u8 log = r->lba[0];

	if (!d->sata || !first_page || (log != LOG_DIRECTORY && log != LOG_QUEUED_ERROR)) {
		fail(r, ATA_ABRT);
		return;
	}
	memset(reply, 0, ATA_REPLY_MAX);
	if (log == LOG_QUEUED_ERROR) {
		put_failed(reply, d);
	} else {
		put(reply, 0, 1); /* version */
		put(reply, LOG_QUEUED_ERROR, 1);
	}
	reply_of(w, 512);
}

/* --- settings ------------------------------------------------------------------------ */

static bool set_mode(struct ata_drive *d, u8 mode)
{
	u32 n = mode & 7;

	switch (mode >> 3) {
	case 0: /* the default PIO mode */
		return n <= 1;
	case 1: /* PIO with flow control */
		return n <= 4;
	case 4:
		if (n > 2)
			return false;
		d->mwdma = (u8)(1u << n);
		d->udma = 0;
		return true;
	case 8:
		if (n > 5)
			return false;
		d->udma = (u8)(1u << n);
		d->mwdma = 0;
		return true;
	}
	return false;
}

static bool set_features(struct ata_drive *d, const struct ata_regs *r)
{
	switch (r->feature[0]) {
	case 0x03:
		return set_mode(d, r->count[0]);
	case 0x02: /* the write cache is on */
		return d->info.flush;
	case 0x55: /* look-ahead off and on */
	case 0xAA:
	case 0x66: /* keep settings over a reset, and do not */
	case 0xCC:
		return true;
	}
	return false;
}

static bool set_multiple(struct ata_drive *d, u8 sectors)
{
	if (sectors > ATA_MULTIPLE_MAX || (sectors & (sectors - 1)))
		return false;
	d->multiple = sectors;
	return true;
}

static bool set_geometry(struct ata_drive *d, const struct ata_regs *r)
{
	if (!r->count[0])
		return false;
	d->track = r->count[0];
	d->heads = (u8)((r->device & 0xF) + 1);
	return true;
}

/* --- commands ------------------------------------------------------------------------ */

/* The first sector, by LBA or by cylinder, head and sector; false if that is none. */
static bool address(const struct ata_drive *d, const struct ata_regs *r, bool wide, u64 *sector)
{
	u32 low = r->lba[0] | r->lba[1] << 8 | (u32)r->lba[2] << 16, head = r->device & 0xF;

	if (wide) {
		*sector = low | (u64)(r->lba[3] | r->lba[4] << 8 | (u32)r->lba[5] << 16) << 24;
		return true;
	}
	if (r->device & LBA_BIT) {
		*sector = low | head << 24;
		return true;
	}
	*sector = (u64)(low >> 8) * cylinder_size(d) + head * d->track + (low & 0xFF) - 1;
	return (low & 0xFF) && (low & 0xFF) <= d->track && head < d->heads;
}

static u32 count_of(const u8 count[2], bool wide)
{
	u32 n = wide ? (u32)(count[0] | count[1] << 8) : count[0];

	return n ? n : wide ? 65536 : 256;
}

/* Which sectors, and are they the disk's? */
static bool take_sectors(const struct ata_drive *d, struct ata_regs *r, const struct command *c,
			 struct ata_work *w)
{
	w->wide = c->flags & WIDE;
	w->sectors = count_of(c->flags & QUEUED ? r->feature : r->count, w->wide);
	if (!address(d, r, w->wide, &w->sector)) {
		fail(r, ATA_IDNF);
		return false;
	}
	if (w->sector < d->info.sectors && w->sectors <= d->info.sectors - w->sector)
		return true;
	if (w->sector < d->info.sectors)
		put_address(d, r, w->wide, d->info.sectors);
	fail(r, ATA_IDNF);
	return false;
}

static void transfer(struct ata_drive *d, struct ata_regs *r, const struct command *c,
		     struct ata_work *w)
{
	bool write = c->action == DO_WRITE;

	w->block = c->flags & MULTIPLE ? d->multiple : 1;
	if (!w->block || (c->flags & QUEUED && !d->sata) || (write && d->info.read_only) ||
	    (write && c->flags & QUEUED && r->device & FUA_BIT && d->info.flush)) {
		fail(r, ATA_ABRT);
		return;
	}
	if (!take_sectors(d, r, c, w))
		return;
	d->standby = false;
	w->need = write ? ATA_WRITE : ATA_READ;
}

static void verify(struct ata_drive *d, struct ata_regs *r, const struct command *c)
{
	struct ata_work none;

	if (take_sectors(d, r, c, &none))
		done(r);
}

static void end_if(struct ata_regs *r, bool good)
{
	if (good)
		done(r);
	else
		fail(r, ATA_ABRT);
}

static void sync(const struct ata_drive *d, struct ata_regs *r, struct ata_work *w)
{
	if (d->info.flush && !d->info.cdrom)
		w->need = ATA_SYNC;
	else
		done(r);
}

static void refuse(struct ata_drive *d, struct ata_regs *r)
{
	/* A CD-ROM drive answers what only disks know with its signature. */
	if (d->info.cdrom && (r->command == 0xEC || r->command == 0x20))
		ata_reset(d, r);
	fail(r, ATA_ABRT);
}

static void carry_out(struct ata_drive *d, struct ata_regs *r, const struct command *c, u8 *reply,
		      struct ata_work *w)
{
	switch (c->action) {
	case DO_READ:
	case DO_WRITE:
		transfer(d, r, c, w);
		break;
	case DO_VERIFY:
		verify(d, r, c);
		break;
	case DO_STANDBY:
		d->standby = true;
		sync(d, r, w);
		break;
	case DO_SYNC:
		sync(d, r, w);
		break;
	case DO_IDLE:
		d->standby = false;
		done(r);
		break;
	case DO_CHECK_POWER:
		r->count[0] = d->standby ? 0 : 0xFF;
		done(r);
		break;
	case DO_IDENTIFY:
		identify(d, reply, w);
		break;
	case DO_PACKET:
		w->need = ATA_PACKET;
		w->pio = !(r->feature[0] & 1);
		break;
	case DO_SET_FEATURES:
		end_if(r, set_features(d, r));
		break;
	case DO_SET_MULTIPLE:
		end_if(r, set_multiple(d, r->count[0]));
		break;
	case DO_SET_GEOMETRY:
		end_if(r, set_geometry(d, r));
		break;
	case DO_SEEK:
		done(r);
		break;
	case DO_READ_LOG:
		read_log(d, r, reply, w);
		break;
	case DO_RESET:
		ata_reset(d, r);
		break;
	}
}

static const struct command *find(u8 code)
{
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++)
		if (code >= commands[i].first && code <= commands[i].last)
			return &commands[i];
	return NULL;
}

bool ata_is_queued(u8 command)
{
	return (command & 0xFE) == 0x60;
}

void ata_command(struct ata_drive *d, struct ata_regs *r, u8 *reply, struct ata_work *w)
{
	const struct command *c = find(r->command);

	*w = (struct ata_work){.need = ATA_NOTHING, .block = 1};
	if (!c || !(c->flags & (d->info.cdrom ? CD : DISK))) {
		refuse(d, r);
		return;
	}
	w->pio = c->flags & PIO;
	carry_out(d, r, c, reply, w);
}
