/*
 * await_cares.h - names resolved by c-ares, awaited. Lift this file and await_cares.c into your program.
 *
 * The recipe is that of await_curl.h: descriptors become readers and writers, the next deadline a timer,
 * the callback of a query the completion of a future. What differs is cancelling: c-ares cannot end one
 * query of several, so a cancelled one is left alone, and its answer dropped; when nobody wants any of
 * the queries that are left, all of them are ended.
 *
 * await_cares_getnameinfo() does the same without a callback of its own: the function of a completer is
 * c-ares's callback, and letting go of the completer is all that cancelling takes.
 */
#ifndef AWAIT_CARES_H
#define AWAIT_CARES_H

#include <ares.h>
#include <rondo.h>

/** A c-ares channel and the loop that drives it. It belongs to the loop's thread. */
struct await_cares;

/** Make one. options and mask as for ares_init_options(); its sock_state_cb is set here.
 * @return RONDO_OK, -ENOMEM, or -EINVAL for what else c-ares does not like. */
rondo_status await_cares_open(rondo_loop *loop, const struct ares_options *options, int mask,
                              struct await_cares **out_cares);

/** The channel, for what may be set on it while it is open: ares_set_servers_ports_csv() and others. */
ares_channel await_cares_channel(struct await_cares *cares);

/**
 * Begin to resolve; the future's value is a struct ares_addrinfo, freed with the future.
 *
 * The future raises RONDO_E_TIMEOUT, ENOMEM, or RONDO_E_RESOLVER: an error of RONDO_DOMAIN_RESOLVER with an
 * EAI_ code as of getaddrinfo() and c-ares's message. The operation is "resolve".
 *
 * @param service, hints As for ares_getaddrinfo(); may be NULL.
 */
rondo_status await_cares_getaddrinfo(struct await_cares *cares, const char *name, const char *service,
                                     const struct ares_addrinfo_hints *hints, rondo_future **out_future);

/**
 * Make a coroutine that looks up the name of an address; its value is that name, freed with the value.
 * It raises what await_cares_getaddrinfo() raises.
 *
 * @param address Of AF_INET or AF_INET6, copied.
 * @param flags   ARES_NI_ flags; a number is no name, so ARES_NI_NAMEREQD is added.
 */
rondo_status await_cares_getnameinfo(struct await_cares *cares, const struct sockaddr *address,
                                     ares_socklen_t length, int flags, rondo_coroutine **out_coroutine);

/** How many queries of await_cares_getaddrinfo() c-ares still has, wanted or not. */
size_t await_cares_count(const struct await_cares *cares);

/** End all queries, cancelling their futures, and free. Before the loop is closed. NULL is a no-op. */
void await_cares_close(struct await_cares *cares);

#endif
