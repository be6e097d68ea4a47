/* SPDX-License-Identifier: GPL-2.0-only */
/* See domain.h. */
#include <stdlib.h>

#include "domain.h"
#include "xenbind/mmu.h"
#include "monitor/vmi/vmi.h"
#include "monitor/binding.h"
#include "monitor/cpu/access.h"
#include "monitor/cpu/segment.h"
#include "monitor/monitor.h"
#include "monitor/vcpu.h"

#define KERNEL_FLAGS (PTE_P | PTE_RW | PTE_A | PTE_D)
#define USER_FLAGS (KERNEL_FLAGS | PTE_US)

void monitor_start(struct vcpu *v);
void vmi_SetLinearMapping(u32 slot, gva_t va, u32 pages);

void domain_start(void)
{
	xen_start(GUEST_PAGES, HOLE >> PAGE_SHIFT, 32, 128);
	for (u32 p = 0; p < 0x70000; p += PAGE_SIZE)
		memset(PHYS(p), 0, PAGE_SIZE);
	MON->start.code32 = CODE;
	MON->start.boot_params = 0x90000;
	MON->start.dom0 = false;
	xen.selector[SEG_CS] = FLAT_RING1_CS;
	monitor_start(VCPU);
	MON->events.silence = VCPU->alarm_set = PIT_NEVER;
	xen.singleshot = 0;
	xen.console_len = 0;
	memset(xen.console, 0, sizeof(xen.console));
	VCPU->r.gpr[GPR_ESP] = STACK - 64;
	VCPU->call_esp = WIN_STACK_TOP - 64;
}

static u64 segment(u32 base, u32 limit, u32 access)
{
	return (u64)(base >> 24) << 56 | (u64)(access & 0xF000) << 40 |
	       (u64)(limit >> 16 & 15) << 48 | (u64)(access & 0xFF) << 40 |
	       (u64)(base & 0xFFFFFF) << 16 | (limit & 0xFFFF);
}

static void make_descriptors(void)
{
	u64 *gdt = PHYS(GDT), *idt = PHYS(IDT);

	*(u16 *)PHYS(TSS + 0x66) = 0x8000; /* no I/O bitmap */
	gdt[KERNEL_CS >> 3] = segment(0, 0xFFFFF, 0xC09B);
	gdt[KERNEL_DS >> 3] = segment(0, 0xFFFFF, 0xC093);
	gdt[USER_CS >> 3] = segment(0, 0xFFFFF, 0xC0FB);
	gdt[USER_DS >> 3] = segment(0, 0xFFFFF, 0xC0F3);
	gdt[TSS_SEL >> 3] = segment(KERNEL(TSS), 0x2068, 0x008B);
	gdt[LDT_SEL >> 3] = segment(KERNEL(LDT), 0x3F, 0x0082);
	for (u32 i = 0; i < 256; i++) {
		u32 type = i == 0x80 ? 0xEF : i == 3 ? 0xEE : 0x8E;

		idt[i] = (u64)(HANDLER(i) >> 16) << 48 | (u64)type << 40 | KERNEL_CS << 16 |
			 (HANDLER(i) & 0xFFFF);
	}
}

static void put(u32 table, bool pae, u32 index, u64 value)
{
	if (pae)
		((u64 *)PHYS(table))[index] = value;
	else
		((u32 *)PHYS(table))[index] = (u32)value;
}

static void make_tables(bool pae)
{
	u32 directory = pae ? TABLES + 0x1000 : TABLES, low = pae ? TABLES + 0x2000 : TABLES;

	for (u32 i = 0; i < GUEST_PAGES; i++)
		put(TABLES + 0x3000 + (pae ? i / 512 * 0x1000 : 0), pae, pae ? i % 512 : i,
		    (u64)i << 12 | KERNEL_FLAGS);
	if (pae) {
		put(TABLES, true, 0, low | PTE_P);
		put(TABLES, true, 3, directory | PTE_P);
	}
	for (u32 i = 0; i < (pae ? 2 : 1); i++)
		put(directory, pae, (pae ? 0 : 768) + i,
		    (TABLES + 0x3000 + i * 0x1000) | KERNEL_FLAGS);
	put(low, pae, USER >> (pae ? 21 : 22), USER_PT | USER_FLAGS);
	put(USER_PT, pae, 0, DATA | USER_FLAGS);
	put(USER_PT, pae, 1, (DATA + PAGE_SIZE) | (USER_FLAGS & ~(PTE_RW | PTE_D)));
	put(USER_PT, pae, 2, HOLE | USER_FLAGS);
	put(USER_PT, pae, 3, (DATA + 2 * PAGE_SIZE) | USER_FLAGS);
}

void domain_paging(bool pae)
{
	struct vcpu *v = VCPU;

	domain_start();
	make_descriptors();
	make_tables(pae);
	if (pae)
		control_set_cr4(v, CR4_PAE);
	control_set_cr3(v, TABLES);
	control_set_cr0(v, CR0_PE | CR0_PG | CR0_WP);
	segment_load_gdt(v, GDT_LIMIT, KERNEL(GDT));
	idt_load(v, 0x7FF, KERNEL(IDT));
	v->r.cs = KERNEL_CS | v->kernel_rpl;
	v->r.ss = KERNEL_DS | v->kernel_rpl;
	v->r.ds = v->r.es = USER_DS;
	v->r.eip = KERNEL(CODE);
	v->r.gpr[GPR_ESP] = KERNEL(STACK) - 64;
	v->tr = TSS_SEL;
	v->esp0 = KERNEL(ESP0);
}

void domain_init(bool pae)
{
	struct vcpu *v = VCPU;

	domain_paging(pae);
	v->r.gpr[GPR_ESP] -= 4;
	*(u32 *)(uintptr_t)v->r.gpr[GPR_ESP] = KERNEL(CODE); /* Init's return address */
	vmi_init(v);
	domain_call();
	VCPU->argument[0] = 0;
	vmi_SetLinearMapping(0, LINEAR, GUEST_PAGES);
}

void domain_call(void)
{
	xen.selector[SEG_CS] = KERNEL_CS | 1;
	xen.selector[SEG_SS] = KERNEL_DS | 1;
	xen.selector[SEG_DS] = xen.selector[SEG_ES] = USER_DS;
}

void domain_user(void)
{
	struct regs *r = &VCPU->r;

	r->cs = USER_CS;
	r->ss = r->ds = r->es = USER_DS;
	r->eip = USER;
	r->gpr[GPR_ESP] = USER + 0x800;
}

u32 domain_code(const char *hex)
{
	u32 at = VCPU->r.eip >= LINEAR ? VCPU->r.eip - LINEAR
		 : VCPU->r.eip >= USER ? VCPU->r.eip - USER + DATA
				       : VCPU->r.eip;
	u8 *bytes = PHYS(at);

	for (char *end; *hex; hex = end)
		*bytes++ = (u8)strtoul(hex, &end, 16);
	return (u32)(bytes - (u8 *)PHYS(at));
}

bool domain_at(u32 vector)
{
	return VCPU->r.eip == HANDLER(vector) && (VCPU->r.cs & 0xFFFC) == KERNEL_CS;
}

u32 domain_stack(u32 n)
{
	struct access_fault f;
	u32 word = 0;

	guest_read(VCPU, VCPU->r.gpr[GPR_ESP] + n * 4, &word, 4, &f);
	return word;
}
