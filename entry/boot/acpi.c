/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ACPI tables.  With them a distribution's kernel can power its machine off, hears the
 * power button, has a PM timer, and scans PCI as it does on a PC.
 *
 * Source: ACPI specification 1.0b, chapters 5 (tables), 6 (configuration) and
 * 16 (AML).
 *
 * They describe pc/: one processor, 8259 interrupts (no MADT), no sleep state
 * but S5, no embedded controller, no general-purpose events.  What kernels
 * find by its fixed port (8042, 16550, CMOS, 8254) is not listed; the host
 * bridge is, because with ACPI Linux scans no PCI bus that has none.  Its
 * windows matter to 2.6.34 and later.
 */
#include "entry.h"
#include "lib/mem.h"
#include "pc/pm.h"

struct rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 reserved;
	u32 rsdt;
};

struct header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
};

struct rsdt {
	struct header header;
	u32 entry[1];
};

struct facs {
	char signature[4];
	u32 length;
	u32 hardware_signature;
	u32 waking_vector;
	u32 global_lock;
	u32 flags;
	u8 reserved[40];
};

struct fadt {
	struct header header;
	u32 facs;
	u32 dsdt;
	u8 int_model; /* 0: dual 8259 */
	u8 reserved1;
	u16 sci_int;
	u32 smi_cmd;
	u8 acpi_enable;
	u8 acpi_disable;
	u8 s4bios_req;
	u8 reserved2;
	u32 pm1a_event;
	u32 pm1b_event;
	u32 pm1a_control;
	u32 pm1b_control;
	u32 pm2_control;
	u32 pm_timer;
	u32 gpe0;
	u32 gpe1;
	u8 pm1_event_len;
	u8 pm1_control_len;
	u8 pm2_control_len;
	u8 pm_timer_len;
	u8 gpe0_len;
	u8 gpe1_len;
	u8 gpe1_base;
	u8 reserved3;
	u16 c2_latency; /* us; more than 100: no C2 */
	u16 c3_latency; /* us; more than 1000: no C3 */
	u16 flush_size;
	u16 flush_stride;
	u8 duty_offset;
	u8 duty_width;
	u8 day_alarm;
	u8 month_alarm;
	u8 century; /* CMOS index */
	u8 reserved4[3];
	u32 flags;
};

#define FADT_WBINVD 0x01u
#define FADT_C1 0x04u
#define FADT_NO_SLEEP_BUTTON 0x20u /* none that is fixed hardware */
#define FADT_NO_RTC_EVENT 0x40u	   /* none in the PM1 registers */

#define WORD(x) (x) & 0xFF, (x) >> 8 & 0xFF
#define DWORD(x) WORD(x), WORD((x) >> 16)
/* Address space descriptors of a bridge: type, flags of the type, range. */
#define WORD_SPACE(type, flags, first, last)                                                       \
	0x88, WORD(13), type, 0x0C, flags, WORD(0), WORD(first), WORD(last), WORD(0),              \
		WORD((last) - (first) + 1)
#define DWORD_SPACE(type, flags, first, last)                                                      \
	0x87, WORD(23), type, 0x0C, flags, DWORD(0), DWORD(first), DWORD(last), DWORD(0),          \
		DWORD((last) - (first) + 1)
#define MEMORY 0
#define IO 1
#define BUS 2
/* PkgLength in two bytes.  The length counts these bytes and all that the package holds. */
#define PKG(length) 0x40 | ((length)&15), (length) >> 4

#define CRS_LENGTH 110
#define CRS_BUFFER (2 + 2 + CRS_LENGTH)
#define PCI0_LENGTH (2 + 4 + 10 + 6 + 6 + CRS_BUFFER)
#define SB_LENGTH (2 + 5 + 2 + PCI0_LENGTH)

