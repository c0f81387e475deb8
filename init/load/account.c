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

static void use_account(struct draft *d, const struct passwd *pw)
{
	const uint32_t *groups;
	uint32_t n = people_groups(pw, pw->pw_gid, &groups);

	d->unit.uid = pw->pw_uid;
	d->unit.gid = pw->pw_gid;
	set_environment(d, "USER", pw->pw_name);
	set_environment(d, "LOGNAME", pw->pw_name);
	if (pw->pw_dir[0] == '/')
		set_environment(d, "HOME", pw->pw_dir);
	if (!is_no_shell(str_from(pw->pw_shell)))
		set_environment(d, "SHELL", pw->pw_shell);
	if (d->wants_home)
		d->working_directory = keep_str(str_from(pw->pw_dir));
	for (uint32_t i = 0; i < n; i++)
		*(uint32_t *)list_add(&d->groups, sizeof(uint32_t)) = groups[i];
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
		d->unit.gid = id;
	} else {
		d->unit.flags |= UNIT_USER_UNKNOWN;
		complain(d, d->user_line, "User=%.*s: there is no such user: every start will fail (217/USER)",
			 STR_ARG(shown(d->user)));
	}
}

static void resolve_group(struct draft *d)
{
	uint32_t id;
	struct group *gr = is_number(d->group, &id) ? NULL : getgrnam(d->group.p);

	if (gr)
		d->unit.gid = gr->gr_gid;
	else if (is_number(d->group, &id))
		d->unit.gid = id;
	else {
		d->unit.flags |= UNIT_USER_UNKNOWN;
		d->unit.gid = NO_ID;
		complain(d, d->group_line, "Group=%.*s: there is no such group: every start will fail (216/GROUP)",
			 STR_ARG(shown(d->group)));
	}
}

void account_resolve(struct draft *d)
{
	if (d->wants_home)
		d->working_directory = STR("/root");
	if (d->user.n)
		resolve_user(d);
	if (d->group.n)
		resolve_group(d);
}
