/* Which files are units, and of which name: the search path, links, masks, templates, drop-ins, .wants and .requires. */
#include "world.h"

#define NICE(n) RUN "Nice=" #n "\n"

/* A file with the folders that it needs. */
static void put(struct world *w, const char *name, const char *text)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", w->folder, name);
	for (char *p = path + strlen(w->folder) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(path, 0755);
	}
	given(w, name, text);
}

static void put_link(struct world *w, const char *name, const char *target)
{
	put(w, name, "");
	unlink(path_of(w, name));
	if (target[0] == '/' && strcmp(target, "/dev/null") != 0) {     /* within the world */
		char path[512];
		snprintf(path, sizeof path, "%s%s", w->folder, target);
		target = path;
		assert_int_equal(symlink(target, path_of(w, name)), 0);
		return;
	}
	assert_int_equal(symlink(target, path_of(w, name)), 0);
}

/* `s` is services.d, and /usr/lib/services.d, /etc and /usr for systemd are `o`, `e` and `u` in the world. */
static void when_searched(struct world *w)
{
	char services[64];
	snprintf(w->search_path, sizeof w->search_path, "%s/o:%s/e:/no/such/folder:%s/u", w->folder, w->folder, w->folder);
	snprintf(services, sizeof services, "%s/s", w->folder);
	mkdir(services, 0755);
	when_loaded_from(w, "--container", services, NULL);
}

/* All names in the set, in its order; those that start by themselves with a + behind. */
static void then_units(const struct world *w, const char *expected)
{
	char text[1024];
	struct buf b = BUF(text);
	for (uint32_t i = 0; i < unitset_count(w->set); i++) {
		const struct unit *u = unitset_unit(w->set, i);
		struct str name = unitset_text(w->set, u->name);
		if (i)
			buf_char(&b, ' ');
		buf_str(&b, str_of(name.p, name.n - strlen(".service")));
		if (u->flags & UNIT_WANTED)
			buf_char(&b, '+');
	}
	assert_string_equal(buf_cstr(&b), expected);
}

static void then_file(const struct world *w, const char *unit, const char *file)
{
	then_text(w, unit_of(w, unit)->file, path_of(w, file));
}

/* ---- folders ---- */

static void the_first_folder_wins_a_name(void **state)
{
	struct world *w = *state;
	char second[64], line[256];
	snprintf(second, sizeof second, "%s/more", w->folder);
	assert_int_equal(mkdir(second, 0755), 0);
	given(w, "a.service", RUN "Nice=1\n");
	given(w, "more/a.service", RUN "Nice=2\n");
	given(w, "more/b.service", RUN);
	given(w, "more/m.service", RUN);
	assert_int_equal(symlink("/dev/null", path_of(w, "m.service")), 0);
	when_loaded_from(w, "--container", w->folder, second);
	assert_int_equal(unitset_count(w->set), 2);
	assert_int_equal(unit_of(w, "a")->nice, 1);
	snprintf(line, sizeof line, "%s/a.service: left out: %s/a.service has the same name and comes first\n", second,
		 w->folder);
	then_said(w, line);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
	struct world *w = *state;
	when_loaded_from(w, "--container", "/no/such/folder", w->folder);
	then_said(w, "/no/such/folder: No such file or directory: no units from there\n");
	assert_int_equal(unitset_count(w->set), 0);
}

/* ---- the search path ---- */

static void only_what_is_wanted_comes_from_the_search_path(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=b.service\nRequires=c.service\nAfter=d.service b.service\nBefore=e.service\n" RUN);
	put(w, "o/b.service", "[Unit]\nWants=f.service\nAfter=g.service\n" RUN);
	put(w, "e/c.service", RUN);
	put(w, "u/d.service", RUN);
	put(w, "u/e.service", RUN);
	put(w, "u/f.service", RUN);
	put(w, "u/g.service", RUN);
	when_searched(w);
	then_silent(w);
	then_units(w, "a+ b c f");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "b");
	assert_string_equal(names_of(w, unit_of(w, "b"), EDGE_WANTS), "f");
}

static void a_name_comes_from_the_first_folder_that_has_it(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=b.service c.service d.service\n" RUN);
	put(w, "s/b.service", NICE(1));
	put(w, "o/b.service", NICE(2));
	put(w, "o/c.service", NICE(2));
	put(w, "e/c.service", NICE(3));
	put(w, "e/d.service", NICE(3));
	put(w, "u/d.service", NICE(4));
	when_searched(w);
	then_silent(w);
	then_units(w, "a+ b+ c d");
	assert_int_equal(unit_of(w, "b")->nice, 1);
	assert_int_equal(unit_of(w, "c")->nice, 2);
	assert_int_equal(unit_of(w, "d")->nice, 3);
}

