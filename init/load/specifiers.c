/* Specifiers that take some reading to answer: the system's own file, the architecture's name, the boot. systemd.unit(5). */
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* os-release(5), machine-info(5): shell assignments, the values in quotes or not. "" where it has none of that name. */
static struct str assigned(const char *path, struct str name)
{
	char text[512];
	struct str found = STR("");
	FILE *f = fopen(path, "re");

	while (f && fgets(text, sizeof text, f)) {
		struct str value = str_trim(str_from(text));
		if (!str_eq(str_until(&value, '='), name))
			continue;
		bool is_quoted = value.n > 1 && (value.p[0] == '"' || value.p[0] == '\'') && value.p[value.n - 1] == value.p[0];
		found = keep_str(is_quoted ? str_of(value.p + 1, value.n - 2) : value);
	}
	if (f)
		fclose(f);
	return found;
}

static void learn_system(struct str *of)
{
	static const struct { char letter; struct str name; } fields[] = {
		{ 'o', { "ID", 2 } }, { 'w', { "VERSION_ID", 10 } }, { 'B', { "BUILD_ID", 8 } },
		{ 'W', { "VARIANT_ID", 10 } }, { 'M', { "IMAGE_ID", 8 } }, { 'A', { "IMAGE_VERSION", 13 } },
	};
	const char *path = "/etc/os-release";
	FILE *f = fopen(path, "re");

	if (f)
		fclose(f);
	else
		path = "/usr/lib/os-release";
	for (size_t i = 0; i < countof(fields); i++)
		of[(unsigned char)fields[i].letter] = assigned(path, fields[i].name);
}

/* uname(2)'s names to systemd's own, as ConditionArchitecture= has them; the others are the same in both. */
static struct str architecture(struct str machine)
{
	static const struct { struct str machine, name; } names[] = {
		{ { "x86_64", 6 }, { "x86-64", 6 } }, { { "i686", 4 }, { "x86", 3 } }, { { "i586", 4 }, { "x86", 3 } },
		{ { "i386", 4 }, { "x86", 3 } }, { { "aarch64", 7 }, { "arm64", 5 } }, { { "armv7l", 6 }, { "arm", 3 } },
		{ { "armv6l", 6 }, { "arm", 3 } }, { { "ppc64le", 7 }, { "ppc64-le", 8 } }, { { "mips64", 6 }, { "mips64-le", 9 } },
	};
	for (size_t i = 0; i < countof(names); i++)
		if (str_eq(names[i].machine, machine))
			return names[i].name;
	return keep_str(machine);
}

/* Written as machine ids are: without dashes. */
static struct str boot_id(void)
{
	struct buf b = keep_buf(64);
	char text[64] = "";
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f)
		return (struct str){ NULL, 0 };
	if (!fgets(text, sizeof text, f))
		text[0] = '\0';
	fclose(f);
	for (const char *p = text; *p && *p != '\n'; p++)
		if (*p != '-')
			buf_char(&b, *p);
	return buf_view(&b);
}

void specifiers_learn(struct specifiers *specifiers)
{
	struct utsname names;
	struct str *of = specifiers->of;

	learn_system(of);
	of['b'] = boot_id();
	of['q'] = assigned("/etc/machine-info", STR("PRETTY_HOSTNAME"));
	if (uname(&names) == 0) {
		of['a'] = architecture(str_from(names.machine));
		if (of['q'].n == 0)
			of['q'] = keep_str(str_from(names.nodename));
	}
}
