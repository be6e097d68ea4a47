/* SPDX-License-Identifier: GPL-2.0-only */
/* There is no front end of disks yet: the virtual PC has none (pc/disk.h, pc/dma.h). */
#include "pc/disk.h"
#include "pc/dma.h"

void disk_info(unsigned unit, struct disk_info *info)
{
	(void)unit;
	*info = (struct disk_info){0};
}
