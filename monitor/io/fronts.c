/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit n of the disks' models is device n of xenbus's; behind them come the networks' units
 * (nets.c).  A disk has two pages of WIN_DISKS at the place that its number gives.  Its entries
 * of the grant table are the next ones when it is connected first, and stay its own.
 *
 * Kept true:
 *  - A domain without devices asks xenstore for them once, and has no other cost.
 *  - While the guest runs nothing here waits.
 *  - done() of a request is called when an event has come, or by disk_poll(), and never from
 *    within disk_submit().  Where no backend's event will come, the event is one that we send
 *    to ourselves.
 */
#include "events.h"
#include "time.h"
#include "monitor/binding.h"
#include "monitor/fronts.h"
#include "monitor/life.h"
#include "monitor/monitor.h"
#include "counters.h"
#include "pc/vdev.h"

#include <xen/io/blkif.h>

#define F (&MON->fronts)
#define PATIENCE_NS 5000000000ull /* at the start, for all devices together */

_Static_assert(DISKS == XENBUS_DISKS, "a unit is a device");
_Static_assert(NETS == XENBUS_NETS, "likewise");
_Static_assert(2 * DISKS <= WIN_DISKS_PAGES, "two pages a disk");
_Static_assert(GRANT_FIRST + DISKS * BLK_GRANTS + NETS * VIF_GRANTS <=
		       WIN_GRANTS_PAGES * GRANTS_IN_PAGE,
	       "the grant table has entries for all devices");

/* --- event channels ------------------------------------------------------------------------- */

void fronts_notify(u32 port)
{
	struct evtchn_send send = {.port = port};

	xen_event_channel_op(EVTCHNOP_send, &send);
}

static void tell_backend(u32 unit, bool tell)
{
	if (!tell || !F->port[unit])
		return;
	COUNT(disk_notify);
	fronts_notify(F->port[unit]);
}

void fronts_close(u32 *port)
{
	struct evtchn_close close = {.port = *port};

	if (!close.port)
		return;
	events_forget(close.port);
	xen_event_channel_op(EVTCHNOP_close, &close);
	*port = 0;
}

bool fronts_open(u32 *port, u16 domain)
{
	struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = domain};

	fronts_close(port);
	if (xen_event_channel_op(EVTCHNOP_alloc_unbound, &alloc) || !events_await(alloc.port))
		return false;
	*port = alloc.port;
	return true;
}

void fronts_remind(void)
{
	struct evtchn_bind_ipi bind = {.vcpu = 0};

	if (!F->self_port) {
		xen_must(xen_event_channel_op(EVTCHNOP_bind_ipi, &bind), NEED_IPI);
		events_await(bind.port);
		F->self_port = bind.port;
	}
	fronts_notify(F->self_port);
}

/* --- memory -------------------------------------------------------------------------------------
 */

u32 fronts_grants(u32 count)
{
	u32 first = F->grants ? F->grants : GRANT_FIRST;
	u32 pages = (first + count + GRANTS_IN_PAGE - 1) / GRANTS_IN_PAGE;

	if (pages > F->grant_pages && !grants_map(pages))
		return 0;
	if (pages > F->grant_pages)
		F->grant_pages = pages;
	F->grants = first + count;
	return first;
}

u32 fronts_pages_left(void)
{
	u32 disks = 0;

	for (u32 unit = 0; unit < DISKS; unit++)
		if (F->xenbus.device[unit].used || F->blk[unit].grants)
			disks = unit + 1;
	return WIN_DISKS_PAGES - F->net_pages - 2 * disks;
}

/* --- the models' side (pc/disk.h) ------------------------------------------------------------- */

void disk_info(unsigned unit, struct disk_info *info)
{
	const struct blk *b = &F->blk[unit];

	*info = (struct disk_info){0};
	if (!b->gone && !b->broken)
		*info = b->info;
}

static void look_again(u32 unit);

void disk_submit(unsigned unit, struct disk_request *r)
{
	struct blk *b = &F->blk[unit];

	tell_backend(unit, blk_submit(b, r));
	if (blk_has_ended(b))
		fronts_remind();
}

void disk_poll(unsigned unit)
{
	look_again(unit);
}

/* The models hear of what has ended. */
static void finish(u32 unit)
{
	if (!blk_has_ended(&F->blk[unit]))
		return;
	blk_finish(&F->blk[unit]);
	pc_update_disks(&MON->pc);
}

