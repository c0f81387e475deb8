#include "unitname.h"
#include "limits.h"
#include "names.h"
#include "words.h"

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_among(char c, struct str set)
{
	return str_chr(set, c) < set.n;
}

struct unitname unitname_parts(struct str name)
{
	size_t dot = str_rfind(name, STR("."));
	struct str stem = str_of(name.p, dot);
	size_t at = str_chr(stem, '@');

	return (struct unitname){
		.stem = stem, .prefix = str_of(stem.p, at), .instance = str_skip(stem, at + 1),
		.suffix = str_skip(name, dot), .has_at = at < stem.n,
	};
}

int unitname_type(struct str name)
{
	return name_find(unit_type_names, N_UNIT_TYPE_NAME, str_skip(unitname_parts(name).suffix, 1));
}

bool unitname_is_valid(struct str name)
{
	struct unitname parts = unitname_parts(name);

	if (parts.prefix.n == 0 || name.n > UNIT_NAME_MAX || unitname_type(name) < 0)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_alphanumeric(name.p[i]) && !is_among(name.p[i], STR(":-_.\\@")))
			return false;
	return true;
}

bool unitname_is_template(struct str name)
{
	struct unitname parts = unitname_parts(name);
	return parts.has_at && parts.instance.n == 0;
}

bool unitname_is_instance(struct str name)
{
	return unitname_parts(name).instance.n > 0;
}

void unitname_unescape(struct str name, struct buf *to)
{
	while (name.n) {
		char c = name.p[0];
		name = str_skip(name, 1);
		size_t n = c == '\\' ? words_escape(name, to) : 0;
		if (n == 0)
			buf_char(to, c == '-' ? '/' : c);
		name = str_skip(name, n);
	}
}
