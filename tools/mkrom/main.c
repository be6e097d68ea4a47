/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkrom: link, join, check and inspect a VMI ROM, and wrap it with a guest's
 * kernel into a file that Xen starts.
 *
 * Exit status: 0 done, 1 the input was refused or a check failed, 2 the
 * command line was wrong.
 */
#include <string.h>

#include "mkrom.h"

#define BIT(o) (1u << (o))

static const struct command commands[] = {
	{"link", "ROM.ELF [--second OTHER.ELF] -o VMI.ROM", true, BIT(OPT_OUT), BIT(OPT_SECOND),
	 cmd_link},
	{"join", "ONE.ROM --with OTHER.ROM -o VMI.ROM", true, BIT(OPT_OUT) | BIT(OPT_WITH), 0,
	 cmd_join},
	{"check", "VMI.ROM", true, 0, 0, cmd_check},
	{"inspect", "[--json] VMI.ROM", true, 0, BIT(OPT_JSON), cmd_inspect},
	{"wrap", "--rom VMI.ROM --entry ENTRY.ELF --kernel BZIMAGE -o DOMAIN.ELF", false,
	 BIT(OPT_ROM) | BIT(OPT_ENTRY) | BIT(OPT_KERNEL) | BIT(OPT_OUT), 0, cmd_wrap},
};

static void usage(FILE *f)
{
	fputs("usage:\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  mkrom %s %s\n", commands[i].name, commands[i].usage);
	fputs("  mkrom help\n"
	      "  mkrom version\n",
	      f);
}

/* Is one of the words that ask for help among the arguments? */
static bool asks_for_help(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return true;
	}
	return false;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct args args;
	struct err err = {""};

	if (asks_for_help(argc, argv)) {
		printf("usage: mkrom %s %s\n", cmd->name, cmd->usage);
		return 0;
	}
	if (!args_parse(cmd, argc, argv, &args, &err)) {
		fprintf(stderr, "mkrom: %s\n", err.text);
		return 2;
	}
	return cmd->run(&args, stdout, stderr);
}

static int help(void)
{
	usage(stdout);
	return 0;
}

static int version(void)
{
	printf("mkrom %d.%d\n", VMIXEN_MAJOR, VMIXEN_MINOR);
	return 0;
}

/* What is no work on files. */
static const struct {
	const char *name, *option;
	int (*run)(void);
} others[] = {{"help", "--help", help}, {"help", "-h", help}, {"version", "--version", version}};

static int choose(int argc, char **argv)
{
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return run(&commands[i], argc - 2, argv + 2);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (strcmp(argv[1], others[i].name) == 0 || strcmp(argv[1], others[i].option) == 0)
			return others[i].run();
	}
	refuse(&err, "%s: unknown command", argv[1]);
	fprintf(stderr, "mkrom: %s\n", err.text);
	usage(stderr);
	return 2;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	status = choose(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("mkrom: standard output: cannot be written\n", stderr);
		return 1;
	}
	return status;
}
