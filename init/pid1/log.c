/*
 * What services write, up to the pipes. PID 1 holds each open for both directions, in one descriptor: so nothing is lost and nobody
 * gets SIGPIPE while no logger runs, and the one that comes goes on where the last one stopped. It reads and writes none of it.
 */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

/* Of its own, not of the numbers that $INVOCATION_ID is made of: who knows it can make his own lines those of another life. */
static void draw_token(char token[LOG_TOKEN_SIZE])
{
	uint64_t bits = 0;
	if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != sizeof bits)
		getrandom(&bits, sizeof bits, GRND_INSECURE);   /* early in the boot, random(4) */
	for (unsigned i = 0; i < LOG_TOKEN_SIZE; i++, bits >>= 4)
		token[i] = "0123456789abcdef"[bits & 15];
}

/*
 * Where children find our descriptors. In their own folder they would as well, but a newborn has none until it asks, and to make it
 * was half of what the pipes cost a launch. Our number there is not what getpid(2) says, should that /proc be another namespace's.
 */
static void find_folder(char *to, size_t size)
{
	char self[12];
	ssize_t n = readlink("/proc/self", self, sizeof self);
	struct buf b = { to, 0, size, false };
	buf_lit(&b, "/proc/");
	buf_str(&b, n > 0 && (size_t)n < sizeof self ? str_of(self, (size_t)n) : STR("self"));
	buf_lit(&b, "/fd/");
	buf_cstr(&b);
}

void log_begin(struct pid1 *p)
{
	struct rlimit files;
	p->logs.most_files = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < INT32_MAX ? (int)files.rlim_cur : INT32_MAX;
	draw_token(p->logs.token);
	find_folder(p->logs.folder, sizeof p->logs.folder);
}

/* ---- opening ---- */

/* Above 2, which a child gives away one after the other. */
static int lifted(int fd)
{
	if (fd < 0 || fd > 2)
		return fd;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	int r = high < 0 ? -errno : high;
	close(fd);
	return r;
}

static int open_pipe(const struct pid1 *p)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	int fd = lifted(open_again("/proc/self/fd/", ends[0], O_RDWR | O_NONBLOCK));
	close(ends[0]);
	close(ends[1]);
	if (fd >= p->logs.most_files - FILES_SPARED) {
		close(fd);
		return -EMFILE;
	}
	return fd;
}

static void tell(struct pid1 *p, struct log_pipe *pipe)
{
	pipe->serial = p->logs.next_serial++;
	p->logs.has_news = true;
}

void log_open(struct pid1 *p, uint32_t i, struct launch *l)
{
	for (int stream = LOG_OUT; stream <= LOG_ERR; stream++) {
		struct log_pipe *pipe = &p->slots[i].logs[stream];
		if (l->unit->stdio[1 + stream] != STDIO_LOG)
			continue;
		int fd = pipe->fd < 0 ? open_pipe(p) : pipe->fd;
		l->logs[stream] = fd;
		if (fd < 0 || fd == pipe->fd)
			continue;
		pipe->fd = fd;
		tell(p, pipe);
	}
	memcpy(l->log_token, p->logs.token, sizeof l->log_token);
	memcpy(l->log_folder, p->logs.folder, sizeof l->log_folder);
}

/* ---- handing over ---- */

int log_next(struct pid1 *p, uint32_t service, uint64_t *serial, struct log_packet *packet)
{
	const struct log_pipe *next = NULL;
	uint32_t its_service = 0;
	int its_stream = 0;
	for (uint32_t i = 0; i < p->n_slots && !(next && next->serial == *serial); i++)
		for (int stream = LOG_OUT; stream <= LOG_ERR; stream++) {
			const struct log_pipe *pipe = &p->slots[i].logs[stream];
			if (pipe->fd < 0 || pipe->serial < *serial || (service != NO_UNIT && service != i) ||
			    (next && next->serial < pipe->serial))
				continue;
			next = pipe;
			its_service = i;
			its_stream = stream;
		}
	if (!next)
		return -1;
	view_log(packet, p->units, its_service, (enum log_stream)its_stream);
	memcpy(packet->token, p->logs.token, sizeof packet->token);
	*serial = next->serial;
	return next->fd;
}

/* ---- another unit set ---- */

static bool is_kept_alike(const struct pid1 *p, uint32_t old, uint32_t new, enum log_stream stream)
{
	struct log_packet before, after;
	view_log(&before, p->units, old, stream);
	view_log(&after, p->loaded, new, stream);
	return memcmp(&before, &after, sizeof before) == 0;
}

void log_renumber(struct pid1 *p, struct slot *slot, uint32_t old, uint32_t new)
{
	for (int stream = LOG_OUT; stream <= LOG_ERR; stream++)
		if (slot->logs[stream].fd >= 0 && !is_kept_alike(p, old, new, (enum log_stream)stream))
			tell(p, &slot->logs[stream]);
}

/*
 * To close a pipe, as to open it, the kernel takes a lock under which a writer's memory is read, and that may be on a dead disk
 * (pipe_release() and anon_pipe_write() in fs/pipe.c). So a child does either, unless hundreds of units are gone at once.
 */
void log_close(struct pid1 *p, struct slot *slot)
{
	for (int stream = LOG_OUT; stream <= LOG_ERR; stream++) {
		int *fd = &slot->logs[stream].fd;
		if (*fd >= 0 && (store_room(p) <= CLIENTS_MAX || store_discard(p, fd, 1) == 0))
			close(*fd);
		*fd = -1;
	}
}
