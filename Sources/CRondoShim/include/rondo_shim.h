/* rondo_shim.h - libc as the Swift core may see it.
 *
 * Embedded Swift has no Glibc module, so this header is the core's only gate to libc. What a
 * clang importer cannot show to Swift (macros, variadic calls, assembly) becomes a function here;
 * a hot one is `static inline`, so that it disappears into the export that calls it. */
#ifndef RONDO_SHIM_H
#define RONDO_SHIM_H

#ifndef _GNU_SOURCE
#error "the shim needs -D_GNU_SOURCE, also on the clang importer's command line (-Xcc)"
#endif

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rondo_shim_core.h"
#include "rondo_shim_ffi.h"
#include "rondo_shim_worker.h"

/* -- panic.c ---------------------------------------------------------------------------------- */

/* What every Swift trap of the core calls (-trap-function): one sentence on stderr, then abort. */
_Noreturn void rondo_shim_trap(void);

/* The same with a sentence of the caller's, for a broken invariant that can say what it was. */
_Noreturn void rondo_shim_panic(const char *sentence);

/* One line on stderr, in one write. */
void rondo_shim_log_line(const char *message);

/* -- ffi_gate.c ------------------------------------------------------------------------------- */

/* 1 if libffi can prepare the simplest call, else 0. */
int32_t rondo_shim_ffi_probe(void);

#endif
