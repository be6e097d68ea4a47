/* SPDX-License-Identifier: GPL-2.0-only */
/* What comes from Xen's event channels, and what the virtual PC has for the guest. */
#ifndef VMIXEN_EVENTS_H
#define VMIXEN_EVENTS_H

#include "base.h"
#include "monitor/vcpu.h"

/* Xen's struct vcpu_info moves from the shared page to the vCPU's own, XEN_VCPU, with what
 * is in it; before this nothing may look at it.  Xen makes an upcall pending by it. */
void events_own_page(void);
void events_start(void);
/* Takes what is pending in the event channels; raises lines of the virtual PC. */
void events_take(void);
/* The guest begins: from now on it is listened to. */
void events_listen(void);
/* Waits until the PC has an interrupt for the guest. */
void events_wait(void);
bool events_interrupt(void);
/* The vector of the interrupt that is most urgent; there must be one. */
u8 events_ack(void);

/* Ports of the virtual PC; size in bytes. */
u32 port_in(struct vcpu *v, u16 port, unsigned size);
void port_out(struct vcpu *v, u16 port, unsigned size, u32 value);
/* What stands where there is no memory, within one page: the local APIC, elsewhere ones. */
void mmio_read(u64 gpa, void *to, u32 bytes);
void mmio_write(u64 gpa, const void *from, u32 bytes);

#endif
