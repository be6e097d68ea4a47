/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkrom's command line and its files: options, exit status, and that nobody
 * ever finds half an output.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "mkrom_make.h"

static struct err err;
static char dir[64];

/* What the next write() does instead; it stands in for the C library's. */
static enum { WRITE_WHOLE, WRITE_FAILS, WRITE_INTERRUPTED } mode;

ssize_t write(int fd, const void *p, size_t n)
{
	if (mode == WRITE_FAILS) {
		errno = ENOSPC;
		return -1;
	}
	if (mode == WRITE_INTERRUPTED) {
		syscall(SYS_write, fd, p, n / 2);
		raise(SIGINT);
	}
	return syscall(SYS_write, fd, p, n);
}

static char *path_of(const char *name)
{
	static char paths[16][128];
	static unsigned next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void put_file(const char *name, struct blob b)
{
	if (!file_write(path_of(name), &b, &err))
		fail_msg("%s", err.text);
	blob_free(&b);
}

static unsigned files_in_dir(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/mkrom-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	(void)state;
	mode = WRITE_WHOLE;
	while ((e = readdir(d)))
		unlink(path_of(e->d_name));
	closedir(d);
	return rmdir(dir);
}

static int quiet(int (*run)(const struct args *, FILE *, FILE *), const struct args *args,
		 char *said, size_t size)
{
	FILE *f = fmemopen(said, size, "w");
	int status = run(args, f, f);

	fclose(f);
	return status;
}

static const struct command wrapper = {"try", "USAGE", true, 1u << OPT_OUT, 1u << OPT_JSON, NULL};

static void options_are_taken_in_any_order(void **state)
{
	char *argv[] = {"--json", "rom", "-o", "out"}, *turned[] = {"-o", "out", "rom"};
	struct args args;

	(void)state;
	assert_true(args_parse(&wrapper, 4, argv, &args, &err));
	assert_string_equal(args.file, "rom");
	assert_string_equal(args.opt[OPT_OUT], "out");
	assert_non_null(args.opt[OPT_JSON]);
	assert_true(args_parse(&wrapper, 3, turned, &args, &err));
	assert_string_equal(args.file, "rom");
	assert_null(args.opt[OPT_JSON]);
}

static void wrong_command_lines_are_refused_with_the_usage(void **state)
{
	static const struct {
		int argc;
		char *argv[5];
		const char *words;
	} cases[] = {
		{0, {NULL}, "-o: is missing, expected: mkrom try USAGE"},
		{2, {"-o", "out"}, "a file name is missing"},
		{1, {"-o"}, "-o: has no value"},
		{4, {"rom", "more", "-o", "out"}, "more: is one argument too many"},
		{3, {"rom", "--rom", "x"}, "--rom: unknown option"},
		{3, {"rom", "-x", "x"}, "-x: unknown option"},
		{5, {"rom", "-o", "a", "-o", "b"}, "-o: is given twice"},
	};
	struct args args;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[5];

		memcpy(argv, cases[i].argv, sizeof(argv));
		assert_false(args_parse(&wrapper, cases[i].argc, argv, &args, &err));
		if (!strstr(err.text, cases[i].words))
			fail_msg("%s", err.text);
	}
}

static void link_prints_the_bytes_used_and_left(void **state)
{
	struct args args = {.opt = {[OPT_OUT] = path_of("vmi.rom"), [OPT_SECOND] = path_of("b")},
			    .file = path_of("a")};
	char said[512] = "", want[256];
	struct blob rom, made = make_rom();

	(void)state;
	put_file("a", make_rom_elf(0, NULL));
	put_file("b", make_rom_elf(0x1000, NULL));
	assert_int_equal(quiet(cmd_link, &args, said, sizeof(said)), 0);
	snprintf(want, sizeof(want), "%s: 5888 bytes used, 124672 left of 130560\n",
		 args.opt[OPT_OUT]);
	assert_string_equal(said, want);
	assert_true(file_read(&rom, args.opt[OPT_OUT], &err));
	assert_int_equal(rom.n, made.n);
	assert_memory_equal(rom.p, made.p, made.n);
	assert_int_equal(files_in_dir(), 3);
	blob_free(&made);
	blob_free(&rom);
}

static void link_and_wrap_say_what_each_part_uses(void **state)
{
	struct args args = {.opt = {[OPT_OUT] = path_of("vmi.rom")}, .file = path_of("a")};
	struct args more = {.opt = {[OPT_OUT] = path_of("domain.elf"),
				    [OPT_ROM] = args.opt[OPT_OUT],
				    [OPT_ENTRY] = path_of("entry.elf"),
				    [OPT_KERNEL] = path_of("bzImage")}};
	static const char parts[] = "/vmi.rom: first part 4928 bytes used, 125632 left of 130560; "
				    "body 768 bytes used, 387328 left of 388096\n";
	static const char part[] = "\nPV image: first part 4928 bytes used";
	static const char missing[] =
		"/domain.elf: does not run as PVH domains (type=\"pvh\"), for "
		"which ";
	char said[1024] = "";

	(void)state;
	put_file("a", make_parts_elf(0, NULL));
	put_file("entry.elf", make_entry());
	put_file("bzImage", make_kernel(0x0204));
	assert_int_equal(quiet(cmd_link, &args, said, sizeof(said)), 0);
	assert_non_null(strstr(said, parts));
	memset(said, 0, sizeof(said));
	assert_int_equal(quiet(cmd_wrap, &more, said, sizeof(said)), 0);
	assert_non_null(strstr(said, part));
	assert_non_null(strstr(said, missing));
	put_file("vmi.rom", make_chain());
	memset(said, 0, sizeof(said));
	assert_int_equal(quiet(cmd_wrap, &more, said, sizeof(said)), 0);
	assert_non_null(strstr(said, part));
	assert_non_null(strstr(said, "\nPVH image: first part 4928 bytes used"));
	assert_null(strstr(said, "does not run"));
}

