/*
 * The answers of getpwnam(3) and getgrouplist(3), kept: both read their files from the beginning for every question, and
 * the latter looks for a name service's socket first.
 */
#include "load.h"

#include <grp.h>
#include <pwd.h>

#define GROUPS_MOST 1024        /* the kernel allows 65536; nobody has a thousand */

struct person {
	struct passwd pw;
	bool is_there;
	uint32_t gid;                   /* that the groups were asked with */
	uint32_t *groups, n_groups;
};

static struct list people;      /* of struct person * */
static struct table person_of;  /* a name to one of them */

static char *kept(const char *text)
{
	return (char *)keep_str(str_from(text)).p;
}

static struct person *person_named(struct str name)
{
	uint32_t i = table_find(&person_of, name);
	if (i != NO_UNIT)
		return LIST_AT(people, struct person *, i);
	struct person *person = keep(sizeof *person);
	name = keep_str(name);
	struct passwd *pw = getpwnam(name.p);
	if (pw) {
		*person = (struct person){ .pw = *pw, .is_there = true };
		person->pw.pw_name = kept(pw->pw_name);
		person->pw.pw_dir = kept(pw->pw_dir);
		person->pw.pw_shell = kept(pw->pw_shell);
	}
	table_put(&person_of, name, people.n);
	*(struct person **)list_add(&people, sizeof person) = person;
	return person;
}

const struct passwd *people_named(struct str name)
{
	struct person *person = person_named(name);
	return person->is_there ? &person->pw : NULL;
}

uint32_t people_groups(const struct passwd *pw, uint32_t gid, const uint32_t **groups)
{
	struct person *person = person_named(str_from(pw->pw_name));
	if (!person->groups || person->gid != gid) {
		gid_t found[GROUPS_MOST];
		int n = GROUPS_MOST;
		if (getgrouplist(pw->pw_name, gid, found, &n) < 0)
			n = GROUPS_MOST;
		person->gid = gid;
		person->n_groups = (uint32_t)n;
		person->groups = keep((size_t)n * sizeof *found);
		for (int i = 0; i < n; i++)
			person->groups[i] = found[i];
	}
	*groups = person->groups;
	return person->n_groups;
}
