/* Settings of as whom a process runs, and what that one may. */
#include "settings.h"
#include "lib/exec_values.h"
#include "lib/values.h"

bool read_context_flag(const struct setting *s)
{
	bool value;
	if (!value_boolean(s->value, &value))
		return false;
	uint32_t bit = 1u << s->row->which;
	bool is_set = value != (s->row->reading == READ_CONTEXT_FLAG_INVERTED);
	s->d->context.flags = is_set ? s->d->context.flags | bit : s->d->context.flags & ~bit;
	return true;
}

bool read_switch(const struct setting *s)
{
	bool value;
	if (!value_boolean(s->value, &value))
		return false;
	s->d->switches[s->row->which] = value ? SAID_YES : SAID_NO;
	return true;
}

/* ---- who ---- */

/* Who it was to run as is not known: as root, by default, it must not. */
static bool read_account(const struct setting *s, struct str *name)
{
	char letter;
	bool is_known = specify(s->d, s->value, name, &letter);

	if (!is_known || (s->value.n && name->n == 0))
		refuse(s->d, s->line, "%.*s=%.*s: expected %s: the unit is left out", STR_ARG(s->row->key),
		       STR_ARG(shown(s->value)), directive_expects(s->row));
	return true;
}

bool read_user(const struct setting *s)
{
	s->d->user_line = s->line;
	return read_account(s, &s->d->user);
}

bool read_group(const struct setting *s)
{
	s->d->group_line = s->line;
	return read_account(s, &s->d->group);
}

bool read_groups(const struct setting *s)
{
	s->d->groups_line = s->line;
	if (s->value.n == 0)
		s->d->group_names.n = 0;
	return setting_words(s, &s->d->group_names, NULL);
}

/* ---- capabilities(7) ---- */

static uint64_t named_set(const struct setting *s, struct str rest)
{
	uint64_t set = 0;
	struct str word;

	while (words_plain(&rest, &word)) {
		int number = exec_capability(word);
		if (number < 0)
			setting_not_this(s, word);
		else
			set |= UINT64_C(1) << number;
	}
	return set;
}

/* The first line says what there is, later ones add, those with ~ take away; one that names nothing starts over. */
bool read_capabilities(const struct setting *s)
{
	uint64_t *set = setting_field(s);
	uint64_t unsaid = set == &s->d->context.bounding_set ? CAPABILITIES_ALL : 0;
	struct str rest = s->value;
	bool is_inverted = str_take(&rest, STR("~"));
	uint64_t named = named_set(s, rest);

	if (named == 0 || *set == unsaid)
		*set = is_inverted ? ~named : named;
	else
		*set = is_inverted ? *set & ~named : *set | named;
	return true;
}

bool read_secure_bits(const struct setting *s)
{
	uint16_t *bits = setting_field(s);
	struct str rest = s->value, word;

	if (rest.n == 0)
		*bits = 0;
	while (words_plain(&rest, &word)) {
		uint32_t bit = exec_secure_bit(word);
		if (bit == 0)
			setting_not_this(s, word);
		*bits |= (uint16_t)bit;
	}
	return true;
}