static void a_broken_unit_of_the_search_path_costs_itself(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=b.service\n" RUN);
	put(w, "u/b.service", "[Service\n");
	when_searched(w);
	then_units(w, "a+ b");
	assert_int_equal(unit_of(w, "b")->flags & (UNIT_BROKEN | UNIT_WANTED), UNIT_BROKEN);
	then_noted(w, "b", "u/b.service:1: `[Service`");
}

/* ---- masks ---- */

static void a_mask_hides_the_name_in_all_folders(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=b.service c.service\nRequires=d.service\n" RUN);
	put_link(w, "s/m.service", "/dev/null");
	put(w, "o/m.service", RUN);
	put_link(w, "e/b.service", "/dev/null");
	put(w, "u/b.service", RUN);
	put(w, "e/c.service", "");
	put(w, "u/c.service", RUN);
	put_link(w, "s/d.service", "../e/b.service");
	when_searched(w);
	then_units(w, "a+");
	then_said(w, "e/c.service: is empty: the unit is masked, as if it were not there\n");
	then_noted(w, "a", "a.service:3: Requires=d.service, which is not there");
}

/* ---- links ---- */

static void a_link_to_another_name_is_another_name(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=syslog.service\nAfter=log.service mysqld.service\n" RUN);
	put_link(w, "e/syslog.service", "/u/rsyslog.service");
	put_link(w, "u/log.service", "syslog.service");
	put(w, "u/rsyslog.service", RUN);
	put_link(w, "s/mysqld.service", "/u/mariadb.service");
	put(w, "u/mariadb.service", RUN);
	when_searched(w);
	then_silent(w);
	then_units(w, "a+ mariadb+ rsyslog");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_WANTS), "rsyslog");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "mariadb,rsyslog");
	assert_string_equal(words_of(w, unit_of(w, "rsyslog")->aliases), "log.service,syslog.service");
	assert_int_equal(unitset_find_any(w->set, STR("syslog")), unitset_find(w->set, STR("rsyslog")));
	assert_int_equal(unitset_find_any(w->set, STR("mysqld.service")), unitset_find(w->set, STR("mariadb")));
}

/* systemd looks for the name that a link gives, not for the file behind it. */
static void another_name_is_looked_for_on_the_whole_path(void **state)
{
	struct world *w = *state;
	put_link(w, "s/web.service", "/u/nginx.service");
	put(w, "u/nginx.service", NICE(2));
	put(w, "e/nginx.service", NICE(1));
	when_searched(w);
	then_units(w, "nginx+");
	then_file(w, "nginx", "e/nginx.service");
}

static void a_link_to_a_file_elsewhere_keeps_its_own_name(void **state)
{
	struct world *w = *state;
	put(w, "opt/app.service", RUN);
	put_link(w, "s/web.service", "/opt/app.service");
	put(w, "u/db.service", RUN);
	put_link(w, "s/db.service", "/u/db.service");
	when_searched(w);
	then_silent(w);
	then_units(w, "db+ web+");
	then_text(w, unit_of(w, "web")->description, "");
	then_file(w, "db", "s/db.service");
}

/* As systemd: "symlink target name type does not match source, rejecting". */
static void a_link_to_a_name_of_another_kind_is_none(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=plain.service\n" RUN);
	put_link(w, "s/x.service", "/u/x.socket");
	put_link(w, "s/y.service", "/u/t@.service");
	put_link(w, "s/z.service", "/u/notes");
	put_link(w, "u/plain.service", "t@1.service");
	put(w, "u/t@.service", RUN);
	when_searched(w);
	then_units(w, "a+");
	then_said(w, "s/x.service: left out: a link to ");
	then_said(w, "u/t@.service, which is no name of the same kind\n");
	then_said(w, "u/notes, which is no name of the same kind\n");
}

static void links_that_lead_nowhere_cost_themselves(void **state)
{
	struct world *w = *state;
	put_link(w, "s/a.service", "b.service");
	put_link(w, "s/b.service", "c.service");
	put_link(w, "s/c.service", "a.service");
	put_link(w, "s/self.service", "self.service");
	put_link(w, "s/gone.service", "/u/lost.service");
	put(w, "s/good.service", "[Unit]\nAfter=a.service\n" RUN);
	when_searched(w);
	then_units(w, "a+ b+ c+ gone+ good+ self+");
	for (const char *const *name = (const char *const[]){ "a", "b", "c", "self", "gone", NULL }; *name; name++)
		then_broken(w, *name, "cannot be read");
}

