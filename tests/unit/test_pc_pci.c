/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of the PCI bus that come and go, and their base address registers; what is
 * always there is in test_pc.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pc/pci.h"

static struct pci pci;

static u32 read(u8 device, u8 function, u8 reg)
{
	pci_write(&pci, 0xCF8, 4, 0x80000000u | device << 11 | function << 8 | (reg & 0xFC));
	return pci_read(&pci, 0xCFC, 4);
}

static void write(u8 device, u8 function, u8 reg, unsigned size, u32 value)
{
	read(device, function, reg);
	pci_write(&pci, 0xCFC + (reg & 3), size, value);
}

static int start(void **state)
{
	(void)state;
	pci_reset(&pci);
	return 0;
}

static void a_function_that_is_not_shown_is_an_empty_slot(void **state)
{
	u32 offset;

	(void)state;
	assert_int_equal(read(1, 1, 0), 0xFFFFFFFF);
	assert_int_equal(read(2, 0, 0), 0xFFFFFFFF);
	write(2, 0, 4, 2, 7);
	assert_int_equal(read(1, 0, 0x0C), 0);
	assert_false(pci_masters(&pci, PCI_AHCI));
	assert_false(pci_decodes_memory(&pci, PCI_AHCI, 0xFEBF0000, &offset));
	assert_false(pci_decodes_port(&pci, PCI_IDE, 0xC000, &offset));
	assert_false(pci_decodes_io(&pci, PCI_IDE));
	pci_show(&pci, PCI_AHCI);
	assert_int_equal(read(2, 0, 0), 0x29228086);
	assert_int_equal(read(2, 0, 4) & 0xFFFF, 6); /* what was written went nowhere */
	assert_int_equal(read(1, 1, 0), 0xFFFFFFFF);
	assert_int_equal(read(1, 0, 0x0C), 0);
}

static void ide_makes_the_isa_bridge_a_device_of_two_functions(void **state)
{
	(void)state;
	pci_show(&pci, PCI_IDE);
	assert_int_equal(read(1, 0, 0x0C), 0x00800000);
	assert_int_equal(read(1, 1, 0x00), 0x71118086);
	assert_int_equal(read(1, 1, 0x08), 0x01018001); /* bus master, both channels legacy */
	assert_int_equal(read(1, 1, 0x20), 0xC001);
	assert_int_equal(read(1, 1, 0x3C) & 0xFFFF, 0); /* no pin */
	assert_int_equal(read(2, 0, 0), 0xFFFFFFFF);
}

/* pci_read_bases() of Linux: all ones, read, and back. */
static u32 size(u8 device, u8 function, u8 reg)
{
	u32 old = read(device, function, reg), answer;

	write(device, function, reg, 4, 0xFFFFFFFF);
	answer = read(device, function, reg);
	write(device, function, reg, 4, old);
	assert_int_equal(read(device, function, reg), old);
	return answer;
}

static void base_address_registers_tell_their_size(void **state)
{
	(void)state;
	pci_show(&pci, PCI_IDE);
	pci_show(&pci, PCI_AHCI);
	for (u8 reg = 0x10; reg < 0x3C; reg += 4) {
		assert_int_equal(size(1, 1, reg), reg == 0x20 ? 0xFFF1 : 0);
		assert_int_equal(size(2, 0, reg), reg == 0x24 ? 0xFFFFF000 : 0);
	}
	assert_int_equal(read(2, 0, 0x24), 0xFEBF0000);
	assert_int_equal(read(2, 0, 0x08), 0x01060102);
	assert_int_equal(read(2, 0, 0x3C) & 0xFFFF, 0x0100 | PCI_AHCI_IRQ);
	assert_int_equal(read(2, 0, 0x34), 0); /* no capabilities: no MSI */
}

static void memory_is_decoded_where_the_register_says(void **state)
{
	u32 offset;

	(void)state;
	pci_show(&pci, PCI_AHCI);
	assert_true(pci_decodes_memory(&pci, PCI_AHCI, 0xFEBF0FFF, &offset));
	assert_int_equal(offset, 0xFFF);
	assert_false(pci_decodes_memory(&pci, PCI_AHCI, 0xFEBF1000, &offset));
	assert_false(pci_decodes_memory(&pci, PCI_AHCI, 0xFEBEFFFF, &offset));
	assert_false(pci_decodes_memory(&pci, PCI_AHCI, 0x1FEBF0000, &offset));
	write(2, 0, 0x25, 1, 0x35); /* a byte of it, of which half is fixed */
	assert_int_equal(read(2, 0, 0x24), 0xFEBF3000);
	assert_true(pci_decodes_memory(&pci, PCI_AHCI, 0xFEBF3004, &offset));
	assert_int_equal(offset, 4);
	write(2, 0, 4, 1, 4);
	assert_false(pci_decodes_memory(&pci, PCI_AHCI, 0xFEBF3004, &offset));
	assert_true(pci_masters(&pci, PCI_AHCI));
	write(2, 0, 4, 1, 2);
	assert_false(pci_masters(&pci, PCI_AHCI));
}

static void ports_are_decoded_where_the_register_says(void **state)
{
	u32 offset;

	(void)state;
	pci_show(&pci, PCI_IDE);
	assert_true(pci_decodes_port(&pci, PCI_IDE, 0xC00F, &offset));
	assert_int_equal(offset, 15);
	assert_false(pci_decodes_port(&pci, PCI_IDE, 0xC010, &offset));
	assert_false(pci_decodes_port(&pci, PCI_IDE, 0xBFFF, &offset));
	write(1, 1, 0x20, 4, 0x1234F0A0);
	assert_int_equal(read(1, 1, 0x20), 0xF0A1);
	assert_true(pci_decodes_port(&pci, PCI_IDE, 0xF0A2, &offset));
	write(1, 1, 4, 2, 4);
	assert_false(pci_decodes_port(&pci, PCI_IDE, 0xF0A2, &offset));
	assert_false(pci_decodes_io(&pci, PCI_IDE));
}

/* pci_intx() of Linux. */
static void the_pin_can_be_switched_off(void **state)
{
	(void)state;
	pci_show(&pci, PCI_AHCI);
	assert_true(pci_interrupts(&pci, PCI_AHCI));
	write(2, 0, 4, 2, 0x406);
	assert_int_equal(read(2, 0, 4) & 0xFFFF, 0x406);
	assert_false(pci_interrupts(&pci, PCI_AHCI));
}

static void a_reset_takes_the_functions_away(void **state)
{
	(void)state;
	pci_show(&pci, PCI_IDE);
	pci_show(&pci, PCI_AHCI);
	pci_reset(&pci);
	assert_int_equal(read(1, 1, 0), 0xFFFFFFFF);
	assert_int_equal(read(2, 0, 0), 0xFFFFFFFF);
	assert_int_equal(read(1, 0, 0x0C), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_function_that_is_not_shown_is_an_empty_slot, start),
		cmocka_unit_test_setup(ide_makes_the_isa_bridge_a_device_of_two_functions, start),
		cmocka_unit_test_setup(base_address_registers_tell_their_size, start),
		cmocka_unit_test_setup(memory_is_decoded_where_the_register_says, start),
		cmocka_unit_test_setup(ports_are_decoded_where_the_register_says, start),
		cmocka_unit_test_setup(the_pin_can_be_switched_off, start),
		cmocka_unit_test_setup(a_reset_takes_the_functions_away, start),
	};

	return cmocka_run_group_tests_name("PCI", tests, NULL, NULL);
}
