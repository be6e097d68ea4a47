/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet commands of a CD-ROM drive; atapi.c says which.  ata.h tells how they are used. */
#ifndef VMIXEN_PC_ATAPI_H
#define VMIXEN_PC_ATAPI_H

#include "ata.h"

/* Takes the packet that ata_command() asked for.  w->pio stays as that has set it. */
void atapi_packet(struct ata_drive *d, struct ata_regs *r, const u8 packet[ATAPI_PACKET], u8 *reply,
		  struct ata_work *w);
/* The data of a packet were transferred, or were not. */
void atapi_end(struct ata_drive *d, struct ata_regs *r, enum disk_status status);
/* The drive's unit has changed from before to what it is now. */
void atapi_look(struct ata_drive *d, const struct disk_info *before);

#endif
