/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk at an AHCI controller, driven as a plain driver does it: found by PCI, asked what
 * it is, read and written by several commands, flushed.  With a "disk" on the command line
 * only; the image must be that of tests/guest/mkdisk, in which every word says where it is.
 *
 * Source: AHCI 1.1, ATA-7.  On the host bare QEMU's own controller is the other side.
 */
#include "checks.h"
#include "irq.h"
#include "mm.h"

#define REGISTERS (VMALLOC_END - 0x10000) /* of the controller, in the kernel's space */
#define PCD 0x10u

#define SECTOR 512u
#define SECTORS 16384u /* of the image */
#define WORDS (SECTOR / 4)
#define BUFFER_PAGES 40u
#define WAIT_MS 20000u /* a host may be busy */

#define HBA_GHC 0x04u
#define HBA_IS 0x08u
#define HBA_PI 0x0Cu
#define PORT(n) (0x100u + (n)*0x80u)
#define P_CLB 0x00u
#define P_CLBU 0x04u
#define P_FB 0x08u
#define P_FBU 0x0Cu
#define P_IS 0x10u
#define P_IE 0x14u
#define P_CMD 0x18u
#define P_TFD 0x20u
#define P_SIG 0x24u
#define P_SSTS 0x28u
#define P_SERR 0x30u
#define P_SACT 0x34u
#define P_CI 0x38u
#define CMD_ST 1u
#define CMD_FRE 0x10u
#define CMD_FR 0x4000u
#define CMD_CR 0x8000u
#define GHC_AE 0x80000000u
#define GHC_IE 2u

#define ATA_IDENTIFY 0xECu
#define ATA_READ_EXT 0x25u
#define ATA_WRITE_EXT 0x35u
#define ATA_READ_QUEUED 0x60u
#define ATA_FLUSH_EXT 0xEAu

static u32 port;		 /* registers of the port */
static u32 list, table;		 /* frames: the command list with the FIS area, the command table */
static u32 buffer[BUFFER_PAGES]; /* frames */

static u32 pci_config(u32 devfn, u32 reg)
{
	u32 value;

	asm volatile("outl %0, %w1" : : "a"(0x80000000u | devfn << 8 | reg), "d"(0xCF8));
	asm volatile("inl %w1, %0" : "=a"(value) : "d"(0xCFC));
	return value;
}

static void pci_set(u32 devfn, u32 reg, u32 value)
{
	asm volatile("outl %0, %w1" : : "a"(0x80000000u | devfn << 8 | reg), "d"(0xCF8));
	asm volatile("outl %0, %w1" : : "a"(value), "d"(0xCFC));
}

static u32 get(u32 reg)
{
	return *(volatile u32 *)(REGISTERS + reg);
}

static void put(u32 reg, u32 value)
{
	*(volatile u32 *)(REGISTERS + reg) = value;
}

/* Waits until these bits of a register are so; interrupts are on meanwhile. */
static bool wait_for(u32 reg, u32 bits, u32 value)
{
	u64 end = ops.cycle_counter(COUNTER_REAL) + cycles_ms(WAIT_MS);

	while ((get(reg) & bits) != value)
		if (ops.cycle_counter(COUNTER_REAL) > end)
			return false;
	return true;
}

static u32 find_controller(void)
{
	for (u32 devfn = 0; devfn < 256; devfn++)
		if (pci_config(devfn, 8) >> 8 == 0x010601)
			return devfn;
	return ~0u;
}

/* The first port with a disk. */
static bool find_port(void)
{
	for (u32 n = 0; n < 32; n++) {
		port = PORT(n);
		if ((get(HBA_PI) >> n & 1) && (get(port + P_SSTS) & 0xF) == 3)
			return true;
	}
	return false;
}

static bool start_port(void)
{
	put(HBA_GHC, GHC_AE);
	put(port + P_CMD, get(port + P_CMD) & ~(CMD_ST | CMD_FRE));
	if (!wait_for(port + P_CMD, CMD_CR | CMD_FR, 0))
		return false;
	put(port + P_CLB, list << PAGE_SHIFT);
	put(port + P_CLBU, 0);
	put(port + P_FB, (list << PAGE_SHIFT) + 1024);
	put(port + P_FBU, 0);
	put(port + P_CMD, get(port + P_CMD) | CMD_FRE);
	put(port + P_SERR, ~0u);
	put(port + P_IS, ~0u);
	put(HBA_IS, ~0u);
	put(port + P_CMD, get(port + P_CMD) | CMD_ST);
	return wait_for(port + P_TFD, 0x88, 0);
}

/* --- commands ------------------------------------------------------------------------- */

static u32 pieces, described; /* of the command table: entries, and bytes in them */

