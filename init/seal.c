/*
 * In every program, before its main(): what relocation has written becomes read-only (PT_GNU_RELRO of elf(5)). That is the dynamic linker's
 * task; a static program has none, it relocates itself (musl's crt/rcrt1.c), and musl leaves it open.
 */
#include <link.h>
#include <stdint.h>
#include <sys/mman.h>

/* ld(1) has it where the file is mapped, which is linked to 0. NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl*): its name */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static void __attribute__((constructor)) seal(void)
{
	const char *base = (const char *)&__ehdr_start;
	const ElfW(Phdr) *header = (const void *)(base + __ehdr_start.e_phoff);
	for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
		uintptr_t begin = (uintptr_t)base + header[i].p_vaddr, end = begin + header[i].p_memsz;
		if (header[i].p_type == PT_GNU_RELRO)           /* ld(1) has it end with a page */
			mprotect((void *)(begin & ~(uintptr_t)4095), end - (begin & ~(uintptr_t)4095), PROT_READ);
	}
}
