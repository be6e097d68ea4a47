/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: ATA/ATAPI-7 volume 2 (the registers and protocols of parallel ATA); SFF-8038i and
 * Intel 82371AB (PIIX4), 4.2 and 5.2 (bus master and enable bits).
 *
 * A channel carries out one command at a time, of the drive that was selected when it was
 * given.  Data go through the data register, by way of the buffer and in blocks that the
 * drive announces by DRQ, or by the bus master straight between the backend and the guest's
 * memory.  The bus master's table of pieces of memory (PRD) lies in one 64 KB.
 *
 * Kept true:
 *  - Registers are written in both drives, and answer from the one that is selected.  A
 *    drive that is not there answers with zeros while the other is.
 *  - Nobody can call a request back.  A reset that comes while the front end has one makes
 *    it "dead": no further piece of memory is told, and the drives are busy until it has
 *    come back.  Only then their signature comes.
 *  - disk.h's done() notes what it says; all that follows happens in ide_update().
 *  - bm_status shows an interrupt only if the drive may ask for one.
 *
 * Reading data prefetches a buffer, writing is confirmed block by block.  A flaw of the
 * PRD table ends the command with ABRT and the bus master's error bit; a real one would
 * leave the guest waiting.
 */
#include "ide.h"
#include "atapi.h"
#include "dma.h"
#include "lib/mem.h"

#define REG_DATA 0
#define REG_ERROR 1 /* written: feature */
#define REG_COUNT 2
#define REG_LBA 3 /* three */
#define REG_DEVICE 6
#define REG_STATUS 7 /* written: command */
#define REG_CONTROL 8

#define DEVICE_SECOND 0x10u
#define CONTROL_NO_IRQ 0x02u
#define CONTROL_SRST 0x04u
#define CONTROL_HOB 0x80u

#define COMMAND_DEVICE_RESET 0x08
#define COMMAND_DIAGNOSTIC 0x90

#define BM_START 0x01u
#define BM_COMMAND_MASK 0x09u /* and the direction, which has no effect */
#define BM_ACTIVE 0x01u
#define BM_ERROR 0x02u
#define BM_IRQ 0x04u
#define BM_CAPABLE 0x60u /* what a BIOS says of the drives; has no effect */
#define PRD_SPACE 0x10000u
#define PRD_LAST 0x80000000u

#define BUFFER_SECTORS (IDE_BUFFER / DISK_SECTOR)

static u32 smaller(u32 a, u32 b)
{
	return a < b ? a : b;
}

static struct ata_regs *active_regs(struct ide_channel *ch)
{
	return &ch->regs[ch->active];
}

static void raise(struct ide_channel *ch)
{
	ch->irq = true;
	if (!(ch->control & CONTROL_NO_IRQ))
		ch->bm_status |= BM_IRQ;
}

bool ide_irq(const struct ide *ide, unsigned channel)
{
	const struct ide_channel *ch = &ide->channel[channel];

	return ch->irq && !(ch->control & CONTROL_NO_IRQ);
}

/* --- the front end -------------------------------------------------------------------- */

static bool next_entry(struct ide_channel *ch, struct disk_piece *piece)
{
	const struct ide *ide =
		(const struct ide *)((u8 *)(ch - ch->number) - offsetof(struct ide, channel));
	u32 entry[2];

	if (ch->prd_last || (ch->bm_table & (PRD_SPACE - 1)) + ch->prd + 8 > PRD_SPACE ||
	    !ide->master || !dma_read((u64)ch->bm_table + ch->prd, entry, sizeof(entry)))
		return false;
	ch->prd += 8;
	ch->prd_last = entry[1] & PRD_LAST;
	entry[1] &= 0xFFFE;
	*piece = (struct disk_piece){.gpa = entry[0] & ~1u, .bytes = entry[1] ? entry[1] : 65536};
	return true;
}

