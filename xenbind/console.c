/* SPDX-License-Identifier: GPL-2.0-only */
/* The console ring (xen/io/console.h) and HYPERVISOR_console_io; see console.h. */
#include "console.h"
#include "hypercall.h"

#define RING_OUT sizeof(((struct xencons_interface *)0)->out)

#define CONSOLE_PATIENCE 5000000000ull /* ns to wait for a backend that does not drain */

void console_init(struct console *c, volatile void *ring, u32 evtchn)
{
	c->ring = ring;
	c->evtchn = evtchn;
	c->pending = 0;
	c->dead = false;
}

static volatile struct xencons_interface *ring_of(struct console *c)
{
	return c->ring;
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
	volatile struct xencons_interface *ring = ring_of(c);
	evtchn_port_t port = c->evtchn;
	u64 deadline = XEN_VCPU->time.system_time + CONSOLE_PATIENCE;

	while (ring->out_prod - ring->out_cons >= RING_OUT) {
		struct sched_poll p = {.nr_ports = 1, .timeout = deadline};

		if (c->dead || XEN_VCPU->time.system_time >= deadline) {
			c->dead = true;
			return false;
		}
		set_xen_guest_handle(p.ports, &port);
		notify(c);
		/* The backend's answer is an event on this very port. */
		__atomic_and_fetch(&XEN_SHARED->evtchn_pending[port / 32], ~(1ul << port % 32),
				   __ATOMIC_SEQ_CST);
		if (ring->out_prod - ring->out_cons >= RING_OUT)
			xen_sched_op(SCHEDOP_poll, &p);
	}
	c->dead = false;
	return true;
}

static void put_ring(struct console *c, char byte)
{
	volatile struct xencons_interface *ring = ring_of(c);
	XENCONS_RING_IDX prod = ring->out_prod;

	if (prod - ring->out_cons >= RING_OUT && !wait_for_room(c))
		return;
	ring->out[MASK_XENCONS_IDX(prod, ring->out)] = byte;
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	ring->out_prod = prod + 1;
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

void console_text(struct console *c, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			console_put(c, '\r');
		console_put(c, *text);
	}
	console_flush(c);
}

int console_get(struct console *c)
{
	if (c->evtchn) {
		volatile struct xencons_interface *ring = ring_of(c);
		XENCONS_RING_IDX cons = ring->in_cons;
		int byte;

		if (cons == ring->in_prod)
			return -1;
		__asm__ volatile("" ::: "memory");
		byte = (u8)ring->in[MASK_XENCONS_IDX(cons, ring->in)];
		ring->in_cons = cons + 1;
		return byte;
	}
	u8 byte;

	return xen_console_io(CONSOLEIO_read, 1, &byte) == 1 ? byte : -1;
}
