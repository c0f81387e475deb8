#include "condition.h"
#include "values.h"
#include "words.h"

#include <string.h>

#define ROW(name, what) { { name, sizeof(name) - 1 }, ARGUMENT_##what }
const struct condition_info condition_info[N_CONDITION_KIND] = {
	[CONDITION_PATH_EXISTS] = ROW("PathExists", PATH),
	[CONDITION_PATH_EXISTS_GLOB] = ROW("PathExistsGlob", PATH),
	[CONDITION_PATH_IS_DIRECTORY] = ROW("PathIsDirectory", PATH),
	[CONDITION_PATH_IS_SYMBOLIC_LINK] = ROW("PathIsSymbolicLink", PATH),
	[CONDITION_PATH_IS_MOUNT_POINT] = ROW("PathIsMountPoint", PATH),
	[CONDITION_PATH_IS_READ_WRITE] = ROW("PathIsReadWrite", PATH),
	[CONDITION_PATH_IS_SOCKET] = ROW("PathIsSocket", PATH),
	[CONDITION_DIRECTORY_NOT_EMPTY] = ROW("DirectoryNotEmpty", PATH),
	[CONDITION_FILE_NOT_EMPTY] = ROW("FileNotEmpty", PATH),
	[CONDITION_FILE_IS_EXECUTABLE] = ROW("FileIsExecutable", PATH),
	[CONDITION_NEEDS_UPDATE] = ROW("NeedsUpdate", PATH),
	[CONDITION_FIRST_BOOT] = ROW("FirstBoot", BOOLEAN),
	[CONDITION_ARCHITECTURE] = ROW("Architecture", TEXT),
	[CONDITION_FIRMWARE] = ROW("Firmware", TEXT),
	[CONDITION_VIRTUALIZATION] = ROW("Virtualization", TEXT),
	[CONDITION_HOST] = ROW("Host", TEXT),
	[CONDITION_KERNEL_COMMAND_LINE] = ROW("KernelCommandLine", TEXT),
	[CONDITION_KERNEL_VERSION] = ROW("KernelVersion", TEXT),
	[CONDITION_CREDENTIAL] = ROW("Credential", TEXT),
	[CONDITION_SECURITY] = ROW("Security", TEXT),
	[CONDITION_CAPABILITY] = ROW("Capability", TEXT),
	[CONDITION_AC_POWER] = ROW("ACPower", BOOLEAN),
	[CONDITION_MEMORY] = ROW("Memory", TEXT),
	[CONDITION_CPU_FEATURE] = ROW("CPUFeature", TEXT),
	[CONDITION_CPUS] = ROW("CPUs", TEXT),
	[CONDITION_ENVIRONMENT] = ROW("Environment", TEXT),
	[CONDITION_USER] = ROW("User", TEXT),
	[CONDITION_GROUP] = ROW("Group", TEXT),
	[CONDITION_CONTROL_GROUP_CONTROLLER] = ROW("ControlGroupController", TEXT),
	[CONDITION_OS_RELEASE] = ROW("OSRelease", TEXT),
	[CONDITION_KERNEL_MODULE_LOADED] = ROW("KernelModuleLoaded", TEXT),
};
#undef ROW

/* ---- reading ---- */

void condition_signs(struct condition *c, struct str *value)
{
	bool may_be_blank = condition_info[c->kind].argument != ARGUMENT_PATH;  /* behind a sign (measured) */
	c->is_trigger = str_take(value, STR("|"));
	if (may_be_blank)
		*value = str_trim(*value);
	c->is_negated = str_take(value, STR("!"));
	if (may_be_blank)
		*value = str_trim(*value);
}

bool condition_parse(struct str line, struct condition *c)
{
	struct str key = str_until(&line, '=');
	*c = (struct condition){ .is_assert = str_take(&key, STR("Assert")) };
	if (!c->is_assert && !str_take(&key, STR("Condition")))
		return false;
	while (c->kind < N_CONDITION_KIND && !str_eq(condition_info[c->kind].key, key))
		c->kind++;
	if (c->kind == N_CONDITION_KIND)
		return false;
	condition_signs(c, &line);
	c->argument = line;
	return true;
}

/* ---- weighing ---- */

void condition_count(struct condition_tally *t, const struct condition *c, uint32_t number, bool is_met)
{
	if (c->is_trigger) {
		t->first_trigger = t->first_trigger ? t->first_trigger : number;
		t->is_triggered |= is_met;
	} else if (!is_met && !t->first_unmet) {
		t->first_unmet = number;
	}
}

uint32_t condition_unmet(const struct condition_tally *t)
{
	if (t->first_unmet)
		return t->first_unmet;
	return t->is_triggered ? 0 : t->first_trigger;
}