static void show(u32 unit)
{
	struct disk_info info;

	disk_info(unit, &info);
	F->shown[unit] = info.sectors || info.cdrom;
	pc_disk_changed(&MON->pc, unit);
}

/* --- the backends' side ----------------------------------------------------------------------- */

/* Takes what the backend has answered, and acts on it. */
static void look_again(u32 unit)
{
	struct blk *b = &F->blk[unit];

	tell_backend(unit, blk_take(b));
	finish(unit);
	if (b->broken && F->shown[unit]) {
		xenbus_refuse(&F->xenbus, unit);
		show(unit);
	}
	if (b->draining && !b->flying && !F->drained[unit]) {
		F->drained[unit] = true;
		xenbus_drained(&F->xenbus, unit);
	}
	events_ring_store();
}

void fronts_event(u32 port)
{
	if (nets_event(port))
		return;
	for (u32 unit = 0; unit < DISKS; unit++)
		if (port == F->port[unit]) {
			COUNT(disk_event);
			look_again(unit);
			return;
		}
	if (port != F->self_port)
		return;
	for (u32 unit = 0; unit < DISKS; unit++)
		finish(unit);
	nets_reminded();
}

bool blk_guest_frame(u64 gpfn, u32 *frame)
{
	return frame_of_guest(gpfn, frame);
}

void blk_tell(const struct blk *b, enum blk_news news)
{
	say("\nvmixen: the backend of disk %u %s\n", b->handle,
	    news == BLK_STRANGE_ANSWER ? "has answered what nobody asked for: the disk is given up"
				       : "keeps memory of the guest's: it is waited for");
}

/* --- xenstore's side (xenbus.h) -----------------------------------------------------------------
 */

/* The disk's pages are there, and no network's, and it has its entries of the grant table. */
static bool has_memory_for(u32 unit, struct xenbus_device *d)
{
	struct blk *b = &F->blk[unit];

	if (2 * unit + 2 > WIN_DISKS_PAGES - F->net_pages) {
		say("vmixen: disk %u: the network has the memory that it needs\n", d->number);
		return false;
	}
	if (!b->grants)
		b->first_grant = fronts_grants(BLK_GRANTS);
	if (!b->first_grant) {
		say("vmixen: disk %u: Xen gives no more of the grant table\n", d->number);
		return false;
	}
	return true;
}

bool xenbus_prepare(unsigned unit, struct xenbus_device *d)
{
	struct blk *b = &F->blk[unit];

	if (xenbus_kind_of(unit) == XENBUS_NET)
		return nets_prepare(unit - XENBUS_DISKS, d);
	if (!has_memory_for(unit, d))
		return false;
	b->ring = (volatile void *)(uintptr_t)(WIN_DISKS + 2 * unit * PAGE_SIZE);
	b->bounce = (u8 *)(uintptr_t)(WIN_DISKS + (2 * unit + 1) * PAGE_SIZE);
	b->ring_frame = MON->start.disk_frame[2 * unit];
	b->bounce_frame = MON->start.disk_frame[2 * unit + 1];
	b->grants = (volatile struct grant *)(uintptr_t)WIN_GRANTS + b->first_grant;
	b->handle = d->number;
	if (!blk_prepare(b, d->domain))
		return false;
	if (!fronts_open(&F->port[unit], d->domain)) {
		say("vmixen: disk %u: Xen gives no event channel\n", d->number);
		return false;
	}
	F->drained[unit] = false;
	d->ring_ref = b->first_grant;
	d->port = F->port[unit];
	return true;
}

void fronts_suspend(void)
{
	for (u32 unit = 0; unit < DISKS; unit++)
		if (F->blk[unit].grants)
			blk_keep(&F->blk[unit]);
}

/* The event channels are gone, so there is nothing to close, and the grant table is a new one. */
void fronts_resume(void)
{
	u32 pages = F->grant_pages;

	F->self_port = F->grant_pages = 0;
	if (pages && !grants_map(pages))
		domain_die("Xen gives no grant table to the domain's disks any more");
	F->grant_pages = pages;
	for (u32 unit = 0; unit < DISKS; unit++) {
		F->port[unit] = 0;
		if (!F->blk[unit].grants)
			continue;
		blk_kept(&F->blk[unit]);
		if (blk_has_ended(&F->blk[unit]))
			fronts_remind();
	}
	nets_resume();
	xenbus_resume(&F->xenbus);
	events_ring_store();
}

