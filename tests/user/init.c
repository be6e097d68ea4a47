/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first process of a Linux guest in our tests: mounts what programs
 * expect, runs one of them, says how it ended, and powers off.
 *
 * Which one is on the kernel's command line, of which Linux hands over what it
 * does not know itself: "run=/bin/NAME" (default /bin/main) as environment,
 * words without "=" as arguments; the program gets both.
 *
 * Kept true here: a program that dies or fails ends in a line
 * "guest: 0 passed, 1 failed", from which tools/host/run takes its exit code.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

/* ACPI's S5 on QEMU's PC, and on the ROM's: for kernels without ACPI. */
#define PM1A_CNT 0x604
#define SLP_EN 0x2000

static void mounted(const char *type, const char *where)
{
	if (mount(type, where, type, 0, NULL))
		printf("init: mount %s: %s\n", where, strerror(errno));
}

/* The first line of a file that starts so. */
static void show(const char *path, const char *start)
{
	char line[256];
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, start, strlen(start))) {
			printf("init: %s", line);
			break;
		}
	}
	if (file)
		fclose(file);
}

/* The kernel's build ID, which bench/kernel.py makes use of. */
static void show_build_id(void)
{
	unsigned char note[4096];
	FILE *file = fopen("/sys/kernel/notes", "r");
	size_t size = file ? fread(note, 1, sizeof(note), file) : 0;

	for (size_t i = 0; i + 36 <= size; i += 4) {
		/* name size 4, length 20, type 3, name "GNU" */
		if (memcmp(note + i, "\4\0\0\0\24\0\0\0\3\0\0\0GNU", 16))
			continue;
		printf("init: build ID ");
		for (unsigned j = 16; j < 36; j++)
			printf("%02x", note[i + j]);
		printf("\n");
		break;
	}
	if (file)
		fclose(file);
}

/* True when it ended by exit(0). */
static int run(const char *program, char **argv)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		execv(program, argv);
		printf("init: %s: %s\n", program, strerror(errno));
		fflush(stdout);
		_exit(127);
	}
	if (child < 0) {
		printf("init: fork: %s\n", strerror(errno));
		return 0;
	}
	/* Orphans are buried on the way. */
	for (pid_t ended = 0; ended != child;) {
		ended = wait(&status);
		if (ended < 0 && errno != EINTR)
			return 0;
	}
	if (WIFSIGNALED(status))
		printf("init: %s was killed by signal %d\n", program, WTERMSIG(status));
	else
		printf("init: %s exited with %d\n", program, WEXITSTATUS(status));
	return status == 0;
}

static void power_off(void)
{
	fflush(stdout);
	sync();
	usleep(100000); /* for the console */
	/* A PV guest of Xen's may not: its child dies of it, and reboot() is heard. */
	if (fork() == 0) {
		if (iopl(3) == 0)
			outw(SLP_EN, PM1A_CNT);
		_exit(0);
	}
	wait(NULL);
	reboot(RB_POWER_OFF);
}

int main(int argc, char **argv)
{
	const char *program = getenv("run");
	unsigned long long born = __builtin_ia32_rdtsc();
	struct utsname host;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 1024);
	mounted("proc", "/proc");
	mounted("sysfs", "/sys");
	mounted("tmpfs", "/tmp");
	uname(&host);
	printf("init: %s %s %s\n", host.sysname, host.release, host.version);
	printf("init: started at TSC %llx\n", born);
	show_build_id();
	show("/proc/cmdline", "");
	show("/proc/meminfo", "MemTotal");
	if (!program)
		program = "/bin/main";
	argv[0] = (char *)program;
	setenv("PATH", "/bin", 1);
	if (!run(program, argv))
		printf("guest: 0 passed, 1 failed\n");
	power_off();
	for (;;)
		pause();
}
