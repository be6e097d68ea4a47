/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which controller has which disk, and what connects the controllers with the rest of the
 * PC: their PCI functions, ports, memory and interrupt lines.
 *
 * Kept true: a controller is there, and on the PCI bus, from the first disk on that it
 * has had; before that no access costs anything and no bit differs.  A unit stays where it
 * was while its number (vdev.h) stays the same, also while it is gone.  Controllers get at
 * memory only as far as their PCI command registers allow.
 */
#include "pc.h"
#include "vdev.h"
#include "lib/mem.h"

#define IRQ_IDE 14 /* and 15 */
/* The high byte of PIIX4's IDETIM register; that of the second channel is two behind. */
#define IDE_ENABLE 0x41
#define IDE_ENABLED 0x80u
#define BM_PORTS 8 /* of a channel */

static void drive(struct pc *pc, unsigned irq, bool level)
{
	if (pic_line(&pc->pic, irq) != level)
		pic_set_irq(&pc->pic, irq, level);
}

static void drive_ahci(struct pc *pc)
{
	drive(pc, PCI_AHCI_IRQ, ahci_irq(&pc->disks.ahci) && pci_interrupts(&pc->pci, PCI_AHCI));
}

static void drive_ide(struct pc *pc)
{
	for (unsigned i = 0; i < IDE_CHANNELS; i++)
		drive(pc, IRQ_IDE + i, ide_irq(&pc->disks.ide, i));
}

/* Who may reach memory is asked anew before anybody might. */
static void grant_memory(struct pc *pc)
{
	pc->disks.ahci.master = pci_masters(&pc->pci, PCI_AHCI);
	pc->disks.ide.master = pci_masters(&pc->pci, PCI_IDE);
}

void pc_update_disks(struct pc *pc)
{
	if (!pc->disks.there)
		return;
	grant_memory(pc);
	ahci_update(&pc->disks.ahci);
	drive_ahci(pc);
	if (!pci_is_there(&pc->pci, PCI_IDE))
		return;
	ide_update(&pc->disks.ide);
	drive_ide(pc);
}

/* --- places ---------------------------------------------------------------------------- */

/* PCI's interrupts are levels, and shareable. */
static void attach_ahci(struct pc *pc, unsigned unit, u32 place)
{
	ahci_attach(&pc->disks.ahci, unit, place);
	pci_show(&pc->pci, PCI_AHCI);
	pic_write(&pc->pic, 0x4D0, pic_read(&pc->pic, 0x4D0) | 1u << PCI_AHCI_IRQ);
}

/* A BIOS enables a channel that has a drive; drivers do not look at the other. */
static void attach_ide(struct pc *pc, unsigned unit, u32 place)
{
	ide_attach(&pc->disks.ide, unit, place);
	pci_show(&pc->pci, PCI_IDE);
	pc->pci.config[PCI_IDE][IDE_ENABLE + place / 2 * 2] |= IDE_ENABLED;
}

/* A unit that has no place yet gets one, if there is a model for it. */
static void place(struct pc *pc, unsigned unit, u32 number)
{
	struct disks *d = &pc->disks;
	struct vdev v = vdev_place(number);

	if (v.controller == VDEV_NONE)
		return;
	d->there = true;
	d->vdev[unit] = number;
	if (v.controller == VDEV_IDE)
		attach_ide(pc, unit, v.place);
	else
		attach_ahci(pc, unit, v.place);
}

static void leave_place(struct disks *d, unsigned unit)
{
	struct vdev v = vdev_place(d->vdev[unit]);

	if (v.controller == VDEV_IDE)
		ide_detach(&d->ide, v.place);
	else
		ahci_detach(&d->ahci, unit);
	d->vdev[unit] = 0;
}

void pc_disk_changed(struct pc *pc, unsigned unit)
{
	struct disks *d = &pc->disks;
	struct disk_info info;
	bool there;

	disk_info(unit, &info);
	there = info.sectors || info.cdrom;
	if (there && d->vdev[unit] && d->vdev[unit] != info.vdev)
		leave_place(d, unit);
	if (!d->vdev[unit] && there)
		place(pc, unit, info.vdev);
	else if (vdev_place(d->vdev[unit]).controller == VDEV_IDE)
		ide_look(&d->ide, vdev_place(d->vdev[unit]).place);
	else
		ahci_look(&d->ahci, unit);
	pc_update_disks(pc);
}

/* A guest may wait for the end of a command by reading registers, with its interrupts off: it
 * hears here of what has ended. */
static void poll(const struct disks *d)
{
	for (unsigned unit = 0; unit < DISKS; unit++)
		if (d->vdev[unit])
			disk_poll(unit);
}

