/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The monitor's one data block and what its files offer each other.  The ROM
 * never writes to itself: whatever changes lies in struct monitor or struct
 * vcpu, at constant addresses in the window.
 */
#ifndef VMIXEN_MONITOR_H
#define VMIXEN_MONITOR_H

#include "base.h"
#include "xenbind/clock.h"
#include "xenbind/console.h"
#include "counters.h"
#include "xenbind/hypercall.h"
#include "pc/lapic.h"
#include "pc/pc.h"
#include "monitor/pv/mmu/shadow.h"
#include "start.h"
#include "xenbind/store.h"
#include "vcpu.h"

struct alarm {
	bool armed, periodic;
	bool lvtt;	    /* wired to the local APIC's timer, else to IRQ0 */
	u64 expiry, period; /* in cycles of the counter */
};

/* The end that xl has asked for. */
struct asked {
	u32 reason;	/* SHUTDOWN_ code */
	u64 believe_ns; /* until then an end of the guest's is taken for the answer */
};

struct events {
	u32 timer_port, console_port;
	u32 store_port;	    /* 0: no xenstore */
	bool key;	    /* the next byte of input is a command to the monitor */
	int input;	    /* a byte that the 16550 had no room for, or -1 */
	u64 alarm_set;	    /* the deadline Xen has, in ns; PIT_NEVER for none */
	bool spoke;	    /* the guest has printed something */
	u64 silence;	    /* ns when its silence is worth a word, or PIT_NEVER */
	u64 silence_stolen; /* ns that had been taken off the guest's time when that was set */
};

/* What time.c has said: divisions are dear and their operands rarely change, and
 * no clock may go back. */
struct clock_cache {
	struct clock_rate rate; /* of which khz was made */
	u32 khz;
	u64 hz;	       /* of time_frequency(), for good */
	u64 ns;	       /* what time_ns() said last */
	u64 entry;     /* state_entry_time of the runstate area at the last look */
	u64 stolen_ns; /* what it said then, which has become stolen_cycles */
	u64 stolen_cycles;
	u64 available; /* what time_available() said last */
};

struct segments {
	struct xen_table {
		u32 pages; /* frames there are; Xen's GDT has all of them */
		u32 mfn[WIN_LDT_PAGES];
	} table[2];	 /* GDT, LDT */
	u32 ldt_entries; /* what Xen has been given */
	bool kept;	 /* a slot had to keep a descriptor that is the guest's no more */
};

_Static_assert(WIN_GDT_PAGES <= WIN_LDT_PAGES, "xen_table.mfn has room for both tables");

/* guard.c: the frames of the guest's GDT and LDT before Init. */
#define GUARD_FRAMES (2 * 17) /* 64 KB may begin anywhere in a page */

struct guard {
	u32 frames; /* in gpfn[] */
	u32 gpfn[GUARD_FRAMES];
	u32 opened; /* of them, in open[]: where they are writable */
	struct {
		u32 gpfn;
		gva_t va;
	} open[4];
	bool stepping; /* TF is set, for one instruction */
	bool traced;   /* and was before */
	bool pushes;   /* that is PUSHF */
};

struct monitor {
	struct start start;
	struct console console;
	struct pc pc;
	struct lapic lapic;
	struct events events;
	struct store store;
	struct asked asked;
	u32 ends; /* that have begun: report.c */
	struct segments segments;
	struct guard guard;
	u64 counters_since; /* when they were 0, in ns */
	struct clock_cache clock;
	struct alarm alarm[2]; /* by cycle counter: 0 real, 1 available */
	u32 wc_version_seen;
	struct vcpu_runstate_info runstate; /* Xen writes it */
	struct shadow shadow;
};

#define MON ((struct monitor *)WIN_MONITOR)

_Static_assert(sizeof(struct monitor) <= WIN_MONITOR_PAGES * 4096u,
	       "struct monitor fits its pages");
_Static_assert(sizeof(struct vcpu) <= WIN_COUNTERS - WIN_VCPU, "struct vcpu fits its pages");

/* report.c: the ways to say that something is wrong. */
void say(const char *fmt, ...) printf_like(1, 2);
/* The guest cannot go on: prints who, where, what, with registers; domain state crashed. */
noreturn void guest_die(const char *fmt, ...) printf_like(1, 2);
/* The domain cannot go on, by no fault of the guest's: prints that and the registers
 * and looks at nothing of the guest's memory; domain state crashed. */
