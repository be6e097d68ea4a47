/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI configuration mechanism 1: ports CF8 (address, dword only) and CFC-CFF
 * (data).  pci.c tells which functions there can be.
 */
#ifndef VMIXEN_PC_PCI_H
#define VMIXEN_PC_PCI_H

#include "base.h"

enum pci_function {
	PCI_HOST,
	PCI_ISA,
	PCI_IDE,  /* with a disk at it */
	PCI_AHCI, /* likewise */
	PCI_NET,  /* the first of two network cards */
	PCI_FUNCTIONS = PCI_NET + 2
};

/* The interrupt line of functions with a pin, on the first 8259: an acknowledgement of the
 * second is one more access. */
#define PCI_AHCI_IRQ 5
#define PCI_NET_IRQ 3 /* of all cards */

struct pci {
	u32 address;
	u8 there; /* bit per function */
	u8 config[PCI_FUNCTIONS][256];
};

void pci_reset(struct pci *pci);

/* size: 1, 2 or 4 bytes; what does not fit into a dword reads as ones. */
u32 pci_read(const struct pci *pci, u16 port, unsigned size);
void pci_write(struct pci *pci, u16 port, unsigned size, u32 value);

/* The function is on the bus from now on, as a BIOS has set it up. */
void pci_show(struct pci *pci, enum pci_function f);
static inline bool pci_is_there(const struct pci *pci, enum pci_function f)
{
	return pci->there >> f & 1;
}

/* May the function reach memory by itself? */
bool pci_masters(const struct pci *pci, enum pci_function f);
/* May it use its interrupt pin? */
bool pci_interrupts(const struct pci *pci, enum pci_function f);
/* Does the function answer at ports that are no base address register's? */
bool pci_decodes_io(const struct pci *pci, enum pci_function f);
/* Is the address in the ports, or the memory, of one of the function's base address registers?
 * *offset is its distance from there. */
bool pci_decodes_port(const struct pci *pci, enum pci_function f, u16 port, u32 *offset);
bool pci_decodes_memory(const struct pci *pci, enum pci_function f, u64 gpa, u32 *offset);

#endif
