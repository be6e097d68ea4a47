/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time.  A cycle is a tick of the TSC: so counters need no hypercall, and agree with the
 * guest's delay loops, which read the TSC themselves.  Nanoseconds come from Xen's clock
 * (xenbind/clock.h).
 */
#include "time.h"
#include "monitor/binding.h"
#include "monitor/monitor.h"
#include "lib/muldiv.h"

u64 time_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* Xen may set its clock back a little when it corrects it; our clock then stands still until
 * Xen's has caught up. */
static inline u64 monotone_ns(void)
{
	struct clock_cache *c = &VCPU->clock;
	u64 ns = clock_ns();

	if (ns < c->ns)
		return c->ns;
	c->ns = ns;
	return ns;
}

u64 time_ns(void)
{
	return monotone_ns() + VCPU->clock.ns_offset;
}

u64 time_for_xen(u64 ns)
{
	return ns - VCPU->clock.ns_offset;
}

u32 time_khz(void)
{
	struct clock_cache *c = &VCPU->clock;
	struct clock_rate rate = clock_rate();
	u32 rem;

	if (c->rate.mul != rate.mul || c->rate.shift != rate.shift) {
		u64 hz = div64(1000000000ull << 32, rate.mul, &rem);

		hz = rate.shift >= 0 ? hz >> rate.shift : hz << -rate.shift;
		c->rate = rate;
		c->khz = (u32)div64(hz, 1000, &rem);
		if (!c->hz)
			c->hz = hz;
	}
	return c->khz;
}

void time_start(void)
{
	time_khz();
}

u64 time_frequency(void)
{
	return VCPU->clock.hz;
}

/* What Xen's runstate area said, and the TSC at that time. */
struct runstate {
	u64 entry;  /* since when the vCPU has been running, in ns */
	u64 stolen; /* in ns, all in all */
	u64 cycles;
};

/* Xen writes the area while the vCPU does not run, and always with a new state_entry_time.
 * So nothing was written between two reads of that which agree. */
static struct runstate read_runstate(void)
{
	volatile struct vcpu_runstate_info *r = &VCPU->runstate;
	struct runstate s;

	do {
		s.entry = r->state_entry_time;
		s.stolen = r->time[RUNSTATE_runnable] + r->time[RUNSTATE_offline];
		s.cycles = time_cycles();
	} while (s.entry != r->state_entry_time);
	return s;
}

/* The vCPU has been off its CPU since the last look: turns what was stolen into cycles. */
static void count_stolen(struct clock_cache *c)
{
	struct runstate s = read_runstate();
	u64 room = s.cycles - c->stolen_cycles - c->available, more;
	u32 rem;

	if ((s64)room < 0) {
		c->entry = ~(u64)0; /* look again next time */
		return;
	}
	if (s.stolen > c->stolen_ns) {
		more = muldiv64(s.stolen - c->stolen_ns, time_khz(), 1000000, &rem);
		c->stolen_cycles += more < room ? more : room;
	}
	c->stolen_ns = s.stolen; /* less than before when Xen has begun anew */
	c->entry = s.entry;
	c->available = s.cycles - c->stolen_cycles;
}

/*
 * Kept true, whatever Xen does to its clocks: real time is the sum of available time and
 * stolen time, and available time never goes back.  So:
 *  - Only what has been stolen since the last look is turned into cycles, at the present
 *    rate.  A rate that Xen has corrected is not applied to what was counted before.
 *  - No more is stolen than the time since the last answer.  (Xen measures stolen time by
 *    its own clock, and the rest is measured by the TSC.)
 *  - Where the TSC is behind what it was, as on another CPU that is not in step, available
 *    time stands still until the TSC has caught up.
 * As long as the vCPU has not been off its CPU since the last look none of this can have
 * happened, and SHORT_GetCycleCounter (vmi.asm) computes what this function does.
 */
u64 time_available(void)
{
	volatile struct vcpu_runstate_info *r = &VCPU->runstate;
	struct clock_cache *c = &VCPU->clock;
	u64 cycles = time_cycles(); /* before the look: what is stolen in between is seen */

	if (r->state_entry_time == c->entry)
		c->available = cycles - c->stolen_cycles;
	else
		count_stolen(c);
	return c->available;
}

u64 time_stolen(void)
{
	time_available();
	return VCPU->clock.stolen_cycles;
}

/* ns since the epoch when Xen's clock was at 0. */
static u64 epoch_base(void)
{
	volatile struct shared_info *sh = XEN_SHARED;
	u32 version;
	u64 ns;

	do {
		version = sh->wc_version & ~1u;
		__asm__ volatile("" ::: "memory");
		ns = (u64)sh->wc_sec * 1000000000u + sh->wc_nsec;
		__asm__ volatile("" ::: "memory");
	} while (version != sh->wc_version);
	return ns;
}

u64 time_epoch_ns(void)
{
	return epoch_base() + monotone_ns();
}

struct pc_time time_pc(void)
{
	struct pc_time t = {.ns = time_ns()};
	u32 rem;

	t.epoch_s = div64(epoch_base() + time_for_xen(t.ns), 1000000000u, &rem);
	return t;
}

void time_note(struct moment *m)
{
	m->available = time_available();
	m->cycles = time_cycles();
	m->ns = time_ns();
	m->epoch_ns = time_epoch_ns();
}

/* No more of an absence than this is added to the guest's clocks: Linux multiplies the cycles
 * since its last tick by a factor, which has no room for 64 bits beyond some 2000 s. */
#define ABSENCE_MAX_NS 600000000000ull

/* As long as the vCPU's own page is not registered Xen writes its clock to the shared one. */
static void take_shared_clock(void)
{
	volatile struct vcpu_time_info *from = &XEN_SHARED->vcpu_info[0].time;
	u32 version;

	do {
		version = from->version & ~1u;
		XEN_VCPU->time = *from;
		__asm__ volatile("" ::: "memory");
	} while (version != from->version);
	XEN_VCPU->time.version = version;
}

/*
 * Xen's clock is another host's, or has gone on: an offset makes ours of it.  The TSC goes on where
 * it was without the absence.  It is set, so that what reads it without the ROM's knowledge agrees
 * with the counters, and no path of theirs has more to do.  Xen's wallclock says how long the
 * absence was; between two hosts it is good to a second.
 */
u64 time_continue(const struct moment *before)
{
	struct clock_cache *c = &VCPU->clock;
	u64 ns, cycles, away, counted;
	u32 rem;

	take_shared_clock();
	ns = clock_ns();
	away = epoch_base() + ns - before->epoch_ns;
	if ((s64)away < 0)
		away = 0;
	counted = away < ABSENCE_MAX_NS ? away : ABSENCE_MAX_NS;
	c->ns = ns;
	c->ns_offset = before->ns + counted - ns;
	cycles = before->cycles + muldiv64(counted, time_khz(), 1000000, &rem);
	if (time_cycles() < cycles)
		cycles_set(cycles);
	c->stolen_ns = read_runstate().stolen;
	c->stolen_cycles = time_cycles() - before->available;
	c->available = before->available;
	c->entry = ~(u64)0;
	MON->wc_version_seen = ~0u; /* never a version: WallclockUpdated tells of the change */
	return away;
}
