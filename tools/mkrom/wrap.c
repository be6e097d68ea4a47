/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One file for Xen's domain builder out of three: the domain entry, the ROM
 * and the guest's kernel.
 *
 * The entry's loadable segments and Xen notes go into a new ELF file without
 * sections; one more segment behind the last loaded byte holds the ROM's image
 * for each binding and the whole bzImage, each from a page on.  The entry finds
 * them through its struct payload, which is filled here.  The builder reads program headers
 * only: PT_LOAD by physical address, and the notes of PT_NOTE.
 *
 *   file:  ehdr, phdrs | notes | entry's segments, each on a page | payload
 */
#include <string.h>

#include "mkrom.h"

#define SEGMENTS_MAX 64
#define XEN_HOLE 0xF5800000u /* where Xen's own addresses start for a 32-bit domain */
#define PAYLOAD_SECTION ".payload"

struct domain {
	struct blob roms[ROM_BINDINGS]; /* the images by binding */
	const struct blob *kernel;
	struct elf entry;
	struct blob *out;
	unsigned count;
	Elf32_Phdr from[SEGMENTS_MAX]; /* the entry's; empty for the payload */
	Elf32_Phdr to[SEGMENTS_MAX];   /* the result's */
	struct payload payload;
	u64 payload_from; /* where struct payload stands in the entry's file */
	u64 size;	  /* of the result */
};

static u64 round_up(u64 n, u64 unit)
{
	return (n + unit - 1) / unit * unit;
}

/* Does one of the notes at off belong to Xen?  Names and contents are padded
 * to 4 bytes. */
static bool has_xen_note(const struct blob *file, const Elf32_Phdr *ph)
{
	struct blob notes = blob_part(file, ph->p_offset, ph->p_filesz);
	Elf32_Nhdr n;
	char name[4];

	for (u64 at = 0; blob_get(&notes, at, &n, sizeof(n));) {
		at += sizeof(n);
		if (n.n_namesz == sizeof(name) && blob_get(&notes, at, name, sizeof(name)) &&
		    memcmp(name, "Xen", sizeof(name)) == 0 &&
		    blob_has(&notes, at + sizeof(name), n.n_descsz))
			return true;
		at += round_up(n.n_namesz, 4) + round_up(n.n_descsz, 4);
	}
	return false;
}

/* Keep the segments that the builder looks at. */
static bool take_segments(struct domain *d, struct err *err)
{
	const char *name = d->entry.file->name;
	bool notes = false;

	for (unsigned i = 0; i < d->entry.eh.e_phnum; i++) {
		Elf32_Phdr ph = elf_phdr(&d->entry, i);

		if (ph.p_type != PT_NOTE && (ph.p_type != PT_LOAD || !ph.p_memsz))
			continue;
		if (d->count == SEGMENTS_MAX - 1)
			return refuse(err, "%s: has more than %u segments, fewer were expected",
				      name, SEGMENTS_MAX - 1);
		if (ph.p_type == PT_NOTE)
			notes |= has_xen_note(d->entry.file, &ph);
		d->from[d->count++] = ph;
	}
	if (!notes)
		return refuse(err, "%s: has no Xen note in a PT_NOTE segment, one was expected",
			      name);
	return true;
}

/* Find where the entry ends; virtual and physical addresses must run in
 * parallel, since the payload goes behind both. */
static bool find_end(const struct domain *d, u64 *end, u32 *distance, struct err *err)
{
	const char *name = d->entry.file->name;
	bool started = false, runs = false;

	for (unsigned i = 0; i < d->count; i++) {
		const Elf32_Phdr *ph = &d->from[i];
		u64 top = (u64)ph->p_vaddr + ph->p_memsz;

		if (ph->p_type != PT_LOAD)
			continue;
		if (started && ph->p_vaddr - ph->p_paddr != *distance)
			return refuse(err,
				      "%s: segment at 0x%x is 0x%x above its physical address, "
				      "0x%x was expected as for the first",
				      name, ph->p_vaddr, ph->p_vaddr - ph->p_paddr, *distance);
		*distance = ph->p_vaddr - ph->p_paddr;
		*end = !started || top > *end ? top : *end;
		started = true;
		runs |= d->entry.eh.e_entry >= ph->p_vaddr && d->entry.eh.e_entry < top;
	}
	if (!started)
		return refuse(err, "%s: has no loadable segment, one was expected", name);
	if (!runs)
		return refuse(err, "%s: its entry point 0x%x was expected in a loadable segment",
			      name, d->entry.eh.e_entry);
	if (*distance % PAGE_SIZE)
		return refuse(err,
			      "%s: is loaded 0x%x below its virtual address, a multiple of a page "
			      "was expected",
			      name, *distance);
	return true;
}

/* Give bytes their place from a page on, and move *end behind them. */
static struct payload_part place(const struct blob *b, u64 *end)
{
	struct payload_part part = {0};

	if (b->n) {
		part = (struct payload_part){(u32)round_up(*end, PAGE_SIZE), (u32)b->n};
		*end = round_up(*end, PAGE_SIZE) + b->n;
	}
	return part;
}