static void install_aliases_count_for_what_is_in_services_d(void **state)
{
	struct world *w = *state;
	put(w, "s/rsyslog.service", RUN "[Install]\nAlias=syslog.service taken.service\nAlias=x.socket\n");
	put(w, "s/a.service", "[Unit]\nRequires=syslog.service\nWants=other.service\n" RUN);
	put(w, "s/taken.service", RUN);
	put(w, "u/other.service", RUN "[Install]\nAlias=not.service\n");
	when_searched(w);
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_REQUIRES), "rsyslog");
	assert_string_equal(words_of(w, unit_of(w, "rsyslog")->aliases), "syslog.service");
	assert_string_equal(words_of(w, unit_of(w, "other")->aliases), "");
	then_noted(w, "rsyslog", "rsyslog.service:5: Alias=x.socket: expected names of the same type");
}

/* What one unit only mentions need not be there; what it could be started or ended by has to. */
static void what_any_bond_calls_for_is_loaded(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nBindsTo=b.service\nUpholds=c.service\nOnFailure=d@%n.service\nOnSuccess=e.service\n"
			      "Requisite=f.service\nConflicts=g.service\nPartOf=h.service\n" RUN);
	for (const char *const *name = (const char *const[]){ "u/b.service", "u/c.service", "u/d@.service", "u/e.service", "u/f.service",
							      "u/g.service", "u/h.service", NULL }; *name; name++)
		put(w, *name, RUN);
	when_searched(w);
	then_silent(w);
	then_units(w, "a+ b c d@a.service e f");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_ON_FAILURE), "d@a.service");
}

static void targets_come_from_the_search_path_but_for_those_built_in(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=app.target basic.target\nAfter=app.target\n" RUN);
	put(w, "s/x@.target", "");
	put(w, "u/app.target", "[Unit]\nWants=b.service\n");
	put(w, "u/app.target.d/x.conf", "[Unit]\nDescription=The app\n");
	put(w, "e/app.target.wants/c.service", "");
	put(w, "u/b.service", RUN);
	put(w, "u/c.service", RUN);
	put(w, "u/basic.target", "[Unit]\nWants=d.service\n");
	put(w, "e/basic.target.wants/d.service", "");
	put(w, "u/d.service", RUN);
	when_searched(w);
	then_silent(w);
	assert_int_equal(unitset_count(w->set), 5);
	assert_string_equal(names_of(w, unit_of(w, "app.target"), EDGE_WANTS), "b,c");
	assert_string_equal(names_of(w, unit_of(w, "app.target"), EDGE_AFTER), "b,c");
	then_text(w, unit_of(w, "app.target")->description, "The app");
	assert_false(unit_of(w, "app.target")->flags & UNIT_WANTED);
	then_text(w, unit_of(w, "basic.target")->file, "(built in)");

	put_link(w, "s/basic.target", "/u/basic.target");
	when_searched(w);
	then_file(w, "basic.target", "s/basic.target");
	assert_string_equal(names_of(w, unit_of(w, "basic.target"), EDGE_WANTS), "d");
	assert_true(unit_of(w, "basic.target")->flags & UNIT_WANTED);
}

/* ---- templates ---- */

static void instances_come_from_their_template(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=t@1.service t@2.service own@.service\n" RUN);
	put(w, "s/t@.service", "[Unit]\nDescription=%i of %p\nWants=own@.service\n" RUN);
	put(w, "e/t@2.service", NICE(2));
	put(w, "u/own@.service", RUN);
	put_link(w, "s/t@3.service", "t@.service");
	put_link(w, "s/far@x.service", "/u/far@.service");
	put(w, "u/far@.service", "[Unit]\nDescription=%i\n" RUN);
	when_searched(w);
	then_silent(w);
	then_units(w, "a+ far@x+ own@1 own@3 own@a t@1 t@2 t@3+");
	then_text(w, unit_of(w, "t@1")->description, "1 of t");
	then_text(w, unit_of(w, "t@3")->description, "3 of t");
	then_text(w, unit_of(w, "far@x")->description, "x");
	assert_int_equal(unit_of(w, "t@2")->nice, 2);
	assert_string_equal(names_of(w, unit_of(w, "t@1"), EDGE_WANTS), "own@1");
}

