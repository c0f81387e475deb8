/*
 * Names of log files. A service's lines go to BASE/UNIT/current; at rotation that becomes BASE/UNIT/@TIME.log, by the time of its
 * last line, and then perhaps @TIME.log.zst or @TIME.log.gz. So names sort by age, and whoever reads lines since some time can
 * leave out, by name alone, every file that ends before it.
 */
#ifndef OOMPH_LOGFILE_H
#define OOMPH_LOGFILE_H

#include "str.h"

#define LOGFILE_CURRENT "current"
#define LOGFILE_SYSTEM "system"         /* the folder of what is of no service */
#define LOGFILE_NAME_MAX 40             /* "@20261127T040301.123456Z.log.zst", and its NUL */

enum logfile_form { LOGFILE_PLAIN, LOGFILE_ZSTD, LOGFILE_GZIP, N_LOGFILE_FORM };
extern const char *const logfile_endings[N_LOGFILE_FORM];       /* ".log", ".log.zst", ".log.gz" */

/* "@20261127T040301.123456Z.log" */
void logfile_name(struct buf *to, uint64_t time_us, enum logfile_form form);

/* False when it is no such name. */
bool logfile_parse(struct str name, uint64_t *time_us, enum logfile_form *form);

/* Whether a unit's name can be the name of a folder: a unit's name as systemd.unit(5) has it, or "system". */
bool logfile_is_folder(struct str unit);

#endif
