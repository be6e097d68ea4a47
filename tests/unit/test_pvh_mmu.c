/* SPDX-License-Identifier: GPL-2.0-only */
/* Address spaces of the PVH binding: the window in the guest's own directories, and the
 * calls on its page tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "monitor/pvh/cpu_pvh.h"
#include "xenbind/mmu.h"
#include "monitor/pvh/pvh.h"
#include "pvh/processor.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

#define OTHER 0x60000u /* another directory */
#define APIC_VA 0xF2000000u
#define BEYOND (GUEST_PAGES * PAGE_SIZE)
#define WIDE_FIRST ((WINDOW_BASE >> 21 & 511) * 2)

static struct vcpu *const v = VCPU;

static u32 *narrow(u32 directory)
{
	return PHYS(directory);
}

/* A directory of a PAE guest: that of the fourth GB. */
static u32 *wide(u32 pdpt)
{
	return PHYS(((u32 *)PHYS(pdpt))[6] & 0xFFFFF000);
}

static void a_narrow_directory_gets_the_window(void **state)
{
	(void)state;
	domain_init(false);
	assert_int_equal(cpu.cr3, TABLES);
	assert_int_equal(cpu.cr4 & CR4_PAE, 0);
	assert_int_equal(narrow(TABLES)[WINDOW_BASE >> 22], PVH->start.l1_narrow | 0x63);
	assert_int_equal(v->window_pde, narrow(TABLES)[WINDOW_BASE >> 22]);
	assert_false(v->on_own);
	assert_int_equal(cpu.switches, 0);
}

static void a_wide_directory_gets_both_entries(void **state)
{
	(void)state;
	domain_init(true);
	assert_int_equal(cpu.switches, 1);
	assert_true(cpu.cr4 & CR4_PAE);
	assert_int_equal(wide(TABLES)[WIDE_FIRST], PVH->start.l1_wide[0] | 0x63);
	assert_int_equal(wide(TABLES)[WIDE_FIRST + 1], 0);
	assert_int_equal(wide(TABLES)[WIDE_FIRST + 2], PVH->start.l1_wide[1] | 0x63);
	assert_int_equal(v->window_pde, PVH->start.l1_wide[0] | 0x63);
}

static void each_directory_that_is_loaded_gets_it(void **state)
{
	(void)state;
	domain_init(false);
	memset(PHYS(OTHER), 0, PAGE_SIZE);
	vmi_SetCR3(OTHER);
	assert_int_equal(cpu.cr3, OTHER);
	assert_int_equal(narrow(OTHER)[WINDOW_BASE >> 22], v->window_pde);
	assert_int_equal(vmi_MachineToPhysical(OTHER, 0), OTHER);
}

static void a_directory_without_memory_is_not_loaded(void **state)
{
	(void)state;
	domain_init(false);
	assert_false(control_set_cr3(v, BEYOND));
	assert_int_equal(cpu.cr3, TABLES);
	assert_int_equal(v->cr3, TABLES);
	assert_dies("no memory at 00400000", vmi_SetCR3(BEYOND));
}

static void a_pdpt_without_the_windows_gb_is_not_loaded(void **state)
{
	(void)state;
	domain_init(true);
	memset(PHYS(OTHER), 0, PAGE_SIZE);
	assert_false(control_set_cr3(v, OTHER));
	((u32 *)PHYS(OTHER))[6] = BEYOND | 1;
	assert_false(control_set_cr3(v, OTHER));
	assert_int_equal(cpu.cr3, TABLES);
}

static void without_paging_the_monitors_own_is_loaded(void **state)
{
	(void)state;
	domain_start();
	assert_true(v->on_own);
	control_set_cr3(v, TABLES);
	assert_int_equal(cpu.cr3, PVH->start.narrow);
	domain_paging(false);
	control_set_cr0(v, CR0_PE);
	assert_int_equal(cpu.cr3, PVH->start.narrow);
	assert_true(v->on_own);
}