/* Why the disk cannot be used; NULL if it can. */
static const char *fault(const struct xenbus_device *d)
{
	struct vdev v = vdev_place(d->number);

	if (d->answers.sector_size != DISK_SECTOR)
		return "its sectors have not 512 bytes";
	if (!d->answers.sectors && !d->answers.cdrom && !(d->answers.info & VDISK_CDROM))
		return "it has no sectors";
	if (v.controller == VDEV_NONE)
		return "there is no controller for its number";
	if (v.controller == VDEV_AHCI && !space_show_mmio(VCPU))
		return "a guest that has started without a controller for it gets none";
	return NULL;
}

static bool disk_connected(unsigned unit, struct xenbus_device *d)
{
	struct blk *b = &F->blk[unit];
	const struct xenbus_answers *a = &d->answers;
	u8 flush_op = a->flush ? BLKIF_OP_FLUSH_DISKCACHE : a->barrier ? BLKIF_OP_WRITE_BARRIER : 0;
	struct disk_info info = {
		.sectors = a->sectors,
		.read_only = a->info & VDISK_READONLY,
		.cdrom = a->cdrom || (a->info & VDISK_CDROM),
		.flush = flush_op != 0,
		.vdev = d->number,
	};
	const char *why = fault(d);

	if (why) {
		say("vmixen: disk %u is not used: %s\n", d->number, why);
		blk_end(b);
		finish(unit);
		show(unit);
		return false;
	}
	tell_backend(unit, blk_connect(b, &info, flush_op));
	if (!F->shown[unit])
		say("vmixen: disk %u: %u MB%s%s\n", d->number, (u32)(a->sectors >> 11),
		    info.read_only ? ", read-only" : "", info.cdrom ? ", a CD" : "");
	if (F->running)
		show(unit);
	return true;
}

bool xenbus_connected(unsigned unit, struct xenbus_device *d)
{
	return xenbus_kind_of(unit) == XENBUS_NET ? nets_connected(unit - XENBUS_DISKS, d)
						  : disk_connected(unit, d);
}

/* What a network's backend has is lost: nothing of it is waited for. */
bool xenbus_closing(unsigned unit)
{
	if (xenbus_kind_of(unit) == XENBUS_NET)
		return true;
	F->drained[unit] = blk_drain(&F->blk[unit]);
	return F->drained[unit];
}

void xenbus_lost(unsigned unit)
{
	if (xenbus_kind_of(unit) == XENBUS_NET)
		nets_lost(unit - XENBUS_DISKS);
	else
		blk_lose(&F->blk[unit]);
}

static void disk_gone(unsigned unit)
{
	struct blk *b = &F->blk[unit];

	if (!b->grants)
		return;
	blk_end(b);
	finish(unit);
	fronts_close(&F->port[unit]);
	if (!F->shown[unit])
		return;
	say("vmixen: disk %u is gone\n", b->handle);
	show(unit);
}

void xenbus_gone(unsigned unit)
{
	if (xenbus_kind_of(unit) == XENBUS_NET)
		nets_gone(unit - XENBUS_DISKS);
	else
		disk_gone(unit);
}

void xenbus_no_place(enum xenbus_kind kind, u32 number)
{
	say("vmixen: there is no place for %s %u: a guest has %u at most\n",
	    kind == XENBUS_NET ? "network" : "disk", number, kind == XENBUS_NET ? NETS : DISKS);
}

/* --- the start ----------------------------------------------------------------------------------
 */

void fronts_start(void)
{
	u64 deadline = time_ns() + PATIENCE_NS;

	xenbus_start(&F->xenbus, &MON->store);
	events_ring_store();
	while (!xenbus_settled(&F->xenbus) && time_ns() < deadline &&
	       events_wait_for_store(deadline))
		;
	if (!xenbus_settled(&F->xenbus))
		say("vmixen: not all devices are there after five seconds; the guest starts\n");
	F->running = true;
	for (u32 unit = 0; unit < DISKS; unit++)
		if (F->blk[unit].connected)
			show(unit);
	nets_show();
}
