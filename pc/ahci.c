/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Serial ATA Advanced Host Controller Interface 1.1; of FISes Serial ATA 2.5,
 * chapter 10.
 *
 * The guest has in its memory a list of 32 slots for each port.  A slot names a command
 * table: the FIS with the command, and a table of pieces of memory (PRD).  It sets the
 * slot's bit in CI, and that of a queued command in SACT before; the bit falls when the
 * command is over.
 *
 * A command waits in the guest's memory until it can be begun: one that is not queued
 * until the port is idle, a queued one until one of ATA_QUEUE commands is free.  From then
 * on it is a request of the front end's, which asks next_piece() for the guest's memory
 * when it has room.  disk.h's done() notes it; all else that follows happens in
 * ahci_update(), so a front end may call done() wherever it is.
 *
 * Kept true:
 *  - Nobody can call a request back.  When the guest gives one up, by clearing ST or by a
 *    reset, it is "dead": no further piece of it is told, and until it has come back the
 *    list counts as running (CR), the drive is busy, and its signature does not come.  So
 *    no driver takes its memory for its own again while the backend may write there.
 *  - For the same reason a queued command that fails is reported when the last of the
 *    others has come back: the drive has then given up all of them.
 *  - Whatever is in guest memory is looked at once.  A table that is no memory ends the
 *    command (HBFS, and OFS if the table is too short); nothing is written then.
 *  - A register is in the page alone, and changes by writes and by updates, not by reads.
 *  - run() ends: every turn takes a bit from CI, halts the port, or leaves the loop.
 *
 * Not there: power management, port multipliers, 64-bit addresses, command completion
 * coalescing, the clearing of BSY by CLO.  A COMRESET that the guest makes sets no bit of
 * SERR; one that a new disk brings does.
 */
#include "ahci.h"
#include "atapi.h"
#include "dma.h"
#include "lib/mem.h"

#define CAP_SLOTS ((AHCI_SLOTS - 1) << 8)
#define CAP_AHCI_ONLY (1u << 18)
#define CAP_3_GBPS (2u << 20)
#define CAP_QUEUED (1u << 30)
#define VERSION 0x00010100u

#define GHC_RESET 1u
#define GHC_INTERRUPTS 2u
#define GHC_AHCI 0x80000000u

#define CMD_ST 0x00000001u
#define CMD_UP 0x00000006u /* spun up, powered: always */
#define CMD_FRE 0x00000010u
#define CMD_FR 0x00004000u
#define CMD_CR 0x00008000u
#define CMD_WRITABLE 0x03000011u /* ST, FRE, and bits for what is not there */

#define IS_REGISTER 0x00000001u	  /* DHRS: a FIS with the registers */
#define IS_PIO 0x00000002u	  /* PSS */
#define IS_SET_BITS 0x00000008u	  /* SDBS */
#define IS_CONNECT 0x00000040u	  /* PCS: SERR_EXCHANGED */
#define IS_PHY 0x00400000u	  /* PRCS: SERR_PHY */
#define IS_OVERFLOW 0x01000000u	  /* OFS: the PRD table is too short */
#define IS_HOST_FATAL 0x20000000u /* HBFS: no memory */
#define IS_TASK_FILE 0x40000000u  /* TFES: the drive reports an error */
#define IE_WRITABLE 0xFDC000FFu

#define SERR_PHY 0x00010000u
#define SERR_EXCHANGED 0x04000000u

#define DET 0xFu /* of SCTL and SSTS */
#define DET_RESET 1u
#define DET_OFF 4u
#define SSTS_UP 0x123u /* a drive, 3 Gb/s, active */
#define TFD_NOTHING 0x7Fu
#define SIG_NOTHING 0xFFFFFFFFu