static void tables_of_another_format_go_by_our_own(void **state)
{
	(void)state;
	domain_paging(false);
	control_set_cr0(v, CR0_PE);
	control_set_cr4(v, CR4_PAE);
	assert_int_equal(cpu.switches, 0); /* not before they are used */
	domain_paging(true);
	assert_int_equal(cpu.switches, 1);
	assert_int_equal(v->pdpte_flaw, 0);
	((u32 *)(WIN_OWN_WIDE + 4 * PAGE_SIZE))[2] = 0x20;
	control_set_cr0(v, CR0_PE);
	control_set_cr4(v, 0);
	domain_paging(true);
}

static void memory_behind_the_linear_mapping_is_shown_in_a_slot(void **state)
{
	u32 *directory, *table;

	(void)state;
	domain_init(false);
	vmi_SetCR3(TABLES);
	assert_ptr_equal(guest_phys(v, DATA, PHYS_TABLE), PHYS(DATA));
	v->linear_limit = 0x10000;
	*(u32 *)PHYS(DATA + 4) = 0x600DF00D;
	table = guest_phys(v, DATA + 4, PHYS_TABLE);
	assert_int_equal((u32)(uintptr_t)table, WIN_SLOTS + PHYS_TABLE * PAGE_SIZE + 4);
	assert_int_equal(*table, 0x600DF00D);
	directory = guest_phys(v, TABLES, PHYS_DIRECTORY);
	assert_int_equal(directory[WINDOW_BASE >> 22], v->window_pde);
	assert_int_equal(*table, 0x600DF00D); /* each purpose has its own */
	assert_null(guest_phys(v, BEYOND, PHYS_TABLE));
}

static void a_look_has_the_rights_of_all_levels(void **state)
{
	u32 error;
	u64 gpa;

	(void)state;
	domain_init(false);
	assert_int_equal(space_look(v, USER, PF_W, false, &error, &gpa), SPACE_FILLED);
	assert_int_equal(gpa, DATA);
	assert_int_equal(space_look(v, USER + PAGE_SIZE, PF_W, false, &error, &gpa), SPACE_FAULT);
	assert_int_equal(error, PF_P | PF_W | PF_U);
	assert_int_equal(space_look(v, USER + PAGE_SIZE, PF_W, true, &error, &gpa), SPACE_FAULT);
	v->cr0 &= ~CR0_WP;
	assert_int_equal(space_look(v, USER + PAGE_SIZE, PF_W, true, &error, &gpa), SPACE_FILLED);
	assert_int_equal(space_look(v, KERNEL(CODE), 0, false, &error, &gpa), SPACE_FAULT);
	assert_int_equal(error, PF_P | PF_U);
	narrow(TABLES)[USER >> 22] &= ~4u;
	assert_int_equal(space_look(v, USER, 0, false, &error, &gpa), SPACE_FAULT);
	assert_int_equal(space_look(v, WINDOW_BASE, 0, true, &error, &gpa), SPACE_FAULT);
	assert_int_equal(space_look(v, 0x70000000, PF_W, true, &error, &gpa), SPACE_FAULT);
	assert_int_equal(error, PF_W);
}

static void what_has_no_memory_is_a_device(void **state)
{
	u32 error;
	u64 gpa;

	(void)state;
	domain_init(false);
	((u32 *)PHYS(USER_PT))[3] = BEYOND | 0x67;
	assert_int_equal(space_look(v, USER + 3 * PAGE_SIZE, 0, false, &error, &gpa), SPACE_MMIO);
	assert_int_equal(gpa, BEYOND);
}

#define GB4 0x100000000ull

/* As in a domain of more than 4 GB. */
static void much_memory(void)
{
	PVH->start.own_end = GUEST_PAGES + 16;
	PVH->start.low_end = 0xFC000;
	PVH->start.high_end = FRAMES_4GB + GUEST_PAGES;
}

