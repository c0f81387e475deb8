/* What other commands show of logs: a service's last lines, and those before a death. */
#include "logs.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SYNC_MS 500
#define LATE_MS 1000            /* a logger that is busy is at most so late */

/* ---- the logger ---- */

static int connect_logger(struct str folder)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *run = getenv("OOMPH_RUN");
	if (run && run[0])
		folder = str_from(run);
	int n = snprintf(address.sun_path, sizeof address.sun_path, "%.*s/log", (int)folder.n, folder.p);
	if ((size_t)n >= sizeof address.sun_path)
		return -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Without a logger, or with one that hangs, there is what there is. */
void logs_sync(struct str folder, const char *unit)
{
	char words[UNIT_NAME_MAX + 8], answer[16];
	int n = unit ? snprintf(words, sizeof words, "sync %s\n", unit) : snprintf(words, sizeof words, "sync\n");
	int fd = connect_logger(folder);
	if (fd < 0)
		return;
	if ((size_t)n < sizeof words && send(fd, words, (size_t)n, MSG_NOSIGNAL) == n &&
	    poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, SYNC_MS) > 0)
		recv(fd, answer, sizeof answer, 0);
	close(fd);
}

bool logs_are_here(const struct wire *w)
{
	const char *told = getenv("OOMPH_LOGDIR");
	return (told && told[0]) || wire_is_ours(w);
}

/* ---- one unit's last lines ---- */

static void end(struct logs *l)
{
	for (size_t i = 0; i < l->n_sources; i++) {
		log_source_end(l->sources[i]);
		free(l->sources[i]);
	}
	for (size_t i = 0; i < l->n_units; i++) {
		free(l->units[i]->name);
		free(l->units[i]);
	}
	for (size_t i = 0; i < l->n_wanted; i++)
		free(l->wanted[i]);
	free(l->sources);
	free(l->units);
	free(l->wanted);
	free(l->merge.turns);
}

static void run(struct logs *l, const char *unit, size_t n)
{
	log_is_quiet = true;
	logs_begin(l, NULL);
	logs_want(l, unit);
	logs_scan(l);
	log_tail(l->sources, l->n_sources, n);
	logs_run(l);
	end(l);
}

struct shown {
	struct log_show show;
	bool has_line;
};

static void take_shown(struct log_unit *unit, const struct entry *e, void *to)
{
	struct shown *s = to;
	if (!s->has_line)
		putchar('\n');
	s->has_line = true;
	log_show(&s->show, unit, e);
}

void logs_print_last(const char *unit, size_t n)
{
	struct shown shown = { .show = { .out = stdout, .is_terminal = isatty(STDOUT_FILENO), .second = UINT64_MAX } };
	struct logs l = { .wish = { .pick = LOGPICK_ALL }, .take = take_shown, .to = &shown };
	run(&l, unit, n);
}

/* ---- the last words ---- */

static void take_word(struct log_unit *unit, const struct entry *e, void *to)
{
	struct last_words *words = to;
	struct str text = e->line.text;
	(void)unit;
	if (words->n == LAST_WORDS)
		return;
	struct last_word *word = &words->list[words->n++];
	size_t n = text.n < sizeof word->text ? text.n : sizeof word->text;
	while (n && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
		n--;                            /* not within a code point */
	word->time_us = e->line.time_us;
	word->n = n;
	memcpy(word->text, text.p, n);
}

/*
 * Lines are stamped when the logger reads them, which may be after the death; but its successor's have another generation. Since
 * those are counted anew at each boot, no line is taken that is older than this process 1.
 */
void last_words(struct last_words *words, const char *unit, const struct death *d, uint64_t pid1_since_ms)
{
	struct logs l = { .wish = { .pick = LOGPICK_ALL }, .take = take_word, .to = words };
	struct logpick *pick = &l.wish.pick;
	words->n = 0;
	pick->since_us = pid1_since_ms * 1000;
	pick->until_us = (d->wall_ms + LATE_MS) * 1000;
	pick->has_generation = pick->takes_untold = true;
	pick->generation = d->generation;
	pick->is_without_notes = true;
	run(&l, unit, LAST_WORDS);
}

void last_words_print(FILE *out, const struct last_words *words)
{
	for (size_t i = 0; i < words->n; i++) {
		const struct last_word *word = &words->list[i];
		fprintf(out, "  %-9s %s.%03u  ", i ? "" : "Said", line_time("%H:%M:%S", word->time_us / 1000).text,
			(unsigned)(word->time_us / 1000 % 1000));
		print_text(out, str_of(word->text, word->n), true);
		fputc('\n', out);
	}
}

void last_words_json(struct json *j, const struct last_words *words)
{
	json_array(j, "last_words");
	for (size_t i = 0; i < words->n; i++)
		json_item(j, str_of(words->list[i].text, words->list[i].n));
	json_end_array(j);
}
