/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source: PCI Local Bus specification 2.3 (configuration mechanism #1; base address
 * registers: 6.2.5.1); Intel 82441FX (PMC), 82371SB (PIIX3), 82371AB (PIIX4, its IDE
 * function) and 82801IR (ICH9R, its AHCI function) datasheets.
 *
 * Two functions are always there: 0:0.0 the 440FX host bridge, 0:1.0 the PIIX3 ISA bridge.
 * The others come with what is behind them (pci_show()), and stay.  A function of which
 * the guest was not told does not exist: its registers are those of an empty slot, and
 * 0:1.0 has no second function.
 *
 * Registers above the header are RAM, because chip-set quirks read back what they wrote;
 * only PIIX IDE's own have an effect (ide.c).  A configuration address that is nobody's,
 * or whose enable bit is off, reads as ones.
 *
 * A function has one base address register at most.  It is set as a BIOS would have set
 * it, and so is the interrupt line: without a _PRT in the ACPI tables Linux takes that as
 * it is.  The IDE function has no pin, for its interrupts are IRQ 14 and 15.
 */
#include "pci.h"

#define ADDRESS_PORT 0xCF8
#define ADDRESS_BITS 0x80FFFFFCu
#define ADDRESS_ENABLE 0x80000000u
#define DATA_PORT 0xCFC

#define COMMAND 0x04
#define COMMAND_MASK 0x47u /* I/O, memory, bus master, parity */
#define COMMAND_IO 0x01u
#define COMMAND_MEMORY 0x02u
#define COMMAND_MASTER 0x04u
#define COMMAND_HIGH 0x05
#define COMMAND_HIGH_SERR 0x01u
#define COMMAND_HIGH_NO_INTX 0x04u
#define HEADER_TYPE 0x0E
#define MULTIFUNCTION 0x80u
#define INTERRUPT_LINE 0x3C
#define INTERRUPT_PIN 0x3D
#define HEADER_END 0x40

struct function {
	u8 devfn; /* device << 3 | function */
	u16 vendor, device;
	u32 class; /* base class, sub-class, programming interface */
	u8 command, revision;
	u8 bar; /* where the base address register is; 0: there is none */
	bool bar_io;
	u32 bar_size, bar_at; /* size: a power of two */
	u8 pin, line;
};

static const struct function functions[PCI_FUNCTIONS] = {
	[PCI_HOST] = {0 << 3, 0x8086, 0x1237, 0x060000, 0x06, 0x02, 0, false, 0, 0, 0, 0},
	[PCI_ISA] = {1 << 3, 0x8086, 0x7000, 0x060100, 0x07, 0x00, 0, false, 0, 0, 0, 0},
	[PCI_IDE] = {1 << 3 | 1, 0x8086, 0x7111, 0x010180, 0x05, 0x01, 0x20, true, 16, 0xC000, 0,
		     0},
	[PCI_AHCI] = {2 << 3, 0x8086, 0x2922, 0x010601, 0x06, 0x02, 0x24, false, 4096, 0xFEBF0000,
		      1, PCI_AHCI_IRQ},
};

/* Which function the address selects, or PCI_FUNCTIONS. */
static unsigned selected(const struct pci *pci)
{
	u32 devfn = pci->address >> 8 & 0xFFFF; /* with the bus above it: must be 0 */
	unsigned f = PCI_FUNCTIONS;

	if (pci->address & ADDRESS_ENABLE)
		for (f = 0; f < PCI_FUNCTIONS; f++)
			if (functions[f].devfn == devfn && pci_is_there(pci, f))
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
	unsigned f, i;
	u32 value = 0;

	if (port == ADDRESS_PORT && size == 4)
		return pci->address;
	f = selected(pci);
	for (i = size; i-- > 0;) {
		bool there = port >= DATA_PORT && (port & 3) + i < 4 && f < PCI_FUNCTIONS;

		value = value << 8 | (there ? pci->config[f][reg_at(pci, port) + i] : 0xFF);
	}
	return value;
}

/* The bits of a base address register that can be written: what is below its size cannot,
 * so a driver that writes ones reads the size.  There are no ports above FFFF. */
static u32 bar_mask(const struct function *f)
{
	return (f->bar_io ? 0xFFFF : 0xFFFFFFFF) & ~(f->bar_size - 1);
}

