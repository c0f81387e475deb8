/*
 * What outlives us: this struct, the slots and the unit set in memfds that whoever is executed next maps again, and, of the core, which any
 * stray pointer of ours could have damaged by then, an image and a journal (lib/state.h) in a memfd that we do not map at all.
 *
 * The journal lies before the image. An event costs one small write; an image is written whenever the journal is full.
 */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define JOURNAL_SIZE 32768              /* some 200 events */

struct image_head {
	uint64_t number;                /* the event that it is behind */
	uint64_t checksum;
	uint32_t size, zero;            /* of the core that follows */
};

/* The note that the linker made of all that it linked (ld(1), --build-id), where the program headers say (getauxval(3)). */
static void find_build(uint8_t id[BUILD_ID_SIZE])
{
	const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	uintptr_t base = 0;
	memset(id, 0, BUILD_ID_SIZE);
	/* They stand behind the file's header, in what is loaded first. PT_PHDR a program without an interpreter has none. */
	for (unsigned long n = getauxval(AT_PHNUM), i = 0; header && i < n; i++)
		if (header[i].p_type == PT_LOAD && header[i].p_offset == 0)
			base = (uintptr_t)header - sizeof(ElfW(Ehdr)) - header[i].p_vaddr;
	for (unsigned long n = getauxval(AT_PHNUM), i = 0; header && i < n; i++) {
		const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(base + header[i].p_vaddr);
		if (header[i].p_type != PT_NOTE || note->n_type != NT_GNU_BUILD_ID || note->n_descsz != BUILD_ID_SIZE)
			continue;
		memcpy(id, (const char *)(note + 1) + (note->n_namesz + 3) / 4 * 4, BUILD_ID_SIZE);
	}
}

static void write_head(struct pid1 *p)
{
	p->head = (struct head){
		.magic = PID1_MAGIC, .version = STATE_VERSION, .size = sizeof *p, .slot_size = sizeof(struct slot),
		.service_size = sizeof(struct service), .core_size = sizeof(struct core),
	};
	find_build(p->head.build);
}

void state_begin(struct pid1 *p, int self)
{
	write_head(p);
	p->self = self;
	p->store_memory = p->loaded_units = -1;
	p->sets[0] = p->sets[1] = (struct set){ -1, -1, -1, -1, 0 };
	p->program = -1;
	prctl(PR_GET_NAME, p->name);
}

/* ---- the image ---- */

static int put(int fd, const void *bytes, size_t size, size_t at)
{
	ssize_t n = pwrite(fd, bytes, size, (off_t)at);
	return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}

static int write_image(int fd, const struct core *core, uint64_t number)
{
	struct image_head head = { .number = number, .checksum = state_checksum(core, core->size), .size = core->size };
	int r = put(fd, core, core->size, JOURNAL_SIZE + sizeof head);
	return r < 0 ? r : put(fd, &head, sizeof head, JOURNAL_SIZE);
}

size_t state_image_size(uint32_t n_services)
{
	return JOURNAL_SIZE + sizeof(struct image_head) + core_size(n_services);
}

/* All of its memory now: there may be none when it is needed. */
int state_image(struct pid1 *p, struct set *set, const struct core *core)
{
	int fd = memfd_create("oomph-state", MFD_CLOEXEC);
	int r = fd < 0 || fallocate(fd, 0, 0, (off_t)state_image_size(core->n_services)) < 0 ? -errno :
		write_image(fd, core, p->number);
	if (r < 0)
		close_fd(&fd);
	set->image = fd;
	return r;
}

void state_save(struct pid1 *p)
{
	int fd = p->sets[p->which].image;
	if (fd < 0)
		return;
	p->is_image_torn = true;
	int r = write_image(fd, p->core, p->number);
	if (r < 0) {
		console_say(p, "the state cannot be kept; a crash would be the end", r);
		close_fd(&p->sets[p->which].image);
	}
	p->journal_at = 0;
	p->is_image_torn = false;
}

/* ---- the journal ---- */

void state_note(struct pid1 *p, const struct event *ev, bool is_queued)
{
	union entry_space e = { .head = { .intake = p->intake.closes ? p->intake.number : 0, .n_taken = p->n_taken + is_queued } };
	if (p->sets[p->which].image >= 0 && p->journal_at + sizeof e > JOURNAL_SIZE)
		state_save(p);
	e.head.number = p->number + 1;
	entry_write(&e, ev);
	p->hand.n_done = 0;
	p->hand.at = UINT32_MAX;
	p->hand.number = e.head.number;
	if (p->sets[p->which].image >= 0)
		put(p->sets[p->which].image, &e, e.head.size, p->journal_at);
	p->number = e.head.number;
	p->journal_at += e.head.size;
	p->n_taken = e.head.n_taken;
	if (p->intake.closes)
		p->intake.kind = INTAKE_NONE;
	p->intake.closes = false;
}

/* ---- coming back ---- */

/* Without what these bring there is no way back to the services: what is short now may be had in a second. */
#define TRIES 5

static size_t size_of(int fd)
{
	struct stat st;
	for (int n = 0; fd >= 0 && n < TRIES; n++, boot_pause())
		if (fstat(fd, &st) == 0)
			return (size_t)st.st_size;
	return 0;
}

static void *map(int fd, size_t size, int protection, int kind)
{
	if (size_of(fd) < size)
		return NULL;
	for (int n = 0; n < TRIES; n++, boot_pause()) {
		void *bytes = mmap(NULL, size, protection, kind | MAP_POPULATE, fd, 0);
		if (bytes != MAP_FAILED)
			return bytes;
	}
	return NULL;
}