static void memory_is_where_the_domain_has_it(void **state)
{
	(void)state;
	domain_init(false);
	assert_false(guest_has_ram(BEYOND));
	assert_false(guest_has_ram(GB4));
	much_memory();
	assert_true(guest_has_ram(BEYOND - 1));
	assert_false(guest_has_ram(BEYOND)); /* the monitor's own */
	assert_false(guest_has_ram(BEYOND + 16 * PAGE_SIZE - 1));
	assert_true(guest_has_ram(BEYOND + 16 * PAGE_SIZE));
	assert_true(guest_has_ram(0xFBFFFFFF));
	assert_false(guest_has_ram(0xFC000000));
	assert_false(guest_has_ram(GB4 - 1));
	assert_true(guest_has_ram(GB4));
	assert_false(guest_has_ram(GB4 + BEYOND));
	assert_false(guest_has_ram(GB4 << 12));
	assert_null(guest_phys(v, BEYOND, PHYS_TABLE));
	assert_int_equal(vmi_PhysicalToMachine(0xF0000000), 0xF0000000);
	assert_true(vmi_MachineToPhysical(0x12345, 1) == GB4 + 0x12345);
}

static void where_the_window_is_memory_is_shown_in_a_slot(void **state)
{
	(void)state;
	domain_start();
	much_memory();
	assert_ptr_equal(guest_phys(v, WINDOW_BASE - 4, PHYS_TABLE), (void *)(WINDOW_BASE - 4));
	assert_ptr_equal(guest_phys(v, WINDOW_BASE + 4, PHYS_TABLE),
			 (void *)(WIN_SLOTS + PHYS_TABLE * PAGE_SIZE + 4));
	assert_ptr_equal(guest_phys(v, 0xF4400000, PHYS_TABLE), (void *)0xF4400000);
}

static void a_frame_above_4_gb_is_as_good_as_others(void **state)
{
	u32 n = ((WIN_SLOTS - WINDOW_BASE) >> 12) + PHYS_TABLE, error;
	u64 *entry = PHYS(USER_PT), *directory = PHYS(TABLES + 0x2000), gpa;

	(void)state;
	domain_init(true);
	entry[3] = (8ull << 60) | (GB4 + DATA) | 0x67; /* NX is no part of the address */
	assert_int_equal(space_look(v, USER + 0x3000, 0, false, &error, &gpa), SPACE_MMIO);
	much_memory();
	assert_int_equal(space_look(v, USER + 0x3000, 0, false, &error, &gpa), SPACE_FILLED);
	assert_true(gpa == GB4 + DATA);
	directory[USER >> 21] |= GB4; /* a table up there */
	assert_true(space_translate(v, USER + 0x3004, &gpa));
	assert_true(gpa == GB4 + DATA + 4);
	assert_true(((u64 *)WIN_L1_WIDE)[n] == (GB4 | USER_PT | 0x63));
	directory[0x10000000 >> 21] = GB4 | 0x00200083;
	assert_true(space_translate(v, 0x10112345, &gpa));
	assert_true(gpa == GB4 + 0x312345);
}

static void the_local_apic_is_below_4_gb(void **state)
{
	u64 *entry = PHYS(USER_PT), gpa;

	(void)state;
	domain_init(true);
	entry[3] = GB4 | 0xFEE00063;
	vmi_InvalPage(USER + 3 * PAGE_SIZE);
	assert_true(entry[3] == (GB4 | 0xFEE00063));
	entry[3] &= ~1ull;
	assert_false(space_is_device(v, USER + 3 * PAGE_SIZE, &gpa));
}

static void a_large_page_is_one_entry(void **state)
{
	u64 gpa;

	(void)state;
	domain_init(false);
	narrow(TABLES)[0x10000000 >> 22] = 0x00000083;
	assert_true(space_translate(v, 0x10012345, &gpa));
	assert_int_equal(gpa, 0x12345);
	domain_init(true);
	((u64 *)PHYS(TABLES + 0x2000))[0x10000000 >> 21] = 0x00200083;
	assert_true(space_translate(v, 0x10112345, &gpa));
	assert_int_equal(gpa, 0x312345);
	assert_false(space_translate(v, 0x70000000, &gpa));
}