static bool next_piece(struct disk_request *r, struct disk_piece *piece)
{
	struct ide_channel *ch = (struct ide_channel *)r;

	if (ch->dead)
		return false;
	if (!ch->work.pio)
		return next_entry(ch, piece);
	if (!ch->fresh)
		return false;
	ch->fresh = false;
	*piece = (struct disk_piece){.own = ch->buffer, .bytes = r->sectors * DISK_SECTOR};
	return true;
}

static void request_done(struct disk_request *r, enum disk_status status)
{
	struct ide_channel *ch = (struct ide_channel *)r;

	ch->status = (u8)status;
	ch->finished = true;
}

static void submit(struct ide_channel *ch, u32 sectors)
{
	enum ata_need need = ch->work.need;

	ch->r.op = need == ATA_READ ? DISK_READ : need == ATA_WRITE ? DISK_WRITE : DISK_FLUSH;
	ch->r.sector = ch->work.sector;
	ch->r.sectors = sectors;
	ch->r.next = next_piece;
	ch->r.done = request_done;
	ch->fresh = true;
	ch->phase = IDE_BUSY;
	active_regs(ch)->status = ATA_BSY | ATA_READY;
	disk_submit(ch->drive[ch->active].unit, &ch->r);
}

/* --- a command's course ------------------------------------------------------------------ */

static void finish(struct ide_channel *ch, bool interrupt)
{
	ch->phase = IDE_IDLE;
	ch->bm_status &= ~BM_ACTIVE;
	if (interrupt)
		raise(ch);
}

static void end(struct ide_channel *ch, enum disk_status status, bool interrupt)
{
	if (status == DISK_MEMORY)
		ch->bm_status |= BM_ERROR;
	ata_end(&ch->drive[ch->active], active_regs(ch), &ch->work, status);
	finish(ch, interrupt);
}

/* The guest may move the next block of what the buffer has, or has room for. */
static void offer(struct ide_channel *ch, enum ide_phase phase, bool interrupt)
{
	struct ata_regs *g = active_regs(ch);
	u32 bytes = ch->work.block * DISK_SECTOR;

	if (ch->work.packet) {
		bytes = smaller(ch->limit, ch->end - ch->at);
		g->count[0] = ATAPI_TO_HOST;
		g->lba[1] = bytes & 0xFF;
		g->lba[2] = bytes >> 8 & 0xFF;
	}
	ch->block_end = ch->at + smaller(bytes, ch->end - ch->at);
	ch->phase = phase;
	g->status = ATA_READY | ATA_DRQ;
	if (interrupt)
		raise(ch);
}

static void offer_reply(struct ide_channel *ch, u32 bytes)
{
	ch->at = 0;
	ch->end = bytes;
	offer(ch, IDE_IN, true);
}

static void fetch(struct ide_channel *ch)
{
	submit(ch, smaller(ch->left, BUFFER_SECTORS));
}

/* Room for a block of the guest's data; the first one is not announced by an interrupt. */
static void offer_room(struct ide_channel *ch, bool first)
{
	ch->at = 0;
	ch->end = smaller(ch->left, ch->work.block) * DISK_SECTOR;
	offer(ch, IDE_OUT, !first);
}

static enum disk_status copy_reply(struct ide_channel *ch)
{
	struct disk_piece piece;
	u32 n;

	for (u32 at = 0; at < ch->work.bytes; at += n) {
		if (!next_entry(ch, &piece))
			return DISK_MEMORY;
		n = smaller(piece.bytes, ch->work.bytes - at);
		if (!dma_write(piece.gpa, ch->buffer + at, n))
			return DISK_MEMORY;
	}
	return DISK_OK;
}

/* The command and the bus master must both have been started. */
static void start_dma(struct ide_channel *ch)
{
	if (ch->phase != IDE_READY || !(ch->bm_command & BM_START))
		return;
	ch->prd = 0;
	ch->prd_last = false;
	if (ch->work.need == ATA_REPLY)
		end(ch, copy_reply(ch), true);
	else
		submit(ch, ch->work.sectors);
}

