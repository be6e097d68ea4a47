/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Everything that a kernel does differently on a bare machine and under VMI.
 *
 * There is one table, `ops`.  It starts with native functions
 * (ops_native.c); after Init vmi_bind() overwrites those that the ROM
 * answers for (ops_vmi.c).  All code is built with -mregparm=3, so that most
 * entries are the ROM's own addresses, called as the ABI wants.
 *
 * Six operations are not called through the table but patched into their
 * sites, as Linux does: see patch.c.
 */
#ifndef GUEST_OPS_H
#define GUEST_OPS_H

#include "cpu.h"
#include "pte.h"

/* MMU flags of the ABI. */
#define PAGE_L1_FLAG 0x01u /* VMI_PAGE_PT */
#define PAGE_L2_FLAG 0x02u /* VMI_PAGE_PD */
#define PAGE_PDP_FLAG 0x04u
#define PAGE_CURRENT_AS 0x10u
#define PAGE_DEFER 0x20u
#define ALLOC_PAE 0x10u
#define ALLOC_CLONE 0x20u
#define ALLOC_ZEROED 0x40u

#define FLUSH_TLB 1u
#define FLUSH_GLOBAL 3u

#define LAZY_NONE 0u
#define LAZY_MMU 1u
#define LAZY_CPU 2u

#define COUNTER_REAL 0u
#define COUNTER_AVAILABLE 1u
#define COUNTER_STOLEN 2u
#define ALARM_PERIODIC 0x100u
#define ALARM_LVTT 0x10000u

#define APIC_VERSION 0x030u
#define APIC_TPR 0x080u
#define APIC_EOI 0x0b0u
#define APIC_LDR 0x0d0u
#define APIC_SVR 0x0f0u
#define APIC_ISR 0x100u
#define APIC_IRR 0x200u
#define APIC_ICR 0x300u
#define APIC_ICR_BUSY 0x1000u
#define APIC_ICR_HIGH 0x310u
#define APIC_LVTT 0x320u
#define APIC_LVT0 0x350u
#define APIC_SVR_ON 0x1ffu
#define APIC_SVR_OFF 0xffu
#define APIC_MASKED 0x10000u /* in a local vector */
#define APIC_EXTINT 0x700u   /* in LVT0 */

struct guest_ops {
	void (*cpuid)(u32 r[4]); /* r[0] leaf, r[2] subleaf */
	u64 (*rdmsr)(u32 msr);
	void (*wrmsr)(u32 msr, u64 value);
	void (*set_gdt)(const struct desc_ptr *);
	void (*set_ldt)(u32 selector);
	void (*set_idt)(const struct desc_ptr *);
	void (*set_tr)(u32 selector);
	void (*get_gdt)(struct desc_ptr *);
	u32 (*get_ldt)(void);
	void (*get_idt)(struct desc_ptr *);
	u32 (*get_tr)(void);
	void (*write_gdt)(void *table, u32 index, u32 lo, u32 hi);
	void (*write_ldt)(void *table, u32 index, u32 lo, u32 hi);
	void (*write_idt)(void *table, u32 index, u32 lo, u32 hi);
	void (*kernel_stack)(u32 ss, u32 esp0);
	void (*set_cr0)(u32);
	void (*set_cr2)(u32);
	void (*set_cr3)(u32);
	void (*set_cr4)(u32);
	u32 (*get_cr0)(void);
	u32 (*get_cr2)(void);
	u32 (*get_cr3)(void);
	u32 (*get_cr4)(void);
	void (*wbinvd)(void);
	void (*set_dr)(u32 number, u32 value);
	u32 (*get_dr)(u32 number);
	u64 (*rdtsc)(void);
	void (*clts)(void);
	void (*halt)(void); /* enables interrupts and waits */
	void (*reboot)(u32 hard);
	void (*shutdown)(void);
	void (*set_pte)(pte_t value, pte_t *ptep, u32 flags);
	void (*update_pte)(pte_t *ptep, u32 flags);
	void (*allocate_page)(u32 pfn, u32 flags, u32 clone, u32 start, u32 count);
	void (*release_page)(u32 pfn, u32 flags);
	void (*space_ends)(u32 cr3); /* before it is taken apart; nothing under VMI */
	void (*inval_page)(u32 va);
	void (*flush_tlb)(u32 what);
	void (*set_linear_mapping)(u32 slot, u32 va, u32 pages, u32 pfn);
	void (*set_iopl)(u32 mask);
	void (*io_delay)(void);
	u64 (*cycle_frequency)(void);
	u64 (*cycle_counter)(u32 which);
	void (*set_alarm)(u32 flags, u64 expiry, u64 period);
	u32 (*cancel_alarm)(u32 flags);
	u64 (*wallclock)(void);
	u32 (*wallclock_updated)(void);
	void (*lazy_mode)(u32 mode);
	void (*apic_write)(u32 reg, u32 value); /* natively NULL */
	u32 (*apic_read)(u32 reg);
};