#define FIS_TO_DEVICE 0x27u
#define FIS_COMMAND 0x80u /* of its second byte: a command, else the control register */
#define FIS_SRST 4u	  /* of its control register */
#define FIS_INTERRUPT 0x4000u
#define AT_PIO_SETUP 0x20u /* in the area for received FISes */
#define AT_REGISTER 0x40u
#define AT_SET_BITS 0x58u
#define AT_PACKET 0x40u /* in a command table */
#define AT_PRDS 0x80u

static struct ahci_port_regs *regs_of(const struct ahci *a, const struct ahci_port *p)
{
	return &a->page->port[p - a->port];
}

/* --- what the guest sees ------------------------------------------------------------ */

/* The registers that follow from others. */
static void show(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);

	r->is &= ~(IS_CONNECT | IS_PHY);
	r->is |= (r->serr & SERR_EXCHANGED ? IS_CONNECT : 0) | (r->serr & SERR_PHY ? IS_PHY : 0);
	if (r->is & r->ie)
		a->page->is |= 1u << (p - a->port);
	r->cmd &= ~(CMD_CR | CMD_FR);
	r->cmd |= CMD_UP | (r->cmd & CMD_ST || p->busy ? CMD_CR : 0) |
		  (r->cmd & CMD_FRE ? CMD_FR : 0);
}

bool ahci_irq(const struct ahci *a)
{
	return a->ports && a->page->ghc & GHC_INTERRUPTS && a->page->is;
}

/* A FIS from the drive, into the guest's memory. */
static void post(struct ahci *a, struct ahci_port *p, u32 at, const u32 *words, u32 count)
{
	struct ahci_port_regs *r = regs_of(a, p);

	if (!(r->cmd & CMD_FRE))
		return;
	if (!a->master || !dma_write((u64)r->fb + at, words, count * 4)) {
		r->is |= IS_HOST_FATAL;
		p->halted = true;
	}
}

static u32 task_file(const struct ata_regs *regs)
{
	return regs->status | (u32)regs->error << 8;
}

/* type: 34 with the registers, 5F before data of a PIO command. */
static void post_registers(struct ahci *a, struct ahci_port *p, u32 at, u32 type)
{
	const struct ata_regs *g = &p->regs;
	u32 words[5] = {
		type | task_file(g) << 16,
		g->lba[0] | g->lba[1] << 8 | g->lba[2] << 16 | (u32)g->device << 24,
		g->lba[3] | g->lba[4] << 8 | g->lba[5] << 16,
		g->count[0] | g->count[1] << 8 | (type == 0x5F ? (u32)g->status << 24 : 0),
		type == 0x5F ? p->work.bytes : 0,
	};

	post(a, p, at, words, 5);
}

static void post_bits(struct ahci *a, struct ahci_port *p, u32 status, u32 slots)
{
	u32 words[2] = {0xA1 | FIS_INTERRUPT | (status & 0xFF77) << 16, slots};

	regs_of(a, p)->tfd = status;
	regs_of(a, p)->is |= IS_SET_BITS;
	post(a, p, AT_SET_BITS, words, 2);
}

/* --- the drive comes, goes and is reset ------------------------------------------------ */

static void signature(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);
	const struct ata_regs *g = &p->regs;

	p->reset_due = false;
	if (!p->drive.there || (r->sctl & DET)) {
		r->tfd = TFD_NOTHING;
		r->sig = SIG_NOTHING;
		return;
	}
	ata_reset(&p->drive, &p->regs);
	r->tfd = task_file(g);
	r->sig = g->count[0] | g->lba[0] << 8 | g->lba[1] << 16 | (u32)g->lba[2] << 24;
	post_registers(a, p, AT_REGISTER, 0x34);
}

/* Nothing that was begun is the guest's any more. */
static void give_up(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);

	r->ci = r->sact = 0;
	p->dead |= p->busy;
	p->failed = AHCI_NO_SLOT;
	if (p->busy)
		r->tfd = ATA_BSY;
}

static void reset_drive(struct ahci *a, struct ahci_port *p)
{
	if (!p->busy) {
		signature(a, p);
		return;
	}
	p->reset_due = true;
	regs_of(a, p)->sig = SIG_NOTHING;
	regs_of(a, p)->tfd = ATA_BSY;
}

