/*
 * agent DEVICE: the tests' hand inside the machine, on a serial line that carries nothing else. Both ways a
 * packet is a head line and that many bytes, so that any byte may pass:
 *
 *     run ID SECONDS N\n  N bytes: a command for /bin/sh -c      ->  done ID STATUS N\n  N bytes: its output
 *     put ID MODE N PATH\n   N bytes: a file, whole or not at all -> done ID STATUS 0\n
 *
 * STATUS is the exit status, 128+N for a signal, or for put 0 or errno. `ready\n` is sent once at the start. A
 * command is waited for by itself and not by the end of its output, so that it may leave processes behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct bytes {
	char *p;
	size_t n;
};

static void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void open_line(const char *device)
{
	struct termios t;
	int fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &t) < 0)
		die(device);
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL;
	if (tcsetattr(fd, TCSANOW, &t) < 0)
		die(device);
	/* The stdio numbers are for commands; the line stays out of their way. */
	if (dup3(fd, 10, O_CLOEXEC) < 0)
		die("dup");
	close(fd);
}

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t r = write(fd, p, n);

		if (r < 0 && errno != EINTR)
			die("write");
		p += r > 0 ? r : 0;
		n -= r > 0 ? (size_t)r : 0;
	}
}

static void answer(unsigned id, int status, struct bytes out)
{
	char head[64];
	int n = snprintf(head, sizeof head, "done %u %d %zu\n", id, status, out.n);

	write_all(10, head, (size_t)n);
	write_all(10, out.p, out.n);
	free(out.p);
}

static struct bytes read_body(FILE *in, size_t n)
{
	struct bytes b = { malloc(n + 1), n };

	if (!b.p || fread(b.p, 1, n, in) != n)
		die("short packet");
	b.p[n] = 0;
	return b;
}

/* All of a temporary file: output goes there and not into a pipe, which a process left behind would keep open. */
static struct bytes read_file(int fd)
{
	struct stat st;
	struct bytes b = { 0 };

	if (fstat(fd, &st) < 0)
		die("fstat");
	b.p = malloc((size_t)st.st_size + 1);
	if (!b.p)
		die("output");
	while (b.n < (size_t)st.st_size) {
		ssize_t r = pread(fd, b.p + b.n, (size_t)st.st_size - b.n, (off_t)b.n);

		if (r <= 0)
			break;
		b.n += (size_t)r;
	}
	return b;
}

/* The agent itself may be spared by the OOM killer, what a test starts through it must not be. */
static void become_ordinary(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		write_all(fd, "0", 1);
}

/* The time limit is the command's own, so that one that hangs does not take the agent with it. */
static void run(unsigned id, unsigned n_seconds, struct bytes command)
{
	int out = (int)memfd_create("output", MFD_CLOEXEC), status = 0;
	pid_t pid = out < 0 ? -1 : fork();

	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		become_ordinary();
		alarm(n_seconds);       /* survives the exec; SIGALRM ends the shell */
		dup2(null, 0);
		dup2(out, 1);
		dup2(out, 2);
		execl("/bin/sh", "sh", "-c", command.p, (char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		status = errno << 8;
	else
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	answer(id, WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
	       out < 0 ? (struct bytes){ 0 } : read_file(out));
	if (out >= 0)
		close(out);
}

/* Renamed into place, so that a directory watcher never meets half a file. */
static int put(const char *path, unsigned mode, struct bytes b)
{
	char part[4096];
	const char *name = strrchr(path, '/');
	int fd, r = 0;

	if (!name)
		return EINVAL;
	snprintf(part, sizeof part, "%.*s/.%s.part", (int)(name - path), path, name + 1);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	write_all(fd, b.p, b.n);
	if (fchmod(fd, mode) < 0 || rename(part, path) < 0)
		r = errno;
	close(fd);
	return r;
}

static void serve(FILE *in)
{
	char head[4200], path[4096];
	unsigned id, mode, n_seconds;
	size_t n;

	while (fgets(head, sizeof head, in)) {
		if (sscanf(head, "run %u %u %zu", &id, &n_seconds, &n) == 3) {
			struct bytes b = read_body(in, n);

			run(id, n_seconds, b);
			free(b.p);
		} else if (sscanf(head, "put %u %o %zu %4095[^\n]", &id, &mode, &n, path) == 4) {
			struct bytes b = read_body(in, n);

			answer(id, put(path, mode, b), (struct bytes){ 0 });
			free(b.p);
		}
	}
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	open_line(argc > 1 ? argv[1] : "/dev/ttyS1");
	write_all(10, "ready\n", 6);
	serve(fdopen(10, "r"));
	return 0;
}