struct str condition_line(struct str words, uint32_t status)
{
	struct str line, kind = status > CHECK_ASSERTION ? STR("Assert") : STR("Condition");
	uint32_t number = status > CHECK_ASSERTION ? status - CHECK_ASSERTION : status;
	while (number && str_next(&words, &line))
		if (str_starts(line, kind) && --number == 0)
			return line;
	return STR("");
}

struct str condition_of_unit(struct unitset units, const struct unit *u, uint32_t status)
{
	if (u->exec[EXEC_CHECK].n == 0)
		return STR("");
	return condition_line(unitset_text(units, unitset_commands(units, u, EXEC_CHECK)->argv), status);
}

/* ---- comparing ---- */

enum comparison condition_operator(struct str *text)
{
	/* The longer ones first. */
	static const struct { struct str sign; enum comparison how; } signs[] = {
		{ { "<=", 2 }, COMPARE_AT_MOST }, { { ">=", 2 }, COMPARE_AT_LEAST }, { { "<>", 2 }, COMPARE_NOT },
		{ { "!=", 2 }, COMPARE_NOT }, { { "==", 2 }, COMPARE_EQUAL }, { { "<", 1 }, COMPARE_LESS },
		{ { ">", 1 }, COMPARE_MORE }, { { "=", 1 }, COMPARE_EQUAL },
	};
	for (size_t i = 0; i < countof(signs); i++)
		if (str_take(text, signs[i].sign)) {
			*text = str_trim(*text);
			return signs[i].how;
		}
	return COMPARE_NONE;
}

bool condition_holds(enum comparison how, int order)
{
	switch (how) {
	case COMPARE_LESS:
		return order < 0;
	case COMPARE_AT_MOST:
		return order <= 0;
	case COMPARE_NOT:
		return order != 0;
	case COMPARE_AT_LEAST:
		return order >= 0;
	case COMPARE_MORE:
		return order > 0;
	default:
		return order == 0;
	}
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct str take_run(struct str *s, bool (*is_of_it)(char))
{
	size_t n = 0;
	while (n < s->n && is_of_it(s->p[n]))
		n++;
	struct str run = str_of(s->p, n);
	*s = str_skip(*s, n);
	return run;
}

static int compare_numbers(struct str a, struct str b)
{
	while (str_take(&a, STR("0")))
		;
	while (str_take(&b, STR("0")))
		;
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	int order = a.n ? memcmp(a.p, b.p, a.n) : 0;
	return (order > 0) - (order < 0);
}

static int compare_letters(struct str a, struct str b)
{
	int order = str_order(a, b);
	return (order > 0) - (order < 0);
}

static void skip_separators(struct str *s)
{
	while (s->n && !is_digit(s->p[0]) && !is_letter(s->p[0]) && !memchr("~-^.", s->p[0], 4))
		*s = str_skip(*s, 1);
}

/* One of the signs that stand for an order themselves: 0 when neither has it, 2 when both have. */
static int compare_sign(struct str *a, struct str *b, char sign, int order)
{
	bool has_a = a->n && a->p[0] == sign, has_b = b->n && b->p[0] == sign;
	if (has_a != has_b)
		return has_a ? order : -order;
	if (!has_a)
		return 0;
	*a = str_skip(*a, 1);
	*b = str_skip(*b, 1);
	return 2;
}

int version_compare(struct str a, struct str b)
{
	for (;;) {
		skip_separators(&a);
		skip_separators(&b);
		int order = compare_sign(&a, &b, '~', -1);      /* a version that is not there yet */
		if (order == 0 && (!a.n || !b.n))
			return (a.n > 0) - (b.n > 0);
		if (order == 0)
			order = compare_sign(&a, &b, '-', -1);
		if (order == 0)
			order = compare_sign(&a, &b, '^', -1);
		if (order == 0)
			order = compare_sign(&a, &b, '.', -1);
		if (order == 0 && (is_digit(a.n ? a.p[0] : ' ') || is_digit(b.n ? b.p[0] : ' '))) {
			struct str x = take_run(&a, is_digit), y = take_run(&b, is_digit);
			order = x.n && y.n ? compare_numbers(x, y) : x.n ? 1 : -1;
		} else if (order == 0) {
			order = compare_letters(take_run(&a, is_letter), take_run(&b, is_letter));
		}
		if (order == 1 || order == -1)
			return order;
	}
}

bool condition_is_in_command_line(struct str command_line, struct str word)
{
	bool has_value = str_chr(word, '=') < word.n;
	struct str one;
	while (words_plain(&command_line, &one)) {
		if (str_eq(one, word))
			return true;
		if (!has_value && str_starts(one, word) && one.n > word.n && one.p[word.n] == '=')
			return true;
	}
	return false;
}

/* os-release(5): NAME=VALUE, the value perhaps in quotes; one that is not there is empty. */
static struct str os_value(struct str os_release, struct str name)
{
	while (os_release.n) {
		struct str line = str_trim(str_until(&os_release, '\n')), value = line;
		if (!str_eq(str_until(&value, '='), name) || line.n == name.n)
			continue;
		bool is_quoted = value.n >= 2 && (value.p[0] == '"' || value.p[0] == '\'') && value.p[value.n - 1] == value.p[0];
		return is_quoted ? str_of(value.p + 1, value.n - 2) : value;
	}
	return STR("");
}

/* `=` and `!=` compare texts; all else compares versions, and that for equality is written `==` (and `<>`). */
static bool is_os_word(struct str os_release, struct str word)
{
	struct str rest = word;
	take_run(&rest, is_letter);
	while (rest.n && rest.p[0] == '_') {
		rest = str_skip(rest, 1);
		take_run(&rest, is_letter);
	}
	struct str name = str_of(word.p, word.n - rest.n);
	bool is_text = str_starts(rest, STR("!=")) || (str_starts(rest, STR("=")) && !str_starts(rest, STR("==")));
	enum comparison how = condition_operator(&rest);
	struct str value = os_value(os_release, name);
	if (how == COMPARE_NONE || name.n == 0)
		return false;
	return condition_holds(how, is_text ? !str_eq(value, rest) : version_compare(value, rest));
}

bool condition_is_os(struct str os_release, struct str argument)
{
	struct str word;
	while (words_plain(&argument, &word))
		if (!is_os_word(os_release, word))
			return false;
	return true;
}

/* ---- braces, as a shell reads them ---- */

/* Where the group that begins at `open` ends; n when it does not, and what it has of commas at its own level. */
static size_t group_end(struct str s, size_t open, uint32_t *n_commas)
{
	unsigned depth = 0;
	*n_commas = 0;
	for (size_t i = open; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '{')
			depth++;
		else if (s.p[i] == ',' && depth == 1)
			++*n_commas;
		else if (s.p[i] == '}' && --depth == 0)
			return i;
	}
	return s.n;
}