/* Xen's own APIC would answer there. */
static void a_mapping_of_the_local_apic_is_taken_away(void **state)
{
	u32 *entry = PHYS(OTHER), error;
	u64 gpa;

	(void)state;
	domain_init(false);
	memset(PHYS(OTHER), 0, PAGE_SIZE);
	narrow(TABLES)[APIC_VA >> 22] = OTHER | 0x63;
	entry[APIC_VA >> 12 & 1023] = 0xFEE00063;
	assert_false(space_is_device(v, APIC_VA, &gpa));
	vmi_InvalPage(APIC_VA);
	assert_int_equal(cpu.invalidated, APIC_VA);
	assert_int_equal(entry[APIC_VA >> 12 & 1023], 0xFEE001E2);
	assert_true(space_is_device(v, APIC_VA, &gpa));
	assert_int_equal(space_look(v, APIC_VA + 0x30, 0, true, &error, &gpa), SPACE_MMIO);
	assert_int_equal(gpa, 0xFEE00030);
	entry[(APIC_VA >> 12 & 1023) + 1] = DATA | 0x63;
	vmi_InvalPage(APIC_VA + PAGE_SIZE);
	assert_int_equal(entry[(APIC_VA >> 12 & 1023) + 1], DATA | 0x63);
}

#define DEVICE 0xFEBF0000u

/* The kernel's accesses to it fault then, and the entry is no free one to Linux. */
static void a_mapping_of_a_device_is_not_present(void **state)
{
	u32 *narrow_entry = PHYS(DATA), error;
	u64 *entry = PHYS(DATA), gpa;
	u32 at = KERNEL(DATA);

	(void)state;
	domain_init(false);
	vmi_SetPxE(DEVICE | 0x173, at, 0);
	assert_int_equal(*narrow_entry, DEVICE | 0x1F2);
	vmi_SetPxE(DEVICE | 0x177, at, 0); /* user mode's */
	assert_int_equal(*narrow_entry, DEVICE | 0x177);
	vmi_SetPxE(DEVICE | 0x172, at, 0); /* what is not present is no mapping */
	assert_int_equal(*narrow_entry, DEVICE | 0x172);
	vmi_SetPxE(PCI_HOLE - 1 - 0xFFF + 0x63, at, 0);
	assert_int_equal(*narrow_entry, PCI_HOLE - 0x1000 + 0x63);
	vmi_SetPxE(PCI_HOLE | 0x63, at, 0);
	assert_int_equal(*narrow_entry, PCI_HOLE | 0x1E2);
	vmi_SetPxEPlain(at, DEVICE | 0x63);
	assert_int_equal(*narrow_entry, DEVICE | 0x1E2);
	vmi_SetPxE(0, at, 0);
	assert_int_equal(vmi_SwapPxE(at, DEVICE | 0x63), 0);
	assert_int_equal(*narrow_entry, DEVICE | 0x1E2);
	vmi_SetPxE(DEVICE | 0x62, at, 0);
	assert_int_equal(vmi_TestAndSetPxEBit(at, 0), 0);
	assert_int_equal(*narrow_entry, DEVICE | 0x1E2);
	vmi_SetPxELong(DEVICE | 0x63, 0x80000000, at); /* with NX */
	assert_true(*entry == (8ull << 60 | DEVICE | 0x1E2));
	vmi_SetPxELong(DEVICE | 0x63, 1, at); /* above 4 GB there is memory */
	assert_true(*entry == (GB4 | DEVICE | 0x63));
	vmi_SwapPxELongAtomic(DEVICE | 0x63, 0, at);
	assert_true(*entry == (DEVICE | 0x1E2));

	memset(PHYS(OTHER), 0, PAGE_SIZE);
	narrow(TABLES)[APIC_VA >> 22] = OTHER | 0x63;
	vmi_SetPxE(DEVICE | 0x63, KERNEL(OTHER) + (APIC_VA >> 12 & 1023) * 4, 0);
	assert_true(space_is_device(v, APIC_VA + 0x104, &gpa));
	assert_true(gpa == DEVICE + 0x104);
	assert_int_equal(space_look(v, APIC_VA + 0x30, PF_W, true, &error, &gpa), SPACE_MMIO);
	assert_true(gpa == DEVICE + 0x30);
	assert_int_equal(space_look(v, APIC_VA + 0x30, 0, false, &error, &gpa), SPACE_FAULT);
}

/* Below, a process's entry that is not present may look like one. */
static void a_kernels_devices_are_above_its_linear_mapping(void **state)
{
	u64 gpa;

	(void)state;
	domain_init(false);
	vmi_SetCR3(TABLES);
	((u32 *)PHYS(USER_PT))[3] = DEVICE | 0x1E2;
	assert_false(space_is_device(v, USER + 3 * PAGE_SIZE, &gpa));
	v->linear_base = 0;
	assert_true(space_is_device(v, USER + 3 * PAGE_SIZE, &gpa));
}

