/*
 * What outlives the logger, in a file of a tmpfs that is mapped: SIGKILL at any moment loses nothing and writes nothing twice.
 *
 * A batch is one read of one stream, or the end of a line that was held. It is told of here before anything happens (ledger_begin),
 * the bytes are read from the pipe right into the file's inbox, the lines are appended to the unit's current file, and then one
 * store of eight bytes says that it is done and what the stream's state is now (ledger_done). A successor finds
 *
 *   - no batch in hand: it goes on with what is in the pipes;
 *   - a batch that was not read yet: the inbox's first byte was made to differ from the first byte in the pipe, which tee(2) shows
 *     without taking it, and still does. The pipe has it all;
 *   - a batch that was read: it cuts the current file back to the size that it had before, and writes the batch again.
 *
 * read(2) of so many bytes as the pipe has (FIONREAD, and nobody else reads) is whole or not at all: a signal ends it only while it
 * waits (fs/pipe.c, pipe_read()). The state of the boot before is worth nothing: the pipes are gone, and after a power cut the disk
 * may have kept less of this file than of the logs.
 */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LEDGER_NAME ".ledger"
#define LEDGER_MAGIC UINT64_C(0x00323147474f4c4f)
#define PAGE 4096u
#define BOOT_ID_SIZE 36
#define LOCK_MOMENT_MS 10
#define LOCK_MOMENTS 50
#define STREAMS_MAX (2 * WRITERS_MAX)
#define LARGE_BYTES (4u << 20)          /* all large rooms together, so that many endless lines cost no more than that */

struct ledger_head {
	uint64_t magic;
	uint64_t layout;
	uint32_t line_max;
	char boot_id[BOOT_ID_SIZE];
	char token[LOG_TOKEN_SIZE];
	uint64_t last_death;
	uint32_t n_streams;
	uint64_t n_batches;
	struct batch batch;
};

#define INBOX_AT PAGE
#define STREAMS_AT (INBOX_AT + INBOX_SIZE)
#define SMALL_AT ((STREAMS_AT + STREAMS_MAX * sizeof(struct ledger_stream) + PAGE - 1) / PAGE * PAGE)
#define LARGE_AT (SMALL_AT + (size_t)SMALL_ROOMS * SMALL_ROOM)
#define LAYOUT (LARGE_AT << 32 | sizeof(struct ledger_stream) << 16 | sizeof(struct ledger_head))       /* of another build it may be another */

static size_t large_size(const struct ledger *st)
{
	return (LOGSPLIT_ROOM(st->line_max) + PAGE - 1) / PAGE * PAGE;
}

static size_t whole_size(const struct ledger *st)
{
	return LARGE_AT + st->n_large * large_size(st);
}

/* Order for a successor, which sees the memory as this thread left it: only the compiler must not change it. */
#define THEN() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* ---- the file ---- */

