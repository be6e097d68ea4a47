/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small SMBIOS table that tells of a BIOS with a date, and of the machine's name.
 *
 * Source: System Management BIOS Reference Specification 2.4, 2.1 (entry point)
 * and 3.3.1, 3.3.2, 3.3.41 (structures 0, 1 and 127).
 *
 * Why a date: distributions built their kernels so that they turn ACPI off when the BIOS
 * has no date or an old one (CONFIG_ACPI_BLACKLIST_YEAR), and 2.6.34 uses the windows of
 * the host bridge only with a BIOS of 2008 or later.  The UUID is that which Xen's tools
 * have made for the domain; where they have made none it is 0, which means just that.
 */
#include "entry.h"
#include "lib/mem.h"

#define BIOS_DATE "01/01/2010" /* younger than what any kernel of the time asks for */

#define BIOS_PCI (1u << 7)
#define BIOS_ACPI 0x01u /* in the first extension byte */
#define WAKE_POWER_SWITCH 6
#define NO_CONTROLLER 0xFF

struct entry_point {
	char anchor[4];
	u8 checksum;
	u8 length;
	u8 major, minor;
	u16 largest; /* structure, with its strings */
	u8 revision;
	u8 formatted[5];
	struct {
		char anchor[5]; /* what Linux looks for */
		u8 checksum;
		u16 length;
		u32 table;
		u16 structures;
		u8 version; /* BCD */
	} packed dmi;
} packed;

struct head {
	u8 type, length; /* without the strings */
	u16 handle;
} packed;

/* Strings are named by their number; they stand behind the structure and end with
 * an empty one. */
struct bios {
	struct head head;
	u8 vendor, version;
	u16 segment; /* where a BIOS would begin */
	u8 date;
	u8 rom_size; /* in 64 KB, less one */
	u32 features[2];
	u8 more_features[2];
	u8 release[2], controller_release[2];
	char strings[sizeof("vmixen\0"
			    "0.1\0" BIOS_DATE "\0")];
} packed;

struct system {
	struct head head;
	u8 manufacturer, product, version, serial;
	u8 uuid[16];
	u8 wake_up, sku, family;
	char strings[sizeof("vmixen\0"
			    "VMI domain\0")];
} packed;

struct end {
	struct head head;
	char strings[2];
} packed;

struct table {
	struct bios bios;
	struct system system;
	struct end end;
} packed;

struct smbios {
	struct entry_point entry;
	u8 pad; /* to 16 */
	struct table table;
} packed;

_Static_assert(sizeof(struct entry_point) == 31, "SMBIOS entry point");
_Static_assert(offsetof(struct entry_point, dmi) == 16, "the second anchor is on 16 bytes, too");
_Static_assert(offsetof(struct bios, strings) == 24, "SMBIOS structure 0");
_Static_assert(offsetof(struct system, strings) == 27, "SMBIOS structure 1");

static const struct table contents = {
	.bios = {.head = {0, offsetof(struct bios, strings), 0},
		 .vendor = 1,
		 .version = 2,
		 .segment = 0xF000,
		 .date = 3,
		 .features = {BIOS_PCI},
		 .more_features = {BIOS_ACPI},
		 .release = {0, 1},
		 .controller_release = {NO_CONTROLLER, NO_CONTROLLER},
		 .strings = "vmixen\0"
			    "0.1\0" BIOS_DATE "\0"},
	.system = {.head = {1, offsetof(struct system, strings), 1},
		   .manufacturer = 1,
		   .product = 2,
		   .wake_up = WAKE_POWER_SWITCH,
		   .strings = "vmixen\0"
			      "VMI domain\0"},
	.end = {.head = {127, sizeof(struct head), 2}},
};

static void fill_entry(struct entry_point *e)
{
	memcpy(e->anchor, "_SM_", sizeof(e->anchor));
	e->length = sizeof(*e);
	e->major = 2;
	e->minor = 4;
	e->largest = sizeof(struct bios);
	memcpy(e->dmi.anchor, "_DMI_", sizeof(e->dmi.anchor));
	e->dmi.length = sizeof(struct table);
	e->dmi.table = SMBIOS + offsetof(struct smbios, table);
	e->dmi.structures = 3;
	e->dmi.version = 0x24;
	seal(&e->dmi, sizeof(e->dmi), &e->dmi.checksum);
	seal(e, sizeof(*e), &e->checksum);
}

void make_smbios_table(void)
{
	static struct smbios s;

	s.table = contents;
	hypercall(__HYPERVISOR_xen_version, XENVER_guest_handle, (u32)s.table.system.uuid, 0, 0, 0);
	fill_entry(&s.entry);
	copy_to_guest(SMBIOS, &s, sizeof(s));
}