static void a_template_may_have_another_name(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nWants=autovt@tty1.service\nAfter=autovt@tty1.service\n" RUN);
	put_link(w, "u/autovt@.service", "getty@.service");
	put(w, "u/getty@.service", "[Unit]\nDescription=%n\n" RUN);
	put_link(w, "s/console@ttyS0.service", "/u/getty@.service");
	when_searched(w);
	then_units(w, "a+ getty@tty1 getty@ttyS0+");
	then_text(w, unit_of(w, "getty@tty1")->description, "getty@tty1.service");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "getty@tty1");
}

/* ---- drop-ins ---- */

static void drop_ins_apply_in_the_order_of_their_names(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Service]\nExecStart=/a\nNice=1\nUMask=0001\nOOMScoreAdjust=1\n");
	put(w, "u/a.service.d/10.conf", "[Service]\nNice=10\nUMask=0010\n");
	put(w, "s/a.service.d/20.conf", "[Service]\nNice=20\nUMask=0020\n");
	put(w, "e/a.service.d/15.conf", "[Service]\nNice=15\nUMask=0030\nExecStart=\nExecStart=/b\n");
	put(w, "s/a.service.d/README", "[Service]\nNice=7\n");
	put(w, "s/a.service.d/.hidden.conf", "[Service]\nNice=7\n");
	when_searched(w);
	const struct unit *u = unit_of(w, "a");
	assert_int_equal(u->nice, 15);
	assert_int_equal(u->umask, 020);
	assert_int_equal(u->oom_score_adj, 1);
	assert_string_equal(commands_of(w, u, EXEC_START), "/b [/b]");
	then_noted(w, "a", "a.service.d/20.conf:2: Nice=20: expected a number from -20 to 19");
}

static void of_a_drop_in_s_name_the_nearest_counts(void **state)
{
	struct world *w = *state;
	put(w, "s/a-b.service", RUN);
	put(w, "u/a-b.service.d/x.conf", "[Service]\nNice=1\n");
	put(w, "e/a-.service.d/x.conf", "[Service]\nNice=2\n");         /* a nearer folder beats a nearer name */
	put(w, "u/a-.service.d/y.conf", "[Service]\nUMask=1\n");
	put(w, "u/a-b.service.d/y.conf", "[Service]\nUMask=2\n");
	put(w, "s/service.d/z.conf", "[Service]\nOOMScoreAdjust=1\n");
	put(w, "u/a-b.service.d/z.conf", "[Service]\nOOMScoreAdjust=2\n");
	put(w, "s/service.d/all.conf", "[Service]\nTimeoutStopSec=7\n");
	put(w, "u/a-b.service.d/m.conf", "[Service]\nKillMode=none\n");
	put_link(w, "e/a-b.service.d/m.conf", "/dev/null");
	when_searched(w);
	then_silent(w);
	const struct unit *u = unit_of(w, "a-b");
	assert_int_equal(u->nice, 2);
	assert_int_equal(u->umask, 2);
	assert_int_equal(u->oom_score_adj, 2);
	assert_int_equal(u->stop_ms, 7000);
	assert_int_equal(u->kill_mode, KILL_CONTROL_GROUP);
}

static void drop_ins_know_templates_prefixes_and_other_names(void **state)
{
	struct world *w = *state;
	static const char *const folders[] = {
		"a-b-c@i.service.d", "a-b-c@.service.d", "a-b-@i.service.d", "a-b-@.service.d", "a-@i.service.d",
		"a-@.service.d", "alias.service.d", "service.d",
	};
	char name[64], text[64];
	put(w, "s/a-b-c@i.service", RUN);
	put(w, "s/plain-x.service", RUN);
	put_link(w, "e/alias.service", "plain-x.service");
	put(w, "u/plain-x.service", RUN);
	for (size_t i = 0; i < countof(folders); i++) {
		snprintf(name, sizeof name, "u/%s/%zu.conf", folders[i], i);
		snprintf(text, sizeof text, "[Service]\nEnvironment=V%zu=\n", i);
		put(w, name, text);
	}
	put(w, "u/a-.service.d/no.conf", "[Service]\nEnvironment=NO=\n");
	when_searched(w);
	assert_non_null(strstr(words_of(w, unit_of(w, "a-b-c@i")->environment), ",V0=,V1=,V2=,V3=,V4=,V5=,V7="));
	assert_null(strstr(words_of(w, unit_of(w, "a-b-c@i")->environment), "NO="));
	assert_non_null(strstr(variables_of(w, unit_of(w, "plain-x")->environment), "bin,V6=,V7="));
}

