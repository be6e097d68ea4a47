/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From Xen's hvm_start_info to the monitor, in the PVH binding.
 *
 * The guest's physical memory is the domain's: RAM from 0 on, in one piece of up to 4032 MB,
 * and what is more than that from 4 GB on.  The domain entry takes the last pages below
 * OWN_LIMIT for the monitor, moves itself out of the way
 * of the guest's kernel, puts the initrd where it may stay, and lays the guest out as the
 * PV binding does (entry/boot/loader.c).
 */
#include "entry/boot/entry.h"
#include "lib/mem.h"
#include "monitor/monitor.h"
#include "pvh_entry.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

#define OWN_LIMIT (VIRT_BASE >> 12) /* the first directory maps us from this frame on */
#define KERNEL_FIRST 0x100u	    /* 1 MB */
#define INITRD_LIMIT (256u << 8)    /* a frame: low memory to every kernel, even with mem= */
#define MOVE_ALIGN (4u << 20)

noreturn void regparm3 pvh_enter_monitor(u32 directory, u32 entry_point, u32 stack);
void regparm3 pvh_move(u32 to, u32 bytes);
void regparm3 pvh_entry_main(u32 si);

u64 pvh_param(u32 index)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index};

	if (hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, (u32)&p, 0, 0, 0))
		fail("Xen has no parameter %u for this domain", index);
	return p.value;
}

/* The first CPUID leaf of Xen's, 0 if there is none.  Another hypervisor's may come before. */
static u32 xen_leaves(void)
{
	for (u32 base = 0x40000000; base < 0x40010000; base += 0x100) {
		u32 a = base, b, c = 0, d;

		__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		if (b == 0x566e6558 && c == 0x65584d4d && d == 0x4d4d566e) /* "XenVMMXenVMM" */
			return base;
	}
	return 0;
}

static void start_hypercalls(void)
{
	u32 a = xen_leaves() + 2, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	__asm__ volatile("wrmsr" ::"c"(b), "a"((u32)hypercall_page - VIRT_BASE), "d"(0));
}

static void start_console(void)
{
	u32 pfn = (u32)pvh_param(HVM_PARAM_CONSOLE_PFN);

	console_init(&entry_console, physical(pfn << 12), (u32)pvh_param(HVM_PARAM_CONSOLE_EVTCHN));
}

/* The frame behind the piece of RAM that begins at an address; that address's if there is
 * none. */
static u32 ram_end(const struct hvm_start_info *si, u64 address)
{
	const struct hvm_memmap_table_entry *map = physical((u32)si->memmap_paddr);
	u64 end = address;

	for (u32 i = 0; si->version >= 1 && i < si->memmap_entries; i++)
		if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM && map[i].addr == address)
			end = map[i].addr + map[i].size;
	return (u32)(end >> 12);
}

static u32 pages_of(u32 bytes)
{
	return (bytes + PAGE_SIZE - 1) >> 12;
}

static void copy_text(char *to, const char *from, u32 room)
{
	while (--room && *from)
		*to++ = *from++;
	*to = 0;
}

/* Copies all that is needed of Xen's structures, for they lie where the guest will be. */
static void read_start_info(struct pvh_layout *p, const struct hvm_start_info *si)
{
	const struct hvm_modlist_entry *module = physical((u32)si->modlist_paddr);

	p->ram = ram_end(si, 0);
	if (!p->ram)
		fail("Xen tells of no memory from address 0 on");
	p->high_end = ram_end(si, (u64)FRAMES_4GB << 12);
	if (si->cmdline_paddr)
		copy_text(p->cmd_line, physical((u32)si->cmdline_paddr), sizeof(p->cmd_line));
	if (si->nr_modules) {
		p->initrd_from = (u32)module->paddr;
		p->initrd_bytes = (u32)module->size;
	}
	p->entry_bytes =
		(payload.kernel.addr - VIRT_BASE + payload.kernel.size + PAGE_SIZE - 1) & ~4095u;
}

/* Divides so many pages of memory, from the top down: the monitor's own pages, the initrd
 * at a place that the kernel does not use, and below it the domain entry, for as long as it
 * runs.  false if there are too few. */
