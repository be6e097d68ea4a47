/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line, by a table of options. */
#include <string.h>

#include "mkrom.h"

static const struct {
	const char *name;
	bool value;
} options[OPT_COUNT] = {
	[OPT_OUT] = {"-o", true},	   [OPT_SECOND] = {"--second", true},
	[OPT_WITH] = {"--with", true},	   [OPT_JSON] = {"--json", false},
	[OPT_ROM] = {"--rom", true},	   [OPT_ENTRY] = {"--entry", true},
	[OPT_KERNEL] = {"--kernel", true},
};

static int find_option(const char *name)
{
	for (int i = 0; i < OPT_COUNT; i++) {
		if (strcmp(options[i].name, name) == 0)
			return i;
	}
	return -1;
}

/* One option; *i moves over its value. */
static bool take_option(const struct command *cmd, int argc, char **argv, int *i, struct args *args,
			struct err *err)
{
	const char *name = argv[*i];
	int o = find_option(name);

	if (o < 0 || !((cmd->must | cmd->may) & 1u << o))
		return refuse(err, "%s: unknown option, expected: mkrom %s %s", name, cmd->name,
			      cmd->usage);
	if (args->opt[o])
		return refuse(err, "%s: is given twice, once was expected", name);
	if (!options[o].value) {
		args->opt[o] = name;
		return true;
	}
	if (*i + 1 == argc)
		return refuse(err, "%s: has no value, a file name was expected", name);
	args->opt[o] = argv[++*i];
	return true;
}

static bool is_complete(const struct command *cmd, const struct args *args, struct err *err)
{
	for (int o = 0; o < OPT_COUNT; o++) {
		if ((cmd->must & 1u << o) && !args->opt[o])
			return refuse(err, "%s: is missing, expected: mkrom %s %s", options[o].name,
				      cmd->name, cmd->usage);
	}
	if (cmd->file && !args->file)
		return refuse(err, "a file name is missing, expected: mkrom %s %s", cmd->name,
			      cmd->usage);
	return true;
}

bool args_parse(const struct command *cmd, int argc, char **argv, struct args *args,
		struct err *err)
{
	*args = (struct args){0};
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] == '-') {
			if (!take_option(cmd, argc, argv, &i, args, err))
				return false;
		} else if (cmd->file && !args->file) {
			args->file = argv[i];
		} else {
			return refuse(err, "%s: is one argument too many, expected: mkrom %s %s",
				      argv[i], cmd->name, cmd->usage);
		}
	}
	return is_complete(cmd, args, err);
}