noreturn void domain_die(const char *fmt, ...) printf_like(1, 2);
/* What a domain needs of Xen, and there is no way around: report.c has the words.
 * (Numbers, for the address of words takes instructions of the paths that need none.) */
enum need {
	NEED_TLB_FLUSH,
	NEED_TABLE,
	NEED_HOOK,
	NEED_UNHOOK,
	NEED_CLEAR,
	NEED_SLOT,
	NEED_FRAME,
	NEED_ROOT,
	NEED_LOAD,
	NEED_PHYS,
	NEED_BOOTSTRAP,
	NEED_GDT,
	NEED_LDT,
	NEED_TRAPS,
	NEED_CALLBACK,
	NEED_STACK,
	NEED_VIRQ,
	NEED_UNMASK,
	NEED_TIMER,
	NEED_FPU,
	NEEDS
};
noreturn void xen_refused(enum need what, int err);
/* err is Xen's answer.  Comes back only if that is 0. */
static inline void xen_must(int err, enum need what)
{
	if (err)
		xen_refused(what, err);
}
/* Where the guest is. */
void report_state(struct vcpu *v);
/* It has printed nothing for so long: the same, and how to hear more. */
void report_silence(struct vcpu *v, u32 seconds);
/* We are wrong. */
noreturn void monitor_panic(const char *file, int line, const char *what);
/* The same, by a trap in the monitor at eip; pushed: by PUSHAD. */
noreturn void monitor_trapped(u32 vector, u32 error, u32 eip, const u32 pushed[8]);
#define ASSERT(c) ((c) ? (void)0 : monitor_panic(__FILE_NAME__, __LINE__, #c))

/* access.c: guest-virtual memory. */
struct access_fault {
	u32 vector; /* EXC_PF, or of a segment that forbids it EXC_GP or EXC_SS */
	gva_t va;   /* of a page fault */
	u32 error;  /* the exception's error code */
};
/* As the guest's ring 0 sees it, and only memory.  0, or -1 with *f set. */
int guest_read(struct vcpu *v, gva_t va, void *to, u32 bytes, struct access_fault *f);
int guest_write(struct vcpu *v, gva_t va, const void *from, u32 bytes, struct access_fault *f);

/* An access that an instruction of the guest's makes, with the rights of its CPL:
 * to the linear address va, or to bytes of a segment from offset on; bits is 0 to
 * read, PF_W to write, PF_I to fetch.  -1, with *f set, if the guest may not: of a
 * write nothing is done then.  Else 0, or ACCESS_MMIO if some of it is no memory. */
#define ACCESS_MMIO 1
int guest_access(struct vcpu *v, gva_t va, void *data, u32 bytes, u32 bits, struct access_fault *f);
int operand_access(struct vcpu *v, enum seg seg, u32 offset, void *data, u32 bytes, u32 bits,
		   struct access_fault *f);
/* The same question without the access: 0 if it may. */
int guest_may(struct vcpu *v, gva_t va, u32 bytes, u32 bits, struct access_fault *f);
int operand_may(struct vcpu *v, enum seg seg, u32 offset, u32 bytes, u32 bits,
		struct access_fault *f);
/* Where the operand lies; false, with *f set, if the segment does not allow it. */
bool operand_linear(struct vcpu *v, enum seg seg, u32 offset, u32 bytes, u32 bits, gva_t *va,
		    struct access_fault *f);
/* What the guest has in a segment register. */
u16 guest_selector(const struct vcpu *v, enum seg seg);

/* segment.c: descriptors. */
void segment_start(void);
/* Init: privileges become those of ring 1. */
void segment_adopt(struct vcpu *v);
/* The guest loads its GDT or LDT register.  false: the selector names no LDT. */
void segment_load_gdt(struct vcpu *v, u16 limit, u32 base);
bool segment_load_ldt(struct vcpu *v, u16 selector);
/* The guest has written one entry of the table that is loaded. */
void segment_gdt_entry(struct vcpu *v, u32 index, u64 descriptor);
void segment_ldt_entry(struct vcpu *v, u32 index, u64 descriptor);
/* All that the guest's tables say now. */
void segment_reread(struct vcpu *v);
/* Before Init, a selector could not be loaded, with that error code: true if its
 * descriptor is another one by now. */