static void wait_for_dma(struct ide_channel *ch)
{
	ch->phase = IDE_READY;
	active_regs(ch)->status = ATA_BSY | ATA_READY;
	start_dma(ch);
}

/* ata_command() or atapi_packet() has said what is needed. */
static void proceed(struct ide_channel *ch)
{
	const struct ata_work *w = &ch->work;

	ch->left = w->sectors;
	if (w->need == ATA_NOTHING)
		finish(ch, true);
	else if (w->need == ATA_SYNC)
		submit(ch, 0);
	else if (!w->pio)
		wait_for_dma(ch);
	else if (w->need == ATA_REPLY)
		offer_reply(ch, w->bytes);
	else if (w->need == ATA_READ)
		fetch(ch);
	else
		offer_room(ch, true);
}

static void ask_for_packet(struct ide_channel *ch)
{
	struct ata_regs *g = active_regs(ch);
	u32 limit = g->lba[1] | g->lba[2] << 8;

	ch->limit = limit < 2 ? 0xFFFE : limit & 0xFFFE;
	ch->at = 0;
	ch->end = ch->block_end = ATAPI_PACKET;
	ch->phase = IDE_PACKET;
	g->count[0] = ATAPI_COMMAND;
	g->status = ATA_READY | ATA_DRQ;
}

/* The guest has moved the block that was offered. */
static void block_moved(struct ide_channel *ch)
{
	struct ata_drive *d = &ch->drive[ch->active];
	u8 packet[ATAPI_PACKET];

	switch (ch->phase) {
	case IDE_PACKET:
		memcpy(packet, ch->buffer, sizeof(packet));
		atapi_packet(d, active_regs(ch), packet, ch->buffer, &ch->work);
		proceed(ch);
		break;
	case IDE_OUT:
		submit(ch, ch->end / DISK_SECTOR);
		break;
	case IDE_IN:
		if (ch->at < ch->end)
			offer(ch, IDE_IN, true);
		else if (ch->left && ch->work.need == ATA_READ)
			fetch(ch);
		else /* what a packet has said is behind its data; of a disk the last DRQ was it */
			end(ch, DISK_OK, ch->work.packet);
		break;
	}
}

/* A part of the command is at its end, or the command. */
static void part_done(struct ide_channel *ch)
{
	enum disk_status status = ch->status;

	if (status != DISK_OK || !ch->work.pio) {
		ch->work.sector = ch->r.sector;
		end(ch, status, true);
		return;
	}
	ch->left -= ch->r.sectors;
	ch->work.sector += ch->r.sectors;
	if (ch->work.need == ATA_READ)
		offer_reply(ch, ch->r.sectors * DISK_SECTOR);
	else if (ch->left)
		offer_room(ch, false);
	else
		end(ch, DISK_OK, true);
}

/* --- resets ------------------------------------------------------------------------------ */

/* The drives of the mask show their signatures, as soon as they may. */
static void settle_reset(struct ide_channel *ch)
{
	if (ch->phase == IDE_BUSY || (ch->control & CONTROL_SRST))
		return;
	for (u32 i = 0; i < IDE_DRIVES; i++)
		if (ch->resetting >> i & 1)
			ata_reset(&ch->drive[i], &ch->regs[i]);
	ch->resetting = 0;
}

static void reset(struct ide_channel *ch, u32 drives)
{
	ch->resetting |= (u8)drives;
	ch->irq = false;
	for (u32 i = 0; i < IDE_DRIVES; i++)
		if (drives >> i & 1)
			ch->regs[i].status = ATA_BSY;
	if (ch->phase == IDE_BUSY)
		ch->dead = true;
	else
		ch->phase = IDE_IDLE;
}