/* Give the payload its place in memory. */
static bool place_payload(struct domain *d, struct err *err)
{
	u64 end = 0, at, top;
	u32 distance = 0;

	if (!find_end(d, &end, &distance, err))
		return false;
	at = round_up(end, PAGE_SIZE);
	top = at;
	memcpy(d->payload.magic, PAYLOAD_MAGIC, sizeof(d->payload.magic));
	for (unsigned i = 0; i < ROM_BINDINGS; i++)
		d->payload.rom[i] = place(&d->roms[i], &top);
	d->payload.kernel = place(d->kernel, &top);
	if (top > XEN_HOLE || top - distance > UINT32_MAX)
		return refuse(err,
			      "%s: with ROM and kernel ends at 0x%llx, at most 0x%x was expected "
			      "(the hypervisor's addresses follow)",
			      d->entry.file->name, (unsigned long long)top, XEN_HOLE);
	d->to[d->count++] = (Elf32_Phdr){
		.p_type = PT_LOAD,
		.p_vaddr = (u32)at,
		.p_paddr = (u32)at - distance,
		.p_filesz = (u32)(top - at),
		.p_memsz = (u32)(top - at),
		.p_flags = PF_R,
		.p_align = PAGE_SIZE,
	};
	return true;
}

static bool find_payload(struct domain *d, struct err *err)
{
	const char *name = d->entry.file->name;
	struct payload p;
	Elf32_Shdr sh;

	if (!elf_find_section(&d->entry, PAYLOAD_SECTION, &sh) || sh.sh_type != SHT_PROGBITS ||
	    sh.sh_size < sizeof(p))
		return refuse(err, "%s: has no section %s with contents, %zu bytes were expected",
			      name, PAYLOAD_SECTION, sizeof(p));
	blob_get(d->entry.file, sh.sh_offset, &p, sizeof(p));
	if (memcmp(p.magic, PAYLOAD_MAGIC, sizeof(p.magic)) != 0)
		return refuse(err, "%s: section %s was expected to start with %s", name,
			      PAYLOAD_SECTION, PAYLOAD_MAGIC);
	d->payload_from = sh.sh_offset;
	for (unsigned i = 0; i < d->count; i++) {
		const Elf32_Phdr *ph = &d->from[i];

		if (ph->p_type == PT_LOAD && sh.sh_offset >= ph->p_offset &&
		    (u64)sh.sh_offset + sizeof(p) <= (u64)ph->p_offset + ph->p_filesz)
			return true;
	}
	return refuse(err, "%s: section %s was expected in a loadable segment", name,
		      PAYLOAD_SECTION);
}

/* Give every segment its place in the new file.  For a note that is one of
 * the loaded bytes too, a second copy is made: it costs a few bytes and the
 * builder does not care. */
static bool place_in_file(struct domain *d, struct err *err)
{
	u64 at = sizeof(Elf32_Ehdr) + d->count * sizeof(Elf32_Phdr);

	for (unsigned i = 0; i < d->count; i++) {
		if (d->from[i].p_type == PT_NOTE) {
			d->to[i] = d->from[i];
			d->to[i].p_offset = (u32)at;
			at = round_up(at + d->from[i].p_filesz, 4);
		}
	}
	for (unsigned i = 0; i < d->count; i++) {
		Elf32_Phdr *ph = &d->to[i];

		if (d->from[i].p_type == PT_NOTE)
			continue;
		if (d->from[i].p_type == PT_LOAD)
			*ph = d->from[i];
		at = round_up(at, PAGE_SIZE) + ph->p_vaddr % PAGE_SIZE;
		ph->p_offset = (u32)at;
		ph->p_align = PAGE_SIZE;
		at += ph->p_filesz;
	}
	d->size = at;
	if (at > UINT32_MAX)
		return refuse(err, "%s: the domain would have %llu bytes, less than 4 GB expected",
			      d->entry.file->name, (unsigned long long)at);
	return true;
}

static void write_headers(const struct domain *d)
{
	Elf32_Ehdr eh = d->entry.eh;

	eh.e_phoff = sizeof(eh);
	eh.e_phnum = (u16)d->count;
	eh.e_phentsize = sizeof(Elf32_Phdr);
	eh.e_shoff = 0;
	eh.e_shnum = 0;
	eh.e_shstrndx = SHN_UNDEF;
	blob_put(d->out, 0, &eh, sizeof(eh));
	blob_put(d->out, eh.e_phoff, d->to, d->count * sizeof(d->to[0]));
}

static void write_segments(const struct domain *d)
{
	for (unsigned i = 0; i < d->count; i++) {
		const Elf32_Phdr *from = &d->from[i], *to = &d->to[i];
		struct blob part = blob_part(d->entry.file, from->p_offset, from->p_filesz);

		blob_put(d->out, to->p_offset, part.p, part.n);
		if (from->p_type == PT_LOAD && d->payload_from >= from->p_offset &&
		    d->payload_from + sizeof(d->payload) <= from->p_offset + (u64)part.n)
			blob_put(d->out, to->p_offset + d->payload_from - from->p_offset,
				 &d->payload, sizeof(d->payload));
	}
}

static void write_part(const struct domain *d, struct payload_part part, const struct blob *b)
{
	const Elf32_Phdr *ph = &d->to[d->count - 1];

	if (b->n)
		blob_put(d->out, (u64)ph->p_offset + (part.addr - ph->p_vaddr), b->p, b->n);
}

static void write_payload(const struct domain *d)
{
	for (unsigned i = 0; i < ROM_BINDINGS; i++)
		write_part(d, d->payload.rom[i], &d->roms[i]);
	write_part(d, d->payload.kernel, d->kernel);
}

bool domain_wrap(const struct blob *rom, const struct blob *entry, const struct blob *kernel,
		 struct blob *out, struct err *err)
{
	struct domain d = {.kernel = kernel, .out = out};

	if (!rom_images(rom, d.roms, err) || !bzimage_check(kernel, err) ||
	    !elf_open(&d.entry, entry, err) || !take_segments(&d, err) || !find_payload(&d, err) ||
	    !place_payload(&d, err) || !place_in_file(&d, err) ||
	    !blob_alloc(out, entry->name, d.size, err))
		return false;
	write_headers(&d);
	write_segments(&d);
	write_payload(&d);
	return true;
}
