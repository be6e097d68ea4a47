/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mkrom's files share, grouped by the file it lives in.
 *
 * Every byte that mkrom reads comes from somebody else, so nothing is read
 * but through a blob, whose functions know the blob's end.  A function that
 * can refuse its input returns false and has put one sentence into *err:
 * "file: what is wrong, what was expected".
 */
#ifndef MKROM_H
#define MKROM_H

#include <elf.h>
#include <stdio.h>

#include "base.h"  // u8 ... u64
#include "image.h" // the ROM's layout
#include "layout.h"

/* An image of two parts is mapped there, and nothing follows. */
#define IMAGE_MAX ((u32)WIN_TEXT_PAGES * PAGE_SIZE)

/* blob.c: bytes with a name and an end */
struct blob {
	const char *name; /* for messages: the file's name */
	u8 *p;
	size_t n;
};

struct err {
	char text[512];
};

/* Copies text for a terminal: bytes that are no ASCII letter or sign become \xNN.
 * What has no room in size bytes is left out. */
void escape(char *to, size_t size, const char *from);
/* Always false, so that a refusal is one statement; what it quotes is escaped. */
bool refuse(struct err *err, const char *fmt, ...) printf_like(2, 3);
bool blob_has(const struct blob *b, u64 off, u64 len);
/* Copy len bytes at off to out; false, and nothing copied, when they are not all there. */
bool blob_get(const struct blob *b, u64 off, void *out, size_t len);
bool blob_put(struct blob *b, u64 off, const void *in, size_t len);
/* The NUL-ended string at off, NULL when it does not end inside the blob. */
const char *blob_str(const struct blob *b, u64 off);
/* A view of at most len bytes at off; it must not be freed. */
struct blob blob_part(const struct blob *b, u64 off, u64 len);
/* The sum of len bytes at off modulo 256; bytes beyond the end count as 0. */
u8 blob_sum(const struct blob *b, u64 off, u64 len);
bool blob_alloc(struct blob *b, const char *name, u64 n, struct err *err);
void blob_free(struct blob *b);

/* file.c: files in, files out, never half a file */
bool file_read(struct blob *b, const char *path, struct err *err);
bool file_write(const char *path, const struct blob *b, struct err *err);

/* calls.c: rom/calls.def */
struct call {
	s16 id;	  /* API 3.0 number or -1 */
	s16 slot; /* API 13.x slot or -1 */
	const char *name;
	u8 kind, how; /* enum rom_kind, enum rom_how */
	const char *registers;
};

extern const struct call calls[];
extern const size_t call_count;
/* The call with that number, or, where id is -1, with that slot; NULL: none. */
const struct call *call_find(s16 id, s16 slot);
const char *call_kind_name(u8 kind);
const char *call_how_name(u8 how);

/* elf.c: a static i386 executable */
struct elf {
	const struct blob *file;
	Elf32_Ehdr eh;
};

/* After true every header, section and segment lies inside the file. */
bool elf_open(struct elf *e, const struct blob *file, struct err *err);
Elf32_Phdr elf_phdr(const struct elf *e, unsigned i);
Elf32_Shdr elf_shdr(const struct elf *e, unsigned i);
/* Never NULL: a broken name reads as "(unnamed)". */
const char *elf_section_name(const struct elf *e, const Elf32_Shdr *sh);
bool elf_find_section(const struct elf *e, const char *name, Elf32_Shdr *out);
bool elf_no_undefined(const struct elf *e, struct err *err);
/* The symbol that addr belongs to and the distance from it; NULL: none. */
const char *elf_symbol_at(const struct elf *e, u32 addr, u32 *distance);

/* link.c, finish.c: from the linker's output to an image */
struct link_result {
	struct blob rom; /* padded and summed; free with blob_free */
	u32 used;	 /* bytes before the padding */
	u32 first;	 /* of them in the first part; 0: there is no other */
};

/* second may be NULL; otherwise it is the same ROM linked elsewhere and must
 * give the same bytes. */
bool rom_link(const struct blob *first, const struct blob *second, struct link_result *out,
	      struct err *err);
/* Say in its PCI headers whether an image of rom_finish() is the last of a file. */
bool rom_set_last(struct blob *rom, bool last, struct err *err);
/* Fill lengths, ext_end and checksums of an image whose padding is in place; its
 * header says whether it has two parts. */
bool rom_finish(struct blob *rom, u32 used, struct err *err);

/* view.c: an image as a guest finds it */
struct rom_view {
	size_t base;	   /* where the header stands in the file */
	struct blob all;   /* from the header to the file's end */
	struct blob in;	   /* from the header on, as far as its length says */
	struct blob image; /* the same, and the body behind it where there is one */
	struct rom_header h;
};

/* Is there a header of a VMI ROM at base? */
bool rom_is_header(const struct blob *rom, size_t base);
/* False when the file ends before the header does. */
bool rom_view(const struct blob *rom, size_t base, struct rom_view *v);
/* How many bytes the option ROM at base has by its header, VMI's or another's, with
 * the body of one that has two parts; 0: there is none, or it does not end inside
 * the file. */
