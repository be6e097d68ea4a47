/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other side of pc/disk.h and pc/dma.h, for one program: disks of memory, guest memory
 * in an array from address 0 on, with a hole in it, and a front end that serves a request
 * when it is told to.  It demands what the seam promises, of the model as well: no request
 * is submitted again while it is under way, none has a piece without bytes or one that
 * wraps around, and none is given up half way but by next().
 *
 * A program that includes this has it instead of the monitor's.
 */
#ifndef VMIXEN_FAKE_DISK_H
#define VMIXEN_FAKE_DISK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pc/disk.h"
#include "pc/dma.h"
#include "pc/net.h"

#ifndef FAKE_MEMORY
#define FAKE_MEMORY 0x200000u /* bytes of guest memory */
#define FAKE_HOLE 0x100000u   /* a page of it that is the ROM's */
#define FAKE_SECTORS 2048u    /* that a disk keeps, however large it says it is */
#endif
#define FAKE_WAITING 512u
#define FAKE_NONE (~(u64)0)

struct fake_unit {
	struct disk_info info;
	u64 bad; /* a sector that cannot be read or written, or FAKE_NONE */
	bool absent;
	u32 reads, writes, flushes;
	u8 data[FAKE_SECTORS * DISK_SECTOR];
};

static struct {
	u8 memory[FAKE_MEMORY];
	struct fake_unit unit[DISKS];
	struct {
		unsigned unit;
		struct disk_request *r;
	} waiting[FAKE_WAITING];
	u32 count;			/* of what waits */
	u32 pieces;			/* that were asked for */
	u32 dma, wrong;			/* accesses to guest memory; of these, refused */
	void (*on_poll)(unsigned unit); /* disk_poll(); NULL: nothing has ended */
} fake;

static inline void fake_demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fake disk: %s\n", what);
	abort();
}

static inline void fake_reset(void)
{
	memset(&fake, 0, sizeof(fake));
	for (u32 i = 0; i < DISKS; i++)
		fake.unit[i].bad = FAKE_NONE;
}

/* A disk with something in each sector. */
static inline struct fake_unit *fake_disk(unsigned unit, u32 vdev, u64 sectors)
{
	struct fake_unit *u = &fake.unit[unit];

	u->info = (struct disk_info){.sectors = sectors, .flush = true, .vdev = vdev};
	u->bad = FAKE_NONE;
	for (u32 i = 0; i < sizeof(u->data); i++)
		u->data[i] = (u8)(i / DISK_SECTOR * 7 + i % DISK_SECTOR + unit);
	return u;
}

static inline u8 *fake_sector(unsigned unit, u64 sector)
{
	return fake.unit[unit].data + sector % FAKE_SECTORS * DISK_SECTOR;
}

static bool fake_memory(u64 gpa, u32 bytes)
{
	fake_demand(gpa + bytes >= gpa, "an access wraps around");
	fake.dma++;
	if (gpa + bytes <= FAKE_HOLE ||
	    (gpa >= FAKE_HOLE + PAGE_SIZE && gpa + bytes <= FAKE_MEMORY))
		return true;
	fake.wrong++;
	return false;
}

bool dma_read(u64 gpa, void *to, u32 bytes)
{
	if (!fake_memory(gpa, bytes))
		return false;
	memcpy(to, fake.memory + gpa, bytes);
	return true;
}

bool dma_write(u64 gpa, const void *from, u32 bytes)
{
	if (!fake_memory(gpa, bytes))
		return false;
	memcpy(fake.memory + gpa, from, bytes);
	return true;
}

void disk_info(unsigned unit, struct disk_info *info)
{
	fake_demand(unit < DISKS, "a unit that cannot be");
	*info = fake.unit[unit].info;
}

