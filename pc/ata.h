/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ATA commands, as a drive understands them, whatever controller it is at; ata.c tells
 * what it keeps true.
 *
 * A controller brings the registers of a command, and ata_command() says what is to be
 * done: nothing more, a reply to transfer, sectors to read or write, or a packet to
 * fetch.  The controller does that, and ata_end() makes of the outcome what the registers
 * show.
 */
#ifndef VMIXEN_PC_ATA_H
#define VMIXEN_PC_ATA_H

#include "base.h"
#include "disk.h"

/* The status register. */
#define ATA_BSY 0x80u
#define ATA_DRDY 0x40u
#define ATA_DSC 0x10u
#define ATA_DRQ 0x08u
#define ATA_ERR 0x01u /* CHK of a packet command */
#define ATA_READY (ATA_DRDY | ATA_DSC)

/* The error register. */
#define ATA_UNC 0x40u
#define ATA_IDNF 0x10u
#define ATA_ABRT 0x04u

/* The sector count register of a packet command, which tells what is transferred. */
#define ATAPI_COMMAND 1u /* CoD */
#define ATAPI_TO_HOST 2u /* IO */

#define ATA_MULTIPLE_MAX 8u /* sectors of a block of READ MULTIPLE, a power of two */
#define ATA_QUEUE 16u	    /* queued commands at a time, at most */
#define ATA_REPLY_MAX 512u  /* bytes of any reply */
#define ATAPI_PACKET 12u    /* bytes */
#define ATAPI_BLOCK 2048u   /* bytes; of a disk, sectors of DISK_SECTOR */

/* The registers of a command.  Where there are two the second is the one that was written
 * before, or the "exp" of a FIS; of lba the first three are the low ones. */
struct ata_regs {
	u8 command, device, status, error;
	u8 feature[2], count[2], lba[6];
};

struct ata_drive {
	u8 unit; /* of disk.h */
	bool there;
	bool sata; /* behind AHCI: queued commands, no cable */
	bool second;
	struct disk_info info;
	u8 heads, track; /* sectors of a track, as INITIALIZE DEVICE PARAMETERS has set them */
	u8 multiple;	 /* sectors of a block; 0: not set */
	u8 mwdma, udma;	 /* bit of the mode that is set */
	bool standby;
	/* The queued command that has failed last, for the log; 0x80 in tag: none. */
	struct ata_regs failed;
	u8 failed_tag;
	/* ATAPI. */
	u8 key, asc, ascq; /* what REQUEST SENSE will say */
	bool changed;	   /* the medium is another one, and nobody was told */
	u8 media_event;	   /* for GET EVENT STATUS NOTIFICATION: 0 none, 2 new, 3 removed */
	bool locked, open; /* PREVENT ALLOW MEDIUM REMOVAL; the tray */
};

enum ata_need {
	ATA_NOTHING, /* the command is over: status and error are set */
	ATA_REPLY,   /* bytes of the reply go to the host */
	ATA_READ,    /* sectors from sector on go to the host */
	ATA_WRITE,   /* the host's data go to sectors from sector on */
	ATA_SYNC,    /* what was written shall be on the medium */
	ATA_PACKET,  /* the host shall bring a packet, for atapi_packet() */
};

struct ata_work {
	u8 need;     /* enum ata_need */
	bool pio;    /* the data go through the data register, where there is one */
	bool wide;   /* of 48 bits */
	bool packet; /* it is a packet's */
	u8 block;    /* sectors of a block in PIO */
	u32 bytes;   /* of the reply */
	u32 sectors; /* 1 to 65536 */
	u64 sector;
};

/* Gives the drive a unit, as after power on, or none if there is no disk in it. */
void ata_attach(struct ata_drive *d, unsigned unit, bool sata, bool second);
/* Learns anew what the unit is; false if there is no drive any more. */
bool ata_look(struct ata_drive *d);
/* A reset by whatever means: the signature is in the registers. */
void ata_reset(struct ata_drive *d, struct ata_regs *r);

/* Is it a command of those that may be queued? */
bool ata_is_queued(u8 command);
/* Takes a command; for reply there are ATA_REPLY_MAX bytes. */
void ata_command(struct ata_drive *d, struct ata_regs *r, u8 *reply, struct ata_work *w);
/* What was needed has been done, or has failed at w->sector. */
void ata_end(struct ata_drive *d, struct ata_regs *r, const struct ata_work *w,
	     enum disk_status status);
/* The queued command tag has failed: notes it for the log. */
void ata_note_failed(struct ata_drive *d, u8 tag, const struct ata_regs *r);

#endif
