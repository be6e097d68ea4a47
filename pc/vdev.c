/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: Xen's docs/man/xen-vbd-interface.7: 202 << 8 | disk << 4 | partition for xvd,
 * 8 << 8 | disk << 4 | partition for sd, 3 << 8 | disk << 6 | partition for hda and hdb,
 * 22 << 8 likewise for hdc and hdd, and 1 << 28 | disk << 8 | partition for disks of which
 * the other forms have no number.  A number that names a partition is no disk.
 */
#include "vdev.h"

#define EXTENDED 28
#define MAJOR_HDA 3
#define MAJOR_SDA 8
#define MAJOR_HDC 22
#define MAJOR_XVDA 202

static struct vdev at(enum vdev_controller controller, u32 place, u32 partition)
{
	if (partition)
		return (struct vdev){VDEV_NONE, 0};
	return (struct vdev){(u8)controller, place};
}

struct vdev vdev_place(u32 number)
{
	if (number >> EXTENDED == 1)
		return at(VDEV_AHCI, number >> 8 & 0xFFFFF, number & 0xFF);
	switch (number >> 8) {
	case MAJOR_HDA:
		return at(VDEV_IDE, number >> 6 & 3, number & 0xBF);
	case MAJOR_HDC:
		return at(VDEV_IDE, 2 | (number >> 6 & 3), number & 0xBF);
	case MAJOR_SDA:
	case MAJOR_XVDA:
		return at(VDEV_AHCI, number >> 4 & 0xF, number & 0xF);
	}
	return (struct vdev){VDEV_NONE, 0};
}
