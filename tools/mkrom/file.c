/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in and out.  A result is written under a temporary name beside its
 * place and renamed when it is whole; an error or a signal on the way removes
 * it, so nobody finds half a file and an older result survives.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mkrom.h"

#define FILE_MAX (256u << 20) /* more than any kernel; keeps a device from filling memory */
#define TEMP_SUFFIX ".XXXXXX"

static const int deadly[] = {SIGINT, SIGTERM, SIGHUP};

/* The unfinished output, for the signal handler. */
static char temp_name[4096];
static volatile sig_atomic_t temp_exists;

static bool read_all(struct blob *b, FILE *f, struct err *err)
{
	size_t room = 0, got;

	do {
		if (b->n == room) {
			room = room ? 2 * room : 1 << 16;
			u8 *p = room <= 2 * (size_t)FILE_MAX ? realloc(b->p, room) : NULL;

			if (!p)
				return refuse(err, "%s: is too large, at most %u bytes expected",
					      b->name, FILE_MAX);
			b->p = p;
		}
		got = fread(b->p + b->n, 1, room - b->n, f);
		b->n += got;
	} while (got);
	if (ferror(f))
		return refuse(err, "%s: cannot be read: %s", b->name, strerror(errno));
	if (b->n > FILE_MAX)
		return refuse(err, "%s: is too large, at most %u bytes expected", b->name,
			      FILE_MAX);
	return true;
}

bool file_read(struct blob *b, const char *path, struct err *err)
{
	FILE *f = fopen(path, "rb");
	bool good;

	*b = (struct blob){.name = path};
	if (!f)
		return refuse(err, "%s: cannot be opened: %s", path, strerror(errno));
	good = read_all(b, f, err);
	fclose(f);
	if (!good)
		blob_free(b);
	return good;
}

static void on_signal(int sig)
{
	if (temp_exists)
		unlink(temp_name);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* What the caller ignores, as under nohup, stays ignored. */
static void catch_signals(struct sigaction *old)
{
	struct sigaction act = {.sa_handler = on_signal};

	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++) {
		sigaction(deadly[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(deadly[i], &act, NULL);
	}
}

static void release_signals(const struct sigaction *old)
{
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		sigaction(deadly[i], &old[i], NULL);
}

/* Signals wait while the name is made, so the handler sees all of it or none. */
static int make_temp(void)
{
	sigset_t all, before;
	int fd;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	fd = mkstemp(temp_name);
	temp_exists = fd >= 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return fd;
}

static bool write_all(int fd, const struct blob *b)
{
	for (size_t done = 0; done < b->n;) {
		ssize_t n = write(fd, b->p + done, b->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static bool write_and_rename(const char *path, const struct blob *b)
{
	mode_t mask = umask(0);
	int fd, why;
	bool good;

	umask(mask);
	fd = make_temp();
	if (fd < 0)
		return false;
	good = write_all(fd, b) && fchmod(fd, 0666 & ~mask) == 0;
	if (close(fd) != 0)
		good = false;
	if (good && rename(temp_name, path) == 0)
		return true;
	why = errno;
	unlink(temp_name);
	errno = why;
	return false;
}

bool file_write(const char *path, const struct blob *b, struct err *err)
{
	struct sigaction old[ARRAY_SIZE(deadly)];
	struct stat st;
	bool good;

	/* A rename would put a plain file in the place of, say, /dev/null. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return refuse(err, "%s: is not a plain file, which is all that mkrom writes", path);
	if (strlen(path) + sizeof(TEMP_SUFFIX) > sizeof(temp_name))
		return refuse(err, "%s: the name is too long", path);
	snprintf(temp_name, sizeof(temp_name), "%s%s", path, TEMP_SUFFIX);

	catch_signals(old);
	good = write_and_rename(path, b);
	if (!good)
		refuse(err, "%s: cannot be written: %s", path, strerror(errno));
	temp_exists = 0;
	release_signals(old);
	return good;
}
