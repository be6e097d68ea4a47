/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices in xenstore against a xenstored that answers anything: the input is a sequence of
 * messages, of bytes that are none, and of what the owner of the devices does.
 *
 * True at any time: no more is in the ring than it holds; what a device is told to be is
 * asked for in order (nothing is connected that was not prepared, nothing lost that was
 * not either); and what is read is within its bounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "xenbind/orders.h"
#include "xenbind/xenbus.h"

#include <xen/io/xs_wire.h>

static struct xenstore_domain_interface ring;
static struct store store;
static struct orders orders;
static struct xenbus bus;
static bool prepared[XENBUS_DEVICES];

static void demand(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "xenbus: %s\n", what);
	abort();
}

bool xenbus_prepare(unsigned unit, struct xenbus_device *d)
{
	demand(d == &bus.device[unit] && d->used, "a device that is none is prepared");
	demand(memchr(d->backend, 0, XENBUS_PATH), "a path has no end");
	demand(d->domain < 0x7FF0, "a domain cannot have this number");
	d->ring_ref = d->port = ~0u;
	if (!(next() & 1))
		return false;
	prepared[unit] = true;
	return true;
}

bool xenbus_connected(unsigned unit, struct xenbus_device *d)
{
	demand(prepared[unit], "a device is connected that was not prepared");
	demand(!(d->answers.sectors >> 55), "a disk is larger than 2^64 bytes");
	demand(xenbus_kind_of(unit) == XENBUS_NET || !d->answers.has_mac, "a disk has an address");
	return next() & 1;
}

bool xenbus_closing(unsigned unit)
{
	demand(bus.device[unit].used, "a device that is none closes");
	return next() & 1;
}

void xenbus_lost(unsigned unit)
{
	demand(prepared[unit], "a device is lost that was not there");
}

void xenbus_gone(unsigned unit)
{
	demand(bus.device[unit].used, "a device that is none goes");
	prepared[unit] = false;
}

void xenbus_no_place(enum xenbus_kind kind, u32 number)
{
	(void)kind;
	(void)number;
}

static void put(const void *from, u32 bytes)
{
	for (u32 i = 0; i < bytes; i++)
		ring.rsp[MASK_XENSTORE_IDX(ring.rsp_prod++)] = ((const char *)from)[i];
}

/* A message that may make sense. */
static void send(void)
{
	static const u32 types[] = {XS_READ,	    XS_WRITE, XS_DIRECTORY, XS_WATCH,
				    XS_WATCH_EVENT, XS_ERROR, XS_UNWATCH,   XS_READ};
	static const char texts[][32] = {"2048\0768\0",
					 "2",
					 "4",
					 "5",
					 "6",
					 "1",
					 "0",
					 "512",
					 "/local/domain/0/backend",
					 "device/vbd\0vbd",
					 "/x/state\0vbd0",
					 "cdrom",
					 "ENOENT",
					 "shutdown",
					 "9999999999999999999999",
					 "2048",
					 "device/vif\0vif",
					 "/x/state\0vif8",
					 "00:16:3e:12:34:56",
					 "0"};
	u32 n = next(), unit = next(), t = next() % ARRAY_SIZE(texts);
	struct xsd_sockmsg head = {.type = types[n % 8], .len = next() % 33};

	head.req_id = n & 8 ? 0x10 + (unit & 2) : n & 16 ? unit : 0x10000 | unit % 11;
	if (head.req_id & 0x10000)
		head.req_id |= bus.device[unit % 11 % XENBUS_DEVICES].serial << 8;
	if (!(n & 32))
		head.len = (u32)(t == 0		      ? 9
				 : t == 9 || t == 16  ? 15
				 : t == 10 || t == 17 ? 14
						      : strlen(texts[t]));
	put(&head, sizeof(head));
	put(texts[t], head.len < 32 ? head.len : 32);
	if (head.len > 32)
		put(texts[0], head.len - 32);
}

static void look(void)
{
	struct store_message m;
	enum order order;

	store_look(&store);
	while (store_next(&store, &m))
		if (!orders_message(&orders, &store, &m, &order) && !xenbus_message(&bus, &m))
			store_break(&store);
	orders_looked(&orders, &store);
	xenbus_push(&bus);
	demand(store.req_prod - ring.req_cons <= XENSTORE_RING_SIZE, "the ring is too full");
	xenbus_settled(&bus);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	in = (struct input){data, bytes};
	memset(&ring, 0, sizeof(ring));
	memset(prepared, 0, sizeof(prepared));
	store_start(&store, &ring);
	orders_start(&orders, &store, true);
	xenbus_start(&bus, &store);
	while (in.left) {
		u32 n = next();

		if (n % 8 < 5)
			send();
		else if (n % 8 == 5)
			put(&n, 1);
		else if (n % 8 == 6)
			xenbus_drained(&bus, n / 8 % XENBUS_DEVICES);
		else if (n == 255)
			ring.rsp_prod = next() * 77;
		else
			xenbus_refuse(&bus, n / 8 % XENBUS_DEVICES);
		if (n & 64)
			ring.req_cons = ring.req_prod;
		if (n & 128)
			look();
	}
	look();
	return 0;
}
