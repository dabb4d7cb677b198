/*
 * await_getaddrinfo.h - glibc's getaddrinfo_a(), awaited. Lift this file and await_getaddrinfo.c into your
 * program.
 *
 * The recipe is that of a library that calls back in a thread of its own: there the future is completed
 * with the _threadsafe functions. Names are resolved as everywhere on the system (files, DNS, ...), and an
 * answer never takes the loop's time.
 */
#ifndef AWAIT_GETADDRINFO_H
#define AWAIT_GETADDRINFO_H

#include <netdb.h>
#include <rondo.h>

/**
 * Begin to resolve; the future's value is a struct addrinfo, freed with the future.
 *
 * The future raises RONDO_E_RESOLVER, an error of RONDO_DOMAIN_RESOLVER with the EAI_ code, or one of
 * RONDO_DOMAIN_POSIX; the operation is "resolve". Cancelled, it leaves glibc alone with the question, whose answer is
 * dropped when it comes: gai_cancel() can only end what has not begun, and says nothing to anybody then.
 *
 * @param name, service, hints As for getaddrinfo(); copied; each may be NULL.
 */
rondo_status await_getaddrinfo(rondo_loop *loop, const char *name, const char *service,
                               const struct addrinfo *hints, rondo_future **out_future);

/** Wait until glibc has answered everything: for a program that unloads what it uses, or counts its memory. */
void await_getaddrinfo_finish(void);

#endif
