/* SPDX-License-Identifier: GPL-2.0-only */
/* The console ring (xen/io/console.h) and HYPERVISOR_console_io; see console.h. */
#include "console.h"
#include "hypercall.h"

#define RING ((volatile struct xencons_interface *)WIN_CONSOLE)
#define RING_OUT sizeof(RING->out)

#define CONSOLE_PATIENCE 5000000000ull /* ns to wait for a backend that does not drain */

void console_init(struct console *c, u32 evtchn)
{
	c->evtchn = evtchn;
	c->pending = 0;
	c->dead = false;
}

static void notify(struct console *c)
{
	struct evtchn_send s = {.port = c->evtchn};

	xen_event_channel_op(EVTCHNOP_send, &s);
}

void console_flush(struct console *c)
{
	if (!c->pending)
		return;
	if (c->evtchn)
		notify(c);
	else
		xen_console_io(CONSOLEIO_write, c->pending, c->line);
	c->pending = 0;
}

/* Waits until the ring has room; gives up on a backend that is gone. */
static bool wait_for_room(struct console *c)
{
	evtchn_port_t port = c->evtchn;
	u64 deadline = XEN_VCPU->time.system_time + CONSOLE_PATIENCE;

	while (RING->out_prod - RING->out_cons >= RING_OUT) {
		struct sched_poll p = {.nr_ports = 1, .timeout = deadline};

		if (c->dead || XEN_VCPU->time.system_time >= deadline) {
			c->dead = true;
			return false;
		}
		set_xen_guest_handle(p.ports, &port);
		notify(c);
		/* The backend's answer is an event on this very port. */
		XEN_SHARED->evtchn_pending[port / 32] &= ~(1ul << port % 32);
		if (RING->out_prod - RING->out_cons >= RING_OUT)
			xen_sched_op(SCHEDOP_poll, &p);
	}
	c->dead = false;
	return true;
}

static void put_ring(struct console *c, char byte)
{
	XENCONS_RING_IDX prod = RING->out_prod;

	if (prod - RING->out_cons >= RING_OUT && !wait_for_room(c))
		return;
	RING->out[MASK_XENCONS_IDX(prod, RING->out)] = byte;
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	RING->out_prod = prod + 1;
	c->pending++;
}

void console_put(struct console *c, char byte)
{
	if (c->evtchn)
		put_ring(c, byte);
	else
		c->line[c->pending++] = byte;
	if (byte == '\n' || c->pending >= sizeof(c->line))
		console_flush(c);
}

int console_get(struct console *c)
{
	if (c->evtchn) {
		XENCONS_RING_IDX cons = RING->in_cons;
		int byte;

		if (cons == RING->in_prod)
			return -1;
		__asm__ volatile("" ::: "memory");
		byte = (u8)RING->in[MASK_XENCONS_IDX(cons, RING->in)];
		RING->in_cons = cons + 1;
		return byte;
	}
	u8 byte;

	return xen_console_io(CONSOLEIO_read, 1, &byte) == 1 ? byte : -1;
}
