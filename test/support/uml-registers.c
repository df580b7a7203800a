/*
 * Lets the user-mode Linux of Debian 12 run on processors with AMX.
 *
 * It keeps 2696 bytes of registers for each of its processes, and gives them back with PTRACE_SETREGSET. Where
 * the processor has AMX, a register set is four times as long, and the kernel takes back whole sets only: every
 * process would die at its first switch. So, loaded in front of libc (LD_PRELOAD), this ptrace() fills up what is
 * given back with what the process has in the rest.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define NT_X86_XSTATE 0x202
#define LARGEST 65536

long ptrace(enum __ptrace_request request, ...)
{
	static long (*real)(enum __ptrace_request, int, void *, void *);
	va_list arguments;
	va_start(arguments, request);
	int process = va_arg(arguments, int);
	void *address = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "ptrace");
	if (request != PTRACE_SETREGSET || (long)address != NT_X86_XSTATE)
		return real(request, process, address, data);

	static __thread char whole[LARGEST];
	struct iovec *given = data;
	struct iovec set = { whole, sizeof whole };
	if (given->iov_len > sizeof whole || real(PTRACE_GETREGSET, process, address, &set) < 0)
		return real(request, process, address, data);
	memcpy(whole, given->iov_base, given->iov_len);
	return real(request, process, address, &set);
}
