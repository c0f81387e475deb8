/* What a service owns: RuntimeDirectory= and the like, and credentials, systemd.exec(5). */
#include "settings.h"
#include "lib/values.h"

#include <stdlib.h>
#include <string.h>

/* What a system manager makes them below, and how it tells the service: the same table in systemd.exec(5). */
static const struct { const char *base, *variable; } kinds[N_FOLDER_KIND] = {
	[FOLDER_RUNTIME] = { "/run", "RUNTIME_DIRECTORY" }, [FOLDER_STATE] = { "/var/lib", "STATE_DIRECTORY" },
	[FOLDER_CACHE] = { "/var/cache", "CACHE_DIRECTORY" }, [FOLDER_LOGS] = { "/var/log", "LOGS_DIRECTORY" },
	[FOLDER_CONFIGURATION] = { "/etc", "CONFIGURATION_DIRECTORY" },
};

static struct str placed(const struct setting *s, struct str name)
{
	return setting_simplified(keep_print("%s/%.*s", kinds[s->row->which].base, STR_ARG(name)));
}

/* "a" is a folder, "a:b" one with b as another name for it. */
static void add_folder(const struct setting *s, struct str word)
{
	struct str name, link;
	bool is_new = true;

	/* systemd.exec(5): symbolic links are for all but ConfigurationDirectory= */
	if (!value_directory(word, &name, &link) || (link.n && s->row->which == FOLDER_CONFIGURATION)) {
		setting_not_this(s, word);
		return;
	}
	struct draft_folder folder = { placed(s, name), link.n ? placed(s, link) : STR(""), s->row->which };
	for (uint32_t i = 0; i < s->d->folders.n; i++)
		is_new &= !str_eq(LIST_AT(s->d->folders, struct draft_folder, i).path, folder.path);
	if (is_new && s->d->folders.n == LAUNCH_WORDS_MAX)
		setting_too_many(s);
	else if (is_new)
		*(struct draft_folder *)list_add(&s->d->folders, sizeof folder) = folder;
}

static void forget_folders(struct list *folders, enum folder_kind kind)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < folders->n; i++)
		if (LIST_AT(*folders, struct draft_folder, i).kind != kind)
			LIST_AT(*folders, struct draft_folder, n++) = LIST_AT(*folders, struct draft_folder, i);
	folders->n = n;
}

bool read_folders(const struct setting *s)
{
	struct list names = { .n = 0 };

	if (s->value.n == 0) {
		forget_folders(&s->d->folders, s->row->which);
		s->d->folder_modes[s->row->which] = FOLDER_MODE_DEFAULT;        /* goes with them (measured) */
	}
	setting_words(s, &names, words_next, NULL);
	for (uint32_t i = 0; i < names.n; i++)
		add_folder(s, LIST_AT(names, struct str, i));
	return true;
}

bool read_folder_mode(const struct setting *s)
{
	unsigned mode;
	if (!value_mode(s->value, 07777, &mode))
		return false;
	s->d->folder_modes[s->row->which] = (uint16_t)mode;
	return true;
}

bool read_preserve(const struct setting *s)
{
	bool value, is_restart = str_eq(s->value, STR("restart"));
	if (!is_restart && !value_boolean(s->value, &value))
		return false;
	*(uint8_t *)setting_field(s) = is_restart ? PRESERVE_RESTART : value ? PRESERVE_YES : PRESERVE_NO;
	return true;
}

/* Without the folder that all of its kind are in. */
static struct str word_of(struct str path, unsigned kind)
{
	return str_skip(path, strlen(kinds[kind].base) + 1);
}

struct str folder_word(const struct draft_folder *f)
{
	struct str path = word_of(f->path, f->kind);
	return f->link.n ? keep_print("%.*s:%.*s", STR_ARG(path), STR_ARG(word_of(f->link, f->kind))) : path;
}

/* ---- credentials ---- */

