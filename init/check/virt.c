/* What this machine is, as systemd-detect-virt(1) tells it: first the container it is, then the machine below. */
#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

struct sign {
	const char *text;
	const char *name;
};

static struct str named(const struct sign *signs, size_t n, struct str text)
{
	for (size_t i = 0; i < n; i++)
		if (str_starts(text, str_from(signs[i].text)))
			return str_from(signs[i].name);
	return STR("");
}

/* ---- machines ---- */

/* What the hypervisor says of itself: Linux, arch/x86/kernel/cpu/hypervisor.c and those that it lists. */
static struct str by_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
	static const struct sign signs[] = {
		{ "KVMKVMKVM", "kvm" }, { "Linux KVM Hv", "kvm" }, { "TCGTCGTCGTCG", "qemu" }, { "VMwareVMware", "vmware" },
		{ "Microsoft Hv", "microsoft" }, { "XenVMMXenVMM", "xen" }, { "bhyve bhyve ", "bhyve" }, { "QNXQVMBSQG", "qnx" },
		{ "ACRNACRNACRN", "acrn" }, { "SRESRESRESRE", "sre" },
	};
	static char vendor[13];
	unsigned a, b, c, d;
	const unsigned hypervisor_bit = 1u << 31;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & hypervisor_bit))
		return STR("");
	__cpuid(0x40000000u, a, b, c, d);
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &c, 4);
	memcpy(vendor + 8, &d, 4);
	struct str name = named(signs, countof(signs), str_from(vendor));
	return name.n ? name : STR("vm-other");
#else
	return STR("");
#endif
}

static struct str by_firmware(void)
{
	static const char *const files[] = { "product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version" };
	static const struct sign signs[] = {
		{ "KVM", "kvm" }, { "OpenStack", "kvm" }, { "KubeVirt", "kvm" }, { "Amazon EC2", "amazon" }, { "QEMU", "qemu" },
		{ "VMware", "vmware" }, { "VMW", "vmware" }, { "innotek GmbH", "oracle" }, { "VirtualBox", "oracle" },
		{ "Oracle Corporation", "oracle" }, { "Xen", "xen" }, { "Bochs", "bochs" }, { "Parallels", "parallels" },
		{ "BHYVE", "bhyve" }, { "Hyper-V", "microsoft" }, { "Apple Virtualization", "apple" },
		{ "Google Compute Engine", "google" },
	};
	char path[64];
	for (size_t i = 0; i < countof(files); i++) {
		snprintf(path, sizeof path, "/sys/class/dmi/id/%s", files[i]);
		struct str name = named(signs, countof(signs), read_all(path));
		if (name.n)
			return name;
	}
	return STR("");
}

/* The firmware knows better where a cloud's machine is some hypervisor's; where it knows of Oracle or Xen, too. */
static struct str machine(void)
{
	struct str firmware = by_firmware(), processor = by_processor();
	if (str_eq(firmware, STR("oracle")) || str_eq(firmware, STR("xen")) || str_eq(firmware, STR("amazon")) ||
	    str_eq(firmware, STR("parallels")) || str_eq(firmware, STR("google")))
		return firmware;
	if (processor.n && !str_eq(processor, STR("vm-other")))
		return processor;
	return firmware.n ? firmware : processor;
}

/* ---- containers ---- */

static struct str of_environment(struct str name)
{
	struct str environment = read_all("/proc/1/environ"), one;
	while (str_next(&environment, &one))
		if (str_take(&one, name) && str_take(&one, STR("=")))
			return one;
	return STR("");
}

static bool is_first_pid_namespace(void)
{
	char name[64];
	/* Linux, include/linux/proc_ns.h: PROC_PID_INIT_INO. */
	ssize_t n = readlink("/proc/self/ns/pid", name, sizeof name);
	return n < 0 || str_eq(str_of(name, (size_t)n), STR("pid:[4026531836]"));
}

static struct str container(void)
{
	static const struct sign files[] = { { "/run/.containerenv", "podman" }, { "/.dockerenv", "docker" } };
	struct str told = str_trim(read_all("/run/systemd/container"));
	if (!told.n)
		told = of_environment(STR("container"));
	if (str_eq(told, STR("oci")))
		told = STR("");
	for (size_t i = 0; i < countof(files) && !told.n; i++)
		if (access(files[i].text, F_OK) == 0)
			told = str_from(files[i].name);
	if (!told.n && !is_first_pid_namespace())
		told = STR("container-other");
	return told;
}

/* All ids stand for themselves: user_namespaces(7). */
static bool has_private_users(void)
{
	struct str map = read_all("/proc/self/uid_map");
	unsigned long long inside, outside, n;
	bool is_whole = map.n && sscanf(map.p, "%llu %llu %llu", &inside, &outside, &n) == 3 && inside == 0 && outside == 0 &&
		n == UINT32_MAX;
	return map.n && !is_whole;
}

enum answer virtualization(struct str argument)
{
	struct virtualization v = { .container = container(), .has_private_users = has_private_users() };
	v.vm = machine();
	return condition_is_virtualization(&v, argument);
}