bool segment_late(struct vcpu *v, u32 error);
/* The kernel loads CS or SS of struct regs by an instruction that is emulated: with its
 * own RPL, whatever the selector has.  0, or the vector of the exception that it meets;
 * then nothing has changed. */
u32 segment_load(struct vcpu *v, enum seg seg, u32 selector);
/* Xen could not load one of DS, ES, FS, GS, which held these, and left it null. */
void regparm3 segment_failsafe(const u32 selector[4]);
u32 segment_base(struct vcpu *v, u16 selector);
/* The descriptor that the CPU has for a selector, of a type that can be loaded into
 * a segment register; 0 without one. */
u64 segment_descriptor(u16 selector);
#define SEGMENT_BIG (1ull << 54) /* its D or B bit */
/* Its limit in bytes, and its base. */
u32 segment_limit(u64 descriptor);
/* Can Xen push its frames on a stack in this segment, and the ROM find its own memory
 * through it? */
bool segment_carries_stack(u64 descriptor);
static inline u32 descriptor_base(u64 d)
{
	return (u32)((d >> 16 & 0xFFFFFF) | (d >> 32 & 0xFF000000));
}
/* The guest's TSS: its base and limit, false without one. */
bool segment_tss(struct vcpu *v, gva_t *base, u32 *limit);
/* May a gate lead to the selector: is it a code segment of the kernel's, in the GDT? */
bool segment_is_kernel_code(const struct vcpu *v, u16 selector);

/* A gate of the guest's IDT (Intel SDM vol. 3A, 6.11). */
struct gate {
	gva_t eip;
	u16 cs; /* with the kernel's RPL */
	u8 type, dpl;
	bool present;
	bool usable; /* an interrupt or trap gate, present, to the kernel's code */
};

#define GATE_INTERRUPT 0xE
#define GATE_TRAP 0xF

/* idt.c: what is behind a vector; where the guest has none, a gate of type 0. */
struct gate idt_gate(struct vcpu *v, u32 vector);
struct gate gate_decode(const struct vcpu *v, u64 raw);
/* The guest loads its IDT register, or has written one entry. */
void idt_load(struct vcpu *v, u16 limit, u32 base);
void idt_entry(struct vcpu *v, u32 vector, u64 gate);

#ifdef VMIXEN_HOSTED
u16 cpu_selector(enum seg seg); /* tests/unit/xen.c */
void cpu_load_selector(enum seg seg, u16 selector);
#else
/* What a segment register of the CPU holds now. */
static inline u16 cpu_selector(enum seg seg)
{
	u16 sel;

	switch (seg) {
	case SEG_ES:
		__asm__ volatile("mov %%es, %0" : "=r"(sel));
		break;
	case SEG_CS:
		__asm__ volatile("mov %%cs, %0" : "=r"(sel));
		break;
	case SEG_SS:
		__asm__ volatile("mov %%ss, %0" : "=r"(sel));
		break;
	case SEG_FS:
		__asm__ volatile("mov %%fs, %0" : "=r"(sel));
		break;
	case SEG_GS:
		__asm__ volatile("mov %%gs, %0" : "=r"(sel));
		break;
	default:
		__asm__ volatile("mov %%ds, %0" : "=r"(sel));
	}
	return sel;
}

/* Loads FS or GS of the CPU; it must be possible. */
static inline void cpu_load_selector(enum seg seg, u16 selector)
{
	if (seg == SEG_FS)
		__asm__ volatile("mov %0, %%fs" ::"r"(selector));
	else
		__asm__ volatile("mov %0, %%gs" ::"r"(selector));
}
#endif

/* inject.c: the guest's own exception and interrupt delivery. */
void inject_exception(struct vcpu *v, u32 vector, bool has_error, u32 error);
void inject_page_fault(struct vcpu *v, gva_t va, u32 error);
void inject_interrupt(struct vcpu *v, u32 vector);
/* INT n, with the next instruction at next; or the fault that its gate causes. */
void inject_int(struct vcpu *v, u32 vector, gva_t next);

