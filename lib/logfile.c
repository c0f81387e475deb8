#include "logfile.h"
#include "logline.h"
#include "unitname.h"

#include <string.h>

const char *const logfile_endings[N_LOGFILE_FORM] = { ".log", ".log.zst", ".log.gz" };

#define RFC_3339_SIZE 27        /* "2026-11-27T04:03:01.123456Z" */

void logfile_name(struct buf *to, uint64_t time_us, enum logfile_form form)
{
	char text[RFC_3339_SIZE];
	struct buf b = BUF(text);
	logline_put_time(&b, time_us);
	buf_char(to, '@');
	for (size_t i = 0; i < b.n; i++)
		if (text[i] != '-' && text[i] != ':')
			buf_char(to, text[i]);
	buf_str(to, str_from(logfile_endings[form]));
}

/* "20261127T040301.123456Z", consumed. */
static bool take_time(struct str *name, uint64_t *time_us)
{
	static const uint8_t pieces[] = { 4, 2, 2, 1, 2, 2, 10 };         /* year month day T hour minute second-to-Z */
	static const char behind[] = "--\0\0::";
	char text[RFC_3339_SIZE];
	struct buf b = BUF(text);
	for (size_t i = 0; i < countof(pieces); i++) {
		if (name->n < pieces[i])
			return false;
		buf_str(&b, str_of(name->p, pieces[i]));
		if (i < sizeof behind - 1 && behind[i])
			buf_char(&b, behind[i]);
		*name = str_skip(*name, pieces[i]);
	}
	struct str whole = buf_view(&b);
	return whole.n == RFC_3339_SIZE && !b.is_cut && logline_time(&whole, time_us) && whole.n == 0;
}

bool logfile_parse(struct str name, uint64_t *time_us, enum logfile_form *form)
{
	uint64_t us;
	if (!str_take(&name, STR("@")) || !take_time(&name, &us))
		return false;
	for (int i = 0; i < N_LOGFILE_FORM; i++)
		if (str_eq(name, str_from(logfile_endings[i]))) {
			*time_us = us;
			*form = (enum logfile_form)i;
			return true;
		}
	return false;
}

bool logfile_is_folder(struct str unit)
{
	return str_eq(unit, STR(LOGFILE_SYSTEM)) || (unitname_is_valid(unit) && unit.p[0] != '.');
}
