/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads of many small things, as programs are: a shell script, in which nearly
 * all is process creation, and something like a build, in which processes
 * read, fault memory in, and write.
 */
#include "bench.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>

static const char *const environment[] = {"PATH=/bin", NULL};

static void exec_script(void)
{
	/* 8 external commands, a pipeline, 2 substitutions, some builtins. */
	static const char script[] =
		"i=0; cd /tmp; mkdir -p d\n"
		"while [ $i -lt 4 ]; do\n"
		"  name=$(uname -s); cat /bin/hello > d/$name$i; true\n"
		"  i=$((i + 1))\n"
		"done\n"
		"n=$(ls d | cat)\n"
		"for f in $n; do case $f in *3) ln -s $f d/link; true;; esac; done\n"
		"mv d/link d/other; nuke d\n";
	static const char *const argv[] = {"sh", "-c", script, NULL};

	sys3(SYS_execve, (long)"/bin/sh", (long)argv, (long)environment);
	sys1(SYS_exit, 1);
}

static void script(u32 ops)
{
	while (ops--)
		MUST(sys_join(sys_fork(exec_script)));
}

/*
 * A compiler-like process: after exec (of ourselves would be large; the work
 * is done in the child) it reads its input, grows its heap page by page in
 * steps of 128 KB up to 2 MB, and writes a file.
 */
static void compile(void)
{
	static char text[16384];
	char *heap[16];
	int in = (int)sys2(SYS_open, "/bin/main", O_RDONLY), out;

	MUST(in >= 0);
	while (sys_read(in, text, sizeof(text)) > 0)
		;
	sys1(SYS_close, in);
	for (u32 i = 0; i < 16; i++) {
		heap[i] = sys_mmap(131072, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		MUST(!sys_failed(heap[i]));
		for (u32 j = 0; j < 131072; j += 4096)
			((volatile char *)heap[i])[j] = (char)j;
	}
	for (u32 i = 0; i < 16; i += 2)
		sys_munmap(heap[i], 131072);
	out = (int)sys3(SYS_open, (long)"/tmp/object", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	MUST(out >= 0);
	sys_write(out, text, sizeof(text));
	sys1(SYS_close, out);
	sys1(SYS_execve, 0); /* fails, as a search along PATH does */
}

static void build(u32 ops)
{
	while (ops--) {
		MUST(sys_join(sys_fork(compile)));
		sys1(SYS_unlink, "/tmp/object");
	}
}

const struct bench macro_rows[] = {
	{"shell script", NULL, 5, 1, script, NULL, NULL, NULL},
	{"compiler-like process", NULL, 5, 4, build, NULL, NULL, NULL},
	{0},
};
