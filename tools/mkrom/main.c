/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mkrom: link, check and inspect a VMI ROM, and wrap it with a guest's kernel
 * into a file that Xen starts.
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
	fputs("  mkrom help\n", f);
}

static int run(const struct command *cmd, int argc, char **argv)
{
	struct args args;
	struct err err = {""};
	int status;

	if (!args_parse(cmd, argc, argv, &args, &err)) {
		fprintf(stderr, "mkrom: %s\n", err.text);
		return 2;
	}
	status = cmd->run(&args, stdout, stderr);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("mkrom: standard output: cannot be written\n", stderr);
		return 1;
	}
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return 2;
	}
	if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return run(&commands[i], argc - 2, argv + 2);
	}
	fprintf(stderr, "mkrom: %s: unknown command\n", argv[1]);
	usage(stderr);
	return 2;
}
