/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state before Init: what head.asm set up by native instructions, and
 * what the boot loader handed over.  Under the monitor these run at CPL 3.
 */
#include "checks.h"
#include "mm.h"
#include "rom.h"
#include "trap.h"
#include "image.h"

extern u8 boot_params[4096];
extern char boot_cmdline[];
u32 start_ring; /* not 0: CS had an RPL at the first instruction, in head.asm */

static void check_params(void)
{
	check_eq("boot_params: 0xAA55 at 0x1fe", 0xaa55,
		 boot_params[0x1fe] | boot_params[0x1ff] << 8);
	check("boot_params: HdrS", !memcmp(boot_params + 0x202, "HdrS", 4));
	check("boot_params: an E820 map", boot_params[0x1e8] > 0);
	printk("guest: %u KB of low memory, command line \"%s\"\n", lowmem_pages() * 4,
	       boot_cmdline);
}

static u32 param(u32 at)
{
	return *(const u32 *)(boot_params + at);
}

/* From where its header says that it unpacks itself; nothing can lie less than 1 MB
 * behind, whatever the kernel's size. */
static void check_initrd(void)
{
	u32 image = param(0x218), size = param(0x21c), room = param(0x230);

	if (!size)
		return;
	printk("guest: initrd of %u bytes at %08x, the kernel's room at %08x\n", size, image, room);
	check("boot: the initrd is above 1 MB, in RAM", image >= 0x100000 && image + size > image);
	check("boot: and keeps out of the kernel's way",
	      image + size <= room || image >= room + 0x100000);
}

static void check_control(void)
{
	u32 cr0 = ops.get_cr0();

	check_eq("boot: CS at the first instruction has RPL 0", 0, start_ring);
	check_eq("boot: CR0", 0x80050033, cr0 & ~CR0_TS);
#ifdef PAE
	check_eq("boot: CR4.PAE", CR4_PAE, ops.get_cr4() & CR4_PAE);
#else
	check_eq("boot: CR4.PAE", 0, ops.get_cr4() & CR4_PAE);
#endif
	check_eq("boot: CR3", virt_to_phys(init_mm.pgd), ops.get_cr3());
}

/* What a kernel without ACPI finds a PC's devices by. */
static void check_bios_data(void)
{
	const u16 *bda = phys_to_virt(0x400);

	check_eq("boot: the BIOS names COM1", 0x3f8, bda[0]);
	check_range("boot: one to four serial ports", 1, 4, bda[8] >> 9 & 7);
}

static u8 sum_of(const u8 *p, u32 bytes)
{
	u8 sum = 0;

	while (bytes--)
		sum += *p++;
	return sum;
}

/* The next structure, behind this one's strings. */
static const u8 *dmi_next(const u8 *s)
{
	for (s += s[1]; s[0] || s[1]; s++)
		;
	return s + 2;
}

/* String n of a structure. */
static const char *dmi_string(const u8 *s, u32 n)
{
	const char *text = (const char *)s + s[1];

	while (--n)
		text += strlen(text) + 1;
	return text;
}

/* As Linux's dmi_scan_machine and dmi_get_year. */
static void check_smbios(void)
{
	const u8 *p = phys_to_virt(0xf0000), *end = phys_to_virt(0x100000), *s;
	const char *date;
	u32 length, count = 0, types = 0;

	while (p < end && memcmp(p, "_DMI_", 5))
		p += 16;
	check("smbios: an anchor in F0000-FFFFF", p < end);
	if (p >= end)
		return;
	check_eq("smbios: its 15 bytes add up to 0", 0, sum_of(p, 15));
	check("smbios: the entry point before it", !memcmp(p - 16, "_SM_", 4));
	check_eq("smbios: its bytes add up to 0", 0, sum_of(p - 16, p[-11]));
	length = p[6] | p[7] << 8;
	s = phys_to_virt(*(const u32 *)(p + 8));
	date = dmi_string(s, s[8]);
	check_eq("smbios: structure 0 is the BIOS's", 0, s[0]);
	check_eq("smbios: its date is MM/DD/YYYY", 10, strlen(date));
	check("smbios: of 2010 or later", memcmp(date + 6, "2010", 4) >= 0);
	for (end = s + length; s < end; s = dmi_next(s), count++)
		types |= s[0] < 31 ? 1u << s[0] : s[0] == 127 ? 1u << 31 : 0;
	check("smbios: the table ends with its last structure", s == end);
	check_eq("smbios: structures", p[12] | p[13] << 8, count);
	check_eq("smbios: 0, 1 and 127 are there", 0x80000003, types & 0x80000003);
}

