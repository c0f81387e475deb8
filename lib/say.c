#include "say.h"

#include <errno.h>

static void tenths(struct buf *b, uint64_t v)
{
	buf_u64(b, v / 10);
	if (v % 10) {
		buf_char(b, '.');
		buf_u64(b, v % 10);
	}
}

static void two(struct buf *b, uint64_t high, struct str high_unit, uint64_t low, struct str low_unit)
{
	buf_u64(b, high);
	buf_str(b, high_unit);
	if (low == 0)
		return;
	buf_char(b, ' ');
	buf_u64(b, low);
	buf_str(b, low_unit);
}

void say_ms(struct buf *b, uint64_t ms)
{
	uint64_t s = ms / 1000, min = s / 60, h = min / 60, d = h / 24;
	if (d)
		two(b, d, STR(" d"), h % 24, STR(" h"));
	else if (h)
		two(b, h, STR(" h"), min % 60, STR(" min"));
	else if (min)
		two(b, min, STR(" min"), s % 60, STR(" s"));
	else if (s) {
		tenths(b, ms / 100);
		buf_lit(b, " s");
	} else {
		buf_u64(b, ms);
		buf_lit(b, " ms");
	}
}

/* Three figures are enough: 30.2 MB, 412 MB. */
void say_kb(struct buf *b, uint64_t kb)
{
	static const char *const units[] = { " kB", " MB", " GB", " TB" };
	uint64_t whole = kb, rest = 0;          /* rest: 1024ths of the unit */
	size_t unit = 0;
	while (unit + 1 < countof(units) && whole >= 1024 - (rest >= 512)) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (whole >= 100)
		buf_u64(b, whole + (rest >= 512));
	else
		tenths(b, whole * 10 + (rest * 10 + 512) / 1024);
	buf_str(b, str_from(units[unit]));
}

void say_raw(struct buf *b, struct str raw)
{
	static const char hex[] = "0123456789abcdef";
	for (size_t i = 0; i < raw.n; i++) {
		unsigned char c = (unsigned char)raw.p[i];
		if (c >= ' ' && c <= '~' && c != '\\') {
			buf_char(b, (char)c);
			continue;
		}
		buf_lit(b, "\\x");
		buf_char(b, hex[c >> 4]);
		buf_char(b, hex[c & 15]);
	}
}

struct str say_unit(const char *unit)
{
	struct str name = str_from(unit), suffix = STR(".service");
	return str_ends(name, suffix) ? str_of(name.p, name.n - suffix.n) : name;
}

/* What a launch, a cgroup file or oomph-load's start can meet. Our own table: lib/ calls nobody, strerror(3) neither. */
static const struct {
	int error;
	const char *words;
} errors[] = {
	{ EPERM, "operation not permitted" }, { ENOENT, "no such file or directory" }, { ESRCH, "no such process" },
	{ EINTR, "interrupted" }, { EIO, "input/output error" }, { E2BIG, "arguments and environment are too long" },
	{ ECHILD, "the program that does it failed" },
	{ ENOEXEC, "not in an executable format" }, { EBADF, "bad file descriptor" },
	{ EAGAIN, "resource temporarily unavailable" }, { ENOMEM, "out of memory" }, { EACCES, "permission denied" },
	{ EBUSY, "busy" }, { EEXIST, "exists already" }, { ENODEV, "no such device" }, { ENOTDIR, "not a directory" },
	{ EISDIR, "is a directory" }, { EINVAL, "invalid argument" }, { ENFILE, "too many open files in the system" },
	{ EMFILE, "too many open files" }, { ENOTTY, "not a terminal" }, { ETXTBSY, "the file is being written to" },
	{ ENOSPC, "no space left" }, { EROFS, "read-only file system" }, { ENAMETOOLONG, "name too long" },
	{ ENOSYS, "the kernel does not have it" }, { ELOOP, "too many symbolic links" },
	{ ENXIO, "no such device or address" },
	{ ELIBBAD, "its program interpreter is broken" }, { EOPNOTSUPP, "not supported" }, { ETIMEDOUT, "it took too long" },
	{ EDQUOT, "quota exceeded" }, { ERANGE, "out of range" }, { EPROTO, "not what was expected" },
};

void say_error(struct buf *b, int error)
{
	for (size_t i = 0; i < countof(errors); i++)
		if (errors[i].error == error) {
			buf_str(b, str_from(errors[i].words));
			return;
		}
	buf_lit(b, "error ");
	buf_i64(b, error);
}
