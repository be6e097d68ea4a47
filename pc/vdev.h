/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's numbers of virtual disks: which controller of the virtual PC has the disk, and
 * where.
 */
#ifndef VMIXEN_PC_VDEV_H
#define VMIXEN_PC_VDEV_H

#include "base.h"

enum vdev_controller {
	VDEV_NONE, /* there is no model for it */
	VDEV_IDE,  /* place: 0 to 3, hda to hdd */
	VDEV_AHCI, /* place: the number of the disk, from sda or xvda on */
};

struct vdev {
	u8 controller; /* enum vdev_controller */
	u32 place;
};

struct vdev vdev_place(u32 number);

#endif