/* --- ports ----------------------------------------------------------------------------- */

#define FIRST_STATUS 7 /* and 8, the alternate status */

/* Does the channel answer at its ports? */
static bool has_channel(const struct pc *pc, unsigned channel)
{
	return pci_decodes_io(&pc->pci, PCI_IDE) && ide_has(&pc->disks.ide, channel) &&
	       pc->pci.config[PCI_IDE][IDE_ENABLE + channel * 2] & IDE_ENABLED;
}

/* The channel's register at the port, or -1. */
static int ide_register(const struct pc *pc, u16 port, unsigned *channel)
{
	*channel = !(port & 0x80); /* 1F0 to 1F7 and 3F6, or 170 to 177 and 376 */
	switch (port | 0x80) {
	case 0x1F0 ... 0x1F7:
		return has_channel(pc, *channel) ? port & 7 : -1;
	case 0x3F6:
		return has_channel(pc, *channel) ? 8 : -1;
	}
	return -1;
}

/* Only data are wider than a byte. */
bool disks_in(struct pc *pc, u16 port, unsigned size, u32 *value)
{
	unsigned channel;
	int reg = ide_register(pc, port, &channel);
	u32 offset;

	if (reg > 0 && size > 1)
		return false;
	if (reg >= FIRST_STATUS)
		poll(&pc->disks);
	if (reg >= 0) {
		*value = ide_read(&pc->disks.ide, channel, (unsigned)reg, size);
		*value &= 0xFFFFFFFFu >> (32 - 8 * size);
		pc_update_disks(pc);
		return true;
	}
	if (pci_decodes_port(&pc->pci, PCI_IDE, port, &offset)) {
		*value =
			ide_master_read(&pc->disks.ide, offset / BM_PORTS, offset % BM_PORTS, size);
		return true;
	}
	return false;
}

bool disks_out(struct pc *pc, u16 port, unsigned size, u32 value)
{
	unsigned channel;
	int reg = ide_register(pc, port, &channel);
	u32 offset;

	if (reg > 0 && size > 1)
		return false;
	grant_memory(pc);
	if (reg >= 0)
		ide_write(&pc->disks.ide, channel, (unsigned)reg, size, value);
	else if (pci_decodes_port(&pc->pci, PCI_IDE, port, &offset))
		ide_master_write(&pc->disks.ide, offset / BM_PORTS, offset % BM_PORTS, size, value);
	else
		return false;
	pc_update_disks(pc);
	return true;
}

/* --- memory, and that of network cards (nets.c)
 * --------------------------------------------------------------------------- */

/* Offset of a register of AHCI's at gpa, or PAGE_SIZE. */
static u32 ahci_offset(const struct pc *pc, u64 gpa)
{
	u32 offset;

	return pc->disks.there && pci_decodes_memory(&pc->pci, PCI_AHCI, gpa, &offset) ? offset
										       : PAGE_SIZE;
}

const void *pc_mmio_page(const struct pc *pc, u64 gpa)
{
	return ahci_offset(pc, gpa) < PAGE_SIZE ? pc->disks.ahci.page : NULL;
}

bool pc_mmio_read(struct pc *pc, u64 gpa, void *to, u32 bytes)
{
	u32 offset = ahci_offset(pc, gpa);

	if (offset + bytes > PAGE_SIZE)
		return pc->nets.there && nets_read(pc, gpa, to, bytes);
	poll(&pc->disks);
	memcpy(to, (const u8 *)pc->disks.ahci.page + offset, bytes);
	return true;
}

/* Registers are written by aligned stores of 4 bytes or more; others are undefined (AHCI
 * 1.1, 3) and are ignored. */
bool pc_mmio_write(struct pc *pc, u64 gpa, const void *from, u32 bytes)
{
	u32 offset = ahci_offset(pc, gpa), value;
	const u8 *at = from;

	if (offset + bytes > PAGE_SIZE)
		return pc->nets.there && nets_write(pc, gpa, from, bytes);
	if ((offset | bytes) & 3)
		return true;
	grant_memory(pc);
	for (; bytes; offset += 4, at += 4, bytes -= 4) {
		memcpy(&value, at, 4);
		ahci_write(&pc->disks.ahci, offset, value);
	}
	drive_ahci(pc);
	return true;
}

void disks_reset(struct disks *d)
{
	d->there = false;
	memset(d->vdev, 0, sizeof(d->vdev));
	ide_power_on(&d->ide);
	ahci_power_on(&d->ahci, &d->ahci_page);
}
