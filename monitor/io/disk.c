/* SPDX-License-Identifier: GPL-2.0-only */
/* There is no front end of disks yet: the virtual PC has none (pc/disk.h, pc/dma.h). */
#include "pc/disk.h"
#include "pc/dma.h"

void disk_info(unsigned unit, struct disk_info *info)
{
	(void)unit;
	*info = (struct disk_info){0};
}

void disk_submit(unsigned unit, struct disk_request *r)
{
	(void)unit; /* there is none */
	(void)r;
}

bool dma_read(u64 gpa, void *to, u32 bytes)
{
	(void)gpa;
	(void)to;
	return !bytes;
}

bool dma_write(u64 gpa, const void *from, u32 bytes)
{
	(void)gpa;
	(void)from;
	return !bytes;
}
