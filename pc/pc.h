/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual PC: all devices, their ports, and the wires between them.
 *
 * The owner gives every access the time, and after it looks at: pic_intr()
 * and pic_ack() of pc->pic; uart_tx_take() of pc->uart; pc->requests, whose
 * bits it clears when it acts on them.  When time has passed, output was taken
 * (uart_tx_take()), or input has come (uart_rx(), pc_ctrl_alt_del(),
 * pm_power_button()), it calls pc_update_irqs(), and when requests to disks are done
 * (disk.h) pc_update_disks();
 * pc_next_event() says when time alone will change something.
 */
#ifndef VMIXEN_PC_PC_H
#define VMIXEN_PC_PC_H

#include "cmos.h"
#include "disks.h"
#include "kbd.h"
#include "nets.h"
#include "pci.h"
#include "pic.h"
#include "pit.h"
#include "pm.h"
#include "uart.h"

/* Bits of pc->requests. */
#define PC_RESET 1u
#define PC_POWEROFF 2u

struct pc_time {
	u64 ns;	     /* monotonic, from any origin */
	u64 epoch_s; /* wall clock: seconds since 1970, UTC */
};

struct pc {
	u32 requests;
	struct pic pic;
	struct pit pit;
	struct cmos cmos;
	struct kbd kbd;
	struct uart uart;
	struct pci pci;
	struct pm pm;
	struct disks disks;
	struct nets nets;
};

/* Power on, and what a BIOS would have set up.  The size of memory is not
 * known here: follow it with cmos_set_memory(). */
void pc_reset(struct pc *pc);

/* IN and OUT; size is 1, 2 or 4 bytes.  A port that nobody owns reads as ones
 * and ignores writes.  The result has no bits above size. */
u32 pc_in(struct pc *pc, u16 port, unsigned size, const struct pc_time *now);
void pc_out(struct pc *pc, u16 port, unsigned size, u32 value, const struct pc_time *now);

/* Brings the 8259's inputs up to date with the devices. */
void pc_update_irqs(struct pc *pc, const struct pc_time *now);

/* The same for disk controllers, whose requests may be done.  pc_disk_changed() of disk.h,
 * and the accesses below, do it themselves. */
void pc_update_disks(struct pc *pc);

/* The same for network cards, whose frames may be sent or may find room (net.h). */
void pc_update_nets(struct pc *pc);

/* The guest's access to memory that is a device's, within one page.  False, and nothing is
 * done: there is no device. */
bool pc_mmio_read(struct pc *pc, u64 gpa, void *to, u32 bytes);
bool pc_mmio_write(struct pc *pc, u64 gpa, const void *from, u32 bytes);
/* The page of registers at gpa if nothing changes by their being read: the guest may have
 * it read-only.  NULL if that is not so. */
const void *pc_mmio_page(const struct pc *pc, u64 gpa);

/* Types Ctrl-Alt-Del; false when no driver listens to the keyboard. */
bool pc_ctrl_alt_del(struct pc *pc);

/* The first ns at which pc_update_irqs() can find something new though no
 * port was touched, or PIT_NEVER.  A masked timer or clock is not worth waking for.
 * It is past if the clock has come to it since the last update. */
u64 pc_next_event(const struct pc *pc, const struct pc_time *now);

#endif
