/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two IDE channels of a PC, with bus mastering, and the drives at them; ide.c tells
 * what it keeps true.
 */
#ifndef VMIXEN_PC_IDE_H
#define VMIXEN_PC_IDE_H

#include "ata.h"

#define IDE_CHANNELS 2u
#define IDE_DRIVES 2u /* of a channel */
#define IDE_BUFFER (ATA_MULTIPLE_MAX * DISK_SECTOR)

/* What the channel is doing. */
enum ide_phase {
	IDE_IDLE,
	IDE_IN,	    /* the guest reads the data register */
	IDE_OUT,    /* it writes it */
	IDE_PACKET, /* it writes a packet */
	IDE_READY,  /* a command with DMA waits for the bus master to be started */
	IDE_BUSY,   /* the front end has the request */
};

struct ide_channel {
	struct disk_request r; /* first: it is cast */
	struct ata_drive drive[IDE_DRIVES];
	struct ata_regs regs[IDE_DRIVES];
	struct ata_work work; /* of the command of drive `active` */
	u8 number, selected, active;
	u8 control;    /* the device control register */
	bool irq;      /* the drive asks for an interrupt */
	u8 phase;      /* enum ide_phase */
	bool finished; /* the front end is done with it, and nobody has looked */
	bool dead;     /* the guest has given it up */
	u8 resetting;  /* bit per drive: its signature is to come */
	u8 status;     /* enum disk_status, when it is finished */
	/* PIO: what of the buffer was moved, where the block that the guest moves ends,
	 * and where the data end; sectors that are still to come into it or to go out. */
	u32 at, block_end, end, left;
	u32 limit; /* bytes of a block of a packet's data */
	/* The bus master. */
	u8 bm_command, bm_status;
	u32 bm_table;
	u32 prd;       /* offset of the next entry in the table's 64 KB */
	bool prd_last; /* there is none */
	bool fresh;    /* next_piece() has not told of the buffer yet */
	u8 buffer[IDE_BUFFER] __attribute__((aligned(4)));
};

struct ide {
	bool master; /* it may reach memory: the owner keeps it as PCI has it */
	struct ide_channel channel[IDE_CHANNELS];
};

/* No drives. */
void ide_power_on(struct ide *ide);
/* A unit is there, at place 0 to 3; a drive that was there is replaced. */
void ide_attach(struct ide *ide, unsigned unit, u32 place);
/* The unit at that place may have come, gone or changed.  A drive never leaves: there is
 * nothing that would tell the guest. */
void ide_look(struct ide *ide, u32 place);
/* The unit at that place is another disk, which is elsewhere. */
void ide_detach(struct ide *ide, u32 place);
/* Has the channel a drive? */
bool ide_has(const struct ide *ide, unsigned channel);

/* The registers of a channel: reg is 0 to 7, 8 is the control block's; and those of its
 * bus master, 0 to 7.  Those of data and of the table may be accessed by 1, 2 or 4 bytes,
 * all others by one. */
u32 ide_read(struct ide *ide, unsigned channel, unsigned reg, unsigned size);
void ide_write(struct ide *ide, unsigned channel, unsigned reg, unsigned size, u32 value);
u32 ide_master_read(const struct ide *ide, unsigned channel, unsigned reg, unsigned size);
void ide_master_write(struct ide *ide, unsigned channel, unsigned reg, unsigned size, u32 value);

/* Requests may be done: the registers become what they shall be. */
void ide_update(struct ide *ide);
/* The level of the channel's interrupt. */
bool ide_irq(const struct ide *ide, unsigned channel);

#endif
