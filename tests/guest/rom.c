/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding the ROM, activating it, and finding its calls, in both generations
 * of the ABI.
 *
 *   3.0   as Linux 2.6.32 (probe_vmi_rom, check_vmi_rom): the first header
 *         with major 3; Init at 0x80, everything else by get_reloc.
 *   13.x  as the kernels of 2006: Init is slot 4, a call is its 32-byte slot;
 *         from 13.3 on GetRelocationInfo answers better addresses.
 *
 * 3.0 is taken where both are; "api=13" takes the other, "minor=N" plays a
 * guest that knows no more than 13.N, "bind=slot" uses fixed slots alone.
 */
#include "ops.h"
#include "mm.h"
#include "rom.h"
#include "image.h"

#define SCAN_START 0xc0000u
#define SCAN_END 0xe0000u
#define NO_ROM_TOP 0xfffff000u
#define MINOR_RELOCATION 3 /* GetRelocationInfo and flags of SetPxE */

static const struct rom_header *rom, *rom13;
static bool by_slot;
static u32 minor;

const struct call_info call_table[] = {
#define VMI_CALL(id, slot, name, kind, how, text) {id, slot, ROM_##kind, #name},
#include "rom/calls.def"
#undef VMI_CALL
};
const u32 call_count = ARRAY_SIZE(call_table);

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

static void look_for_headers(void)
{
	for (u32 base = SCAN_START; base < SCAN_END; base += ROM_ALIGN) {
		const struct rom_header *h = phys_to_virt(base);

		if (h->signature != ROM_SIGNATURE || h->vmi_signature != VMI_SIGNATURE)
			continue;
		if (h->api_major == 13 && !rom13)
			rom13 = h;
		else if (!rom && acceptable(h))
			rom = h;
	}
}

bool rom_probe(void)
{
	look_for_headers();
	by_slot = option_is("bind", "slot");
	if (rom13 && (!rom || option_is("api", "13"))) {
		rom = rom13;
		minor = option_number("minor", rom->api_minor);
		printk("VMI: found API version %u.%u, used as 13.%u\n", rom->api_major,
		       rom->api_minor, minor);
	}
	return rom;
}

const struct rom_header *rom_found(void)
{
	return rom;
}

const struct rom_header *rom_found13(void)
{
	return rom13;
}

u32 rom_image_bytes(void)
{
	const struct pci_header *pci = (const void *)((const u8 *)rom + rom->pci_header);

	return pci->chunks * ROM_UNIT;
}

u32 rom_generation(void)
{
	return rom ? rom->api_major : 0;
}

bool rom_has_flags(void)
{
	return rom_generation() == 3 || minor >= MINOR_RELOCATION;
}

bool under_hypervisor(void)
{
	return on_vmi && !option("nullrom");
}

static bool ring1_before_init;

bool in_own_domain(void)
{
	return ring1_before_init || (!on_vmi && (read_cs() & 3) == 1);
}

u32 rom_virtual_top(void)
{
	return rom ? rom->virtual_top : NO_ROM_TOP;
}

u32 rom_slot3(const struct rom_header *h, s16 id)
{
	if (id < 0 || id + 2 >= h->jump_slots)
		return 0;
	return (u32)h + ROM_SLOT_CALLS + (u32)id * ROM_SLOT_SIZE;
}

u32 rom_slot13(const struct rom_header *h, s16 slot)
{
	return slot < 0 ? 0 : (u32)h + (u32)slot * ROM13_SLOT_SIZE;
}

u64 rom_relocation13(const struct rom_header *h, s16 slot)
{
	u64 (*info)(u32) = (void *)rom_slot13(h, VMI13_GetRelocationInfo);

	return info((u32)slot);
}

static u64 answer(u32 address)
{
	return address ? (u64)RELOC_CALL << 32 | address : 0;
}

static s16 slot_of(u32 call)
{
	for (u32 i = 0; i < call_count; i++)
		if (call_table[i].id >= 0 && (u32)call_table[i].id == call)
			return call_table[i].slot;
	return -1;
}

/* Slots that are younger than the guest pretends to be. */
static u64 reloc13(u32 call)
{
	s16 slot = slot_of(call);

	if (slot < 0 || (slot >= VMI13_GetRelocationInfo && !rom_has_flags()))
		return 0;
	if (rom_has_flags() && !by_slot)
		return rom_relocation13(rom, slot);
	return answer(rom_slot13(rom, slot));
}

u64 rom_get_reloc(u32 call)
{
	u64 (*get_reloc)(u32) = (void *)((u32)rom + ROM_SLOT_GET_RELOC), reloc;

	if (rom_generation() == 13)
		return reloc13(call);
	reloc = get_reloc(call);
	if (by_slot && (u8)(reloc >> 32) == RELOC_CALL && rom_slot3(rom, (s16)call))
		return answer(rom_slot3(rom, (s16)call));
	return reloc;
}

u32 rom_init(void *init)
{
	const u32 in[3] = {0};

	call_keeping(init, in, init_out);
	return init_out[OUT_EAX];
}

void *rom_init_entry(void)
{
	return rom_generation() == 13 ? (void *)rom_slot13(rom, ROM13_SLOT_INIT)
				      : (void *)((u32)rom + ROM_SLOT_INIT);
}

bool rom_activate(void)
{
	ring1_before_init = (read_cs() & 3) == 1;
	if (rom_init(rom_init_entry()))
		return false;
	kernel_rpl = read_cs() & 3;
	on_vmi = true;
	return true;
}

u32 init_out[8];
