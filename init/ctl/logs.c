/* oomphctl logs: the lines of all services, or of some, in the order of their times. */
#include "logs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define BASE "/var/log/oomph"
#define BASE_EARLY "/run/log/oomph"     /* until /var can be written */
#define FOLLOWED_LINES 10               /* of before, with -f */
#define UNIT_COLUMN_MAX 24

bool log_has_trouble, log_is_quiet;

void log_trouble(const char *path, const char *what)
{
	if (!log_is_quiet)
		fprintf(stderr, "oomphctl: %s: %s\n", line_raw(path).text, what);
	log_has_trouble = true;
}

/* ---- folders ---- */

void logs_begin(struct logs *l, const char *base)
{
	const char *told = base ? base : getenv("OOMPH_LOGDIR");
	struct logpick *pick = &l->wish.pick;
	l->wish.from_us = pick->since_us > SET_BACK_US ? pick->since_us - SET_BACK_US : 0;
	l->wish.to_us = pick->until_us < UINT64_MAX - SET_BACK_US ? pick->until_us + SET_BACK_US : UINT64_MAX;
	l->bases[0] = told && told[0] ? told : BASE;
	l->bases[1] = BASE_EARLY;
	l->n_bases = told && told[0] ? 1 : 2;
}

static bool is_wanted(const struct logs *l, const char *name)
{
	for (size_t i = 0; i < l->n_wanted; i++)
		if (strcmp(l->wanted[i], name) == 0)
			return true;
	return l->n_wanted == 0;
}

static struct log_unit *unit_of(struct logs *l, const char *name)
{
	for (size_t i = 0; i < l->n_units; i++)
		if (strcmp(l->units[i]->name, name) == 0)
			return l->units[i];
	struct log_unit *unit = log_room(NULL, sizeof *unit);
	*unit = (struct log_unit){ .name = strdup(name) };
	if (!unit->name)
		leave(LEAVE_FAILED, "out of memory");
	l->units = log_room(l->units, (l->n_units + 1) * sizeof *l->units);
	return l->units[l->n_units++] = unit;
}

static void add_source(struct logs *l, const char *name, unsigned base)
{
	struct log_unit *unit = unit_of(l, name);
	for (size_t i = 0; i < l->n_sources; i++)
		if (l->sources[i]->unit == unit && l->sources[i]->base == base)
			return;
	struct log_source *s = log_room(NULL, sizeof *s);
	log_source_begin(s, &l->wish, unit, l->bases[base], base);
	if (l->n_sources == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		l->sources = log_room(l->sources, l->room * sizeof *l->sources);
		l->merge.turns = log_room(l->merge.turns, l->room * sizeof *l->merge.turns);
	}
	l->sources[l->n_sources++] = s;
}

