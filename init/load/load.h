/*
 * oomph-load: unit files to a sealed unit set. It has a heap and may die; PID 1 then keeps the units it has.
 *
 * The phases, as main.c lists them: learn about the machine, scan the folders, read every file into a `struct draft`,
 * settle what one unit can settle by itself, link the units to one another, write the set.
 */
#ifndef OOMPH_LOAD_H
#define OOMPH_LOAD_H

#include "lib/directives.h"
#include "lib/limits.h"
#include "lib/str.h"
#include "lib/unit.h"
#include "lib/words.h"

/* ---- keep.c: memory that lives as long as the process, seconds ---- */

void *keep(size_t n);                           /* zeroed; the process ends with a line when there is none */
struct str keep_str(struct str s);              /* a copy, with a NUL behind it */
struct buf keep_buf(size_t cap);
struct str keep_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define STR_ARG(s) (int)(s).n, (s).p            /* for "%.*s" */

/* A list that grows. */
struct list {
	void *items;
	uint32_t n, cap;
};
void *list_add(struct list *list, size_t item_size);            /* room for one more, zeroed */
void list_add_str(struct list *list, struct str s);
#define LIST_AT(list, type, i) (((type *)(list).items)[i])

/* ---- host.c: what the machine says ---- */

struct host {
	struct specifiers specifiers;   /* those that are the same for every unit */
	struct str lib_folder;          /* of this program */
	uint64_t memory_bytes;          /* 0: nobody told */
	uint64_t tasks_max;
};
void host_learn(struct host *host);

/* ---- a unit while it is being read ---- */

struct draft_command {
	struct str path;
	struct list argv;               /* of struct str */
	uint32_t flags;
};

struct draft_link {
	struct str name;                /* of the other unit */
	uint32_t line;                  /* 0: implicit */
	enum link kind;
	uint32_t other;                 /* its index, NO_UNIT when it is not there */
	bool is_implied;                /* by DefaultDependencies=: given up before what somebody wrote, when a cycle has to be opened */
};

struct draft {
	const struct host *host;
	struct str name, file;
	struct specifiers *specifiers;
	struct unit unit;               /* everything that is a number; its spans stay empty until write.c */

	struct str description, working_directory, stdio_path[3];
	struct list exec[N_EXEC_LIST];  /* of struct draft_command */
	struct list links;              /* of struct draft_link */
	struct list conditions, assertions;     /* of struct str: lines as init/check takes them */
	struct list environment, environment_files;     /* of struct str */
	struct list limits;             /* of struct limit */
	struct list groups;             /* of uint32_t */
	struct list notes;              /* of struct str */
	struct list not_yet;            /* of struct str: directives that have no effect, "PrivateTmp= (line 7)" */

	struct str user, group;
	uint32_t user_line, group_line;
	uint32_t privileged_line;       /* of a command with + or ! in front */
	uint32_t n_steps;
	bool has_start_timeout, has_restart_sec, has_restart_max, has_notify_access, has_start_limit;
	bool wants_home;                /* WorkingDirectory=~ */
	bool has_no_defaults;           /* DefaultDependencies=no */
	bool is_broken;
	bool has_error;                 /* something in the file is wrong, though the unit may run */

	struct list edges;              /* of struct edge, from link.c */
};

void draft_begin(struct draft *d, const struct host *host, struct str name, struct str file);

/* ---- say.c: one line for one trouble, on stderr and in the unit's notes ---- */

/* A remark; the unit is none the worse for it. Line 0: of the whole file. */
void note(struct draft *d, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The setting is wrong and without effect. */
void complain(struct draft *d, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The unit cannot be started. */
void refuse(struct draft *d, uint32_t line, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* `text` fit to be shown: control characters as `?`, and not more of it than a line can bear. */
struct str shown(struct str text);

/* ---- the files ---- */

struct load {
	struct host host;
	bool is_vm;
	struct list folders;            /* of struct str */
	struct list drafts;             /* of struct draft, sorted by name once scan is done */
	struct list notes;              /* of struct str: lines that belong to no unit */
};
void note_set(struct load *load, const char *format, ...) __attribute__((format(printf, 2, 3)));

void scan_folders(struct load *load);                   /* scan.c: a draft for every unit there is */
const char *scan_refusal(struct str name);              /* scan.c: why a file of that name is no unit here, or NULL */
bool read_file(struct draft *d, struct str *text);      /* scan.c: its bytes; false, and refused, when it has none */
void read_unit(struct draft *d, struct str text);       /* read.c: into the draft; text is written to */
void builtin_add(struct load *load);                    /* builtin.c: drafts for those that nobody's file replaces */
struct str builtin_text(const struct draft *d);         /* builtin.c: what its file would hold */

/* ---- the values ---- */

/* settings.c: acts on one assignment. False: the value is not what the row expects (nothing was said yet). */
bool settings_read(struct draft *d, const struct directive *row, struct str value, uint32_t line);

/* `text` with its specifiers replaced. False when there is one that does not exist: *unknown is its letter. */
bool specify(struct draft *d, struct str text, struct str *result, char *unknown);

/* command.c: Exec lines. */
void commands_read(struct draft *d, const struct directive *row, struct str value, uint32_t line);

/* account.c: User= and Group= into numbers, groups and environment. */
void account_resolve(struct draft *d);

/* settle.c: defaults that depend on other settings, and whether the unit makes sense as a whole. */
void settle(struct draft *d);
void environment_add(struct list *environment, struct str assignment);  /* an earlier one of that name goes */

/* target.c: the targets of systemd.special(7) that units name, and what DefaultDependencies= implies. */
bool target_is(struct str name);
struct draft *target_draft(struct load *load, struct str name); /* made where it is built in; NULL: nobody has it */
void imply_dependencies(struct load *load);

/* link.c: dependencies to edges between indices, and no cycle left in their order. The drafts are sorted by then. */
uint32_t draft_place(struct load *load, struct str name, bool *is_there);       /* where it is, or would be */
void link_add(struct draft *d, struct str name, enum link kind, uint32_t line);
void link_units(struct load *load);

/* write.c: the set into the memfd, sealed. NULL, or what failed. */
const char *write_set(struct load *load, int fd);

#endif