/* emul.c: the instruction at EIP, which trapped with vector, EXC_GP or EXC_UD. */
void emulate(struct vcpu *v, u32 vector);
/* flags.c: the interrupt flag before Init. */
void flags_start(void);
void flags_cli(struct vcpu *v, gva_t va);
void flags_lgdt(struct vcpu *v);
void flags_lidt(struct vcpu *v);
bool flags_breakpoint(struct vcpu *v);
void flags_end(struct vcpu *v);
/* mmio.c: an access to a frame without memory. */
void emulate_mmio(struct vcpu *v, gva_t va, u64 gpa);
/* What stands there instead, within one page. */
void mmio_read(u64 gpa, void *to, u32 bytes);
void mmio_write(u64 gpa, const void *from, u32 bytes);
/* msr.c: false where the guest shall see a #GP. */
bool msr_read(struct vcpu *v, u32 msr, u64 *value);
bool msr_write(struct vcpu *v, u32 msr, u64 value);
/* Init: EFER is Xen's from now on, for RDMSR and WRMSR trap to it and not to us.
 * It shows NXE set and takes no other value. */
void msr_adopt(struct vcpu *v);

/* control.c: control registers. */
void control_set_cr0(struct vcpu *v, u32 value);
/* What the guest asks for: the end of protected mode, of paging after Init, or of the
 * stack ends the domain.  false: #GP. */
void control_mov_cr0(struct vcpu *v, u32 value);
bool control_mov_cr3(struct vcpu *v, u32 value);
/* The kernel in ring 1 loads SS: a stack that Xen cannot use ends the domain. */
void control_check_stack(struct vcpu *v, u16 selector);
noreturn void control_reset(const char *why);
void control_restore_ts(struct vcpu *v);
bool control_fpu_is_off(const struct vcpu *v);
bool control_set_cr3(struct vcpu *v, u32 value);
u32 control_get_cr2(struct vcpu *v);
void control_set_cr2(struct vcpu *v, u32 value);
void control_set_cr4(struct vcpu *v, u32 value);
/* Init: Xen learns what it is to know of the control registers. */
void control_adopt(struct vcpu *v);
/* EFER.NXE is to change. */
void control_set_nx(struct vcpu *v, u64 nxe);
/* Carries out an instruction that is none of ring 0's and has trapped all the same:
 * CPUID, and the kernel's RDTSC; false if it is another. */
bool cpu_unprivileged(struct vcpu *v, const struct insn *i);
void control_set_dr(struct vcpu *v, u32 reg, u32 value);
u32 control_get_dr(struct vcpu *v, u32 reg);
u32 control_debug_status(void);
void control_debug_trap(struct vcpu *v);
void control_debug_forget(void);
void control_single_step(struct vcpu *v);
void control_halt(struct vcpu *v);
noreturn void control_shutdown(u32 reason);
/* Tells the guest what xl wants of it. */
void control_order(enum store_order order);

/* events.c: what Xen has for us, and time. */
void events_start(void);
/* Takes what is pending in the event channels; raises lines of the virtual PC. */
void events_take(void);
/* The guest begins: from now on it is listened to. */
void events_listen(void);
/* Waits until the PC has an interrupt for the guest. */
void events_wait(void);
bool events_interrupt(void);
/* There is something for the guest: whoever enables interrupts next has to look. */
void irq_raise(void);
/* The vector of the interrupt that is most urgent; there must be one. */
u8 events_ack(void);
/* ns since Xen began, and what the TSC says. */
u64 time_ns(void);
u64 time_cycles(void);
/* Xen's clock is there: the guest's frequency is what it says now. */
void time_start(void);
/* Hz of the TSC: Xen corrects it now and then, but the guest is told one. */
u64 time_frequency(void);
/* The same as Xen has it now. */
u32 time_khz(void);
/* Cycles that the vCPU could have run and did not, and all others.  Together they
 * are time_cycles(); neither goes back. */
u64 time_stolen(void);
u64 time_available(void);
u64 time_epoch_ns(void);
struct pc_time time_pc(void);
/* Tells Xen the first moment at which an alarm or the PC is due. */
void alarm_update(void);

/* init.c */
void vmi_init(struct vcpu *v);
/* trap.c */
void monitor_resume(struct vcpu *v);
u32 port_in(struct vcpu *v, u16 port, unsigned size);
void port_out(struct vcpu *v, u16 port, unsigned size, u32 value);

/* entry/pv/traps.asm: Xen may send the next NMI. */
void nmi_unblock(void);
/* Linear accesses that may fault; bytes not done are returned. */
u32 regparm3 linear_read(void *to, gva_t from, u32 bytes);
u32 regparm3 linear_write(gva_t to, const void *from, u32 bytes);
#endif
