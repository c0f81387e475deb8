/* oomph.service(5) and the table of directives say the same. Read from the tree's root, where make runs. */
#include "lib/directives.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char page[1 << 16];

static int read_page(void **state)
{
	(void)state;
	FILE *f = fopen("man/oomph.service.5", "re");
	if (!f)
		return -1;
	page[fread(page, 1, sizeof page - 1, f)] = '\0';
	fclose(f);
	return 0;
}

/* Older names are told of in the text of the newer ones. */
static bool is_mentioned(struct str key)
{
	char item[128], mention[128], condition[128];
	/* Of each condition there is an assertion; that is told once for all. */
	if (str_take(&key, STR("Assert"))) {
		snprintf(condition, sizeof condition, "Condition%.*s", (int)key.n, key.p);
		return is_mentioned(str_from(condition)) && strstr(page, "\n.Ql AssertPathExists=");
	}
	snprintf(item, sizeof item, "\n.It Cm %.*s Ns =\n", (int)key.n, key.p);
	snprintf(mention, sizeof mention, "\n.Ql %.*s=", (int)key.n, key.p);
	return strstr(page, item) || strstr(page, mention);
}

/* What is not enforced stands there with its risk, in the words of `verify`. */
static bool is_risk_told(const struct directive *row)
{
	char item[256];
	snprintf(item, sizeof item, "\n.It Ql %.*s=\n%s.\n", (int)row->key.n, row->key.p, row->risk + strlen("the service can "));
	return strstr(page, item);
}

static void every_directive_that_is_read_is_in_the_manual(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_directives; i++)
		if (directives[i].status == NOT_ENFORCED ? !is_risk_told(&directives[i]) :
		    directives[i].status != NOT_YET && !is_mentioned(directives[i].key))
			fail_msg("man/oomph.service.5 does not tell of %.*s=", (int)directives[i].key.n, directives[i].key.p);
}

static bool is_honoured(struct str key)
{
	for (size_t i = 0; i < n_directives; i++)
		if (directives[i].status == HONOURED && str_eq(directives[i].key, key))
			return true;
	return false;
}

static void every_directive_in_the_manual_is_honoured(void **state)
{
	(void)state;
	struct str rest = str_from(page), line;
	size_t n = 0;
	while (rest.n) {
		line = str_until(&rest, '\n');
		if (!str_take(&line, STR(".It Cm ")))
			continue;
		struct str key = str_until(&line, ' ');
		if (!is_honoured(key))
			fail_msg("man/oomph.service.5 promises %.*s=", (int)key.n, key.p);
		n++;
	}
	assert_true(n > 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_directive_that_is_read_is_in_the_manual),
		cmocka_unit_test(every_directive_in_the_manual_is_honoured),
	};
	return cmocka_run_group_tests(tests, read_page, NULL);
}
