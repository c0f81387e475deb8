/*
 * oomph-log [--stdout] [--base DIR] [--run DIR] [--socket PATH] [--conf FILE] [--sockets DIR] [--dev-log PATH]
 *
 * Started by PID 1 as oomph-log.service, and kept alive by it as any other service is.
 */
#include "parts.h"
#include "forward.h"
#include "heard.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DRAINS_MOST 16          /* before leaving: services that go on writing will find the next logger */

/* ---- what it was started with ---- */

_Noreturn static void usage(void)
{
	fputs("usage: oomph-log [--stdout] [--base DIR] [--run DIR] [--socket PATH] [--conf FILE] [--sockets DIR] [--dev-log PATH]\n", stderr);
	exit(2);
}

static struct options read_options(int argc, char **argv)
{
	struct options o = { .base = "/var/log/oomph", .run = "/run/log/oomph", .conf = "/etc/oomph.conf", .socket = getenv("OOMPH_SOCKET"),
			     .sockets = "/run/systemd/journal", .dev_log = "/dev/log" };
	static const struct option words[] = {
		{ "stdout", no_argument, NULL, 'o' }, { "base", required_argument, NULL, 'b' }, { "run", required_argument, NULL, 'r' },
		{ "socket", required_argument, NULL, 's' }, { "conf", required_argument, NULL, 'c' },
		{ "sockets", required_argument, NULL, 'h' }, { "dev-log", required_argument, NULL, 'd' }, { NULL, 0, NULL, 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", words, NULL)) != -1;) {
		switch (c) {
		case 'o': o.is_stdout = true; break;
		case 'b': o.base = optarg; break;
		case 'r': o.run = optarg; break;
		case 's': o.socket = optarg; break;
		case 'c': o.conf = optarg; break;
		case 'h': o.sockets = optarg; break;
		case 'd': o.dev_log = optarg; break;
		default: usage();
		}
	}
	if (optind < argc)
		usage();
	if (!o.socket || !o.socket[0])
		o.socket = "/run/oomph/control";
	return o;
}

/* ---- its life ---- */

static void take_log(struct logger *l, const struct packet *p, int fd)
{
	if (p->kind == PACKET_LOG) {
		stream_attach(l, (const struct log_packet *)p, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (p->kind != PACKET_END || l->is_ready)
		return;
	l->is_ready = true;
	streams_settle(l);
	syslog_open(l);                 /* whose messages they are, and what holds for them, is known now */
	journal_open(l);
	notify_say(STR("READY=1"), -1);
	wire_open(l, &l->death_wire, VERB_DEATHS, death_take);  /* not before: a death is told of behind the last words */
}

static void on_signal(struct logger *l, struct source *s, uint32_t events)
{
	struct signalfd_siginfo info;
	(void)events;
	if (read(s->fd, &info, sizeof info) != (ssize_t)sizeof info)
		return;
	if (info.ssi_signo == SIGCHLD)
		finish_reap(l);
	else
		l->is_leaving = true;
}

static bool take_signals(struct logger *l)
{
	sigset_t set;
	sigemptyset(&set);
	for (const int *s = (const int[]){ SIGTERM, SIGINT, SIGCHLD, 0 }; *s; s++)
		sigaddset(&set, *s);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	l->signals = (struct source){ .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .ready = on_signal };
	return l->signals.fd >= 0 && source_watch(l, &l->signals, EPOLLIN) == 0;
}

/* Two pipes for each service. */
static void take_all_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool open_ledger(struct logger *l)
{
	int run = folder_base(l->options.run, true);
	bool is_ours = ledger_open(&l->ledger, run, l->settings.line_max);
	if (run >= 0)
		close(run);
	if (!is_ours)
		complain("another logger is at work in %s", l->options.run);
	return is_ours;
}

static bool start(struct logger *l)
{
	umask(0022);
	take_all_descriptors();
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->round_ms = now_ms();
	settings_read(&l->settings, l->options.conf);
	if (l->epoll < 0 || !take_signals(l) || !writers_open(l) || !store_open(l)) {
		complain("cannot begin: %s", strerror(errno));
		return false;
	}
	if (!open_ledger(l))
		return false;
	copies_open(l);
	forward_open(l);
	streams_open(l);
	batch_undo(l);
	if (!l->options.is_stdout)
		place_settle(l);
	batch_recover(l);
	sync_open(l);
	wire_open(l, &l->logs, VERB_LOGS, take_log);
	return true;
}

/* All that was written up to now is kept, and what is written from now on stays in the pipes. */
static void leave(struct logger *l)
{
	size_t n = 1;
	for (int i = 0; i < DRAINS_MOST && n; i++) {
		wire_serve(l, &l->logs);
		n = streams_drain(l, NULL);
		for (struct drain *d = l->drains; d; d = d->next)
			d->drain(l, d);
	}
	streams_write_out(l, NULL);
	loop_settle(l);
	store_close(l);
}

int main(int argc, char **argv)
{
	static struct logger l;
	l.options = read_options(argc, argv);
	if (!start(&l))
		return 1;
	loop_run(&l);
	leave(&l);
	return 0;
}
