/* SPDX-License-Identifier: GPL-2.0-only */
/* What comes from Xen's event channels, and what the virtual PC has for the guest. */
#ifndef VMIXEN_EVENTS_H
#define VMIXEN_EVENTS_H

#include "base.h"
#include "monitor/vcpu.h"

/* Xen's struct vcpu_info moves from the shared page to the vCPU's own, XEN_VCPU, with what
 * is in it; before this nothing may look at it.  Xen makes an upcall pending by it. */
void events_own_page(void);
/* The start of the domain: binds the event channels, starts the clocks and the talk with
 * xenstored.  The console must be there already. */
void events_start(void);
/* The domain goes on as a new one (suspend_xen()): binds everything anew, and begins the talk
 * with xenstored from its start.  Returns how long it was away, in ns. */
struct moment;
u64 events_resume(const struct moment *before);
/* Unmasks an event channel, whose events from now on end a wait for an interrupt; false if
 * there are too many.  And the contrary. */
bool events_await(u32 port);
void events_forget(u32 port);
/* Tells xenstored of what was put into its ring or taken out. */
void events_ring_store(void);
/* Waits for xenstored, until the deadline in ns of time_ns(), and takes what has come.  false
 * if Xen does not let it wait. */
bool events_wait_for_store(u64 deadline);
/* Takes everything that is pending in the event channels, and brings the interrupt lines of
 * the virtual PC up to date.  Clears evtchn_upcall_pending. */
void events_take(void);
/* The guest begins to run: a report comes if it prints nothing for SILENCE_S seconds. */
void events_listen(void);
/* Waits until the PC has an interrupt, or the host an NMI, for the guest.  If no interrupt
 * can ever come, the domain ends as powered off. */
void events_wait(void);
/* Has the PC an interrupt for the guest? */
bool events_interrupt(void);
/* Acknowledges the most urgent interrupt, of which there must be one, and answers its
 * vector. */
u8 events_ack(void);

/* The guest's access to ports of the virtual PC; size is 1, 2 or 4 bytes.  Where the PC has
 * no port, reads give ones.  A write may end the domain (reset, power-off). */
u32 port_in(struct vcpu *v, u16 port, unsigned size);
void port_out(struct vcpu *v, u16 port, unsigned size, u32 value);
/* emul/mmio.c: the guest's access to a frame without memory, within one page: the local
 * APIC, what the PC has there, and elsewhere nothing, which reads as ones. */
void mmio_read(u64 gpa, void *to, u32 bytes);
void mmio_write(u64 gpa, const void *from, u32 bytes);

#endif
