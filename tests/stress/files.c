/* SPDX-License-Identifier: GPL-2.0-only */
/* Loads file and memory: what fills a tmpfs, and all of memory. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define FILES 16u
#define BLOCKS 24u /* pages of a file at most */
#define STEPS 120u

struct file {
	char name[64]; /* empty: none */
	u32 blocks;
	u32 seed[BLOCKS];
};

static struct file file[FILES];
static u32 names;

static int open_file(const struct file *f, int flags)
{
	int fd = open(f->name, flags, 0600);

	CHECK(fd >= 0, "file: %s: %s", f->name, strerror(errno));
	return fd;
}

static void new_name(struct file *f)
{
	snprintf(f->name, sizeof(f->name), WORK "/file-%d-%u", (int)getpid(), names++);
}

static void put_blocks(struct file *f, struct rng *r)
{
	int fd = open_file(f, O_RDWR);
	u32 block[PAGE_SIZE / 4];

	for (u32 n = 0; n < 6; n++) {
		u32 i = below(r, BLOCKS);

		f->seed[i] = rnd(r);
		fill(block, PAGE, f->seed[i]);
		CHECK(pwrite(fd, block, PAGE, (off_t)(i * PAGE)) == (ssize_t)PAGE,
		      "file: pwrite: %s", strerror(errno));
		for (u32 hole = f->blocks; hole < i; hole++)
			f->seed[hole] = 0;
		if (f->blocks < i + 1)
			f->blocks = i + 1;
	}
	close(fd);
}

static void check_file(const struct file *f)
{
	u32 block[PAGE_SIZE / 4];
	int fd = open_file(f, O_RDONLY);

	for (u32 i = 0; i < f->blocks; i++) {
		CHECK(read_all(fd, block, PAGE) == PAGE, "file: %s is short", f->name);
		verify(block, PAGE, f->seed[i], "file: read");
	}
	CHECK(read_all(fd, block, 1) == 0, "file: %s is too long", f->name);
	close(fd);
}