void disk_submit(unsigned unit, struct disk_request *r)
{
	fake_demand(unit < DISKS && fake.count < FAKE_WAITING, "too many requests");
	for (u32 i = 0; i < fake.count; i++)
		fake_demand(fake.waiting[i].r != r, "a request is under way twice");
	fake_demand(r->op == DISK_FLUSH ? !r->sectors : r->sectors != 0, "sectors do not fit");
	fake_demand(r->done && (r->op == DISK_FLUSH || r->next), "a request has no functions");
	fake_demand(r->op == DISK_FLUSH ||
			    (r->sector < fake.unit[unit].info.sectors &&
			     r->sectors <= fake.unit[unit].info.sectors - r->sector) ||
			    fake.unit[unit].absent,
		    "sectors behind the end");
	fake_demand(r->op != DISK_WRITE || !fake.unit[unit].info.read_only,
		    "a write to what is read-only");
	fake.waiting[fake.count].unit = unit;
	fake.waiting[fake.count++].r = r;
}

void disk_poll(unsigned unit)
{
	fake_demand(unit < DISKS, "a unit that cannot be");
	if (fake.on_poll)
		fake.on_poll(unit);
}

static bool fake_move(struct fake_unit *u, struct disk_request *r, u64 at,
		      const struct disk_piece *p, u32 bytes)
{
	u8 *data = u->data + at % sizeof(u->data);

	if (at % sizeof(u->data) + bytes > sizeof(u->data))
		return false;
	if (p->own) {
		memcpy(r->op == DISK_READ ? p->own : data, r->op == DISK_READ ? data : p->own,
		       bytes);
		return true;
	}
	return r->op == DISK_READ ? dma_write(p->gpa, data, bytes) : dma_read(p->gpa, data, bytes);
}

static enum disk_status fake_transfer(struct fake_unit *u, struct disk_request *r)
{
	u64 at = r->sector * DISK_SECTOR, end = at + (u64)r->sectors * DISK_SECTOR;
	struct disk_piece p;
	u32 n;

	for (; at < end; at += n) {
		if (at / DISK_SECTOR == u->bad) {
			r->sector = u->bad;
			return DISK_MEDIUM;
		}
		memset(&p, 0, sizeof(p));
		fake.pieces++;
		if (!r->next(r, &p))
			return DISK_MEMORY;
		fake_demand(p.bytes && (p.own || p.gpa + p.bytes >= p.gpa), "a piece is wrong");
		for (u32 done = 0; done < p.bytes && at < end; done += n, at += n) {
			struct disk_piece part = {p.gpa + done, p.own ? (u8 *)p.own + done : NULL,
						  p.bytes - done};

			n = DISK_SECTOR - at % DISK_SECTOR;
			n = n < part.bytes ? n : part.bytes;
			if (at / DISK_SECTOR == u->bad) {
				r->sector = u->bad;
				return DISK_MEDIUM;
			}
			if (!fake_move(u, r, at, &part, n))
				return DISK_MEMORY;
		}
		n = 0;
	}
	return DISK_OK;
}

/* Serves the i-th request of those that wait. */
static inline void fake_serve_one(u32 i)
{
	struct fake_unit *u = &fake.unit[fake.waiting[i].unit];
	struct disk_request *r = fake.waiting[i].r;
	enum disk_status status = DISK_OK;

	memmove(&fake.waiting[i], &fake.waiting[i + 1],
		(fake.count - i - 1) * sizeof(fake.waiting[0]));
	fake.count--;
	if (u->absent)
		status = DISK_ABSENT;
	else if (r->op != DISK_FLUSH)
		status = fake_transfer(u, r);
	u->reads += r->op == DISK_READ;
	u->writes += r->op == DISK_WRITE;
	u->flushes += r->op == DISK_FLUSH;
	r->done(r, status);
}

static inline void fake_put32(u32 gpa, u32 value)
{
	memcpy(fake.memory + gpa, &value, 4);
}

static inline u32 fake_get32(u32 gpa)
{
	u32 value;

	memcpy(&value, fake.memory + gpa, 4);
	return value;
}

/* There is no network. */
void net_info(unsigned unit, struct net_info *info)
{
	(void)unit;
	*info = (struct net_info){0};
}

enum net_sent net_send(unsigned unit, const struct net_frame *frame)
{
	(void)unit;
	(void)frame;
	return NET_LOST;
}

void net_ready(unsigned unit)
{
	(void)unit;
}

void net_poll(unsigned unit)
{
	(void)unit;
}

#endif
