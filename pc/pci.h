/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI configuration mechanism 1: ports CF8 (address, dword only) and CFC-CFF
 * (data).  pci.c tells which functions there are.
 */
#ifndef VMIXEN_PC_PCI_H
#define VMIXEN_PC_PCI_H

#include "base.h"

#define PCI_FUNCTIONS 2

struct pci {
	u32 address;
	u8 config[PCI_FUNCTIONS][256];
};

void pci_reset(struct pci *pci);

/* size: 1, 2 or 4 bytes; what does not fit into a dword reads as ones. */
u32 pci_read(const struct pci *pci, u16 port, unsigned size);
void pci_write(struct pci *pci, u16 port, unsigned size, u32 value);

#endif