static void a_bad_drop_in_costs_itself(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nDescription=good\nRequires=gone.service\n" RUN);
	put(w, "s/a.service.d/1.conf", "[Service]\nNice=5\n[Unit\nDescription=bad\n");
	put(w, "s/a.service.d/2.conf/inner.conf", "[Unit]\nDescription=deep\n");
	put_link(w, "s/a.service.d/3.conf", "gone");
	put(w, "s/a.service.d/4.conf", "[Unit]\nRequires=lost.service\n[Service]\nUser=no such user\nPrivateTmp=yes\n");
	when_searched(w);
	const struct unit *u = unit_of(w, "a");
	assert_false(u->flags & UNIT_BROKEN);
	then_text(w, u->description, "good");
	assert_int_equal(u->nice, 5);
	then_noted(w, "a", "s/a.service.d/1.conf:3: `[Unit`: a [section] has to end in `]`: ignored from here on");
	then_noted(w, "a", "s/a.service.d/2.conf: is a folder, not a unit file: the drop-in is ignored");
	then_noted(w, "a", "s/a.service.d/3.conf: cannot be read: No such file or directory: the drop-in is ignored");
	/* What is only seen later still knows its file. */
	then_noted(w, "a", "s/a.service:3: Requires=gone.service");
	then_noted(w, "a", "s/a.service.d/4.conf:2: Requires=lost.service");
	then_noted(w, "a", "s/a.service.d/4.conf:4: User=no such user");
	then_noted(w, "a", "s/a.service.d/4.conf:5)");
}

/* ---- .wants and .requires ---- */

static void folders_of_links_are_dependencies(void **state)
{
	struct world *w = *state;
	put(w, "s/a@1.service", RUN);
	put_link(w, "s/a@1.service.wants/b.service", "/u/b.service");
	put_link(w, "u/a@.service.wants/c@.service", "../c@.service");
	put_link(w, "e/a@1.service.requires/d.service", "nowhere");
	put_link(w, "e/a@1.service.requires/gone.service", "nowhere");
	put(w, "e/a@1.service.wants/README", "");
	put(w, "u/b.service", RUN);
	put(w, "u/c@.service", RUN);
	put(w, "u/d.service", RUN);
	when_searched(w);
	then_units(w, "a@1+ b c@1 d");
	assert_string_equal(names_of(w, unit_of(w, "a@1"), EDGE_WANTS), "b,c@1");
	assert_string_equal(names_of(w, unit_of(w, "a@1"), EDGE_REQUIRES), "d");
	then_noted(w, "a@1", "s/a@1.service: Requires=gone.service, which is not there");
}

static void a_socket_that_is_not_run_is_taken_as_there(void **state)
{
	struct world *w = *state;
	put(w, "s/a.service", "[Unit]\nRequires=a.socket\n" RUN);
	put(w, "u/a.socket", "[Socket]\nListenStream=/run/a\n");
	put(w, "s/b.service", RUN "Type=dbus\nBusName=org.example.B\n");
	put(w, "u/dbus.socket", "[Socket]\nListenStream=/run/dbus/system_bus_socket\n");
	when_searched(w);
	assert_false(unit_of(w, "a")->flags & UNIT_DEPENDENCY_MISSING);
	then_noted(w, "a", "a.service:2: Requires=a.socket, which is not yet a type that is run: taken as there");
	then_noted(w, "b", "s/b.service: Type=dbus implies Requires=dbus.socket, which is not yet a type that is run");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_folder_wins_a_name),
		TEST(a_folder_that_is_not_there_is_said),
		TEST(only_what_is_wanted_comes_from_the_search_path),
		TEST(a_name_comes_from_the_first_folder_that_has_it),
		TEST(a_broken_unit_of_the_search_path_costs_itself),
		TEST(a_mask_hides_the_name_in_all_folders),
		TEST(a_link_to_another_name_is_another_name),
		TEST(another_name_is_looked_for_on_the_whole_path),
		TEST(a_link_to_a_file_elsewhere_keeps_its_own_name),
		TEST(a_link_to_a_name_of_another_kind_is_none),
		TEST(links_that_lead_nowhere_cost_themselves),
		TEST(install_aliases_count_for_what_is_in_services_d),
		TEST(what_any_bond_calls_for_is_loaded),
		TEST(targets_come_from_the_search_path_but_for_those_built_in),
		TEST(instances_come_from_their_template),
		TEST(a_template_may_have_another_name),
		TEST(drop_ins_apply_in_the_order_of_their_names),
		TEST(of_a_drop_in_s_name_the_nearest_counts),
		TEST(drop_ins_know_templates_prefixes_and_other_names),
		TEST(a_bad_drop_in_costs_itself),
		TEST(folders_of_links_are_dependencies),
		TEST(a_socket_that_is_not_run_is_taken_as_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