static void show_link(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);
	u32 det = r->sctl & DET;

	r->ssts = det == DET_OFF ? DET_OFF : det == 0 && p->drive.there ? SSTS_UP : 0;
}

static void write_control(struct ahci *a, struct ahci_port *p, u32 value)
{
	struct ahci_port_regs *r = regs_of(a, p);
	u32 before = r->sctl & DET;

	r->sctl = value & 0xFFF;
	show_link(a, p);
	if ((value & DET) && !before) {
		give_up(a, p);
		r->tfd = ATA_BSY;
	} else if (!(value & DET) && before) {
		reset_drive(a, p);
	}
}

static void power_on_port(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p), old = *r;

	*r = (struct ahci_port_regs){.clb = old.clb, .fb = old.fb};
	p->halted = p->soft_reset = false;
	p->failed = AHCI_NO_SLOT;
	show_link(a, p);
	reset_drive(a, p);
	show(a, p);
}

/* A reset of all of it is over when the last request has come back. */
static void settle_reset(struct ahci *a)
{
	for (u32 i = 0; i < a->ports; i++)
		if (a->port[i].busy)
			return;
	a->resetting = false;
	a->page->ghc = GHC_AHCI;
	a->page->is = 0;
	for (u32 i = 0; i < a->ports; i++)
		power_on_port(a, &a->port[i]);
}

/* --- requests ------------------------------------------------------------------------ */

static struct ahci_port *port_of(struct ahci_command *c)
{
	return (struct ahci_port *)((u8 *)(c - c->index) - offsetof(struct ahci_port, command));
}

static struct ahci *controller_of(struct ahci_command *c)
{
	return (struct ahci *)((u8 *)(port_of(c) - c->port) - offsetof(struct ahci, port));
}

static bool next_piece(struct disk_request *r, struct disk_piece *piece)
{
	struct ahci_command *c = (struct ahci_command *)r;
	u32 entry[4];

	if (port_of(c)->dead >> c->index & 1)
		return false;
	c->ran_out = !c->entries;
	if (c->ran_out || !controller_of(c)->master || !dma_read(c->entry, entry, sizeof(entry)))
		return false;
	c->entries--;
	c->entry += sizeof(entry);
	*piece = (struct disk_piece){.gpa = entry[0] & ~1u,
				     .bytes = ((entry[3] & 0x3FFFFF) | 1) + 1};
	return true;
}

static void request_done(struct disk_request *r, enum disk_status status)
{
	struct ahci_command *c = (struct ahci_command *)r;

	c->status = (u8)status;
	port_of(c)->finished |= (u16)(1u << c->index);
	controller_of(c)->attention |= 1u << c->port;
}

/* What the first 16 bytes of a slot are. */
struct header {
	u32 flags, bytes, table, table_high;
};

/* Takes a command that is idle, for the slot. */
static struct ahci_command *prepare(struct ahci *a, struct ahci_port *p, u32 index, u32 slot,
				    const struct header *h)
{
	struct ahci_command *c = &p->command[index];

	c->port = (u8)(p - a->port);
	c->index = (u8)index;
	c->slot = (u8)slot;
	c->ran_out = false;
	c->entries = (u16)(h->flags >> 16);
	c->entry = (u64)(h->table & ~127u) + AT_PRDS;
	return c;
}

static void submit(struct ahci_port *p, struct ahci_command *c, const struct ata_work *w)
{
	c->r.op = w->need == ATA_READ ? DISK_READ : w->need == ATA_WRITE ? DISK_WRITE : DISK_FLUSH;
	c->r.sector = w->sector;
	c->r.sectors = w->sectors;
	c->r.next = next_piece;
	c->r.done = request_done;
	p->busy |= (u16)(1u << c->index);
	disk_submit(p->drive.unit, &c->r);
}