/* A link leads who knows where, and the logger makes none. */
static bool is_folder(DIR *base, const struct dirent *e)
{
	struct stat st;
	if (e->d_type != DT_UNKNOWN)
		return e->d_type == DT_DIR;
	return fstatat(dirfd(base), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

typedef void take_folder(struct logs *l, const char *name, unsigned base, void *to);

static void each_folder(struct logs *l, take_folder *take, void *to)
{
	for (unsigned base = 0; base < l->n_bases; base++) {
		DIR *folder = opendir(l->bases[base]);
		if (!folder && errno != ENOENT)
			log_trouble(l->bases[base], strerror(errno));
		for (const struct dirent *e; folder && (e = readdir(folder));)
			if (logfile_is_folder(str_from(e->d_name)) && is_folder(folder, e))
				take(l, e->d_name, base, to);
		if (folder)
			closedir(folder);
	}
}

static void take_wanted(struct logs *l, const char *name, unsigned base, void *to)
{
	(void)to;
	if (is_wanted(l, name))
		add_source(l, name, base);
}

void logs_scan(struct logs *l)
{
	each_folder(l, take_wanted, NULL);
}

void logs_want(struct logs *l, const char *name)
{
	const char *suffix = logfile_is_folder(str_from(name)) ? "" : ".service";
	l->wanted = log_room(l->wanted, (l->n_wanted + 1) * sizeof *l->wanted);
	if (asprintf(&l->wanted[l->n_wanted++], "%s%s", name, suffix) < 0)
		leave(LEAVE_FAILED, "out of memory");
}

/* ---- merging ---- */

static void next_turn(struct logs *l, size_t i)
{
	struct log_source *s = l->sources[i];
	if (log_source_next(s))
		logmerge_add(&l->merge, (struct logturn){ s->turn_us, (uint32_t)i });
	else
		s->is_stale = false;
}

/*
 * oomph-log moves what it has kept in /run to /var, and for a moment it is in both: the same line is then shown from one and has its
 * turn in the other. Later on, what has been shown from the one is not new in the other.
 */
static bool was_shown(const struct logs *l, const struct log_source *s)
{
	uint64_t own = s->entry.line.time_us, elsewhere = s->unit->shown_us[!s->base];
	return elsewhere && (l->is_live ? own <= elsewhere : own == elsewhere);
}

void logs_run(struct logs *l)
{
	for (size_t i = 0; i < l->n_sources; i++)
		if (l->sources[i]->is_stale)
			next_turn(l, i);
	while (l->merge.n && !ferror(stdout)) {
		size_t i = logmerge_take(&l->merge).source;
		struct log_source *s = l->sources[i];
		if (!was_shown(l, s)) {
			s->unit->shown_us[s->base] = s->entry.line.time_us;
			l->take(s->unit, &s->entry, l->to);
		}
		next_turn(l, i);
	}
}

/* Each source has a file open. */
static void raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- the command ---- */

static void read_pattern(struct log_wish *wish, const char *pattern)
{
	char why[128];
	bool has_upper = false;
	for (const char *p = pattern; *p; p++)
		has_upper |= *p >= 'A' && *p <= 'Z';
	int r = regcomp(&wish->pattern, pattern, REG_EXTENDED | REG_NOSUB | (has_upper ? 0 : REG_ICASE));
	if (r) {
		regerror(r, &wish->pattern, why, sizeof why);
		leave(LEAVE_USAGE, "%s is no extended regular expression: %s", line_raw(pattern).text, why);
	}
	wish->has_pattern = true;
}

static void read_wish(struct log_wish *wish, const struct ask *ask)
{
	struct logpick *pick = &wish->pick;
	uint64_t generation = 0;
	*pick = LOGPICK_ALL;
	if (ask->since)
		pick->since_us = log_time_option(ask->since);
	if (ask->until)
		pick->until_us = log_time_option(ask->until);
	if ((ask->options & OPTION_BOOT) && log_boot_us() > pick->since_us)
		pick->since_us = log_boot_us();
	if (ask->generation && (!str_u64(str_from(ask->generation), &generation) || generation > UINT32_MAX))
		leave(LEAVE_USAGE, "%s is no generation: they are counted 1, 2, 3", line_raw(ask->generation).text);
	pick->has_generation = ask->generation;
	pick->generation = (uint32_t)generation;
	if (ask->priority && !logpick_priorities(pick, str_from(ask->priority)))
		leave(LEAVE_USAGE, "%s is no priority; they are emerg alert crit err warning notice info debug, or a range: err..info",
		      line_raw(ask->priority).text);
	if (ask->pattern)
		read_pattern(wish, ask->pattern);
	wish->follows = ask->options & OPTION_FOLLOW;
	if (wish->follows && ask->until)
		leave(LEAVE_USAGE, "-f waits for what comes, and --until ends before it");
}

struct nearest {
	struct str wanted;
	unsigned distance;
	char name[UNIT_NAME_MAX + 1];
};

static void take_nearer(struct logs *l, const char *name, unsigned base, void *to)
{
	struct nearest *best = to;
	unsigned distance = str_distance(best->wanted, say_unit(name));
	(void)l;
	(void)base;
	if (distance >= best->distance)
		return;
	best->distance = distance;
	snprintf(best->name, sizeof best->name, "%s", name);
}

/* A service that has not written yet is there all the same, as far as PID 1 knows it. */
static bool is_known(const struct logs *l, const struct ask *ask, const char *unit)
{
	struct request r = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = VERB_STATUS };
	struct wire w;
	if (l->n_bases == 1 || strlen(unit) >= sizeof r.unit || !wire_try(&w, ask))
		return false;
	memcpy(r.unit, unit, strlen(unit));
	enum answer answer = wire_exchange(&w, &r, NULL, NULL);
	wire_close(&w);
	return answer != ANSWER_NO_SUCH_UNIT;
}

static void expect_units(struct logs *l, const struct ask *ask)
{
	for (size_t i = 0; i < l->n_wanted; i++) {
		bool is_there = false;
		for (size_t u = 0; u < l->n_units; u++)
			is_there |= strcmp(l->units[u]->name, l->wanted[i]) == 0;
		if (is_there || is_known(l, ask, l->wanted[i]))
			continue;
		struct nearest best = { .wanted = say_unit(l->wanted[i]) };
		best.distance = 2 + (unsigned)best.wanted.n / 4;        /* as expect_ok() has it */
		each_folder(l, take_nearer, &best);
		if (best.name[0])
			leave(LEAVE_NO_UNIT, "no such unit: %s; is it %s?", line_raw(ask->args[i]).text, line_unit(best.name).text);
		leave(LEAVE_NO_UNIT, "no such unit: %s", line_raw(ask->args[i]).text);
	}
}

static void take_shown(struct log_unit *unit, const struct entry *e, void *to)
{
	log_show(to, unit, e);
}

static void prepare_show(struct log_show *show, const struct logs *l, const struct ask *ask)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	*show = (struct log_show){ .out = stdout, .is_json = ask->is_json, .is_terminal = isatty(STDOUT_FILENO), .second = UINT64_MAX };
	show->has_colours = show->is_terminal && !(no_colour && no_colour[0]) && term && strcmp(term, "dumb") != 0;
	show->has_units = l->n_wanted != 1;
	for (size_t i = 0; i < l->n_units; i++) {
		int n = (int)say_unit(l->units[i]->name).n;
		show->width = n > show->width ? n : show->width;
	}
	if (show->width > UNIT_COLUMN_MAX)
		show->width = UNIT_COLUMN_MAX;
	if (!show->is_terminal)
		setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}

int logs_main(const struct ask *ask)
{
	struct log_show show;
	struct logs l = { .take = take_shown, .to = &show };
	read_wish(&l.wish, ask);
	raise_limit();
	logs_begin(&l, ask->base);
	for (int i = 0; i < ask->n_args; i++)
		logs_want(&l, ask->args[i]);
	logs_sync(wire_folder(ask), l.n_wanted == 1 ? l.wanted[0] : NULL);
	if (l.wish.follows)
		logs_watch(&l);
	logs_scan(&l);
	expect_units(&l, ask);
	prepare_show(&show, &l, ask);
	if (show.is_terminal && !l.wish.follows && !ask->is_json)
		log_pager_open();
	if (ask->options & OPTION_NUMBER)
		log_tail(l.sources, l.n_sources, ask->number);
	else if (l.wish.follows && !ask->since)
		log_tail(l.sources, l.n_sources, FOLLOWED_LINES);
	logs_run(&l);
	if (l.wish.follows)
		logs_follow(&l);
	return log_pager_close(log_has_trouble ? LEAVE_FAILED : LEAVE_OK);
}
