#include "load.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

static bool is_number(struct str s, uint32_t *id)
{
	uint64_t n;
	if (!str_u64(s, &n) || n >= NO_ID)
		return false;
	*id = (uint32_t)n;
	return true;
}

static void set_environment(struct draft *d, const char *name, const char *value)
{
	environment_add(&d->environment, keep_print("%s=%s", name, value));
}

/* What systemd takes for "this account has no shell": then there is no SHELL either. */
static bool is_no_shell(struct str shell)
{
	return shell.n == 0 || str_ends(shell, STR("/nologin")) || str_ends(shell, STR("/false"));
}

static void add_group(struct draft *d, uint32_t gid)
{
	for (uint32_t i = 0; i < d->groups.n; i++)
		if (LIST_AT(d->groups, uint32_t, i) == gid)
			return;
	*(uint32_t *)list_add(&d->groups, sizeof gid) = gid;
}

/* Group= takes the place of the user's own among them, as initgroups(3) with that group has it. */
static void add_groups_of(struct draft *d, const struct passwd *pw)
{
	const uint32_t *groups;
	uint32_t n = people_groups(pw, d->unit.gid, &groups);
	for (uint32_t i = 0; i < n; i++)
		add_group(d, groups[i]);
}

/* systemd.exec(5) "Environment Variables in Spawned Processes"; SetLoginEnvironment= has the last word on whether. */
static void tell_account(struct draft *d, const struct passwd *pw)
{
	if (d->switches[SWITCH_LOGIN_ENVIRONMENT] == SAID_NO)
		return;
	set_environment(d, "USER", pw->pw_name);
	set_environment(d, "LOGNAME", pw->pw_name);
	if (pw->pw_dir[0] == '/')
		set_environment(d, "HOME", pw->pw_dir);
	if (!is_no_shell(str_from(pw->pw_shell)))
		set_environment(d, "SHELL", pw->pw_shell);
}

static void use_account(struct draft *d, const struct passwd *pw)
{
	d->unit.uid = pw->pw_uid;
	if (d->group.n == 0)
		d->unit.gid = pw->pw_gid;
	tell_account(d, pw);
	if (d->wants_home)
		d->working_directory = keep_str(str_from(pw->pw_dir));
	if (d->unit.gid != NO_ID)
		add_groups_of(d, pw);
}

static void resolve_user(struct draft *d)
{
	uint32_t id;
	bool is_id = is_number(d->user, &id);
	const struct passwd *pw = is_id ? getpwuid(id) : people_named(d->user);

	if (pw) {
		use_account(d, pw);
	} else if (is_id) {
		d->unit.uid = id;       /* a number needs no account, but then nobody knows its group */
		if (d->group.n == 0)
			d->unit.gid = id;
	} else {
		d->unit.flags |= UNIT_USER_UNKNOWN;
		complain(d, d->user_line, "User=%.*s: there is no such user: every start will fail (217/USER)",
			 STR_ARG(shown(d->user)));
	}
}

struct dynamic {
	struct str name;
	uint32_t id;
};
static struct list dynamics;            /* of struct dynamic: given out so far */

static bool is_free(uint32_t id)
{
	for (uint32_t i = 0; i < dynamics.n; i++)
		if (LIST_AT(dynamics, struct dynamic, i).id == id)
			return false;
	return !getpwuid(id) && !getgrgid(id);
}

/*
 * systemd.exec(5) DynamicUser=: a number that nobody has, of a range that is kept free for it. Made from the name, so that it
 * is the same after the next reload and the next boot; of two names that would meet, the one that is read later takes the next.
 */
static uint32_t dynamic_id(struct str name)
{
	enum { FIRST = 61184, LAST = 65519, N_IDS = LAST - FIRST + 1 };
	uint32_t id = FIRST + (uint32_t)(unitset_sum(name.p, name.n) % N_IDS);

	for (uint32_t i = 0; i < dynamics.n; i++)
		if (str_eq(LIST_AT(dynamics, struct dynamic, i).name, name))
			return LIST_AT(dynamics, struct dynamic, i).id;
	for (int n_tried = 0; !is_free(id) && n_tried < N_IDS; n_tried++)
		id = id < LAST ? id + 1 : FIRST;
	*(struct dynamic *)list_add(&dynamics, sizeof(struct dynamic)) = (struct dynamic){ name, id };
	return id;
}

/* Where User= is an account that is there, it is that one. What else it implies in systemd is for the sandbox to do. */
static void resolve_dynamic(struct draft *d)
{
	struct str stem = str_of(d->name.p, str_rfind(d->name, STR(".")));
	struct str name = d->user.n ? d->user : str_of(stem.p, str_chr(stem, '@'));

	d->unit.uid = dynamic_id(name);
	if (d->group.n == 0)
		d->unit.gid = d->unit.uid;
	d->context.flags |= CONTEXT_NO_NEW_PRIVILEGES;
	if (d->wants_home)
		d->working_directory = STR("/");
	if (d->switches[SWITCH_LOGIN_ENVIRONMENT] == SAID_NO)
		return;
	environment_add(&d->environment, keep_print("USER=%.*s", STR_ARG(name)));
	environment_add(&d->environment, keep_print("LOGNAME=%.*s", STR_ARG(name)));
}

static bool find_group(struct draft *d, struct str name, const char *key, uint32_t line, uint32_t *gid)
{
	struct group *gr = is_number(name, gid) ? NULL : getgrnam(name.p);

	if (gr)
		*gid = gr->gr_gid;
	if (gr || is_number(name, gid))
		return true;
	d->context.flags |= CONTEXT_GROUP_UNKNOWN;
	complain(d, line, "%s=%.*s: there is no such group: every start will fail (216/GROUP)", key, STR_ARG(shown(name)));
	return false;
}

static void resolve_groups(struct draft *d)
{
	uint32_t gid;
	for (uint32_t i = 0; i < d->group_names.n; i++)
		if (find_group(d, LIST_AT(d->group_names, struct str, i), "SupplementaryGroups", d->groups_line, &gid))
			add_group(d, gid);
}

void account_resolve(struct draft *d)
{
	if (d->wants_home)
		d->working_directory = STR("/root");
	if (d->group.n)
		find_group(d, d->group, "Group", d->group_line, &d->unit.gid);
	if (d->switches[SWITCH_DYNAMIC_USER] == SAID_YES && (d->user.n == 0 || !people_named(d->user)))
		resolve_dynamic(d);
	else if (d->user.n)
		resolve_user(d);
	else if (d->switches[SWITCH_LOGIN_ENVIRONMENT] == SAID_YES && getpwuid(0))
		tell_account(d, getpwuid(0));
	resolve_groups(d);
}