/* What a failure that lies in the guest's memory adds to the interrupt status. */
static u32 memory_trouble(const struct ahci_command *c, enum disk_status status)
{
	return status != DISK_MEMORY ? 0 : c->ran_out ? IS_OVERFLOW : IS_HOST_FATAL;
}

static enum disk_status copy_reply(struct ahci_command *c, const u8 *reply, u32 bytes)
{
	struct disk_piece piece;

	for (u32 n; bytes; reply += n, bytes -= n) {
		if (!next_piece(&c->r, &piece))
			return DISK_MEMORY;
		n = piece.bytes < bytes ? piece.bytes : bytes;
		if (!dma_write(piece.gpa, reply, n))
			return DISK_MEMORY;
	}
	return DISK_OK;
}

/* --- the command that is not queued ------------------------------------------------------ */

/* The command is over; moved: bytes of data. */
static void finish(struct ahci *a, struct ahci_port *p, u32 moved, u32 trouble)
{
	struct ahci_port_regs *r = regs_of(a, p);
	bool pio_in = p->work.pio && (p->work.need == ATA_READ || p->work.need == ATA_REPLY);

	r->tfd = task_file(&p->regs);
	r->is |= trouble;
	if (p->regs.status & ATA_ERR) {
		r->is |= IS_TASK_FILE;
		p->halted = true;
	} else {
		r->ci &= ~(1u << p->slot);
		if (!dma_write((u64)r->clb + p->slot * 32 + 4, &moved, 4))
			r->is |= IS_HOST_FATAL;
	}
	if (pio_in) {
		r->is |= IS_PIO;
		post_registers(a, p, AT_PIO_SETUP, 0x5F | FIS_INTERRUPT);
	} else {
		r->is |= IS_REGISTER;
	}
	/* Behind PIO data no drive sends this one; but drivers look there. */
	post_registers(a, p, AT_REGISTER, 0x34 | FIS_INTERRUPT);
}

static void complete(struct ahci *a, struct ahci_port *p, struct ahci_command *c)
{
	enum disk_status status = c->status;

	p->work.sector = c->r.sector;
	ata_end(&p->drive, &p->regs, &p->work, status);
	finish(a, p, status == DISK_OK ? p->work.sectors * DISK_SECTOR : 0,
	       memory_trouble(c, status));
}

/* The list or a table is no memory: the drive has not even seen the command. */
static void fatal(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);

	r->tfd = ATA_READY | ATA_ERR | ATA_ABRT << 8;
	r->is |= IS_HOST_FATAL | IS_TASK_FILE;
	p->halted = true;
}

static void begin(struct ahci *a, struct ahci_port *p, struct ahci_command *c,
		  const struct header *h)
{
	u8 reply[ATA_REPLY_MAX], packet[ATAPI_PACKET];
	enum disk_status status;

	p->queued = false;
	p->slot = c->slot;
	ata_command(&p->drive, &p->regs, reply, &p->work);
	if (p->work.need == ATA_PACKET) {
		if (!dma_read((u64)(h->table & ~127u) + AT_PACKET, packet, sizeof(packet))) {
			fatal(a, p);
			return;
		}
		atapi_packet(&p->drive, &p->regs, packet, reply, &p->work);
	}
	switch (p->work.need) {
	case ATA_REPLY:
		status = copy_reply(c, reply, p->work.bytes);
		ata_end(&p->drive, &p->regs, &p->work, status);
		finish(a, p, p->work.bytes, memory_trouble(c, status));
		break;
	case ATA_READ:
	case ATA_WRITE:
	case ATA_SYNC:
		submit(p, c, &p->work);
		break;
	default:
		finish(a, p, 0, 0);
	}
}

/* The control register: its reset bit is set, and then cleared. */
static void write_device_control(struct ahci *a, struct ahci_port *p, u32 slot, u8 value)
{
	bool reset = value & FIS_SRST;

	regs_of(a, p)->ci &= ~(1u << slot);
	if (p->soft_reset && !reset)
		reset_drive(a, p);
	p->soft_reset = reset;
}

