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
 * A function has one base address register for memory at most, and one for ports.  They are
 * set as a BIOS would have set them, and so is the interrupt line: without a _PRT in the ACPI
 * tables Linux takes that as it is.  The IDE function has no pin, for its interrupts are IRQ 14
 * and 15.
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
	struct bar {
		u8 reg;	      /* where the base address register is; 0: there is none */
		u32 size, at; /* size: a power of two */
	} memory, io;
	u8 pin, line;
};

#define NET(n, memory_at, io_at)                                                                   \
	[PCI_NET + (n)] = {(3 + (n)) << 3,                                                         \
			   0x8086,                                                                 \
			   0x100F,                                                                 \
			   0x020000,                                                               \
			   0x07,                                                                   \
			   0x01,                                                                   \
			   {0x10, 0x20000, memory_at},                                             \
			   {0x18, 64, io_at},                                                      \
			   1,                                                                      \
			   PCI_NET_IRQ}

static const struct function functions[PCI_FUNCTIONS] = {
	[PCI_HOST] = {0 << 3, 0x8086, 0x1237, 0x060000, 0x06, 0x02, {0}, {0}, 0, 0},
	[PCI_ISA] = {1 << 3, 0x8086, 0x7000, 0x060100, 0x07, 0x00, {0}, {0}, 0, 0},
	[PCI_IDE] =
		{1 << 3 | 1, 0x8086, 0x7111, 0x010180, 0x05, 0x01, {0}, {0x20, 16, 0xC000}, 0, 0},
	[PCI_AHCI] = {2 << 3,
		      0x8086,
		      0x2922,
		      0x010601,
		      0x06,
		      0x02,
		      {0x24, 4096, 0xFEBF0000},
		      {0},
		      1,
		      PCI_AHCI_IRQ},
	NET(0, 0xFEBC0000, 0xC040),
	NET(1, 0xFEBA0000, 0xC080),
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
static u32 bar_mask(const struct function *f, const struct bar *bar)
{
	return (bar == &f->io ? 0xFFFF : 0xFFFFFFFF) & ~(bar->size - 1);
}

static u32 bar_of(const struct pci *pci, enum pci_function n, const struct bar *bar)
{
	const u8 *at = &pci->config[n][bar->reg];

	return (at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24) & bar_mask(&functions[n], bar);
}

/* The base address register that a byte belongs to, or NULL. */
static const struct bar *bar_at(const struct function *f, unsigned reg)
{
	if (f->memory.reg && reg - f->memory.reg < 4u)
		return &f->memory;
	return f->io.reg && reg - f->io.reg < 4u ? &f->io : NULL;
}

static void write_bar(const struct function *f, const struct bar *bar, u8 *config, unsigned byte,
		      u8 value)
{
	config[bar->reg + byte] = value & (bar_mask(f, bar) >> (8 * byte) & 0xFF);
	if (byte == 0 && bar == &f->io)
		config[bar->reg] |= 1;
}

static void write_byte(const struct function *f, u8 *config, unsigned reg, u8 value)
{
	const struct bar *bar = bar_at(f, reg);

	if (reg == COMMAND)
		config[reg] = value & COMMAND_MASK;
	else if (reg == COMMAND_HIGH)
		config[reg] = value & (COMMAND_HIGH_SERR | (f->pin ? COMMAND_HIGH_NO_INTX : 0));
	else if (bar)
		write_bar(f, bar, config, reg - bar->reg, value);
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
	const struct bar *bar = &functions[f].io;

	*offset = port - bar_of(pci, f, bar);
	return has_command(pci, f, COMMAND_IO) && *offset < bar->size;
}

bool pci_decodes_memory(const struct pci *pci, enum pci_function f, u64 gpa, u32 *offset)
{
	const struct bar *bar = &functions[f].memory;

	*offset = (u32)gpa - bar_of(pci, f, bar);
	return !(gpa >> 32) && has_command(pci, f, COMMAND_MEMORY) && *offset < bar->size;
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
		if (f->memory.reg)
			set_word(config + f->memory.reg, f->memory.at, 4);
		if (f->io.reg)
			set_word(config + f->io.reg, f->io.at | 1, 4);
		config[INTERRUPT_LINE] = f->line;
		config[INTERRUPT_PIN] = f->pin;
	}
	/* PIIX3: PIRQ A-D are routed nowhere. */
	for (reg = 0x60; reg < 0x64; reg++)
		pci->config[PCI_ISA][reg] = 0x80;
}