static u32 bar_of(const struct pci *pci, enum pci_function f)
{
	const u8 *at = &pci->config[f][functions[f].bar];

	return (at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24) & bar_mask(&functions[f]);
}

static void write_bar(const struct function *f, u8 *config, unsigned byte, u8 value)
{
	config[f->bar + byte] = value & (bar_mask(f) >> (8 * byte) & 0xFF);
	if (byte == 0 && f->bar_io)
		config[f->bar] |= 1;
}

static void write_byte(const struct function *f, u8 *config, unsigned reg, u8 value)
{
	if (reg == COMMAND)
		config[reg] = value & COMMAND_MASK;
	else if (reg == COMMAND_HIGH)
		config[reg] = value & (COMMAND_HIGH_SERR | (f->pin ? COMMAND_HIGH_NO_INTX : 0));
	else if (f->bar && reg - f->bar < 4u)
		write_bar(f, config, reg - f->bar, value);
	else if (reg == INTERRUPT_LINE || reg >= HEADER_END)
		config[reg] = value;
}

void pci_write(struct pci *pci, u16 port, unsigned size, u32 value)
{
	unsigned f, i;

	if (port == ADDRESS_PORT && size == 4)
		pci->address = value & ADDRESS_BITS;
	if (port < DATA_PORT)
		return;
	f = selected(pci);
	if (f == PCI_FUNCTIONS)
		return;
	for (i = 0; i < size && (port & 3) + i < 4; i++)
		write_byte(&functions[f], pci->config[f], reg_at(pci, port) + i,
			   value >> (8 * i) & 0xFF);
}

void pci_show(struct pci *pci, enum pci_function f)
{
	pci->there |= (u8)(1u << f);
	if (f == PCI_IDE)
		pci->config[PCI_ISA][HEADER_TYPE] = MULTIFUNCTION;
}

static bool has_command(const struct pci *pci, enum pci_function f, u8 bit)
{
	return pci_is_there(pci, f) && (pci->config[f][COMMAND] & bit);
}

bool pci_masters(const struct pci *pci, enum pci_function f)
{
	return has_command(pci, f, COMMAND_MASTER);
}

bool pci_interrupts(const struct pci *pci, enum pci_function f)
{
	return !(pci->config[f][COMMAND_HIGH] & COMMAND_HIGH_NO_INTX);
}

bool pci_decodes_io(const struct pci *pci, enum pci_function f)
{
	return has_command(pci, f, COMMAND_IO);
}

bool pci_decodes_port(const struct pci *pci, enum pci_function f, u16 port, u32 *offset)
{
	*offset = port - bar_of(pci, f);
	return has_command(pci, f, COMMAND_IO) && *offset < functions[f].bar_size;
}

bool pci_decodes_memory(const struct pci *pci, enum pci_function f, u64 gpa, u32 *offset)
{
	*offset = (u32)gpa - bar_of(pci, f);
	return !(gpa >> 32) && has_command(pci, f, COMMAND_MEMORY) &&
	       *offset < functions[f].bar_size;
}

static void set_word(u8 *at, u32 value, unsigned bytes)
{
	for (; bytes; bytes--, value >>= 8)
		*at++ = value & 0xFF;
}

void pci_reset(struct pci *pci)
{
	unsigned i, reg;

	pci->address = 0;
	pci->there = 1u << PCI_HOST | 1u << PCI_ISA;
	for (i = 0; i < PCI_FUNCTIONS; i++) {
		const struct function *f = &functions[i];
		u8 *config = pci->config[i];

		for (reg = 0; reg < sizeof(pci->config[i]); reg++)
			config[reg] = 0;
		set_word(config + 0x00, f->vendor, 2);
		set_word(config + 0x02, f->device, 2);
		config[COMMAND] = f->command;
		config[0x07] = 0x02; /* status: medium DEVSEL# timing */
		config[0x08] = f->revision;
		set_word(config + 0x09, f->class, 3);
		if (f->bar)
			set_word(config + f->bar, f->bar_at | f->bar_io, 4);
		config[INTERRUPT_LINE] = f->line;
		config[INTERRUPT_PIN] = f->pin;
	}
	/* PIIX3: PIRQ A-D are routed nowhere. */
	for (reg = 0x60; reg < 0x64; reg++)
		pci->config[PCI_ISA][reg] = 0x80;
}
