/* Entries for people and for programs. A service chooses every byte of its text: on a terminal none of them may do more than be seen. */
#include "logs.h"
#include "logjson.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- lines ---- */

/* Local time; the same second is told apart once. */
static void put_time(struct log_show *show, uint64_t us)
{
	time_t second = (time_t)(us / 1000000);
	struct tm tm;
	if (us == 0) {
		fprintf(show->out, "%-23s", "-");
		return;
	}
	if (show->second != (uint64_t)second && localtime_r(&second, &tm)) {
		strftime(show->clock, sizeof show->clock, "%Y-%m-%d %H:%M:%S", &tm);
		show->second = (uint64_t)second;
	}
	fprintf(show->out, "%s.%03u", show->clock, (unsigned)(us / 1000 % 1000));
}

static void put_head(struct log_show *show, const struct log_unit *unit, uint64_t us)
{
	struct str name = say_unit(unit->name);
	put_time(show, us);
	if (show->has_units)
		fprintf(show->out, " %-*.*s", show->width, (int)name.n, name.p);
	fputc(' ', show->out);
}

/* SGR sequences of ECMA-48, as journalctl has them: red, yellow, bold, grey. */
static const char *colour(uint8_t priority)
{
	static const char *const colours[N_LOG_PRIORITY] = {
		[LOG_PRIORITY_EMERG] = "\033[1;31m", [LOG_PRIORITY_ALERT] = "\033[1;31m", [LOG_PRIORITY_CRIT] = "\033[1;31m",
		[LOG_PRIORITY_ERR] = "\033[1;31m", [LOG_PRIORITY_WARNING] = "\033[1;33m", [LOG_PRIORITY_NOTICE] = "\033[1m",
		[LOG_PRIORITY_DEBUG] = "\033[90m",
	};
	return colours[priority];
}

/* A note tells of it in better words, where there was one. */
static void mark_generation(struct log_show *show, struct log_unit *unit, const struct logline *line)
{
	if (line->stream == LOG_NOTE || line->generation == 0)
		return;
	if (unit->generation && unit->generation != line->generation && !unit->has_note) {
		put_head(show, unit, line->time_us);
		fprintf(show->out, "-- generation %" PRIu32 " --\n", line->generation);
	}
	unit->generation = line->generation;
	unit->has_note = false;
}

/* "-- db died: oom-kill, 312 MB --": the logger's words begin behind the name of whom they tell. */
static void put_note_head(struct log_show *show, const struct log_unit *unit)
{
	struct str name = say_unit(unit->name);
	fputs("-- ", show->out);
	if (strcmp(unit->name, LOGFILE_SYSTEM) != 0)
		fprintf(show->out, "%.*s ", (int)name.n, name.p);
}

static void show_words(struct log_show *show, struct log_unit *unit, const struct entry *e)
{
	const char *on = show->has_colours && !e->is_foreign ? colour(e->line.priority) : NULL;
	bool is_note = e->line.stream == LOG_NOTE && !e->is_foreign;
	if (!e->is_foreign)
		mark_generation(show, unit, &e->line);
	unit->has_note |= is_note;
	put_head(show, unit, e->line.time_us);
	if (on)
		fputs(on, show->out);
	if (is_note)
		put_note_head(show, unit);
	print_text(show->out, e->line.text, show->is_terminal);
	fputs(is_note ? " --" : "", show->out);
	if (on)
		fputs("\033[0m", show->out);
	fputc('\n', show->out);
}

/* As oomph-log hands them on. */
static void show_json(struct log_show *show, const struct log_unit *unit, const struct entry *e)
{
	struct str name = str_from(unit->name);
	struct logline line = e->line;
	size_t room = LOGJSON_MAX(name.n, line.text.n);
	if (e->is_foreign)
		line = (struct logline){ .time_us = line.time_us, .stream = N_LOG_STREAM, .priority = N_LOG_PRIORITY, .text = line.text };
	if (show->json.cap < room) {
		show->json.p = log_room(show->json.p, room);
		show->json.cap = room;
	}
	show->json.n = 0;
	logjson_put(&show->json, name, &line);
	fwrite(show->json.p, 1, show->json.n, show->out);
}

void log_show(struct log_show *show, struct log_unit *unit, const struct entry *e)
{
	if (show->is_json)
		show_json(show, unit, e);
	else
		show_words(show, unit, e);
}

/* ---- the pager ---- */

static pid_t pager;

static const char *pager_command(void)
{
	const char *own = getenv("OOMPH_PAGER"), *common = getenv("PAGER");
	if (own)
		return own;
	return common ? common : "command -v less >/dev/null && exec less; exec cat";
}

/* The shell reads it, as of any such variable: "less -S". Colours are let through, and what fits a screen is not paged (LESS). */
bool log_pager_open(void)
{
	const char *command = pager_command();
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	posix_spawn_file_actions_t actions;
	int ends[2];
	if (command[0] == '\0' || strcmp(command, "cat") == 0 || pipe2(ends, O_CLOEXEC) < 0)
		return false;
	setenv("LESS", "FRSXMK", 0);
	fflush(stdout);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
	int r = posix_spawn(&pager, "/bin/sh", &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r == 0)
		dup2(ends[1], STDOUT_FILENO);
	close(ends[0]);
	close(ends[1]);
	if (r)
		return false;
	signal(SIGINT, SIG_IGN);        /* Ctrl-C is the pager's */
	signal(SIGPIPE, SIG_IGN);       /* and when it has left, nothing more is written */
	return true;
}

int log_pager_close(int status)
{
	if (!pager)
		return status;
	fclose(stdout);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
	exit(status);
}
