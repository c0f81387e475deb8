/*
 * Targets: units in the set without a process, up as soon as what comes before them is. Those of systemd.special(7) are built
 * in, and one is there only if a unit's file names it: a machine whose units name none has none.
 */
#include "load.h"

#include <string.h>

enum target_kind {
	TARGET_REACHED,         /* at boot, as a step of it */
	TARGET_PASSIVE,         /* if a unit pulls it in; without that, to be after it means nothing (systemd.special(7)) */
	TARGET_END,             /* never: the machine goes down without it, everything in the reverse of its order */
};

/* What each stands behind counts through those that are not there: default.target is behind sysinit.target, whatever is between. */
static const struct target {
	struct str name;
	uint8_t kind;
	const char *after;      /* NULL or names, separated by blanks */
	const char *description;
} targets[] = {
#define ROW(word, ...) { { word ".target", sizeof(word ".target") - 1 }, __VA_ARGS__ }
	ROW("default", TARGET_REACHED, "graphical.target", "Everything that is to be up after boot"),
	ROW("graphical", TARGET_REACHED, "multi-user.target", "Multi-user system with a display"),
	ROW("multi-user", TARGET_REACHED, "basic.target getty.target remote-fs.target", "Multi-user system"),
	ROW("basic", TARGET_REACHED, "sysinit.target sockets.target paths.target slices.target", "Basic system"),
	ROW("sysinit", TARGET_REACHED, "local-fs.target swap.target cryptsetup.target", "System initialization"),
	ROW("local-fs", TARGET_REACHED, "local-fs-pre.target", "Local file systems"),
	ROW("remote-fs", TARGET_REACHED, "remote-fs-pre.target", "Remote file systems"),
	ROW("swap", TARGET_REACHED, NULL, "Swap"),
	ROW("cryptsetup", TARGET_REACHED, "cryptsetup-pre.target", "Encrypted volumes"),
	ROW("sockets", TARGET_REACHED, NULL, "Sockets"),
	ROW("timers", TARGET_REACHED, NULL, "Timers"),
	ROW("paths", TARGET_REACHED, NULL, "Paths"),
	ROW("slices", TARGET_REACHED, NULL, "Slices"),
	ROW("getty", TARGET_REACHED, NULL, "Login prompts"),
	ROW("network", TARGET_PASSIVE, "network-pre.target", "Network"),
	ROW("network-pre", TARGET_PASSIVE, NULL, "Before the network"),
	ROW("network-online", TARGET_PASSIVE, "network.target", "Network is online"),
	ROW("nss-lookup", TARGET_PASSIVE, NULL, "Host and network name lookups"),
	ROW("nss-user-lookup", TARGET_PASSIVE, NULL, "User and group name lookups"),
	ROW("time-set", TARGET_PASSIVE, NULL, "System time is set"),
	ROW("time-sync", TARGET_PASSIVE, "time-set.target", "System time is synchronized"),
	ROW("local-fs-pre", TARGET_PASSIVE, NULL, "Before local file systems"),
	ROW("remote-fs-pre", TARGET_PASSIVE, NULL, "Before remote file systems"),
	ROW("cryptsetup-pre", TARGET_PASSIVE, NULL, "Before encrypted volumes"),
	ROW("getty-pre", TARGET_PASSIVE, NULL, "Before login prompts"),
	ROW("rpcbind", TARGET_PASSIVE, NULL, "RPC port mapper"),
	ROW("first-boot-complete", TARGET_PASSIVE, NULL, "First boot complete"),
	ROW("boot-complete", TARGET_PASSIVE, NULL, "Boot complete"),
	ROW("machines", TARGET_PASSIVE, NULL, "Containers"),
	ROW("sleep", TARGET_PASSIVE, NULL, "Sleep"),
	ROW("suspend", TARGET_PASSIVE, "sleep.target", "Suspend"),
	ROW("hibernate", TARGET_PASSIVE, "sleep.target", "Hibernation"),
	ROW("hybrid-sleep", TARGET_PASSIVE, "sleep.target", "Suspend and hibernation"),
	ROW("suspend-then-hibernate", TARGET_PASSIVE, "sleep.target", "Suspend, then hibernation"),
	ROW("rescue", TARGET_PASSIVE, "sysinit.target", "Rescue mode"),
	ROW("emergency", TARGET_PASSIVE, NULL, "Emergency mode"),
	ROW("shutdown", TARGET_END, NULL, "Shutdown"),
	ROW("umount", TARGET_END, NULL, "Unmounting of file systems"),
	ROW("final", TARGET_END, NULL, "Last services of a shutdown"),
	ROW("poweroff", TARGET_END, NULL, "Power-off"),
	ROW("reboot", TARGET_END, NULL, "Reboot"),
	ROW("halt", TARGET_END, NULL, "Halt"),
	ROW("kexec", TARGET_END, NULL, "Reboot by kexec"),
	ROW("soft-reboot", TARGET_END, NULL, "Reboot of user space"),
	ROW("exit", TARGET_END, NULL, "Exit"),
#undef ROW
};

