/*
 * One small function for each kind of value. They say false when the value is not what the row expects: the earlier
 * value (or the default) then stands, and read.c tells the user what was expected.
 */
#ifndef OOMPH_LOAD_SETTINGS_H
#define OOMPH_LOAD_SETTINGS_H

#include "load.h"

struct setting {
	struct draft *d;
	const struct directive *row;
	struct str value;
	uint32_t line;
};

/* The member of the unit that the row tells. */
void *setting_field(const struct setting *s);

/* `text` with its specifiers replaced; false (and the user told) when there is none such. */
bool setting_specified(const struct setting *s, struct str text, struct str *result);

/* settings_exec.c: who, where, with what, and what to. */
bool read_memory(const struct setting *s);
bool read_tasks(const struct setting *s);
bool read_weight(const struct setting *s);
bool read_limit(const struct setting *s);
bool read_score(const struct setting *s);
bool read_nice(const struct setting *s);
bool read_umask(const struct setting *s);
bool read_user(const struct setting *s);
bool read_group(const struct setting *s);
bool read_directory(const struct setting *s);
bool read_environment(const struct setting *s);
bool read_environment_file(const struct setting *s);
bool read_stdio(const struct setting *s);

#endif