/* clang-format off */
static const u8 aml[] = {
	/* Name (\_S5, Package () { SLP_TYPa, SLP_TYPb, 0, 0 }) */
	0x08, '_', 'S', '5', '_', 0x12, 8, 4, 0x0A, PM_SLEEP_S5, 0x0A, PM_SLEEP_S5, 0, 0,
	/* Scope (\_SB) */
	0x10, PKG(SB_LENGTH), '\\', '_', 'S', 'B', '_',
	/* Device (PCI0) */
	0x5B, 0x82, PKG(PCI0_LENGTH), 'P', 'C', 'I', '0',
	/* Name (_HID, EisaId ("PNP0A03")) */
	0x08, '_', 'H', 'I', 'D', 0x0C, 0x41, 0xD0, 0x0A, 0x03,
	/* Name (_ADR, 0) */
	0x08, '_', 'A', 'D', 'R', 0,
	/* Name (_CRS, Buffer () { resources }) */
	0x08, '_', 'C', 'R', 'S', 0x11, PKG(CRS_BUFFER), 0x0A, CRS_LENGTH,
	/* Buses below the bridge */
	WORD_SPACE(BUS, 0, 0x00, 0xFF),
	/* The bridge's own ports: 16 bits decoded; first to last base, alignment, length */
	0x47, 0x01, WORD(0xCF8), WORD(0xCF8), 1, 8,
	/* It passes on: all other ports, */
	WORD_SPACE(IO, 0x03, 0x0000, 0x0CF7),
	WORD_SPACE(IO, 0x03, 0x0D00, 0xFFFF),
	/* VGA memory (cacheable, read-write) and what is above RAM (not cacheable) */
	DWORD_SPACE(MEMORY, 0x03, 0x000A0000u, 0x000BFFFFu),
	DWORD_SPACE(MEMORY, 0x01, 0xE0000000u, 0xFEBFFFFFu),
	/* The list's end; 0: no checksum */
	0x79, 0,
};
/* clang-format on */

/* The device ends where the table ends, so this checks all of the lengths above. */
_Static_assert(sizeof(aml) == 14 + 1 + SB_LENGTH, "AML lengths");
_Static_assert(sizeof(struct facs) == 64 && sizeof(struct fadt) == 116, "ACPI layouts");

struct dsdt {
	struct header header;
	u8 aml[sizeof(aml)];
};

struct tables {
	struct rsdp rsdp;
	struct rsdt rsdt;
	_Alignas(64) struct facs facs;
	struct fadt fadt;
	struct dsdt dsdt;
};

_Static_assert(ACPI_TABLES + sizeof(struct tables) <= SMBIOS, "the BIOS area's tables");

#define ADDRESS(table) (ACPI_TABLES + offsetof(struct tables, table))

void seal(void *table, u32 bytes, u8 *checksum)
{
	u8 sum = 0;

	for (u32 i = 0; i < bytes; i++)
		sum += ((u8 *)table)[i];
	*checksum -= sum;
}

/* Fills in the table's header.  The table's body must be complete, for this computes the
 * checksum. */
static void head(struct header *h, const char *signature, u32 bytes)
{
	memcpy(h->signature, signature, sizeof(h->signature));
	h->length = bytes;
	h->revision = 1;
	memcpy(h->oem_id, "VMIXEN", sizeof(h->oem_id));
	memcpy(h->oem_table_id, "VMIXEN  ", sizeof(h->oem_table_id));
	h->oem_revision = 1;
	memcpy(h->creator_id, "VMIX", sizeof(h->creator_id));
	h->creator_revision = 1;
	seal(h, bytes, &h->checksum);
}

static void fill_roots(struct tables *t)
{
	memcpy(t->rsdp.signature, "RSD PTR ", sizeof(t->rsdp.signature));
	memcpy(t->rsdp.oem_id, "VMIXEN", sizeof(t->rsdp.oem_id));
	t->rsdp.rsdt = ADDRESS(rsdt);
	seal(&t->rsdp, sizeof(t->rsdp), &t->rsdp.checksum);
	t->rsdt.entry[0] = ADDRESS(fadt);
	head(&t->rsdt.header, "RSDT", sizeof(t->rsdt));
}

static void fill_fadt(struct fadt *f)
{
	f->facs = ADDRESS(facs);
	f->dsdt = ADDRESS(dsdt);
	f->sci_int = PM_SCI_IRQ;
	f->smi_cmd = 0xB2;
	f->acpi_enable = PM_ACPI_ENABLE;
	f->acpi_disable = PM_ACPI_DISABLE;
	f->pm1a_event = PM1A_EVENT;
	f->pm1a_control = PM1A_CONTROL;
	f->pm_timer = PM_TIMER;
	f->pm1_event_len = 4;
	f->pm1_control_len = 2;
	f->pm_timer_len = 4;
	f->c2_latency = 101;
	f->c3_latency = 1001;
	f->century = 0x32;
	f->flags = FADT_WBINVD | FADT_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_RTC_EVENT;
	head(&f->header, "FACP", sizeof(*f));
}

void make_acpi_tables(void)
{
	static struct tables t;

	fill_roots(&t);
	memcpy(t.facs.signature, "FACS", sizeof(t.facs.signature));
	t.facs.length = sizeof(t.facs);
	fill_fadt(&t.fadt);
	memcpy(t.dsdt.aml, aml, sizeof(aml));
	head(&t.dsdt.header, "DSDT", sizeof(t.dsdt.header) + sizeof(aml));
	copy_to_guest(ACPI_TABLES, &t, sizeof(t));
}