/* --- queued commands ----------------------------------------------------------------- */

static void note_failed(struct ahci_port *p, u32 slot, u32 trouble)
{
	if (p->failed != AHCI_NO_SLOT)
		return; /* the first one counts; the guest sends all of them again */
	p->failed = (u8)slot;
	p->failed_is = trouble;
}

static void report_failed(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);

	ata_note_failed(&p->drive, p->failed, &p->regs);
	post_bits(a, p, task_file(&p->regs), 0);
	r->is |= IS_TASK_FILE | p->failed_is;
	p->failed = AHCI_NO_SLOT;
	p->halted = true;
}

static void begin_queued(struct ahci *a, struct ahci_port *p, struct ahci_command *c,
			 struct ata_regs *g)
{
	struct ahci_port_regs *r = regs_of(a, p);
	u8 reply[ATA_REPLY_MAX];
	struct ata_work w;

	p->queued = true;
	r->ci &= ~(1u << c->slot);
	r->tfd = ATA_READY;
	ata_command(&p->drive, g, reply, &w);
	if (g->count[0] >> 3 != c->slot) { /* another tag than its slot */
		w.need = ATA_NOTHING;
		g->status = ATA_READY | ATA_ERR;
		g->error = ATA_ABRT;
	}
	if (w.need != ATA_NOTHING) {
		submit(p, c, &w);
		return;
	}
	p->regs = *g;
	note_failed(p, c->slot, 0);
	if (!p->busy)
		report_failed(a, p);
}

static void fail_queued(struct ahci_port *p, struct ahci_command *c)
{
	struct ata_regs g = {.device = 0x40, .count = {(u8)(c->slot << 3)}};
	struct ata_work w = {.wide = true, .sector = c->r.sector};

	if (p->failed != AHCI_NO_SLOT)
		return;
	ata_end(&p->drive, &g, &w, c->status);
	p->regs = g;
	note_failed(p, c->slot, memory_trouble(c, c->status));
}

static void complete_queued(struct ahci *a, struct ahci_port *p, u32 finished)
{
	struct ahci_port_regs *r = regs_of(a, p);
	u32 good = 0;

	for (; finished; finished &= finished - 1) {
		struct ahci_command *c = &p->command[__builtin_ctz(finished)];

		if (c->status == DISK_OK)
			good |= 1u << c->slot;
		else
			fail_queued(p, c);
	}
	if (!good)
		return;
	r->sact &= ~good;
	post_bits(a, p, ATA_READY, good);
}

/* --- the list -------------------------------------------------------------------------- */

/* The slot to look at: the next one behind the last that was begun. */
static u32 next_slot(const struct ahci_port *p, u32 ci)
{
	u32 behind = ci & ~((2u << p->last_slot) - 1);

	return (u32)__builtin_ctz(behind ? behind : ci);
}

static struct ata_regs regs_of_fis(const u8 *fis)
{
	return (struct ata_regs){
		.command = fis[2],
		.device = fis[7],
		.status = ATA_BSY,
		.feature = {fis[3], fis[11]},
		.count = {fis[12], fis[13]},
		.lba = {fis[4], fis[5], fis[6], fis[8], fis[9], fis[10]},
	};
}

/* Begins the command in the slot; false: it must wait. */
static bool start(struct ahci *a, struct ahci_port *p, u32 slot)
{
	struct ahci_port_regs *r = regs_of(a, p);
	u32 idle = ~p->busy & ((1u << ATA_QUEUE) - 1);
	struct ahci_command *c;
	struct ata_regs g;
	struct header h;
	u8 fis[20];
	bool queued;

	if (!a->master || !dma_read((u64)r->clb + slot * 32, &h, sizeof(h)) ||
	    !dma_read(h.table & ~127u, fis, sizeof(fis)) || fis[0] != FIS_TO_DEVICE) {
		if (p->busy) /* they end before the error is told */
			return false;
		fatal(a, p);
		return true;
	}
	queued = fis[1] & FIS_COMMAND && ata_is_queued(fis[2]) && p->drive.sata &&
		 !p->drive.info.cdrom;
	if (p->busy && (!queued || !p->queued || !idle))
		return false;
	p->last_slot = (u8)slot;
	if (!(fis[1] & FIS_COMMAND)) {
		write_device_control(a, p, slot, fis[15]);
		return true;
	}
	c = prepare(a, p, (u32)__builtin_ctz(idle), slot, &h);
	g = regs_of_fis(fis);
	if (queued) {
		begin_queued(a, p, c, &g);
	} else {
		p->regs = g;
		begin(a, p, c, &h);
	}
	return true;
}

