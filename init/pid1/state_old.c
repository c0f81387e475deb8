/*
 * State of an older layout. Fields are only ever appended (lib/core.h, STATE_LAYOUT), so what an older binary left is a beginning of ours,
 * and the rest is zero, which every new field has to take for "not told". It is copied: whoever left it may have to come back into it.
 */
#include "pid1.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define OLDEST_LAYOUT 1u

static int new_memory(size_t size)
{
	int fd = memfd_create("oomph", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, (off_t)size) < 0)
		close_fd(&fd);
	return fd;
}

static bool copy(int from, size_t from_at, int to, size_t to_at, size_t size)
{
	char part[4096];
	while (size) {
		size_t want = size < sizeof part ? size : sizeof part;
		ssize_t n = pread(from, part, want, (off_t)from_at);
		if (n <= 0 || pwrite(to, part, (size_t)n, (off_t)to_at) != n)
			return false;
		from_at += (size_t)n;
		to_at += (size_t)n;
		size -= (size_t)n;
	}
	return true;
}

/* n of them, which have grown. */
static bool stretch(int from, size_t from_at, size_t from_size, int to, size_t to_at, size_t to_size, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!copy(from, from_at + i * from_size, to, to_at + i * to_size, from_size))
			return false;
	return true;
}

static int convert_slots(const struct head *h, const struct set *set)
{
	int to = new_memory((set->n + 1) * sizeof(struct slot));
	if (to >= 0 && !stretch(set->slots, 0, h->slot_size, to, 0, sizeof(struct slot), set->n))
		close_fd(&to);
	return to;
}

static int convert_core(const struct head *h, const struct set *set)
{
	const uint32_t version[] = { CORE_MAGIC, CORE_VERSION, (uint32_t)core_size(set->n) };
	int to = new_memory(core_size(set->n));
	size_t at = state_image_size(0) - sizeof(struct core);  /* of the core in its image, which alone is whole at any time */
	if (to >= 0 && (!copy(set->image, at, to, 0, h->core_size) ||
			!stretch(set->image, at + h->core_size, h->service_size, to, sizeof(struct core), sizeof(struct service), set->n) ||
			pwrite(to, version, sizeof version, 0) != sizeof version))
		close_fd(&to);
	return to;
}

/* The core is taken as if its image were being written, as it then is. */
static bool convert(const struct head *h, struct pid1 *p)
{
	struct set *set = &p->sets[p->which % countof(p->sets)];
	set->slots = convert_slots(h, set);
	set->core = convert_core(h, set);
	set->image = new_memory(state_image_size(set->n));
	p->is_image_torn = true;
	return set->slots >= 0 && set->core >= 0 && set->image >= 0;
}

int state_convert(const struct head *h, int fd)
{
	int to = -1;
	if (h->magic != PID1_MAGIC || h->version < OLDEST_LAYOUT || h->version >= STATE_VERSION || h->size > sizeof(struct pid1) ||
	    h->slot_size > sizeof(struct slot) || h->service_size > sizeof(struct service) || h->core_size > sizeof(struct core))
		return -1;
	to = new_memory(sizeof(struct pid1));
	struct pid1 *p = to < 0 || !copy(fd, 0, to, 0, h->size) ? MAP_FAILED : mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
	if (p == MAP_FAILED || !convert(h, p))
		close_fd(&to);
	if (p != MAP_FAILED)
		munmap(p, sizeof *p);
	return to;
}
