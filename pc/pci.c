/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: PCI Local Bus specification 2.1 (configuration mechanism #1); Intel 82441FX
 * (PMC) and 82371SB (PIIX3) datasheets.
 *
 * Two functions: 0:0.0 the 440FX host bridge, 0:1.0 the PIIX3 ISA bridge.
 * Neither has a base address register, so nothing moves.  Registers above the
 * header are RAM, because chip-set quirks read back what they wrote; they
 * have no effect.  A configuration address that is nobody's, or whose enable
 * bit is off, reads as ones.
 */
#include "pci.h"

#define ADDRESS_PORT 0xCF8
#define ADDRESS_BITS 0x80FFFFFCu
#define ADDRESS_ENABLE 0x80000000u
#define DATA_PORT 0xCFC

#define COMMAND 0x04
#define COMMAND_MASK 0x47u /* I/O, memory, bus master, parity */
#define COMMAND_HIGH 0x05
#define INTERRUPT_LINE 0x3C
#define HEADER_END 0x40

struct function {
	u8 devfn; /* device << 3 | function */
	u16 vendor, device, class;
	u8 command, revision;
};

static const struct function functions[PCI_FUNCTIONS] = {
	{0 << 3, 0x8086, 0x1237, 0x0600, 0x06, 0x02},
	{1 << 3, 0x8086, 0x7000, 0x0601, 0x07, 0x00},
};

/* Which function the address selects, or PCI_FUNCTIONS. */
static unsigned selected(const struct pci *pci)
{
	u32 devfn = pci->address >> 8 & 0xFFFF; /* with the bus above it: must be 0 */
	unsigned f = PCI_FUNCTIONS;

	if (pci->address & ADDRESS_ENABLE)
		for (f = 0; f < PCI_FUNCTIONS; f++)
			if (functions[f].devfn == devfn)
				break;
	return f;
}

/* Number of the register behind a data port. */
static unsigned reg_at(const struct pci *pci, u16 port)
{
	return (pci->address & 0xFC) + (port & 3);
}

u32 pci_read(const struct pci *pci, u16 port, unsigned size)
{
	unsigned f = selected(pci);
	u32 value = 0;
	unsigned i;

	if (port == ADDRESS_PORT && size == 4)
		return pci->address;
	for (i = size; i-- > 0;) {
		bool there = port >= DATA_PORT && (port & 3) + i < 4 && f < PCI_FUNCTIONS;

		value = value << 8 | (there ? pci->config[f][reg_at(pci, port) + i] : 0xFF);
	}
	return value;
}

static void write_byte(u8 *config, unsigned reg, u8 value)
{
	if (reg == COMMAND)
		config[reg] = value & COMMAND_MASK;
	else if (reg == COMMAND_HIGH)
		config[reg] = value & 1; /* SERR# */
	else if (reg == INTERRUPT_LINE || reg >= HEADER_END)
		config[reg] = value;
}

void pci_write(struct pci *pci, u16 port, unsigned size, u32 value)
{
	unsigned f = selected(pci);
	unsigned i;

	if (port == ADDRESS_PORT && size == 4)
		pci->address = value & ADDRESS_BITS;
	if (port < DATA_PORT || f == PCI_FUNCTIONS)
		return;
	for (i = 0; i < size && (port & 3) + i < 4; i++)
		write_byte(pci->config[f], reg_at(pci, port) + i, value >> (8 * i) & 0xFF);
}

void pci_reset(struct pci *pci)
{
	unsigned i, reg;

	pci->address = 0;
	for (i = 0; i < PCI_FUNCTIONS; i++) {
		const struct function *f = &functions[i];
		u8 *config = pci->config[i];

		for (reg = 0; reg < sizeof(pci->config[i]); reg++)
			config[reg] = 0;
		config[0x00] = f->vendor & 0xFF;
		config[0x01] = f->vendor >> 8;
		config[0x02] = f->device & 0xFF;
		config[0x03] = f->device >> 8;
		config[COMMAND] = f->command;
		config[0x07] = 0x02; /* status: medium DEVSEL# timing */
		config[0x08] = f->revision;
		config[0x0A] = f->class & 0xFF;
		config[0x0B] = f->class >> 8;
	}
	/* PIIX3: PIRQ A-D are routed nowhere. */
	for (reg = 0x60; reg < 0x64; reg++)
		pci->config[1][reg] = 0x80;
}