/* What memory is without a range register that says otherwise. */
static void check_mtrr(void)
{
	u32 r[4] = {1}, type = 0x806; /* all that there is where there are no MTRRs */

	ops.cpuid(r);
	if (r[3] & 1u << 12) /* MTRR */
		type = (u32)ops.rdmsr(0x2ff) & 0x8ff;
	check_eq("boot: MTRRs on, and write-back by default", 0x806, type);
}

static void check_segments(void)
{
	check_eq("boot: FS reads the per-CPU word", 0x50435055, read_fs0());
	check_eq("boot: index of CS", SEL_KERNEL_CS, read_cs() & ~3u);
	check_eq("boot: index of SS", SEL_KERNEL_DS, read_ss() & ~3u);
}

/* Native writes while paging is on, as early_ioremap_init makes them: a table
 * hooked in without a flush, then an entry. */
static void check_native_tables(void)
{
	u32 va = VMALLOC_END - PAGE_SIZE, pfn = page_alloc_zeroed(), table = page_alloc_zeroed();
	pte_t *pmd = pmd_of(&init_mm, va), *ptep = page_address(table);

	ptep += (va >> PAGE_SHIFT) % PT_ENTRIES;
	native_ops.set_pte(pte_make(table, PTE_TABLE), pmd, 0);
	native_ops.set_pte(pte_make(pfn, PTE_P | PTE_RW), ptep, 0);
	*(volatile u32 *)va = 0x600df00d;
	check_eq("boot: a page mapped natively before Init", 0x600df00d,
		 *(volatile u32 *)page_address(pfn));
	check_eq("boot: A and D of that entry are set by the write", PTE_A | PTE_D,
		 (u32)*ptep & (PTE_A | PTE_D));
}

/* What reads there as where no ROM is: ones, up to the BIOS's own area. */
static bool nothing_behind(const struct rom_header *h)
{
	const u8 *p = (const u8 *)h + h->length * ROM_UNIT,
		 *end = (const u8 *)h + rom_image_bytes();

	for (; p < end && virt_to_phys(p) < 0xe0000; p++)
		if (*p != 0xff)
			return false;
	return true;
}

static void check_rom(void)
{
	const struct rom_header *h = rom_found();
	u8 sum = 0;

	if (!h)
		return;
	for (u32 i = 0; i < h->length * ROM_UNIT; i++)
		sum += ((const u8 *)h)[i];
	check_eq("rom: bytes sum to 0", 0, sum);
	check_eq("rom: PCI signature", 0x52494350, *(const u32 *)((const u8 *)h + h->pci_header));
	check("rom: no more of it stands there than its header counts", nothing_behind(h));
	if (!option("nullrom")) /* SeaBIOS places that one */
		check("rom: at 0xC8000 or above, where the specification scans",
		      virt_to_phys(h) >= 0xc8000);
	check_range("rom: virtual_top", 0xf2000000, 0xf5800000, h->virtual_top);
	if (h->virtual_top < VMALLOC_END)
		died("virtual_top is below our mappings");
}

void checks_boot(void)
{
	check_params();
	check_initrd();
	check_control();
	check_bios_data();
	check_smbios();
	check_mtrr();
	check_segments();
	check_native_tables();
	checks_gdt();
	check_rom();
}

/* zap_low_mappings has taken the identity mapping of the boot tables away. */
void checks_zapped(void)
{
	bool there = try_read(0x1000, NULL) == TRY_OK;
	u32 v = 0;

	check_eq("zapped: address 0 faults", V_PF, try_read(0, NULL));
	check_eq("zapped: the kernel's text at its physical address faults", V_PF,
		 try_read(0x100000, NULL));
	check_eq("zapped: the last page of the boot mapping faults", V_PF,
		 try_read(BOOT_MAP - PAGE_SIZE, NULL));
	try_read(0x200000, &v);
	check_eq("zapped: writes fault too", V_PF, try_write(0x200000, v));
	check_eq("zapped: error code of a write", PF_WRITE, there ? ~0u : seen.error);
	check_eq("zapped: execution faults", V_PF, there ? TRY_OK : try_call(0x1000));
}