static void join_writes_one_file_or_leaves_it_alone(void **state)
{
	struct args args = {.opt = {[OPT_OUT] = path_of("vmi.rom"), [OPT_WITH] = path_of("b")},
			    .file = path_of("a")};
	struct blob want = make_chain(), got;
	char said[512] = "";

	(void)state;
	put_file("a", make_parts_of(ROM_PVH));
	put_file("b", make_parts_of(ROM_PV));
	assert_int_equal(quiet(cmd_join, &args, said, sizeof(said)), 0);
	assert_non_null(strstr(said, "/vmi.rom: 12288 bytes\n"));
	assert_true(file_read(&got, args.opt[OPT_OUT], &err));
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
	blob_free(&got);
	put_file("b", make_parts_of(ROM_PVH));
	assert_int_equal(quiet(cmd_join, &args, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "/b: has an image for PVH domains, as "));
	assert_true(file_read(&got, args.opt[OPT_OUT], &err));
	assert_int_equal(got.n, want.n);
	blob_free(&got);
	blob_free(&want);
}

static void check_tells_by_its_exit_status(void **state)
{
	struct args args = {.file = path_of("vmi.rom")};
	static char said[16384];
	struct blob rom = make_rom();

	(void)state;
	put_file("vmi.rom", make_rom());
	assert_int_equal(quiet(cmd_check, &args, said, sizeof(said)), 0);
	rom.p[7]++;
	put_file("vmi.rom", rom);
	assert_int_equal(quiet(cmd_check, &args, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "vmi.rom: 1 check failed"));
}

static void wrap_and_inspect_work_on_files(void **state)
{
	struct args args = {.opt = {[OPT_OUT] = path_of("domain.elf"),
				    [OPT_ROM] = path_of("vmi.rom"),
				    [OPT_ENTRY] = path_of("entry.elf"),
				    [OPT_KERNEL] = path_of("bzImage")}};
	struct args what = {.file = args.opt[OPT_ROM]};
	static char said[65536];

	(void)state;
	put_file("vmi.rom", make_rom());
	put_file("entry.elf", make_entry());
	put_file("bzImage", make_kernel(0x0204));
	assert_int_equal(quiet(cmd_wrap, &args, said, sizeof(said)), 0);
	assert_int_equal(quiet(cmd_inspect, &what, said, sizeof(said)), 0);
	what.file = args.opt[OPT_KERNEL];
	assert_int_equal(quiet(cmd_inspect, &what, said, sizeof(said)), 1);
}

static void refused_input_leaves_the_old_output_alone(void **state)
{
	struct args args = {.opt = {[OPT_OUT] = path_of("vmi.rom")}, .file = path_of("a")};
	struct blob rom;
	char said[512];

	(void)state;
	put_file("vmi.rom", make_rom());
	put_file("a", make_kernel(0x0204));
	assert_int_equal(quiet(cmd_link, &args, said, sizeof(said)), 1);
	assert_true(file_read(&rom, path_of("vmi.rom"), &err));
	assert_int_equal(rom.n, FAKE_PADDED);
	assert_int_equal(files_in_dir(), 2);
	blob_free(&rom);
}

static void missing_and_unreadable_files_are_named(void **state)
{
	struct args args = {.file = path_of("none")};
	char said[512] = "";

	(void)state;
	assert_int_equal(quiet(cmd_check, &args, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "none: cannot be opened: No such file"));
	args.file = dir;
	assert_int_equal(quiet(cmd_check, &args, said, sizeof(said)), 1);
	assert_non_null(strstr(said, "cannot be read: Is a directory"));
}

static void output_that_cannot_be_written_leaves_nothing(void **state)
{
	struct blob b = make_kernel(0x0204);

	(void)state;
	mode = WRITE_FAILS;
	assert_false(file_write(path_of("out"), &b, &err));
	assert_non_null(strstr(err.text, "out: cannot be written: No space left"));
	assert_int_equal(files_in_dir(), 0);
	assert_false(file_write("/nowhere/at/all", &b, &err));
	assert_false(file_write("/dev/null", &b, &err));
	assert_non_null(strstr(err.text, "/dev/null: is not a plain file"));
	blob_free(&b);
}

/* The child dies of the signal in the middle of writing. */
static void interrupted_output_leaves_nothing(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct blob b = make_kernel(0x0204);

		signal(SIGINT, SIG_DFL); /* a job in the background ignores it */
		mode = WRITE_INTERRUPTED;
		file_write(path_of("out"), &b, &err);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_int_equal(files_in_dir(), 0);
}

static void output_has_the_callers_usual_permissions(void **state)
{
	struct stat st;
	mode_t mask = umask(027);

	(void)state;
	put_file("out", make_rom());
	umask(mask);
	assert_int_equal(stat(path_of("out"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
}

#define in_dir(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken_in_any_order),
		cmocka_unit_test(wrong_command_lines_are_refused_with_the_usage),
		in_dir(link_prints_the_bytes_used_and_left),
		in_dir(link_and_wrap_say_what_each_part_uses),
		in_dir(join_writes_one_file_or_leaves_it_alone),
		in_dir(check_tells_by_its_exit_status),
		in_dir(wrap_and_inspect_work_on_files),
		in_dir(refused_input_leaves_the_old_output_alone),
		in_dir(missing_and_unreadable_files_are_named),
		in_dir(output_that_cannot_be_written_leaves_nothing),
		in_dir(interrupted_output_leaves_nothing),
		in_dir(output_has_the_callers_usual_permissions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