static void command(u32 op, u32 sector, u32 sectors)
{
	u8 *fis = page_address(table);

	memset(fis, 0, PAGE_SIZE);
	fis[0] = 0x27;
	fis[1] = 0x80;
	fis[2] = (u8)op;
	fis[4] = (u8)sector;
	fis[5] = (u8)(sector >> 8);
	fis[6] = (u8)(sector >> 16);
	fis[7] = 0x40;
	fis[op == ATA_READ_QUEUED ? 3 : 12] = (u8)sectors;
	fis[op == ATA_READ_QUEUED ? 11 : 13] = (u8)(sectors >> 8);
	pieces = described = 0;
}

static void piece(u32 pa, u32 bytes)
{
	u32 *prd = (u32 *)((u8 *)page_address(table) + 0x80 + pieces++ * 16);

	prd[0] = pa;
	prd[3] = bytes - 1;
	described += bytes;
}

/* The pages of the buffer, from byte first of them on. */
static void piece_of_pages(u32 first, u32 bytes)
{
	for (u32 n; bytes; first += n, bytes -= n) {
		n = PAGE_SIZE - first % PAGE_SIZE;
		n = n < bytes ? n : bytes;
		piece((buffer[first / PAGE_SIZE] << PAGE_SHIFT) + first % PAGE_SIZE, n);
	}
}

/* Carries the command out in slot 0; false if it fails, or does not end. */
static bool run(bool write, bool queued)
{
	u32 *header = page_address(list);

	memset(header, 0, 32);
	header[0] = 5 | (write ? 0x40 : 0) | pieces << 16;
	header[2] = table << PAGE_SHIFT;
	put(port + P_IS, get(port + P_IS));
	if (queued)
		put(port + P_SACT, 1);
	put(port + P_CI, 1);
	return wait_for(port + (queued ? P_SACT : P_CI), 1, 0) && !(get(port + P_TFD) & 1);
}

/* --- data ----------------------------------------------------------------------------- */

/* tests/guest/mkdisk has the same. */
static u32 word_of(u32 sector, u32 word)
{
	return (sector * WORDS + word + 1) * 0x9E3779B1u;
}

static u8 *byte_at(u32 at)
{
	return (u8 *)page_address(buffer[at / PAGE_SIZE]) + at % PAGE_SIZE;
}

static void fill(u32 at, u32 sector, u32 sectors, u32 change)
{
	for (u32 i = 0; i < sectors * WORDS; i++) {
		u32 word = word_of(sector + i / WORDS, i % WORDS) ^ change;

		for (u32 byte = 0; byte < 4; byte++)
			*byte_at(at + i * 4 + byte) = (u8)(word >> byte * 8);
	}
}

/* How many bytes from at on are not those of the sectors. */
static u32 wrong_bytes(u32 at, u32 sector, u32 sectors, u32 change)
{
	u32 wrong = 0;

	for (u32 i = 0; i < sectors * SECTOR; i++) {
		u32 word = word_of(sector + i / SECTOR, i % SECTOR / 4) ^ change;

		wrong += *byte_at(at + i) != (u8)(word >> i % 4 * 8);
	}
	return wrong;
}

static void clear(void)
{
	for (u32 i = 0; i < BUFFER_PAGES; i++)
		memset(page_address(buffer[i]), 0xA5, PAGE_SIZE);
}

static bool is_clear(u32 at, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		if (*byte_at(at + i) != 0xA5)
			return false;
	return true;
}

/* --- checks ---------------------------------------------------------------------------- */

static void check_identity(void)
{
	const u16 *words = page_address(buffer[0]);

	command(ATA_IDENTIFY, 0, 0);
	piece_of_pages(0, SECTOR);
	check("IDENTIFY DEVICE succeeds", run(false, false));
	check_eq("it has as many sectors as the image", SECTORS,
		 words[100] | (u32)words[101] << 16);
	check("it does DMA and LBA", (words[49] & 0x300) == 0x300);
}

static void check_reads(void)
{
	clear();
	command(ATA_READ_EXT, 0, 1);
	piece_of_pages(0, SECTOR);
	check("a read of one sector succeeds", run(false, false));
	check_eq("its bytes are right", 0, wrong_bytes(0, 0, 1, 0));
	check("and no others have changed", is_clear(SECTOR, PAGE_SIZE - SECTOR));
	clear();
	command(ATA_READ_EXT, 16000, 256);
	piece_of_pages(0, 256 * SECTOR);
	check("a read of 128 KB succeeds", run(false, false));
	check_eq("all of its bytes are right", 0, wrong_bytes(0, 16000, 256, 0));
	clear();
	command(ATA_READ_EXT, 777, 20);
	piece_of_pages(3 * SECTOR, 5 * SECTOR);
	piece_of_pages(8 * SECTOR, 15 * SECTOR);
	check("a read into parts of pages succeeds", run(false, false));
	check_eq("they are right", 0, wrong_bytes(3 * SECTOR, 777, 20, 0));
	clear();
	command(ATA_READ_EXT, 100, 9);
	piece_of_pages(2, 1022);
	piece_of_pages(1024, 9 * SECTOR - 1022);
	check("a read to odd addresses succeeds", run(false, false));
	check_eq("it is right", 0, wrong_bytes(2, 100, 9, 0));
	check("and has not written beside", is_clear(0, 2) && is_clear(9 * SECTOR + 2, 512));
}

