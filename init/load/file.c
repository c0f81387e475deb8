/* The bytes of a unit: its file, and its drop-ins. */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct contents {
	struct str text;
	const char *wrong;              /* why there is no text */
	bool is_empty, is_null;         /* a file without a byte, or /dev/null */
};

/* Not opened blocking: a FIFO in services.d must not stop the machine. */
static const char *look(int fd, bool *is_null)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return strerror(errno);
	*is_null = S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
	if (S_ISDIR(st.st_mode))
		return "is a folder, not a unit file";
	if (!S_ISREG(st.st_mode) && !*is_null)
		return "is not a regular file";
	return st.st_size > UNIT_FILE_MAX ? "is larger than 1048576 bytes: no unit file" : NULL;
}
_Static_assert(UNIT_FILE_MAX == 1048576, "the size that is told");

/* All of a unit together is no larger than one file may be. */
static struct contents read_contents(struct draft *d, struct str path)
{
	static char bytes[UNIT_FILE_MAX + 1];
	struct contents c = { .text = STR("") };
	ssize_t got = 0;
	int fd = open(path.p, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	c.wrong = fd < 0 ? keep_print("cannot be read: %s", strerror(errno)).p : look(fd, &c.is_null);
	if (!c.wrong)
		got = read(fd, bytes, sizeof bytes);    /* all of it, being a regular file */
	size_t n = got > 0 ? (size_t)got : 0;
	if (got < 0)
		c.wrong = keep_print("cannot be read: %s", strerror(errno)).p;
	if (fd >= 0)
		close(fd);
	if (!c.wrong && d->n_bytes + n > UNIT_FILE_MAX)
		c.wrong = d->n_bytes ? "with it the unit has more than 1048576 bytes" : "is larger than 1048576 bytes: no unit file";
	if (c.wrong)
		return c;
	d->n_bytes += n;
	c.is_empty = n == 0 && !c.is_null;
	c.text = keep_str(str_of(bytes, n));
	return c;
}

void file_read_dropin(struct draft *d, struct str path)
{
	struct contents c = read_contents(d, path);

	draft_open(d, path);
	if (c.wrong)
		complain(d, draft_line(d, 0), "%s: the drop-in is ignored", c.wrong);
	else
		read_lines(d, c.text);
}

/* systemd.unit(5): an empty file, like /dev/null, says that there shall be no unit of that name. */
static bool read_own_file(struct load *load, struct draft *d)
{
	struct contents c = read_contents(d, d->file);

	d->is_masked = c.is_null || c.is_empty;
	if (c.wrong)
		refuse(d, 0, "%s", c.wrong);
	if (c.is_empty)
		note_set(load, "%.*s: is empty: the unit is masked, as if it were not there", STR_ARG(d->file));
	if (c.wrong || d->is_masked)
		return false;
	read_lines(d, c.text);
	return true;
}

void draft_read(struct load *load, struct draft *d)
{
	if (d->unit.flags & UNIT_HELPER)
		builtin_read(load, d);
	else if (!read_own_file(load, d))
		return;
	dropins_read(load, d);
	links_read(load, d);
	tell_without_effect(d);
	settle(d);
}
