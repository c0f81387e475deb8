/*
 * oomph-check: whether the conditions of a unit are met. Run by PID 1 before a start, in the unit's cgroup and under its
 * deadline, because it looks at files, and files may lie on a dead disk.
 */
#ifndef OOMPH_CHECK_H
#define OOMPH_CHECK_H

#include "lib/condition.h"

/* All of a file, at most `cap` bytes; the empty string where there is none. In memory of its own. */
struct str read_all(const char *path);
bool has_bytes(const char *path);

/* One function for each kind, of its argument, which has a NUL behind it. An error is an answer: not met, negated or not. */
enum answer { NO, YES, ERROR };

enum answer path_exists(struct str argument);           /* files.c */
enum answer path_exists_glob(struct str argument);
enum answer path_is_directory(struct str argument);
enum answer path_is_symbolic_link(struct str argument);
enum answer path_is_mount_point(struct str argument);
enum answer path_is_read_write(struct str argument);
enum answer path_is_socket(struct str argument);
enum answer directory_not_empty(struct str argument);
enum answer file_not_empty(struct str argument);
enum answer file_is_executable(struct str argument);
enum answer needs_update(struct str argument);
enum answer first_boot(struct str argument);
enum answer credential(struct str argument);

enum answer architecture(struct str argument);          /* machine.c */
enum answer firmware(struct str argument);
enum answer host(struct str argument);
enum answer kernel_command_line(struct str argument);
enum answer kernel_version(struct str argument);
enum answer security(struct str argument);
enum answer capability(struct str argument);
enum answer ac_power(struct str argument);
enum answer memory(struct str argument);
enum answer cpu_feature(struct str argument);
enum answer cpus(struct str argument);
enum answer environment(struct str argument);
enum answer user(struct str argument);
enum answer group(struct str argument);
enum answer control_group_controller(struct str argument);
enum answer os_release(struct str argument);
enum answer kernel_module_loaded(struct str argument);

enum answer virtualization(struct str argument);        /* virt.c */

#endif