static struct unitset map_units(int fd, uint32_t size)
{
	void *bytes = size ? map(fd, size, PROT_READ, MAP_PRIVATE) : NULL;
	if (!bytes || unitset_check(bytes, size))
		return (struct unitset){ NULL, 0 };
	return (struct unitset){ bytes, size };
}

/* What we write ourselves; `kind` MAP_PRIVATE: a copy of it. */
static void *map_own(int fd, size_t size, int kind)
{
	void *bytes = map(fd, size, PROT_READ | PROT_WRITE, kind);
	if (bytes)
		madvise(bytes, size, MADV_DONTFORK);
	return bytes;
}

static bool is_ours(const struct head *h)
{
	return h->magic == PID1_MAGIC && h->version == STATE_VERSION && h->size == sizeof(struct pid1) && h->slot_size == sizeof(struct slot) &&
		h->service_size == sizeof(struct service) && h->core_size == sizeof(struct core);
}

static struct pid1 *enter(int fd, int kind)
{
	struct head head;
	ssize_t n_read = 0;
	for (int n = 0; n < TRIES && n_read != sizeof head; n++) {
		n_read = pread(fd, &head, sizeof head, 0);
		if (n_read < 0)
			boot_pause();
	}
	if (n_read != sizeof head)
		return NULL;
	if (!is_ours(&head))
		fd = state_convert(&head, fd);
	struct pid1 *p = map_own(fd, sizeof *p, kind);
	if (!p || p->which >= countof(p->sets))
		return NULL;
	const struct set *set = &p->sets[p->which];
	p->self = fd;
	p->n_slots = set->n;
	p->slots = set->n ? map_own(set->slots, (set->n + 1) * sizeof *p->slots, kind) : NULL;
	p->core = map_own(set->core, core_size(set->n), kind);
	p->units = map_units(set->units, p->units.size);
	p->loaded = map_units(p->loaded_units, p->loaded.size);
	p->store = p->store_memory < 0 ? NULL : map(p->store_memory, STORE_PLACES * sizeof *p->store, PROT_READ | PROT_WRITE, kind);
	p->n_store = p->store ? p->n_store : 0;
	return p->core && (!set->n || (p->slots && unitset_count(p->units) == set->n)) ? p : NULL;
}

struct pid1 *state_return(int fd, const struct options *options)
{
	struct pid1 *p = enter(fd, MAP_SHARED);
	if (!p)
		return NULL;
	enum system_mode mode = p->options.mode;
	p->options = *options;
	p->options.mode = mode;
	write_head(p);
	return p;
}

struct pid1 *state_copy(int fd)
{
	return enter(fd, MAP_PRIVATE);
}

/* The image where it is whole, else the core itself, which nobody was stepping when it was torn. What is wrong with it; NULL. */
static const char *read_image(struct pid1 *p, uint64_t *number)
{
	struct image_head head;
	int fd = p->sets[p->which].image;
	size_t size = core_size(p->n_slots);
	*number = p->number;
	if (p->is_image_torn || fd < 0)
		return state_check(p->core, size, p->units);
	if (pread(fd, &head, sizeof head, JOURNAL_SIZE) != sizeof head || head.size != size ||
	    pread(fd, p->core, size, JOURNAL_SIZE + sizeof head) != (ssize_t)size)
		return "the image is not of this set";
	*number = head.number;
	return head.checksum == state_checksum(p->core, size) ? state_check(p->core, size, p->units) : "the image is damaged";
}

/* What the last entry says that we may not have come to say ourselves. */
static void take_hand(struct pid1 *p, const struct entry *e)
{
	p->n_taken = e->n_taken;
	if (e->intake == p->intake.number)
		p->intake.kind = INTAKE_NONE;
	if (p->hand.number == e->number)
		return;
	p->hand.number = e->number;
	p->hand.n_done = 0;
	p->hand.at = UINT32_MAX;
}

enum taken state_take(struct pid1 *p, union entry_space *e, struct event *ev)
{
	const char *journal = map(p->sets[p->which].image, JOURNAL_SIZE, PROT_READ, MAP_PRIVATE);
	size_t size = journal && !p->is_image_torn ? JOURNAL_SIZE : 0;
	uint64_t number;
	p->intake.closes = false;       /* should it have been so: if its event is not in the journal, it comes again */
	const char *wrong = read_image(p, &number);
	if (wrong) {
		console_say(p, wrong, 0);
		return TAKEN_NOT;
	}
	uint64_t last = state_last(journal, size, number, &p->journal_at);
	bool is_in_hand = last > p->hand.done && state_find(e, journal, size, last, ev);
	uint64_t until = state_replay(p->core, p->units, journal, size, number, is_in_hand ? last : 0);
	p->number = last;
	if (is_in_hand)
		take_hand(p, &e->head);
	if (journal)
		munmap((void *)journal, JOURNAL_SIZE);
	if (until + is_in_hand != last)
		console_say(p, "the journal is damaged", 0);
	return until + is_in_hand != last ? TAKEN_NOT : is_in_hand ? TAKEN_IN_HAND : TAKEN;
}

void state_drop(struct pid1 *p, union entry_space *e)
{
	e->head.is_dropped = true;
	entry_sign(e);
	put(p->sets[p->which].image, e, e->head.size, p->journal_at - e->head.size);
	p->hand.done = e->head.number;
}
