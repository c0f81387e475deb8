/*
 * Values of directives: text to numbers, by systemd's rules (systemd.time(7), systemd.exec(5), systemd.syntax(7)).
 * Each says false on anything it does not understand and then leaves its result alone, so the earlier value stands.
 */
#ifndef OOMPH_VALUES_H
#define OOMPH_VALUES_H

#include "str.h"
#include "unit.h"

#define VALUE_INFINITY UINT64_MAX

bool value_is_utf8(struct str s);
size_t value_utf8_length(struct str s); /* of the code point at the front of what is not empty, in bytes; 0 when it is none. RFC 3629 */

/* 1 yes y true t on; 0 no n false f off; any case. */
bool value_boolean(struct str s, bool *value);

/* Numbers as safe_atou64 of systemd takes them: decimal, 0x hexadecimal, 0b binary, 0 octal. */
bool value_u64(struct str s, uint64_t *value);
bool value_int(struct str s, int64_t least, int64_t most, int64_t *value);

/* "2min 200ms", "1.5", "infinity": microseconds or VALUE_INFINITY; bare numbers are seconds. */
bool value_time(struct str s, uint64_t *us);
bool value_microseconds(struct str s, uint64_t *us);    /* the same, but bare numbers are microseconds */
bool value_nanoseconds(struct str s, uint64_t *ns);     /* the same in nanoseconds, and so are bare numbers */

/* Microseconds as this program counts them: rounded up to 1 ms (below it 0 would mean something else), FOREVER_MS. */
uint32_t value_ms(uint64_t us);

/* "1.5G", "1G 500M": bytes, in powers of 1024. `infinity` is no size: the caller knows what it means. */
bool value_size(struct str s, uint64_t *bytes);

/* "50%", "12.5%": hundredths of a percent, 0 to 10000. */
bool value_percent(struct str s, unsigned *hundredths);

/* CPUQuota=: the same of one processor, above 0 and, with more of them, above 100%. */
bool value_quota(struct str s, unsigned *hundredths);

/* Octal, at most `most`. */
bool value_mode(struct str s, unsigned most, unsigned *mode);

/* One word of SuccessExitStatus=, added to the set: a status, a status' name, or a signal's. */
bool value_exit_status(struct str word, struct exit_set *set);

/* Absolute, and no component of it is "..". */
bool value_is_path(struct str s);

/* `s` with runs of slashes made one, "/./" dropped and no slash at its end, appended to `to`. */
void value_simplify_path(struct str s, struct buf *to);

/* PIDFile=: what is not absolute is in /run, and so is what is in /var/run. Simplified, appended to `to`. */
bool value_run_path(struct str s, struct buf *to);

/* A word of RuntimeDirectory= and the like: "kea", "lock/kea", "web:www" (with a link to it, else empty). Never absolute. */
bool value_directory(struct str word, struct str *folder, struct str *link);

/*
 * A user's or group's name or number as systemd lets it pass: nearly anything that passwd(5) can hold, but no number that
 * chown(2) takes for "leave it". src/basic/user-util.c, valid_user_group_name(), its relaxed form.
 */
bool value_is_account(struct str s);

/* A word of ReadWritePaths= and the like: `-` (may be missing), then `+` (in the service's root), then an absolute path. */
bool value_is_sandbox_path(struct str word);

/* D-Bus specification, "Bus names": a unique one (":1.2"), or one that can be asked for. */
bool value_is_bus_name(struct str s);

/* NAME=VALUE with a name that environ(7) allows. */
bool value_is_assignment(struct str s);

#endif