static void check_queued(void)
{
	clear();
	command(ATA_READ_QUEUED, 5000, 64);
	piece_of_pages(0, 64 * SECTOR);
	check("a queued read succeeds", run(false, true));
	check_eq("its bytes are right", 0, wrong_bytes(0, 5000, 64, 0));
}

static void check_writes(void)
{
	fill(0, 2000, 200, 0xFFFFFFFF);
	command(ATA_WRITE_EXT, 2000, 200);
	piece_of_pages(0, 200 * SECTOR);
	check("a write of 100 KB succeeds", run(true, false));
	fill(6, 2300, 5, 0x55555555);
	command(ATA_WRITE_EXT, 2300, 5);
	piece_of_pages(6, 5 * SECTOR);
	check("a write from odd addresses succeeds", run(true, false));
	command(ATA_FLUSH_EXT, 0, 0);
	check("FLUSH CACHE EXT succeeds", run(false, false));
	clear();
	command(ATA_READ_EXT, 1990, 256);
	piece_of_pages(0, 256 * SECTOR);
	check("what was written can be read", run(false, false));
	check_eq("it is what was written", 0, wrong_bytes(10 * SECTOR, 2000, 200, 0xFFFFFFFF));
	check_eq("before it is what was", 0, wrong_bytes(0, 1990, 10, 0));
	check_eq("behind it, too", 0, wrong_bytes(210 * SECTOR, 2200, 46, 0));
	clear();
	command(ATA_READ_EXT, 2299, 7);
	piece_of_pages(0, 7 * SECTOR);
	check("so can the other", run(false, false));
	check_eq("it is right, too", 0, wrong_bytes(SECTOR, 2300, 5, 0x55555555));
	check_eq("beside it nothing has changed", 0,
		 wrong_bytes(0, 2299, 1, 0) + wrong_bytes(6 * SECTOR, 2305, 1, 0));
}

static volatile u32 disk_irqs;

void disk_irq(void)
{
	disk_irqs++;
	put(port + P_IS, get(port + P_IS));
	put(HBA_IS, get(HBA_IS));
}

static void check_interrupt(u32 line)
{
	u8 mask = inb(0x21);

	put(port + P_IS, ~0u);
	put(HBA_IS, ~0u);
	put(port + P_IE, 1);
	put(HBA_GHC, GHC_AE | GHC_IE);
	disk_irq_line = line;
	outb((u8)(mask & (line < 8 ? ~(1u << line) : ~4u)), 0x21);
	if (line >= 8)
		outb((u8) ~(1u << (line - 8)), 0xA1);
	command(ATA_READ_EXT, 5, 8);
	piece_of_pages(0, 8 * SECTOR);
	check("with interrupts a read succeeds", run(false, false));
	spin_ms(20);
	outb(mask, 0x21);
	outb(0xFF, 0xA1);
	check_eq("it has interrupted once", 1, disk_irqs);
	put(HBA_GHC, GHC_AE);
}

static void check_errors(void)
{
	clear();
	command(ATA_READ_EXT, SECTORS - 1, 2);
	piece_of_pages(0, 2 * SECTOR);
	check("a read behind the end fails", !run(false, false));
	check("and writes nothing", is_clear(SECTOR, SECTOR));
	check("a port starts again behind an error", start_port());
	command(ATA_READ_EXT, SECTORS - 1, 1);
	piece_of_pages(0, SECTOR);
	check("it reads the last sector", run(false, false));
	check_eq("which is right", 0, wrong_bytes(0, SECTORS - 1, 1, 0));
}

void checks_disk(void)
{
	u32 devfn;

	if (!option("disk"))
		return;
	check_subject("disk");
	devfn = find_controller();
	check("there is an AHCI controller", devfn != ~0u);
	if (devfn == ~0u)
		return;
	pci_set(devfn, 4, 6); /* memory, bus master */
	map_kernel(REGISTERS, pci_config(devfn, 0x24) >> PAGE_SHIFT, PTE_KERNEL | PCD);
	list = page_alloc_zeroed();
	table = page_alloc();
	for (u32 i = 0; i < BUFFER_PAGES; i++)
		buffer[i] = page_alloc();
	irq_enable();
	check("it has a port with a disk", find_port());
	check("the port starts", start_port());
	check_identity();
	check_reads();
	check_queued();
	check_writes();
	check_interrupt(pci_config(devfn, 0x3C) & 0xFF);
	check_errors();
	put(port + P_CMD, 0);
	check("the port stops", wait_for(port + P_CMD, CMD_CR | CMD_FR, 0));
	check_subject(NULL);
}
