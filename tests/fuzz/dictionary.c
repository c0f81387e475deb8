/* The words of unit files, for the fuzzer: each that a table knows, as libFuzzer takes a dictionary. */
#include "lib/condition.h"
#include "lib/directives.h"
#include "lib/exec_values.h"
#include "lib/names.h"

#include <stdio.h>

static void put(struct str word)
{
	if (word.n)
		printf("\"%.*s\"\n", (int)word.n, word.p);
}

static void put_all(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(str_from(names[i]));
}

int main(void)
{
	for (size_t i = 0; i < n_directives; i++)
		printf("\"%.*s=\"\n", (int)directives[i].key.n, directives[i].key.p);
	for (int i = 0; i < N_SECTION; i++)
		printf("\"[%s]\\x0a\"\n", section_names[i]);
	for (int i = 0; i < N_ENUMERATION; i++)
		put_all(enumerations[i].names, enumerations[i].n);
	for (int i = 0; i < N_UNIT_TYPE_NAME; i++)
		printf("\".%s\"\n", unit_type_names[i]);
	put_all(type_names, N_UNIT_TYPE);
	put_all(unit_action_names, N_UNIT_ACTION);
	put_all(stdio_names, N_STDIO_KIND);
	put_all(io_class_names, N_IO_CLASS);
	for (int i = 0; i < 64; i++) {
		put(str_from(signal_name(i)));
		put(str_from(exec_capability_name(i)));
		put(str_from(exit_status_name(200 + i)));
	}
	puts("\"#= x.service.d/a.conf\\x0a\"\n\"#= y.service\\x0a\"\n\"infinity\"\n\"journal\"\n\"\\\\x0a\"\n\"${A}\"\n\"%i\"\n\"%%\"");
	return 0;
}