static bool is_credential_name(struct str name)
{
	return name.n && name.n <= UNIT_NAME_MAX && str_chr(name, '/') == name.n && !str_eq(name, STR(".")) &&
	       !str_eq(name, STR("..")) && value_is_utf8(name);
}

static bool is_same(const struct draft_credential *c, struct str name, bool is_file)
{
	return str_eq(c->name, name) && (c->path.n > 0) == is_file;
}

/* The last file of a name counts, and the last value. */
static void put_credential(const struct setting *s, struct draft_credential new)
{
	struct list *list = &s->d->credentials;
	for (uint32_t i = 0; i < list->n; i++)
		if (is_same(&LIST_AT(*list, struct draft_credential, i), new.name, new.path.n)) {
			LIST_AT(*list, struct draft_credential, i) = new;
			return;
		}
	if (list->n == LAUNCH_WORDS_MAX)
		setting_too_many(s);
	else
		*(struct draft_credential *)list_add(list, sizeof new) = new;
}

static void forget_credentials(struct list *list, bool are_files)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < list->n; i++)
		if ((LIST_AT(*list, struct draft_credential, i).path.n > 0) != are_files)
			LIST_AT(*list, struct draft_credential, n++) = LIST_AT(*list, struct draft_credential, i);
	list->n = n;
}

bool read_load_credential(const struct setting *s)
{
	struct str path = s->value, name = str_until(&path, ':');

	if (s->value.n == 0) {
		forget_credentials(&s->d->credentials, true);
		return true;
	}
	if (!setting_specified(s, name, &name) || !setting_specified(s, path.n ? path : name, &path))
		return true;
	if (!is_credential_name(name) || (path.p[0] == '/' ? !value_is_path(path) : !is_credential_name(path)))
		return false;
	put_credential(s, (struct draft_credential){ keep_str(name), keep_str(path), STR("") });
	return true;
}

bool read_set_credential(const struct setting *s)
{
	struct str value = s->value, name = str_until(&value, ':');
	struct buf b = keep_buf(value.n);

	if (s->value.n == 0) {
		forget_credentials(&s->d->credentials, false);
		return true;
	}
	if (!setting_specified(s, name, &name))
		return true;
	if (!is_credential_name(name) || str_chr(s->value, ':') == s->value.n || !setting_unescaped(value, &b))
		return false;
	put_credential(s, (struct draft_credential){ keep_str(name), STR(""), buf_view(&b) });
	return true;
}

/* ---- what comes of them ---- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct draft_folder *)a)->path.p, ((const struct draft_folder *)b)->path.p);
}

/* Sorted, which is measured of systemd 252 and nowhere written: the parent before what lies in it. */
void folders_tell(struct draft *d)
{
	if (d->folders.n)
		qsort(d->folders.items, d->folders.n, sizeof(struct draft_folder), by_path);
	for (int kind = 0; kind < N_FOLDER_KIND; kind++) {
		struct list paths = { .n = 0 };
		for (uint32_t i = 0; i < d->folders.n; i++)
			if ((int)LIST_AT(d->folders, struct draft_folder, i).kind == kind)
				list_add_str(&paths, LIST_AT(d->folders, struct draft_folder, i).path);
		if (paths.n)
			environment_add(&d->environment, keep_print("%s=%.*s", kinds[kind].variable, STR_ARG(list_joined(&paths, STR(":")))));
		if (paths.n && kind == FOLDER_RUNTIME && d->context.runtime_preserve != PRESERVE_YES)
			d->unit.flags |= d->context.runtime_preserve == PRESERVE_NO ? UNIT_CLEANS : UNIT_CLEANS_AT_REST;
	}
	if (d->credentials.n) {
		environment_add(&d->environment, keep_print("CREDENTIALS_DIRECTORY=" CREDENTIALS_FOLDER "/%.*s", STR_ARG(d->name)));
		d->unit.flags |= UNIT_CLEANS;
	}
}