static bool divide_pages(struct pvh_layout *p, const struct room *room, u32 ram)
{
	u32 end = ram < OWN_LIMIT ? ram : OWN_LIMIT, area = pages_of(p->initrd_bytes), top;
	u32 own = PVH_OWN_PAGES(rom_pages());

	if (end < own + KERNEL_FIRST)
		return false;
	p->own_next = p->own_first = end - own;
	top = p->own_first < INITRD_LIMIT ? p->own_first : INITRD_LIMIT;
	top = top > area ? room_beside(room, top - area, area, p->own_first) : 0;
	p->initrd = top << 12;
	p->entry_to = (p->initrd - p->entry_bytes) & ~(MOVE_ALIGN - 1);
	return top > 2 * pages_of(p->entry_bytes) + MOVE_ALIGN / PAGE_SIZE + KERNEL_FIRST;
}

static void divide(struct pvh_layout *p)
{
	u32 least = p->ram;
	struct room room;

	room_of_kernel((const u8 *)payload.kernel.addr, payload.kernel.size, &room);
	if (divide_pages(p, &room, p->ram))
		return;
	while (least < OWN_LIMIT && !divide_pages(p, &room, least))
		least++;
	fail("the domain has %u MB; the kernel needs %u MB from %u MB on, and beside it are its "
	     "file, its initrd and the ROM: give it %u MB or more",
	     p->ram >> 8, (u32)((room.end - room.start + 0xFFFFF) >> 20), (u32)(room.start >> 20),
	     (least + 255) >> 8);
}

/* Copies bytes between physical addresses; the two places may overlap. */
static void move(u32 to, u32 from, u32 bytes)
{
	u8 *out = physical(to);
	const u8 *in = physical(from);

	if (to < from)
		for (u32 i = 0; i < bytes; i++)
			out[i] = in[i];
	else
		while (bytes--)
			out[bytes] = in[bytes];
}

bool entry_is_pvh;

void regparm3 pvh_entry_main(u32 si)
{
	static struct pvh_layout p;
	static struct layout l;
	static struct start_pvh pvh;
	u64 born = __builtin_ia32_rdtsc();
	struct start *start;
	u32 monitor;

	entry_is_pvh = true;
	start_hypercalls();
	start_console();
	say_hello();
	rom_choose();
	read_start_info(&p, physical(si));
	divide(&p);
	move(p.initrd, p.initrd_from, p.initrd_bytes);
	pvh_move(p.entry_to, p.entry_bytes);
	monitor = pvh_window_make(&p, &pvh);
	start = &((struct monitor *)physical(monitor))->start;
	pvh.own_first = p.own_first;
	pvh.own_end = p.own_first + PVH_OWN_PAGES(rom_pages());
	pvh.low_end = p.ram;
	pvh.high_end = p.high_end;
	((struct pvh *)physical(monitor + WIN_BINDING - WIN_MONITOR))->start = pvh;
	start->guest_pages = pvh.low_end > pvh.own_end ? pvh.low_end : p.own_first;
	start->vcpu_info_frame = (p.vcpu + (WIN_VCPU_INFO - WIN_VCPU)) >> PAGE_SHIFT;
	for (u32 i = 0; i < WIN_DISKS_PAGES; i++)
		start->disk_frame[i] = (p.disks >> PAGE_SHIFT) + i;
	start->console_evtchn = (u32)pvh_param(HVM_PARAM_CONSOLE_EVTCHN);
	start->store_evtchn = (u32)pvh_param(HVM_PARAM_STORE_EVTCHN);
	l.guest_pages = p.own_first;
	l.more_first = pvh.own_end;
	l.more_end = pvh.low_end;
	l.high_end = pvh.high_end;
	l.cmd_line = p.cmd_line;
	l.initrd = p.initrd;
	l.initrd_bytes = p.initrd_bytes;
	load_guest(&l, start);
	if (start->counters)
		note("vmixen: domain started at TSC %llx\n", born);
	pvh_enter_monitor(pvh.narrow, WIN_TEXT + entry_rom->ext_start, WIN_STACK_TOP - 36);
}