size_t rom_image_size(const struct blob *rom, size_t base);
/* Moves *at over images by others to one with a VMI header at its start; false:
 * none follows. */
bool rom_next_image(const struct blob *file, size_t *at);
/* The next VMI header at a 2 KB boundary from *base on. */
bool rom_next_header(const struct blob *rom, size_t *base);
bool rom_has_ext(const struct rom_view *v);
/* How many bytes the first of two parts has; 0: the image is one part. */
size_t rom_first_size(const struct rom_view *v);
/* What an image's ext_binding is called; NULL: it is none. */
const char *rom_binding_name(u32 binding);
/* One line: bytes used and left, of each part. */
void rom_say_parts(FILE *out, const char *name, u32 used, u32 first);
/* Row i of the image's own call table; false: not there. */
bool rom_ext_row(const struct rom_view *v, unsigned i, struct rom_call *row);

/* chain.c: a file of several images, one behind the other */
/* Views of vmixen's images in a file, that of a binding at [binding - 1]; no bytes: there
 * is none.  A file that does not pass mkrom check, or has an image by others, is refused. */
bool rom_images(const struct blob *file, struct blob images[ROM_BINDINGS], struct err *err);
/* One file of the images of two, each binding once, PV first. */
bool rom_join(const struct blob *a, const struct blob *b, struct blob *out, struct err *err);

/* check.c, checkext.c, checkparts.c */
enum verdict { CHECK_OK, CHECK_WARNING, CHECK_FAILED };

struct checker {
	FILE *out;	   /* NULL: count only */
	struct err *first; /* NULL, or where the first failure goes */
	struct blob rom;   /* the image that is looked at */
	size_t seen;	   /* bytes of it that a guest finds: all, or the first part */
	struct blob rest;  /* the file from the image's start on */
	size_t at;	   /* where that is in the file */
	struct rom_view v; /* one of the image's headers */
	bool ours;	   /* the image is vmixen's */
	unsigned bindings; /* of the images so far, a bit for each */
	unsigned failed;
};

void check_row(struct checker *c, enum verdict verdict, const char *name, const char *expected,
	       const char *found, ...) printf_like(5, 6);
void check_ext(struct checker *c);
void check_parts(struct checker *c);
/* How many checks failed.  first, when not NULL, gets the first failure. */
unsigned rom_check(const struct blob *rom, FILE *out, struct err *first);

/* reach.c */
/* Does nothing that a guest runs where it found the image leave its first part, but
 * by an address of the window?  *err says what does. */
bool rom_keeps_apart(const struct rom_view *v, struct err *err);

/* doc.c: one walk, written as JSON or as indented text */
struct doc {
	FILE *f;
	bool json;
	unsigned depth;
	bool more; /* something stands before in this list or object */
};

/* The whole document is one object: doc_start ... doc_close(d, '}'). */
void doc_start(struct doc *d);
void doc_open(struct doc *d, const char *key, char bracket);
/* An object in a list; the title is for the text. */
void doc_item(struct doc *d, const char *title);
void doc_close(struct doc *d, char bracket);
void doc_str(struct doc *d, const char *key, const char *s);
void doc_num(struct doc *d, const char *key, s64 n);
/* A number, shown in hexadecimal where the format can. */
void doc_hex(struct doc *d, const char *key, u32 n);
void doc_bool(struct doc *d, const char *key, bool b);
void doc_null(struct doc *d, const char *key);

/* inspect.c */
bool rom_inspect(const struct blob *rom, bool json, FILE *out, struct err *err);

/* bzimage.c */
bool bzimage_check(const struct blob *kernel, struct err *err);

/* wrap.c */
bool domain_wrap(const struct blob *rom, const struct blob *entry, const struct blob *kernel,
		 struct blob *out, struct err *err);

/* args.c */
enum opt { OPT_OUT, OPT_SECOND, OPT_WITH, OPT_JSON, OPT_ROM, OPT_ENTRY, OPT_KERNEL, OPT_COUNT };

struct args {
	const char *opt[OPT_COUNT]; /* NULL where not given */
	const char *file;
};

struct command {
	const char *name;
	const char *usage;
	bool file;	    /* takes one file name */
	unsigned must, may; /* bits of enum opt */
	int (*run)(const struct args *args, FILE *out, FILE *errors);
};

bool args_parse(const struct command *cmd, int argc, char **argv, struct args *args,
		struct err *err);

/* cmd.c: the commands; the exit status is returned */
int cmd_link(const struct args *args, FILE *out, FILE *errors);
int cmd_join(const struct args *args, FILE *out, FILE *errors);
int cmd_check(const struct args *args, FILE *out, FILE *errors);
int cmd_inspect(const struct args *args, FILE *out, FILE *errors);
int cmd_wrap(const struct args *args, FILE *out, FILE *errors);

#endif