static void a_device_in_memory_must_come_before_init(void **state)
{
	(void)state;
	domain_init(false);
	assert_int_equal(v->devices_from, FIXMAP_FROM);
	assert_false(space_show_mmio(v));
	assert_false(v->has_mmio);
	vmi_SetCR3(TABLES);
	assert_int_equal(v->devices_from, FIXMAP_FROM);
	domain_init(false);
	v->paravirtual = false;
	assert_true(space_show_mmio(v));
	v->paravirtual = true;
	vmi_SetCR3(TABLES);
	assert_int_equal(v->devices_from, LINEAR);
	assert_true(space_show_mmio(v)); /* another one at the same controller */
}

static void linear_memory_is_found_as_far_as_it_goes(void **state)
{
	(void)state;
	domain_init(true);
	assert_int_equal(v->linear_limit, 0); /* not before the first SetCR3 */
	vmi_SetCR3(TABLES);
	assert_int_equal(v->linear_base, LINEAR);
	assert_int_equal(v->linear_limit, BEYOND);
	assert_int_equal(v->narrow_limit, 0);
	domain_init(false);
	PVH->start.own_first = 64;
	vmi_SetCR3(TABLES);
	assert_int_equal(v->linear_limit, 64 * PAGE_SIZE);
	PVH->start.own_first = 2 * GUEST_PAGES;
	narrow(TABLES)[(LINEAR >> 22) + 1] = narrow(TABLES)[LINEAR >> 22]; /* not what comes next */
	vmi_SetCR3(TABLES);
	assert_int_equal(v->linear_base, LINEAR);
	assert_int_equal(v->linear_limit, BEYOND);
	assert_int_equal(v->narrow_limit, BEYOND);
}

static void a_gdt_outside_of_linear_memory_shows_none(void **state)
{
	(void)state;
	domain_init(false);
	v->gdtr.base = USER;
	vmi_SetCR3(TABLES);
	assert_int_equal(v->linear_limit, 0);
	v->gdtr.base = 0x70000000; /* not mapped */
	vmi_SetCR3(TABLES);
	assert_int_equal(v->linear_limit, 0);
	v->gdtr.base = KERNEL(GDT);
	vmi_SetCR3(TABLES);
	assert_int_equal(v->linear_limit, BEYOND);
}

static void a_set_is_a_store(void **state)
{
	u32 at = KERNEL(DATA + 8);
	u64 *entry = PHYS(DATA + 8);

	(void)state;
	domain_init(true);
	*entry = ~0ull;
	vmi_SetPxE(0x1234, at, 0);
	assert_int_equal(*entry, 0xFFFFFFFF00001234ull);
	vmi_SetPxELong(0x5678, 9, at);
	assert_int_equal(*entry, 0x900005678ull);
	assert_int_equal(vmi_SwapPxE(at, 0x1111), 0x5678);
	assert_int_equal(vmi_GetPxE(at), 0x1111);
	assert_int_equal(vmi_SwapPxELongAtomic(3, 2, at), 0x900001111ull);
	assert_int_equal(vmi_GetPxELong(at), 0x200000003ull);
	assert_int_equal(vmi_TestAndSetPxELongBit(at, 63), 0);
	assert_int_equal(vmi_TestAndSetPxELongBit(at, 63), 1);
	assert_int_equal(vmi_TestAndClearPxEBit(at, 32 + 1), 1); /* bits count within the entry */
	assert_int_equal(*entry, 0x8000000200000001ull);
	assert_int_equal(vmi_DeactivatePxELongAtomic(at), 0x8000000200000001ull);
	assert_int_equal(*entry, 0);
	assert_dies("no entry can be at", vmi_SetPxE(1, at + 2, 0));
}

static void an_entry_of_eight_bytes_is_at_a_multiple_of_them(void **state)
{
	(void)state;
	domain_init(true);
	assert_dies("no entry can be at", vmi_GetPxELong(KERNEL(DATA + 4)));
}