static bool may_start(const struct ahci_port *p, const struct ahci_port_regs *r)
{
	return r->cmd & CMD_ST && r->ci && r->ssts == SSTS_UP && !p->halted && !p->dead &&
	       !p->reset_due && p->failed == AHCI_NO_SLOT && (p->queued || !p->busy);
}

static void run(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);

	while (may_start(p, r) && start(a, p, next_slot(p, r->ci)))
		;
	if (p->busy && !p->queued && !p->dead)
		r->tfd = ATA_BSY | ATA_DRDY;
}

static void settle(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);
	u32 finished = p->finished, dead = finished & p->dead;

	p->finished = 0;
	p->busy &= (u16)~finished;
	p->dead &= (u16)~finished;
	finished &= ~dead;
	if (finished && p->queued)
		complete_queued(a, p, finished);
	else if (finished)
		complete(a, p, &p->command[__builtin_ctz(finished)]);
	if (!p->busy) {
		if (p->failed != AHCI_NO_SLOT)
			report_failed(a, p);
		if (p->reset_due)
			reset_drive(a, p);
		else if (dead && p->drive.there)
			r->tfd = ATA_READY;
	}
	run(a, p);
	show(a, p);
}

void ahci_update(struct ahci *a)
{
	u32 ports = a->attention;

	a->attention = 0;
	for (; ports; ports &= ports - 1)
		settle(a, &a->port[__builtin_ctz(ports)]);
	if (a->resetting)
		settle_reset(a);
}

/* --- writes ------------------------------------------------------------------------------ */

static void write_command(struct ahci *a, struct ahci_port *p, u32 value)
{
	struct ahci_port_regs *r = regs_of(a, p);
	bool ran = r->cmd & CMD_ST;

	r->cmd = (r->cmd & ~CMD_WRITABLE) | (value & CMD_WRITABLE);
	if (ran && !(value & CMD_ST))
		give_up(a, p);
	if (!ran && value & CMD_ST) {
		p->halted = false;
		p->last_slot = AHCI_SLOTS - 1;
	}
}

static void write_port(struct ahci *a, struct ahci_port *p, u32 offset, u32 value)
{
	struct ahci_port_regs *r = regs_of(a, p);

	switch (offset) {
	case offsetof(struct ahci_port_regs, clb):
		r->clb = value & ~1023u;
		break;
	case offsetof(struct ahci_port_regs, fb):
		r->fb = value & ~255u;
		break;
	case offsetof(struct ahci_port_regs, is):
		r->is &= ~value;
		break;
	case offsetof(struct ahci_port_regs, ie):
		r->ie = value & IE_WRITABLE;
		break;
	case offsetof(struct ahci_port_regs, cmd):
		write_command(a, p, value);
		break;
	case offsetof(struct ahci_port_regs, sctl):
		write_control(a, p, value);
		break;
	case offsetof(struct ahci_port_regs, serr):
		r->serr &= ~value;
		break;
	case offsetof(struct ahci_port_regs, sact):
		if (r->cmd & CMD_ST)
			r->sact |= value;
		break;
	case offsetof(struct ahci_port_regs, ci):
		if (r->cmd & CMD_ST)
			r->ci |= value;
		run(a, p);
		break;
	}
	show(a, p);
}