static void read_boot_id(char id[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	memset(id, '?', BOOT_ID_SIZE);
	if (fd < 0)
		return;
	if (read(fd, id, BOOT_ID_SIZE) != BOOT_ID_SIZE)
		memset(id, '?', BOOT_ID_SIZE);
	close(fd);
}

/* Memory for these bytes of the file now, so that a full /run is an error here and no SIGBUS later; mmap(2). */
static bool reserve(const struct ledger *st, size_t at, size_t n)
{
	return st->fd < 0 || fallocate(st->fd, 0, (off_t)at, (off_t)n) == 0 || errno == EOPNOTSUPP;
}

static int open_file(int run)
{
	struct stat s;
	int fd = run < 0 ? -1 : openat(run, LEDGER_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return -1;
	if (fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == geteuid() && s.st_nlink == 1 && (s.st_mode & 0077) == 0)
		return fd;
	close(fd);
	return -1;
}

static bool map(struct ledger *st)
{
	int how = st->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
	size_t room = large_size(st), n = LARGE_BYTES / room;
	st->n_large = n < 4 ? 4 : n > 32 ? 32 : (uint32_t)n;
	if (st->fd >= 0 && (ftruncate(st->fd, (off_t)whole_size(st)) < 0 || !reserve(st, 0, STREAMS_AT)))
		return false;
	char *p = mmap(NULL, whole_size(st), PROT_READ | PROT_WRITE, how, st->fd, 0);
	if (p == MAP_FAILED)
		return false;
	madvise(p, whole_size(st), MADV_DONTFORK);      /* a child that compresses would hold the file's lock */
	st->bytes = p;
	st->head = (struct ledger_head *)p;
	st->streams = (struct ledger_stream *)(p + STREAMS_AT);
	free(st->is_taken);
	free(st->is_reserved);
	st->is_taken = calloc(SMALL_ROOMS + st->n_large, sizeof *st->is_taken);
	st->is_reserved = calloc(SMALL_ROOMS + st->n_large, sizeof *st->is_reserved);
	st->n_free_small = SMALL_ROOMS;
	st->n_free_large = st->n_large;
	return st->is_taken && st->is_reserved;
}

/* How long a line might be for the predecessor; 0: there was none. */
static uint32_t predecessors_line_max(int fd)
{
	struct ledger_head h;
	char boot_id[BOOT_ID_SIZE];
	read_boot_id(boot_id);
	if (pread(fd, &h, sizeof h, 0) != (ssize_t)sizeof h || h.magic != LEDGER_MAGIC || h.layout != LAYOUT ||
	    memcmp(h.boot_id, boot_id, sizeof boot_id) != 0 || h.line_max < LOGSPLIT_LINE_LEAST)
		return 0;
	return h.line_max;
}

static void take_up(struct ledger *st)
{
	for (uint32_t i = 0; i < st->head->n_streams; i++) {
		struct held h = ledger_held(st, i);
		if (!st->streams[i].pipe || h.room == NO_ROOM)
			continue;
		st->is_taken[h.room] = true;
		--*(h.room < SMALL_ROOMS ? &st->n_free_small : &st->n_free_large);
	}
}

static bool begin_anew(struct ledger *st, uint32_t line_max)
{
	st->line_max = line_max;
	if (st->fd >= 0 && ftruncate(st->fd, 0) < 0)
		return false;
	if (!map(st))
		return false;
	st->head->layout = LAYOUT;
	st->head->line_max = line_max;
	read_boot_id(st->head->boot_id);
	THEN();
	st->head->magic = LEDGER_MAGIC;
	return true;
}

/* A predecessor that was killed when it had just made a child may leave the lock with that for a moment. */
static bool lock(int fd)
{
	static const struct timespec moment = { .tv_nsec = LOCK_MOMENT_MS * 1000000 };
	for (int i = 0; i < LOCK_MOMENTS; i++, nanosleep(&moment, NULL))
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
	return false;
}

bool ledger_open(struct ledger *st, int run, uint32_t line_max)
{
	*st = (struct ledger){ .fd = open_file(run) };
	if (st->fd >= 0 && !lock(st->fd)) {
		close(st->fd);
		return false;
	}
	st->line_max = st->fd < 0 ? 0 : predecessors_line_max(st->fd);
	if (st->line_max && map(st)) {
		take_up(st);
		return true;
	}
	if (begin_anew(st, line_max))
		return true;
	if (st->fd >= 0)
		close(st->fd);
	st->fd = -1;
	return begin_anew(st, line_max);
}

bool ledger_resize(struct ledger *st, uint32_t line_max)
{
	munmap(st->bytes, whole_size(st));
	st->line_max = line_max;
	if (!map(st))
		return false;
	st->head->line_max = line_max;
	return true;
}

/* ---- streams ---- */

struct batch *ledger_batch(struct ledger *st)
{
	return &st->head->batch;
}

char *ledger_inbox(struct ledger *st)
{
	return st->bytes + INBOX_AT;
}

char *ledger_token(struct ledger *st)
{
	return st->head->token;
}

uint64_t *ledger_last_death(struct ledger *st)
{
	return &st->head->last_death;
}

uint32_t ledger_count(const struct ledger *st)
{
	return st->head->n_streams;
}

bool ledger_pending(const struct ledger *st)
{
	const struct batch *b = &st->head->batch;
	return b->number && b->index < st->head->n_streams && st->streams[b->index].word / 2 != b->number;
}

/* What a predecessor of another build, or a fault, has written there must not lead us astray. */
struct held ledger_held(const struct ledger *st, uint32_t index)
{
	const struct ledger_stream *s = &st->streams[index];
	struct held h = s->held[s->word & 1];
	bool is_sound = h.room == NO_ROOM ? h.split.n_held == 0 : h.room < SMALL_ROOMS + st->n_large && h.split.n_held <= ledger_room_size(st, h.room);
	if (!is_sound || h.split.priority >= N_LOG_PRIORITY)
		h = (struct held){ .room = NO_ROOM };
	return h;
}

uint32_t ledger_find(const struct ledger *st, struct str unit, uint8_t stream)
{
	uint32_t i = 0;
	for (; i < st->head->n_streams; i++) {
		const struct ledger_stream *s = &st->streams[i];
		if (s->pipe && s->stream == stream && str_eq(str_from(s->unit), unit))
			break;
	}
	return i;
}

bool ledger_add(struct ledger *st, struct str unit, uint8_t stream, uint64_t pipe, uint32_t *index)
{
	uint32_t i = 0;
	while (i < st->head->n_streams && st->streams[i].pipe)
		i++;
	struct ledger_stream *s = &st->streams[i];
	if (i == STREAMS_MAX || (i == st->head->n_streams && !reserve(st, STREAMS_AT + i * sizeof *s, sizeof *s)))
		return false;
	*s = (struct ledger_stream){ .word = s->word & ~UINT64_C(1), .held = { { .room = NO_ROOM }, { .room = NO_ROOM } }, .stream = stream };
	memcpy(s->unit, unit.p, unit.n < sizeof s->unit ? unit.n : sizeof s->unit - 1);
	THEN();
	s->pipe = pipe;
	if (i == st->head->n_streams)
		st->head->n_streams++;
	*index = i;
	return true;
}

void ledger_remove(struct ledger *st, uint32_t index)
{
	struct held h = ledger_held(st, index);
	st->streams[index].pipe = 0;
	if (h.room != NO_ROOM)
		ledger_free(st, h.room);
}

/* ---- batches ---- */

void ledger_begin(struct ledger *st, struct batch batch)
{
	struct batch *b = &st->head->batch;
	b->number = 0;                  /* none is in hand */
	THEN();
	*b = batch;
	b->number = 0;
	st->head->n_batches++;
	THEN();
	b->number = st->head->n_batches;
	THEN();
}

void ledger_rebase(struct ledger *st, uint64_t device, uint64_t inode, uint64_t size)
{
	struct batch *b = &st->head->batch;
	b->inode = 0;
	THEN();
	b->device = device;
	b->size = size;
	THEN();
	b->inode = inode;
	THEN();
}

void ledger_done(struct ledger *st, uint32_t index, struct held next)
{
	struct ledger_stream *s = &st->streams[index];
	struct held before = ledger_held(st, index);
	uint64_t which = !(s->word & 1);
	THEN();
	s->held[which] = next;
	THEN();
	s->word = st->head->batch.number * 2 + which;
	THEN();
	if (before.room != NO_ROOM && before.room != next.room)
		ledger_free(st, before.room);
}

/* ---- rooms ---- */

size_t ledger_room_size(const struct ledger *st, uint32_t room)
{
	return room < SMALL_ROOMS ? SMALL_ROOM : LOGSPLIT_ROOM(st->line_max);
}

static size_t room_at(const struct ledger *st, uint32_t room)
{
	return room < SMALL_ROOMS ? SMALL_AT + (size_t)room * SMALL_ROOM : LARGE_AT + (room - SMALL_ROOMS) * large_size(st);
}

char *ledger_bytes(struct ledger *st, uint32_t room)
{
	return room == NO_ROOM ? NULL : st->bytes + room_at(st, room);
}

bool ledger_has_rooms(const struct ledger *st)
{
	return st->n_free_small >= 1 && st->n_free_large >= 2;
}

bool ledger_room(struct ledger *st, size_t n, uint32_t *room)
{
	bool is_small = n <= SMALL_ROOM;
	uint32_t i = is_small ? 0 : SMALL_ROOMS, end = is_small ? SMALL_ROOMS : SMALL_ROOMS + st->n_large;
	while (i < end && st->is_taken[i])
		i++;
	if (i == end || (!st->is_reserved[i] && !reserve(st, room_at(st, i), is_small ? SMALL_ROOM : large_size(st))))
		return false;
	st->is_taken[i] = st->is_reserved[i] = true;
	--*(is_small ? &st->n_free_small : &st->n_free_large);
	*room = i;
	return true;
}

/* A large one's memory is given back: long unfinished lines are rare. */
void ledger_free(struct ledger *st, uint32_t room)
{
	st->is_taken[room] = false;
	++*(room < SMALL_ROOMS ? &st->n_free_small : &st->n_free_large);
	if (room < SMALL_ROOMS || st->fd < 0)
		return;
	if (fallocate(st->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)room_at(st, room), (off_t)large_size(st)) == 0)
		st->is_reserved[room] = false;
}