static void a_pointer_to_nothing_ends_in_a_report(void **state)
{
	(void)state;
	domain_init(false);
	assert_dies("pointer to unmapped memory, 70000000", vmi_SetPxE(1, 0x70000000, 0));
}

static void machine_addresses_are_physical_ones(void **state)
{
	(void)state;
	domain_init(false);
	assert_int_equal(vmi_PhysicalToMachine(0x12345), 0x12345);
	assert_true(vmi_PhysicalToMachine(0xA0000) == ~0ull);
	assert_true(vmi_PhysicalToMachine(BEYOND) == ~0ull);
	assert_int_equal(vmi_MachineToPhysical(0xC0000, 0), 0xC0000);
	assert_true(vmi_MachineToPhysical(0x12345, 1) == ~0ull);
}

static void a_flush_loads_cr3_again(void **state)
{
	(void)state;
	domain_init(false);
	cpu.cr3 = 0;
	vmi_FlushTLB(1);
	assert_int_equal(cpu.cr3, TABLES);
}

/* In ring 0 an access is the processor's; it tells how far it came. */
static void the_guests_memory_is_read_as_far_as_it_is_there(void **state)
{
	struct access_fault f;
	u32 word;

	(void)state;
	domain_init(false);
	cpu.cr2 = 0x11112222;
	assert_int_equal(guest_read(v, USER + 4 * PAGE_SIZE - 2, &word, 4, &f), -1);
	assert_int_equal(f.vector, EXC_PF);
	assert_int_equal(f.va, USER + 4 * PAGE_SIZE);
	assert_int_equal(f.error, 0);
	assert_int_equal(cpu.cr2, 0x11112222); /* the guest's */
	assert_int_equal(guest_write(v, USER + PAGE_SIZE, &word, 4, &f), -1);
	assert_int_equal(f.error, PF_W);
	assert_int_equal(guest_read(v, WINDOW_BASE - 2, &word, 4, &f), -1);
	assert_int_equal(guest_write(v, WIN_VCPU, &word, 4, &f), -1);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_narrow_directory_gets_the_window),
		cmocka_unit_test(a_wide_directory_gets_both_entries),
		cmocka_unit_test(each_directory_that_is_loaded_gets_it),
		cmocka_unit_test(a_directory_without_memory_is_not_loaded),
		cmocka_unit_test(a_pdpt_without_the_windows_gb_is_not_loaded),
		cmocka_unit_test(without_paging_the_monitors_own_is_loaded),
		cmocka_unit_test(tables_of_another_format_go_by_our_own),
		cmocka_unit_test(memory_behind_the_linear_mapping_is_shown_in_a_slot),
		cmocka_unit_test(a_look_has_the_rights_of_all_levels),
		cmocka_unit_test(what_has_no_memory_is_a_device),
		cmocka_unit_test(memory_is_where_the_domain_has_it),
		cmocka_unit_test(where_the_window_is_memory_is_shown_in_a_slot),
		cmocka_unit_test(a_frame_above_4_gb_is_as_good_as_others),
		cmocka_unit_test(the_local_apic_is_below_4_gb),
		cmocka_unit_test(a_large_page_is_one_entry),
		cmocka_unit_test(a_mapping_of_the_local_apic_is_taken_away),
		cmocka_unit_test(a_mapping_of_a_device_is_not_present),
		cmocka_unit_test(a_kernels_devices_are_above_its_linear_mapping),
		cmocka_unit_test(a_device_in_memory_must_come_before_init),
		cmocka_unit_test(linear_memory_is_found_as_far_as_it_goes),
		cmocka_unit_test(a_gdt_outside_of_linear_memory_shows_none),
		cmocka_unit_test(a_set_is_a_store),
		cmocka_unit_test(an_entry_of_eight_bytes_is_at_a_multiple_of_them),
		cmocka_unit_test(a_pointer_to_nothing_ends_in_a_report),
		cmocka_unit_test(machine_addresses_are_physical_ones),
		cmocka_unit_test(a_flush_loads_cr3_again),
		cmocka_unit_test(the_guests_memory_is_read_as_far_as_it_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return xen_on_low_stack(run);
}