static void write_host(struct ahci *a, u32 offset, u32 value)
{
	switch (offset) {
	case offsetof(struct ahci_page, ghc):
		a->page->ghc = GHC_AHCI | (value & GHC_INTERRUPTS);
		if (!(value & GHC_RESET))
			break;
		a->page->ghc = GHC_AHCI | GHC_RESET; /* until it is over */
		a->resetting = true;
		for (u32 i = 0; i < a->ports; i++)
			give_up(a, &a->port[i]);
		settle_reset(a);
		break;
	case offsetof(struct ahci_page, is):
		a->page->is &= ~value;
		for (u32 i = 0; i < a->ports; i++)
			show(a, &a->port[i]); /* it rises again while a port asks */
		break;
	}
}

void ahci_write(struct ahci *a, u32 offset, u32 value)
{
	u32 first = offsetof(struct ahci_page, port), bytes = sizeof(struct ahci_port_regs);

	if (a->resetting)
		return;
	if (offset < first)
		write_host(a, offset, value);
	else if ((offset - first) / bytes < a->ports)
		write_port(a, &a->port[(offset - first) / bytes], offset % bytes, value);
}

/* --- disks come and go -------------------------------------------------------------------- */

void ahci_power_on(struct ahci *a, struct ahci_page *page)
{
	memset(a, 0, sizeof(*a));
	a->page = page;
}

/* Drivers of 2.6.24 want as many ports as CAP says, the first ones. */
static void show_ports(struct ahci *a, u32 ports)
{
	struct ahci_page *page = a->page;
	u32 old = a->ports;

	if (!old)
		*page = (struct ahci_page){.ghc = GHC_AHCI, .vs = VERSION};
	a->ports = (u8)ports;
	page->cap = (ports - 1) | CAP_SLOTS | CAP_AHCI_ONLY | CAP_3_GBPS | CAP_QUEUED;
	page->pi = (1u << ports) - 1;
	for (; old < ports; old++)
		power_on_port(a, &a->port[old]);
}

static struct ahci_port *find(struct ahci *a, unsigned unit)
{
	for (u32 i = 0; i < AHCI_PORTS; i++)
		if (a->port[i].taken && a->port[i].drive.unit == unit)
			return &a->port[i];
	return NULL;
}

/* The drive has come or gone: the link tells. */
static void link_changes(struct ahci *a, struct ahci_port *p)
{
	struct ahci_port_regs *r = regs_of(a, p);

	r->serr |= SERR_PHY | (p->drive.there ? SERR_EXCHANGED : 0);
	show_link(a, p);
	p->dead |= p->busy;
	reset_drive(a, p);
	show(a, p);
}

/* The unit's own port, or else the last one that is free. */
static u32 choose(const struct ahci *a, u32 place)
{
	u32 n = place;

	if (n < AHCI_PORTS && !a->port[n].taken)
		return n;
	for (n = AHCI_PORTS - 1; n && a->port[n].taken;)
		n--;
	return n;
}

void ahci_attach(struct ahci *a, unsigned unit, u32 place)
{
	u32 n = choose(a, place), ports = n < AHCI_PORTS_LEAST ? AHCI_PORTS_LEAST : n + 1;

	if (a->port[n].taken)
		return;
	a->port[n].taken = true;
	ata_attach(&a->port[n].drive, unit, true, false);
	if (ports > a->ports)
		show_ports(a, ports);
	link_changes(a, &a->port[n]);
}

void ahci_look(struct ahci *a, unsigned unit)
{
	struct ahci_port *p = find(a, unit);
	bool there = p && ata_look(&p->drive);

	if (!p || there == p->drive.there)
		return;
	if (there)
		ata_attach(&p->drive, unit, true, false);
	p->drive.there = there;
	link_changes(a, p);
}

void ahci_detach(struct ahci *a, unsigned unit)
{
	struct ahci_port *p = find(a, unit);

	if (!p)
		return;
	p->drive.there = p->taken = false;
	link_changes(a, p);
}
