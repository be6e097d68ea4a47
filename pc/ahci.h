/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A SATA host controller with AHCI, and the disks at its ports; ahci.c tells what it keeps
 * true.
 */
#ifndef VMIXEN_PC_AHCI_H
#define VMIXEN_PC_AHCI_H

#include "ata.h"

#define AHCI_PORTS DISKS    /* at most: every unit finds one */
#define AHCI_PORTS_LEAST 4u /* that a controller has: some for disks that come later */
#define AHCI_SLOTS 32u	    /* of a port's command list */
#define AHCI_NO_SLOT AHCI_SLOTS

/* The registers, as the guest reads them (AHCI 1.1, chapter 3).  They are kept here and
 * nowhere else, and nothing changes by being read, so the guest may be given the page
 * itself, read-only. */
struct ahci_port_regs {
	u32 clb, clbu, fb, fbu, is, ie, cmd, reserved;
	u32 tfd, sig, ssts, sctl, serr, sact, ci;
	u32 rest[17];
};

struct ahci_page {
	u32 cap, ghc, is, pi, vs;
	u32 rest[59];
	struct ahci_port_regs port[30];
};

_Static_assert(sizeof(struct ahci_port_regs) == 0x80, "AHCI 1.1, 3.3");
_Static_assert(offsetof(struct ahci_page, port) == 0x100, "AHCI 1.1, 3");
_Static_assert(sizeof(struct ahci_page) == PAGE_SIZE, "a page");

/* A command that the front end may have. */
struct ahci_command {
	struct disk_request r; /* first: r is cast */
	u8 port, index, slot;
	u8 status;    /* enum disk_status, when it is finished */
	bool ran_out; /* of entries of the PRD table */
	u16 entries;  /* of it that are left */
	u64 entry;    /* where the next one is */
};

struct ahci_port {
	struct ata_drive drive;
	bool taken;	 /* a unit belongs to it, even if that is not there now */
	bool halted;	 /* by an error, until ST is cleared */
	bool queued;	 /* what is busy is queued commands */
	bool reset_due;	 /* the drive is being reset: its signature is to come */
	bool soft_reset; /* the reset bit of the control register */
	u8 last_slot;	 /* that was begun */
	u8 slot;	 /* of the command that is not queued */
	u8 failed;	 /* of the first queued command that has failed, or AHCI_NO_SLOT */
	u32 failed_is;	 /* what it adds to the interrupt status */
	/* Bit per command[]: with the front end; given back by it, and not looked at;
	 * with the front end still, but the guest has given it up. */
	u16 busy, finished, dead;
	struct ata_regs regs; /* of the command that is not queued, or of the failed one */
	struct ata_work work; /* of the command that is not queued */
	struct ahci_command command[ATA_QUEUE];
};

struct ahci {
	struct ahci_page *page;
	u8 ports;    /* 0: there is no controller */
	bool master; /* it may reach memory: the owner keeps it as PCI has it */
	bool resetting;
	u32 attention; /* bit per port: something is finished */
	struct ahci_port port[AHCI_PORTS];
};

/* No controller.  The registers will be in page. */
void ahci_power_on(struct ahci *a, struct ahci_page *page);
/* A unit is there: it gets a port, if it can the one of its place.  The first one brings
 * the controller. */
void ahci_attach(struct ahci *a, unsigned unit, u32 place);
/* The unit may have come, gone or changed; without a port of its own nothing happens. */
void ahci_look(struct ahci *a, unsigned unit);
/* The port of the unit, if it has one, is free again. */
void ahci_detach(struct ahci *a, unsigned unit);

/* The guest writes a register; offset is a multiple of 4 and below PAGE_SIZE. */
void ahci_write(struct ahci *a, u32 offset, u32 value);
/* Requests may be done: the registers become what they shall be. */
void ahci_update(struct ahci *a);
/* The level of the interrupt. */
bool ahci_irq(const struct ahci *a);

#endif
