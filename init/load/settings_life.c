/* What a life consists of besides its commands: PID file, bus name, descriptors, and what its end is to the machine. */
#include "settings.h"
#include "lib/names.h"
#include "lib/values.h"

/* What is not there yet, or would skip the end of the services, as the nearest that is. */
bool read_action(const struct setting *s)
{
	static const struct str hurries[] = { { "-force", 6 }, { "-immediate", 10 } };
	struct str name = s->value;
	for (size_t i = 0; i < countof(hurries); i++)
		if (str_ends(name, hurries[i]))
			name.n -= hurries[i].n;
	if (str_eq(name, STR("kexec")) || str_eq(name, STR("soft-reboot")))
		name = STR("reboot");
	int action = name_find(unit_action_names, N_UNIT_ACTION, name);
	if (action < 0 || (action == ACTION_NONE && name.n != s->value.n))
		return false;
	if (!str_eq(name, s->value))
		approximate(s->d, s->line, "%.*s=%.*s: taken as %.*s", STR_ARG(s->row->key), STR_ARG(s->value), STR_ARG(name));
	*(uint8_t *)setting_field(s) = (uint8_t)action;
	return true;
}

bool read_fd_store(const struct setting *s)
{
	uint64_t n;
	if (!value_u64(s->value, &n) || n > UINT32_MAX)
		return false;
	if (n > STORE_MAX)
		approximate(s->d, s->line, "FileDescriptorStoreMax=%.*s: taken as %u, which is the room for all", STR_ARG(s->value), STORE_MAX);
	s->d->unit.fd_store_max = (uint16_t)(n < STORE_MAX ? n : STORE_MAX);
	return true;
}

bool read_notify_fd(const struct setting *s)
{
	uint64_t n;
	if (!value_u64(s->value, &n) || n < 3 || n > UINT8_MAX)
		return false;
	s->d->unit.notify_fd = (uint8_t)n;
	return true;
}

bool read_bus_name(const struct setting *s)
{
	struct str name = s->value;
	if (!setting_specified(s, name, &name))
		return true;
	if (!value_is_bus_name(name))
		return false;
	s->d->bus_name = name;
	return true;
}

/* Below /run when it is relative, and /var/run is /run (both measured). */
bool read_pid_file(const struct setting *s)
{
	struct str path = s->value;
	s->d->pid_file = STR("");
	if (path.n == 0)
		return true;
	if (!setting_specified(s, path, &path))
		return true;
	struct buf b = keep_buf(path.n + 8);
	if (!value_run_path(path, &b)) {
		refuse(s->d, s->line, "PIDFile=%.*s: expected %s: the unit is left out", STR_ARG(shown(s->value)),
		       directive_expects(s->row));
		return true;
	}
	s->d->pid_file = buf_view(&b);
	return true;
}
