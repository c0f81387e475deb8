/*
 * One small function for each kind of value. They say false when the value is not what the row expects: the earlier
 * value (or the default) then stands, and read.c tells the user what was expected.
 */
#ifndef OOMPH_LOAD_SETTINGS_H
#define OOMPH_LOAD_SETTINGS_H

#include "load.h"

struct setting {
	struct draft *d;
	const struct directive *row;
	struct str value;
	uint32_t line;
};

/* The member of the unit that the row tells. */
void *setting_field(const struct setting *s);

/* `text` with its specifiers replaced; false (and the user told) when there is none such. */
bool setting_specified(const struct setting *s, struct str text, struct str *result);

/* One word of a list is not what the row expects: said, and the rest goes on. */
void setting_not_this(const struct setting *s, struct str word);

/* There are LAUNCH_WORDS_MAX already. */
void setting_too_many(const struct setting *s);

/* `text` with its C escapes undone, for values that are no words; false at one that means nothing. */
bool setting_unescaped(struct str text, struct buf *to);

/*
 * The words of a value, as words_next() or words_quoted() has them, and specified, behind those in `list`; with is_good only
 * those that it takes.
 */
typedef enum words_result next_word(struct str *rest, struct buf *word);
bool setting_words(const struct setting *s, struct list *list, next_word *next, bool (*is_good)(const struct setting *, struct str));

/* As it is to be kept: value_simplify_path(). */
struct str setting_simplified(struct str path);

/* settings_life.c: what a life consists of besides its commands. */
bool read_action(const struct setting *s);
bool read_fd_store(const struct setting *s);
bool read_notify_fd(const struct setting *s);
bool read_bus_name(const struct setting *s);
bool read_pid_file(const struct setting *s);

/* settings_exec.c: with what resources, where, in which environment. */
bool read_memory(const struct setting *s);
bool read_tasks(const struct setting *s);
bool read_weight(const struct setting *s);
bool read_quota(const struct setting *s);
bool read_quota_period(const struct setting *s);
bool read_limit(const struct setting *s);
bool read_score(const struct setting *s);
bool read_nice(const struct setting *s);
bool read_umask(const struct setting *s);
bool read_directory(const struct setting *s);
bool read_environment(const struct setting *s);
bool read_environment_file(const struct setting *s);
bool read_variables(const struct setting *s);
bool read_search_path(const struct setting *s);
bool read_sandbox_paths(const struct setting *s);

bool read_byte(const struct setting *s);
bool read_io_class(const struct setting *s);
bool read_io_priority(const struct setting *s);
bool read_mask(const struct setting *s);
bool read_timer_slack(const struct setting *s);
bool read_personality(const struct setting *s);
bool read_coredump_filter(const struct setting *s);

/* settings_stdio.c: what it reads from and writes to. */
bool read_stdio(const struct setting *s);
bool read_identifier(const struct setting *s);
bool read_log_level(const struct setting *s);
bool read_count(const struct setting *s);
bool read_tty(const struct setting *s);
bool read_tty_size(const struct setting *s);
bool read_input_text(const struct setting *s);
bool read_input_data(const struct setting *s);

/* settings_folders.c: what it owns. */
bool read_folders(const struct setting *s);
bool read_folder_mode(const struct setting *s);
bool read_preserve(const struct setting *s);
bool read_load_credential(const struct setting *s);
bool read_set_credential(const struct setting *s);

/* settings_timer.c: looked at only. */
bool read_calendar(const struct setting *s);
bool read_span(const struct setting *s);
bool read_boolean(const struct setting *s);

/* settings_rights.c: as whom, and what that one may. */
bool read_context_flag(const struct setting *s);
bool read_switch(const struct setting *s);
bool read_user(const struct setting *s);
bool read_group(const struct setting *s);
bool read_groups(const struct setting *s);
bool read_capabilities(const struct setting *s);
bool read_secure_bits(const struct setting *s);

#endif