static struct str group_part(struct str inner, uint32_t number)
{
	unsigned depth = 0;
	size_t begin = 0, i;
	for (i = 0; i < inner.n; i++) {
		if (inner.p[i] == '{')
			depth++;
		else if (inner.p[i] == '}')
			depth--;
		else if (inner.p[i] == ',' && depth == 0 && number-- == 0)
			break;
		else if (inner.p[i] == ',' && depth == 0)
			begin = i + 1;
	}
	return str_of(inner.p + begin, i - begin);
}

#define BRACE_DEPTH 8           /* groups in one pattern; what lies deeper is taken as it stands */

/* Appends reading n of the pattern, each group taking its share of n; what is left of it belongs to the groups behind. */
static uint32_t brace(struct str s, uint32_t n, struct buf *to, unsigned depth)
{
	while (s.n) {
		uint32_t n_commas = 0;
		size_t open = str_chr(s, '{');
		size_t end = open < s.n ? group_end(s, open, &n_commas) : s.n;
		if (open == s.n || end == s.n || n_commas == 0 || depth == BRACE_DEPTH) {
			buf_str(to, s);
			return n;
		}
		buf_str(to, str_of(s.p, open));
		struct str part = group_part(str_of(s.p + open + 1, end - open - 1), n % (n_commas + 1));
		n = brace(part, n / (n_commas + 1), to, depth + 1);
		s = str_skip(s, end + 1);
	}
	return n;
}

bool condition_brace(struct str pattern, uint32_t n, struct buf *to)
{
	to->n = 0;
	return brace(pattern, n, to, 0) == 0 && !to->is_cut;
}

/* ---- names ---- */

bool condition_is_virtualization(const struct virtualization *v, struct str argument)
{
	bool value;
	if (str_eq(argument, STR("private-users")))
		return v->has_private_users;
	if (str_eq(argument, STR("vm")))
		return v->vm.n && !v->container.n;
	if (str_eq(argument, STR("container")))
		return v->container.n;
	if (value_boolean(argument, &value))
		return value == (v->vm.n || v->container.n);
	return str_eq(argument, v->container.n ? v->container : v->vm);
}

/* capabilities(7), by their numbers. */
static const char *const capabilities[] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
	"net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot",
	"sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
	"audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
	"perfmon", "bpf", "checkpoint_restore",
};

static bool is_alike(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if ((a.p[i] | 0x20) != (b.p[i] | 0x20) && a.p[i] != b.p[i])
			return false;
	return true;
}

int condition_capability(struct str name)
{
	if (name.n < 4 || !is_alike(str_of(name.p, 4), STR("cap_")))
		return -1;
	for (size_t i = 0; i < countof(capabilities); i++)
		if (is_alike(str_skip(name, 4), str_from(capabilities[i])))
			return (int)i;
	return -1;
}