/* Changes blocks through one mapping, looks at all through another. */
static void map_file(struct file *f, struct rng *r)
{
	int fd = open_file(f, O_RDWR);
	u8 *rw, *ro;

	if (!f->blocks) {
		close(fd);
		return;
	}
	rw = mmap(NULL, f->blocks * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ro = mmap(NULL, f->blocks * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(rw != MAP_FAILED && ro != MAP_FAILED, "file: mmap: %s", strerror(errno));
	close(fd);
	for (u32 n = 0; n < 3; n++) {
		u32 i = below(r, f->blocks);

		f->seed[i] = rnd(r);
		fill(rw + i * PAGE, PAGE, f->seed[i]);
	}
	for (u32 i = 0; i < f->blocks; i++)
		verify(ro + i * PAGE, PAGE, f->seed[i], "file: mapped");
	munmap(rw, f->blocks * PAGE);
	munmap(ro, f->blocks * PAGE);
}

static void cut(struct file *f, struct rng *r)
{
	u32 blocks = below(r, BLOCKS + 1);

	CHECK(truncate(f->name, (off_t)(blocks * PAGE)) == 0, "file: truncate: %s",
	      strerror(errno));
	for (u32 i = f->blocks; i < blocks; i++)
		f->seed[i] = 0;
	f->blocks = blocks;
}

static void give_name(struct file *f)
{
	char old[sizeof(f->name)];

	memcpy(old, f->name, sizeof(old));
	new_name(f);
	CHECK(rename(old, f->name) == 0, "file: rename: %s", strerror(errno));
	CHECK(access(old, F_OK) == -1 && errno == ENOENT, "file: the old name is still there");
}

static void drop(struct file *f)
{
	check_file(f);
	CHECK(unlink(f->name) == 0, "file: unlink: %s", strerror(errno));
	f->name[0] = 0;
}

static void step(struct file *f, struct rng *r)
{
	switch (below(r, 8)) {
	case 0:
		cut(f, r);
		break;
	case 1:
		give_name(f);
		break;
	case 2:
		drop(f);
		break;
	case 3:
	case 4:
		map_file(f, r);
		break;
	case 5:
		check_file(f);
		break;
	default:
		put_blocks(f, r);
	}
}

void load_file(struct rng *r)
{
	for (u32 i = 0; i < STEPS; i++) {
		struct file *f = &file[below(r, FILES)];

		if (f->name[0]) {
			step(f, r);
		} else {
			new_name(f);
			f->blocks = 0;
			close(open_file(f, O_RDWR | O_CREAT | O_EXCL));
		}
	}
	for (u32 i = 0; i < FILES; i++)
		if (file[i].name[0])
			drop(&file[i]);
}

/* Reading RAM disks fills the page cache with what the kernel may drop again. */
#define DISKS 4u
#define DISK_MAX (4u << 20)
#define DISK_WRITTEN (256 * 1024u) /* of each; the rest reads as zeros */

static int disk[DISKS];
static u32 disks;

static void open_disks(u32 seed)
{
	static u8 block[DISK_WRITTEN];
	char name[64];

	for (; disks < DISKS; disks++) {
		snprintf(name, sizeof(name), WORK "/disk-%u", disks);
		if (mknod(name, S_IFBLK | 0600, makedev(1, disks)) && errno != EEXIST)
			return;
		disk[disks] = open(name, O_RDWR);
		if (disk[disks] < 0)
			return;
		fill(block, sizeof(block), mix(seed, disks));
		write_all(disk[disks], block, sizeof(block));
		fsync(disk[disks]);
	}
}

static void read_disks(u32 seed)
{
	static u8 block[DISK_WRITTEN];

	for (u32 i = 0; i < disks; i++) {
		CHECK(lseek(disk[i], 0, SEEK_SET) == 0, "memory: lseek: %s", strerror(errno));
		for (u32 at = 0; at < DISK_MAX; at += DISK_WRITTEN) {
			size_t n = read_all(disk[i], block, sizeof(block));

			verify(block, n, at ? 0 : mix(seed, i), "memory: RAM disk");
			if (n < sizeof(block))
				break;
		}
	}
}

static u32 meminfo_kb(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? (u32)strtoul(at + strlen(name), NULL, 10) : 0;
}

/* What can be had before processes would have to be killed. */
static u32 to_be_had_kb(void)
{
	char text[512] = "";
	int fd = open("/proc/meminfo", O_RDONLY);

	if (fd >= 0) {
		read_all(fd, text, sizeof(text) - 1);
		close(fd);
	}
	return meminfo_kb(text, "MemFree:") + meminfo_kb(text, "Buffers:");
}

/* Names that are nowhere leave entries in caches, too. */
static void litter(u32 seed)
{
	char name[64];

	for (u32 i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), WORK "/none-%08x", mix(seed, i));
		CHECK(access(name, F_OK) == -1, "memory: %s is there", name);
	}
}

#define LEFT_KB 14336u /* for the other loads */
#define PIECE (64 * PAGE)
#define PIECES 2048u

/* Half of it in pages of its own, half in a file; disks are read in between, so
 * that there is nearly nothing free and much to reclaim. */
static noreturn void eat(u32 seed, u32 disk_seed)
{
	static u8 *piece[PIECES];
	char name[64];
	u32 count = 0;
	int fd;

	snprintf(name, sizeof(name), WORK "/eat-%d", (int)getpid());
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0, "memory: %s: %s", name, strerror(errno));
	unlink(name);
	for (; count < PIECES && to_be_had_kb() > LEFT_KB; count++) {
		bool in_file = count & 1;

		litter(mix(seed, count));
		if (in_file && ftruncate(fd, (off_t)((count / 2 + 1) * PIECE)))
			break;
		piece[count] = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
				    in_file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS,
				    in_file ? fd : -1, in_file ? (off_t)(count / 2 * PIECE) : 0);
		if (piece[count] == MAP_FAILED)
			break;
		fill(piece[count], PIECE, mix(seed, count));
		if (count % 32 == 0)
			read_disks(disk_seed);
	}
	read_disks(disk_seed);
	for (u32 i = 0; i < count; i++)
		verify(piece[i], PIECE, mix(seed, i), "memory");
	_exit(8);
}

void load_memory(struct rng *r)
{
	static u32 disk_seed;
	u32 seed = rnd(r);
	pid_t child;

	if (!disk_seed) {
		disk_seed = seed;
		open_disks(disk_seed);
	}
	child = spawn();
	if (!child)
		eat(seed, disk_seed);
	reap(child, 8, "memory");
	usleep(below(r, 1000000));
}