extern struct guest_ops ops;
extern const struct guest_ops native_ops;
extern bool on_vmi; /* Init has succeeded */
/* rom.c: a hypervisor is behind it, not nullrom.asm */
bool under_hypervisor(void);
/* In a domain with a processor's own page tables the kernel is in ring 1 before Init,
 * too.  There virtual-8086 mode is real, and CR0.TS counts from the next return to
 * user mode on. */
bool in_own_domain(void);

/* patch.c */
enum pv_type {
	PV_IRQ_ENABLE,
	PV_IRQ_DISABLE,
	PV_SAVE_FL,
	PV_RESTORE_FL,
	PV_IRET,
	PV_SYSEXIT,
	PV_TYPES,
};

struct pv_site {
	u32 eip;
	u8 type;
	u8 len;
	u16 pad;
} packed;

/* Where the unpatched sites go; C convention. */
struct pv_ops {
	void (*irq_enable)(void);
	void (*irq_disable)(void);
	u32 (*save_fl)(void);
	void (*restore_fl)(u32);
	void (*iret)(void);
	void (*sysexit)(void);
};
extern struct pv_ops pv_ops;
u32 patch_native(void);
u32 patch_vmi(void);
u32 patch_functions(const struct pv_ops *functions); /* which keep all registers */

#define PV_RECORD                                                                                  \
	"\n772:\n\t.pushsection .pvsites,\"a\"\n\t.long 771b\n\t.byte %c[type], 772b - 771b\n"     \
	"\t.short 0\n\t.popsection\n"
#define PV_ALL                                                                                     \
	"771:\tpush %%eax\n\tpush %%ecx\n\tpush %%edx\n\tcall *%[op]\n\t"                          \
	"pop %%edx\n\tpop %%ecx\n\tpop %%eax" PV_RECORD

static inline void irq_enable(void)
{
	asm volatile(PV_ALL ::[type] "i"(PV_IRQ_ENABLE), [op] "m"(pv_ops.irq_enable)
		     : "memory", "cc");
}

static inline void irq_disable(void)
{
	asm volatile(PV_ALL ::[type] "i"(PV_IRQ_DISABLE), [op] "m"(pv_ops.irq_disable)
		     : "memory", "cc");
}

static inline u32 irq_flags(void)
{
	u32 flags;

	asm volatile(
		"771:\tpush %%ecx\n\tpush %%edx\n\tcall *%[op]\n\tpop %%edx\n\tpop %%ecx" PV_RECORD
		: "=a"(flags)
		: [type] "i"(PV_SAVE_FL), [op] "m"(pv_ops.save_fl)
		: "memory", "cc");
	return flags & EFLAGS_IF;
}

static inline void irq_restore(u32 flags)
{
	asm volatile(PV_ALL ::"a"(flags), [type] "i"(PV_RESTORE_FL), [op] "m"(pv_ops.restore_fl)
		     : "memory", "cc");
}

static inline u32 irq_save(void)
{
	u32 flags = irq_flags();

	irq_disable();
	return flags;
}

/* rom.c: finding the ROM and activating it */
bool rom_probe(void);
bool rom_activate(void);
u32 rom_virtual_top(void);   /* 0xfffff000 without a ROM */
u64 rom_get_reloc(u32 call); /* low half address, next byte kind */
void vmi_bind(void);

/* The entry of calls.def, 0 kinds included. */
struct call_info {
	s16 id, slot;
	u8 kind;
	const char *name;
};
extern const struct call_info call_table[];
extern const u32 call_count;

#define RELOC_NONE 0
#define RELOC_CALL 1
#define RELOC_JUMP 2
#define RELOC_NOP 3

#endif