/* All drives, and the first one is selected. */
static void reset_all(struct ide_channel *ch)
{
	reset(ch, 3);
	ch->selected = 0;
	for (u32 i = 0; i < IDE_DRIVES; i++)
		ch->regs[i].device = 0;
}

static void write_control(struct ide_channel *ch, u8 value)
{
	bool was = ch->control & CONTROL_SRST;

	ch->control = value;
	if (!was && (value & CONTROL_SRST))
		reset_all(ch);
	settle_reset(ch);
	if (ch->irq && !(value & CONTROL_NO_IRQ))
		ch->bm_status |= BM_IRQ;
}

void ide_update(struct ide *ide)
{
	for (u32 i = 0; i < IDE_CHANNELS; i++) {
		struct ide_channel *ch = &ide->channel[i];

		if (!ch->finished)
			continue;
		ch->finished = false;
		ch->phase = IDE_IDLE;
		if (ch->dead)
			ch->bm_status &= ~BM_ACTIVE;
		else
			part_done(ch);
		ch->dead = false;
		settle_reset(ch);
	}
}

/* --- registers --------------------------------------------------------------------------- */

static void command(struct ide_channel *ch, u8 code)
{
	struct ata_drive *d = &ch->drive[ch->selected];

	if (!d->there || ch->resetting)
		return;
	if (code == COMMAND_DEVICE_RESET && d->info.cdrom) {
		reset(ch, 1u << ch->selected);
		settle_reset(ch);
		return;
	}
	if (ch->phase == IDE_BUSY)
		return;
	ch->irq = false;
	ch->active = ch->selected;
	if (code == COMMAND_DIAGNOSTIC) {
		reset_all(ch);
		settle_reset(ch);
		finish(ch, true);
		return;
	}
	active_regs(ch)->command = code;
	ata_command(d, active_regs(ch), ch->buffer, &ch->work);
	if (ch->work.need == ATA_PACKET)
		ask_for_packet(ch);
	else
		proceed(ch);
}

static u32 read_data(struct ide_channel *ch, unsigned size)
{
	u32 value = 0xFFFFFFFF;

	if (ch->phase != IDE_IN)
		return value;
	size = smaller(size, ch->block_end - ch->at);
	memcpy(&value, ch->buffer + ch->at, size);
	ch->at += size;
	if (ch->at == ch->block_end)
		block_moved(ch);
	return value;
}

static void write_data(struct ide_channel *ch, unsigned size, u32 value)
{
	if (ch->phase != IDE_OUT && ch->phase != IDE_PACKET)
		return;
	size = smaller(size, ch->block_end - ch->at);
	memcpy(ch->buffer + ch->at, &value, size);
	ch->at += size;
	if (ch->at == ch->block_end)
		block_moved(ch);
}

u32 ide_read(struct ide *ide, unsigned channel, unsigned reg, unsigned size)
{
	struct ide_channel *ch = &ide->channel[channel];
	const struct ata_regs *g = &ch->regs[ch->selected];
	u32 before = ch->control & CONTROL_HOB ? 1 : 0;

	if (reg == REG_DEVICE)
		return g->device | 0xA0;
	if (!ch->drive[ch->selected].there)
		return 0;
	switch (reg) {
	case REG_DATA:
		return read_data(ch, size);
	case REG_ERROR:
		return g->error;
	case REG_COUNT:
		return g->count[before];
	case REG_LBA ... REG_LBA + 2:
		return g->lba[before * 3 + reg - REG_LBA];
	case REG_STATUS:
		ch->irq = false;
		break;
	}
	return g->status;
}

/* The value that was there becomes the one before. */
static void write_register(struct ata_regs *g, unsigned reg, u8 value)
{
	u8 *now = reg == REG_ERROR   ? &g->feature[0]
		  : reg == REG_COUNT ? &g->count[0]
				     : &g->lba[reg - REG_LBA];
	u8 *before = reg < REG_LBA ? now + 1 : now + 3;

	*before = *now;
	*now = value;
}

