/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding the ROM as Linux 2.6.32 does (probe_vmi_rom, check_vmi_rom) and
 * calling its two fixed entries.
 */
#include "ops.h"
#include "mm.h"
#include "rom.h"
#include "../../rom/image.h"

#define SCAN_START 0xc0000u
#define SCAN_END 0xe0000u
#define NO_ROM_TOP 0xfffff000u

static const struct rom_header *rom;

static const char *rom_string(const struct rom_header *h, u16 offset, const char *otherwise)
{
	return offset ? (const char *)h + offset : otherwise;
}

static bool acceptable(const struct rom_header *h)
{
	const struct pci_header *pci = (const void *)((const char *)h + h->pci_header);
	const struct pnp_header *pnp = (const void *)((const char *)h + h->pnp_header);
	const char *maker = "UNKNOWN", *product = "UNKNOWN";
	const char *licence = rom_string(h, h->licence, "unspecified");

	if (h->signature != ROM_SIGNATURE || h->vmi_signature != VMI_SIGNATURE)
		return false;
	if (h->api_major != 3) {
		printk("VMI: mismatched ROM version %u.%u\n", h->api_major, h->api_minor);
		return false;
	}
	if (!h->pci_header) {
		printk("VMI: ROM does not contain PCI header\n");
		return false;
	}
	if (pci->vendor != 0x15ad || pci->device != 0x0801)
		printk("VMI: ROM from unknown manufacturer\n");
	if (h->pnp_header) {
		maker = rom_string(h, pnp->manufacturer, maker);
		product = rom_string(h, pnp->product, product);
	}
	printk("VMI: found %s %s, API version %u.%u, ROM version %u.%u\n", maker, product,
	       h->api_major, h->api_minor, pci->version_maj, pci->version_min);
	if (strcmp(licence, "GPL") && strcmp(licence, "GPL v2")) {
		printk("VMI: licence \"%s\": not used\n", licence);
		return false;
	}
	return true;
}

bool rom_probe(void)
{
	for (u32 base = SCAN_START; base < SCAN_END; base += ROM_ALIGN) {
		const struct rom_header *h = phys_to_virt(base);

		if (acceptable(h)) {
			rom = h;
			return true;
		}
	}
	return false;
}

const struct rom_header *rom_found(void)
{
	return rom;
}

bool under_hypervisor(void)
{
	return on_vmi && !option("nullrom");
}

u32 rom_virtual_top(void)
{
	return rom ? rom->virtual_top : NO_ROM_TOP;
}

u64 rom_get_reloc(u32 call)
{
	u64 (*get_reloc)(u32) = (void *)((u32)rom + ROM_SLOT_GET_RELOC);

	return get_reloc(call);
}

bool rom_activate(void)
{
	const u32 in[3] = {0};

	call_keeping((void *)((u32)rom + ROM_SLOT_INIT), in, init_out);
	if (init_out[0])
		return false;
	kernel_rpl = read_cs() & 3;
	on_vmi = true;
	return true;
}

u32 init_out[8];

const struct call_info call_table[] = {
#define VMI_CALL(id, slot, name, kind, how, text) {id, ROM_##kind, #name},
#include "../../rom/calls.def"
#undef VMI_CALL
};
const u32 call_count = ARRAY_SIZE(call_table);