static const struct target *target_find(struct str name)
{
	for (size_t i = 0; i < countof(targets); i++)
		if (str_eq(targets[i].name, name))
			return &targets[i];
	return NULL;
}

bool target_is(struct str name)
{
	return str_ends(name, STR(".target"));
}

bool target_is_built_in(struct str name)
{
	return target_find(name);
}

static bool has_defaults(const struct draft *d)
{
	return d->switches[SWITCH_DEFAULT_DEPENDENCIES] != SAID_NO;
}

static struct draft *find(struct load *load, struct str name)
{
	bool is_there;
	uint32_t i = draft_place(load, name, &is_there);
	return is_there ? &LIST_AT(load->drafts, struct draft, i) : NULL;
}

/* Made at its place, so that the drafts stay sorted: pointers to others move. */
static struct draft *make(struct load *load, const struct target *target)
{
	bool is_there;
	uint32_t i = draft_place(load, target->name, &is_there);
	list_add(&load->drafts, sizeof(struct draft));
	struct draft *d = &LIST_AT(load->drafts, struct draft, i);
	memmove(d + 1, d, (load->drafts.n - 1 - i) * sizeof *d);
	draft_begin(d, &load->host, target->name, STR("(built in)"));
	d->unit.flags |= target->kind == TARGET_REACHED ? UNIT_HELPER | UNIT_WANTED : UNIT_HELPER;
	d->description = str_from(target->description);
	settle(d);
	return d;
}

struct draft *target_draft(struct load *load, struct str name)
{
	struct draft *d = find(load, name);
	const struct target *target = d ? NULL : target_find(name);
	return target ? make(load, target) : d;
}

/* ---- which are there ---- */

/* DefaultDependencies= says it of every unit, and many say it themselves: that is what a shutdown does anyway. */
static bool is_of_the_end(const struct draft_link *link)
{
	const struct target *target = target_find(link->name);
	return target && target->kind == TARGET_END && (link->kind == LINK_CONFLICTS || link->kind == LINK_BEFORE);
}

static void drop_links_of_the_end(struct draft *d)
{
	uint32_t n = 0;
	for (uint32_t l = 0; l < d->links.n; l++)
		if (!is_of_the_end(&LIST_AT(d->links, struct draft_link, l)))
			LIST_AT(d->links, struct draft_link, n++) = LIST_AT(d->links, struct draft_link, l);
	d->links.n = n;
}

static void make_those_named(struct load *load)
{
	bool is_named[countof(targets)] = { false };

	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = &LIST_AT(load->drafts, struct draft, i);
		drop_links_of_the_end(d);
		for (uint32_t l = 0; l < d->links.n && !d->is_broken; l++) {
			const struct target *target = target_find(LIST_AT(d->links, struct draft_link, l).name);
			if (target)
				is_named[target - targets] = true;
		}
	}
	for (size_t n = 0; n < countof(targets); n++)
		if (is_named[n])
			target_draft(load, targets[n].name);
}

/* ---- what is implied ---- */

static bool has_link(const struct draft *d, struct str name, enum link kind)
{
	for (uint32_t l = 0; l < d->links.n; l++) {
		const struct draft_link *link = &LIST_AT(d->links, struct draft_link, l);
		if (link->kind == kind && str_eq(link->name, name))
			return true;
	}
	return false;
}

