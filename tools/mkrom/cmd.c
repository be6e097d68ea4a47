/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands: files in, one library call, a file or text out. */
#include "mkrom.h"

static int fail(FILE *errors, const struct err *err)
{
	fprintf(errors, "mkrom: %s\n", err->text);
	return 1;
}

int cmd_link(const struct args *args, FILE *out, FILE *errors)
{
	const char *second_name = args->opt[OPT_SECOND], *out_name = args->opt[OPT_OUT];
	struct blob first = {0}, second = {0};
	struct link_result r = {0};
	struct err err = {""};
	bool good = file_read(&first, args->file, &err);

	if (good && second_name)
		good = file_read(&second, second_name, &err);
	good = good && rom_link(&first, second_name ? &second : NULL, &r, &err);
	good = good && file_write(out_name, &r.rom, &err);
	if (good)
		rom_say_parts(out, out_name, r.used, r.first);
	blob_free(&r.rom);
	blob_free(&second);
	blob_free(&first);
	return good ? 0 : fail(errors, &err);
}

int cmd_join(const struct args *args, FILE *out, FILE *errors)
{
	const char *out_name = args->opt[OPT_OUT];
	struct blob one = {0}, other = {0}, rom = {0};
	struct err err = {""};
	bool good = file_read(&one, args->file, &err) &&
		    file_read(&other, args->opt[OPT_WITH], &err) &&
		    rom_join(&one, &other, &rom, &err) && file_write(out_name, &rom, &err);

	if (good)
		fprintf(out, "%s: %zu bytes\n", out_name, rom.n);
	blob_free(&rom);
	blob_free(&other);
	blob_free(&one);
	return good ? 0 : fail(errors, &err);
}

int cmd_check(const struct args *args, FILE *out, FILE *errors)
{
	struct blob rom;
	struct err err = {""};
	unsigned failed;

	if (!file_read(&rom, args->file, &err))
		return fail(errors, &err);
	failed = rom_check(&rom, out, NULL);
	blob_free(&rom);
	if (!failed)
		return 0;
	refuse(&err, "%s: %u %s failed", args->file, failed, failed == 1 ? "check" : "checks");
	return fail(errors, &err);
}

int cmd_inspect(const struct args *args, FILE *out, FILE *errors)
{
	struct blob rom;
	struct err err = {""};
	bool good;

	if (!file_read(&rom, args->file, &err))
		return fail(errors, &err);
	good = rom_inspect(&rom, args->opt[OPT_JSON] != NULL, out, &err);
	blob_free(&rom);
	return good ? 0 : fail(errors, &err);
}

/* What of the ROM is used, and as which domains the file runs. */
static void say_roms(FILE *out, const struct blob *rom, const char *domain)
{
	static const char *const types[ROM_BINDINGS] = {
		[ROM_PV - 1] = "PV domains (type=\"pv\", or in xen-shim)",
		[ROM_PVH - 1] = "PVH domains (type=\"pvh\")"};
	struct blob images[ROM_BINDINGS];
	struct rom_view v;
	struct err err;

	if (!rom_images(rom, images, &err))
		return;
	for (unsigned i = 0; i < ROM_BINDINGS; i++) {
		char name[64];

		if (!images[i].n) {
			fprintf(out, "%s: does not run as %s, for which %s has no image\n", domain,
				types[i], rom->name);
			continue;
		}
		rom_view(&images[i], 0, &v);
		snprintf(name, sizeof(name), "%s image", rom_binding_name(i + 1));
		rom_say_parts(out, name, v.h.ext_end, v.h.ext_first);
	}
}

int cmd_wrap(const struct args *args, FILE *out, FILE *errors)
{
	const char *out_name = args->opt[OPT_OUT];
	struct blob rom = {0}, entry = {0}, kernel = {0}, domain = {0};
	struct err err = {""};
	bool good = file_read(&rom, args->opt[OPT_ROM], &err) &&
		    file_read(&entry, args->opt[OPT_ENTRY], &err) &&
		    file_read(&kernel, args->opt[OPT_KERNEL], &err) &&
		    domain_wrap(&rom, &entry, &kernel, &domain, &err) &&
		    file_write(out_name, &domain, &err);

	if (good) {
		fprintf(out, "%s: %zu bytes, of them %zu the kernel\n", out_name, domain.n,
			kernel.n);
		say_roms(out, &rom, out_name);
	}
	blob_free(&domain);
	blob_free(&kernel);
	blob_free(&entry);
	blob_free(&rom);
	return good ? 0 : fail(errors, &err);
}