void ide_write(struct ide *ide, unsigned channel, unsigned reg, unsigned size, u32 value)
{
	struct ide_channel *ch = &ide->channel[channel];
	u8 byte = value & 0xFF;

	if (reg != REG_CONTROL)
		ch->control &= (u8)~CONTROL_HOB;
	switch (reg) {
	case REG_DATA:
		write_data(ch, size, value);
		break;
	case REG_ERROR ... REG_LBA + 2:
		for (u32 i = 0; i < IDE_DRIVES; i++)
			write_register(&ch->regs[i], reg, byte);
		break;
	case REG_DEVICE:
		ch->selected = (byte & DEVICE_SECOND) != 0;
		for (u32 i = 0; i < IDE_DRIVES; i++)
			ch->regs[i].device = byte;
		break;
	case REG_STATUS:
		command(ch, byte);
		break;
	case REG_CONTROL:
		write_control(ch, byte);
		break;
	}
}

static u8 master_byte(const struct ide_channel *ch, unsigned reg)
{
	if (reg == 0)
		return ch->bm_command;
	if (reg == 2)
		return ch->bm_status;
	return reg >= 4 ? ch->bm_table >> (8 * (reg - 4)) & 0xFF : 0;
}

static void write_master_byte(struct ide_channel *ch, unsigned reg, u8 value)
{
	u32 shift = 8 * (reg & 3);

	if (reg == 0) {
		if (!(ch->bm_command & BM_START) && value & BM_START)
			ch->bm_status |= BM_ACTIVE;
		if (!(value & BM_START))
			ch->bm_status &= ~BM_ACTIVE;
		ch->bm_command = value & BM_COMMAND_MASK;
		start_dma(ch);
	} else if (reg == 2) {
		ch->bm_status =
			(u8)((ch->bm_status & ~(value & (BM_ERROR | BM_IRQ)) & ~BM_CAPABLE) |
			     (value & BM_CAPABLE));
	} else if (reg >= 4) {
		ch->bm_table = ((ch->bm_table & ~(0xFFu << shift)) | (u32)value << shift) & ~3u;
	}
}

u32 ide_master_read(const struct ide *ide, unsigned channel, unsigned reg, unsigned size)
{
	u32 value = 0;

	for (unsigned i = 0; i < size && reg + i < 8; i++)
		value |= (u32)master_byte(&ide->channel[channel], reg + i) << (8 * i);
	return value;
}

void ide_master_write(struct ide *ide, unsigned channel, unsigned reg, unsigned size, u32 value)
{
	for (unsigned i = 0; i < size && reg + i < 8; i++)
		write_master_byte(&ide->channel[channel], reg + i, value >> (8 * i) & 0xFF);
}

/* --- drives --------------------------------------------------------------------------------- */

void ide_power_on(struct ide *ide)
{
	memset(ide, 0, sizeof(*ide));
	for (u32 i = 0; i < IDE_CHANNELS; i++)
		ide->channel[i].number = (u8)i;
}

bool ide_has(const struct ide *ide, unsigned channel)
{
	const struct ide_channel *ch = &ide->channel[channel];

	return ch->drive[0].there || ch->drive[1].there;
}

void ide_attach(struct ide *ide, unsigned unit, u32 place)
{
	struct ide_channel *ch = &ide->channel[place / 2];

	ata_attach(&ch->drive[place % 2], unit, false, place % 2);
	ch->bm_status |= (u8)(0x20u << place % 2);
	ch->resetting |= (u8)(1u << place % 2);
	settle_reset(ch);
}

void ide_look(struct ide *ide, u32 place)
{
	struct ata_drive *d = &ide->channel[place / 2].drive[place % 2];

	if (d->there)
		ata_look(d);
}

void ide_detach(struct ide *ide, u32 place)
{
	ide->channel[place / 2].drive[place % 2].there = false;
}