static void imply(struct draft *d, struct str name, enum link kind)
{
	draft_link(d, name, kind, 0);
	LIST_AT(d->links, struct draft_link, d->links.n - 1).is_implied = true;
}

/* Some unit has put itself before it, or it has wants of its own: it may be long in coming. */
static bool is_led_to(struct load *load, const struct draft *target)
{
	if (!(target->unit.flags & UNIT_HELPER) || target->links.n)
		return true;
	for (uint32_t i = 0; i < load->drafts.n; i++)
		if (has_link(&LIST_AT(load->drafts, struct draft, i), target->name, LINK_BEFORE))
			return true;
	return false;
}

/* The targets that stand for `names`: those that are there, and behind those that are not, what they would stand behind. */
static void stand_ins(struct load *load, const char *names, bool needs_led_to, struct list *found)
{
	struct str rest = str_from(names ? names : ""), name;
	while (words_plain(&rest, &name)) {
		const struct draft *d = find(load, name);
		const struct target *target = target_find(name);
		if (d && (!needs_led_to || is_led_to(load, d)))
			list_add_str(found, name);
		if (target && (!d || needs_led_to))
			stand_ins(load, target->after, needs_led_to, found);
	}
}

/* systemd.target(5), "Implicit and default dependencies": a target is after what it pulls in, unless that is after it. */
static void stand_behind(struct load *load, struct draft *target, struct str name)
{
	const struct draft *d = find(load, name);
	bool is_ordered = !d || has_link(d, target->name, LINK_AFTER) || has_link(target, name, LINK_BEFORE);
	if (!is_ordered && has_defaults(d) && has_defaults(target) && !str_eq(name, target->name))
		imply(target, name, LINK_AFTER);
}

static void imply_for_target(struct load *load, struct draft *target)
{
	static const enum link pulls[] = { LINK_REQUIRES, LINK_WANTS, LINK_BINDS_TO, LINK_UPHOLDS };
	uint32_t n_links = target->links.n;

	for (uint32_t l = 0; l < n_links; l++)
		for (size_t k = 0; k < countof(pulls); k++)
			if (LIST_AT(target->links, struct draft_link, l).kind == pulls[k])
				stand_behind(load, target, LIST_AT(target->links, struct draft_link, l).name);
	if (!str_eq(target->name, STR("multi-user.target")))
		return;
	/* What lies in services.d is wanted by it. */
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		const struct draft *d = &LIST_AT(load->drafts, struct draft, i);
		if ((d->unit.flags & UNIT_WANTED) && !target_is(d->name))
			stand_behind(load, target, d->name);
	}
}

/* The order of the built-in ones among themselves. Not for show: what somebody wrote against it opens a cycle before this does. */
static void order_targets(struct load *load)
{
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = &LIST_AT(load->drafts, struct draft, i);
		const struct target *target = d->unit.flags & UNIT_HELPER ? target_find(d->name) : NULL;
		struct list found = { .n = 0 };
		stand_ins(load, target ? target->after : NULL, false, &found);
		for (uint32_t n = 0; n < found.n; n++)
			draft_link(d, LIST_AT(found, struct str, n), LINK_AFTER, 0);
	}
}

/* systemd.service(5), "Default dependencies"; Conflicts= and Before= shutdown.target is what a shutdown does to all. */
static void imply_for_service(struct draft *d, const struct list *base, bool has_sysinit)
{
	for (uint32_t n = 0; n < base->n; n++)
		imply(d, LIST_AT(*base, struct str, n), LINK_AFTER);
	if (has_sysinit)
		imply(d, STR("sysinit.target"), LINK_REQUIRES);
}

void imply_dependencies(struct load *load)
{
	struct list base = { .n = 0 };

	make_those_named(load);
	stand_ins(load, "basic.target", true, &base);
	const struct draft *sysinit = find(load, STR("sysinit.target"));
	bool has_sysinit = sysinit && is_led_to(load, sysinit);
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = &LIST_AT(load->drafts, struct draft, i);
		if (target_is(d->name))         /* NOLINT(clang-analyzer-core.NullDereference): what is below a list's count is there */
			imply_for_target(load, d);
		else if (has_defaults(d))
			imply_for_service(d, &base, has_sysinit);
	}
	order_targets(load);
}
