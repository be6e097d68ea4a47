/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which controller has which disk, and what connects the controllers with the rest of the
 * PC: their PCI functions, memory and interrupt lines.
 *
 * Kept true: a controller is there, and on the PCI bus, from the first disk on that it
 * has had; before that no access costs anything and no bit differs.  A unit stays where it
 * was while its number (vdev.h) stays the same, also while it is gone.  Controllers get at
 * memory only as far as their PCI command registers allow.
 */
#include "pc.h"
#include "vdev.h"
#include "lib/mem.h"

static void drive(struct pc *pc, unsigned irq, bool level)
{
	if (pic_line(&pc->pic, irq) != level)
		pic_set_irq(&pc->pic, irq, level);
}

/* PCI's interrupts are levels, and shareable. */
static void show(struct pc *pc, enum pci_function f)
{
	if (pci_is_there(&pc->pci, f))
		return;
	pci_show(&pc->pci, f);
	pc->disks.there = true;
	pic_write(&pc->pic, 0x4D0, pic_read(&pc->pic, 0x4D0) | 1u << PCI_AHCI_IRQ);
}

static void drive_ahci(struct pc *pc)
{
	drive(pc, PCI_AHCI_IRQ, ahci_irq(&pc->disks.ahci) && pci_interrupts(&pc->pci, PCI_AHCI));
}

void pc_update_disks(struct pc *pc)
{
	struct disks *d = &pc->disks;

	if (!d->there)
		return;
	d->ahci.master = pci_masters(&pc->pci, PCI_AHCI);
	ahci_update(&d->ahci);
	drive_ahci(pc);
}

/* A unit that has no place yet gets one, if there is a model for it. */
static void place(struct pc *pc, unsigned unit, u32 number)
{
	struct disks *d = &pc->disks;
	struct vdev v = vdev_place(number);

	if (v.controller == VDEV_NONE)
		return;
	d->vdev[unit] = number;
	ahci_attach(&d->ahci, unit, v.place);
	show(pc, PCI_AHCI);
}

void pc_disk_changed(struct pc *pc, unsigned unit)
{
	struct disks *d = &pc->disks;
	struct disk_info info;
	bool there;

	disk_info(unit, &info);
	there = info.sectors || info.cdrom;
	if (there && d->vdev[unit] && d->vdev[unit] != info.vdev) {
		ahci_detach(&d->ahci, unit);
		d->vdev[unit] = 0;
	}
	if (d->vdev[unit])
		ahci_look(&d->ahci, unit);
	else if (there)
		place(pc, unit, info.vdev);
	pc_update_disks(pc);
}

/* --- memory --------------------------------------------------------------------------- */

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

bool pc_mmio_read(const struct pc *pc, u64 gpa, void *to, u32 bytes)
{
	u32 offset = ahci_offset(pc, gpa);

	if (offset + bytes > PAGE_SIZE)
		return false;
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
		return false;
	if ((offset | bytes) & 3)
		return true;
	pc->disks.ahci.master = pci_masters(&pc->pci, PCI_AHCI);
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
	ahci_power_on(&d->ahci, &d->ahci_page);
}
