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
	if (!value_boolean(s->value, &value) && s->row->which == SWITCH_DYNAMIC_USER)
		refuse(s->d, s->line, "%.*s=%.*s: expected %s: the unit is left out, for it might be meant not to run as root",
		       STR_ARG(s->row->key), STR_ARG(shown(s->value)), directive_expects(s->row));
	if (!value_boolean(s->value, &value))
		return false;
	s->d->switches[s->row->which] = value ? SAID_YES : SAID_NO;
	return true;
}

/* ---- who ---- */

/* Who it was to run as is not known: as root, by default, it must not. */
static void check_account(const struct setting *s, struct str name)
{
	if (!value_is_account(name))
		refuse(s->d, s->line, "%.*s=%.*s: expected %s: the unit is left out", STR_ARG(s->row->key),
		       STR_ARG(shown(s->value)), directive_expects(s->row));
}

static bool read_account(const struct setting *s, struct str *name)
{
	char letter;
	if (!specify(s->d, s->value, name, &letter))
		*name = STR("");
	if (s->value.n)
		check_account(s, *name);
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
	struct str rest = s->value, word;

	s->d->groups_line = s->line;
	if (s->value.n == 0)
		s->d->group_names.n = 0;
	while (words_plain(&rest, &word)) {
		if (!setting_specified(s, word, &word))
			continue;
		if (s->d->group_names.n == LAUNCH_WORDS_MAX) {
			setting_too_many(s);
			break;
		}
		check_account(s, word);
		list_add_str(&s->d->group_names, keep_str(word));
	}
	return true;
}

/* ---- capabilities(7) ---- */

static bool is_capability(const struct setting *s, struct str word)
{
	(void)s;
	return exec_capability(word) >= 0;
}

static uint64_t named_set(const struct setting *s)
{
	uint64_t set = 0;
	struct list words = { .n = 0 };

	setting_words(s, &words, words_quoted, is_capability);
	for (uint32_t i = 0; i < words.n; i++)
		set |= UINT64_C(1) << exec_capability(LIST_AT(words, struct str, i));
	return set;
}

/* The first line says what there is, later ones add, those with ~ take away; one that names nothing starts over. */
bool read_capabilities(const struct setting *s)
{
	uint64_t *set = setting_field(s);
	uint64_t unsaid = set == &s->d->context.bounding_set ? CAPABILITIES_ALL : 0;
	struct setting names = *s;
	bool is_inverted = str_take(&names.value, STR("~"));
	uint64_t named = named_set(&names);

	if (named == 0 || *set == unsaid)
		*set = is_inverted ? ~named : named;
	else
		*set = is_inverted ? *set & ~named : *set | named;
	return true;
}

static bool is_secure_bit(const struct setting *s, struct str word)
{
	(void)s;
	return exec_secure_bit(word);
}

bool read_secure_bits(const struct setting *s)
{
	uint16_t *bits = setting_field(s);
	struct list words = { .n = 0 };

	*bits = 0;              /* a second line does not add to the first (measured) */
	setting_words(s, &words, words_quoted, is_secure_bit);
	for (uint32_t i = 0; i < words.n; i++)
		*bits |= (uint16_t)exec_secure_bit(LIST_AT(words, struct str, i));
	return true;
}
