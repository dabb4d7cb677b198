/*
 * rondo/resolve.h - names and addresses: getaddrinfo and getnameinfo that do not block the loop.
 *
 * The system's resolver blocks, so it is called by a worker of the loop's default executor, in
 * RONDO_LANE_RESOLVER. What needs no resolver, because host and service are numbers, is converted
 * at once, and the future is done when it is given out. A lookup that runs cannot be interrupted: if its
 * future is cancelled its result is freed when it comes.
 */
#ifndef RONDO_RESOLVE_H
#define RONDO_RESOLVE_H

#include <rondo/base.h>

struct addrinfo;
struct sockaddr;

RONDO_BEGIN_DECLS

/** What rondo_loop_getnameinfo() found, each ended by a NUL. */
typedef struct rondo_name_info {
    char host[1025];  /**< The name of the host, or its address in numbers. */
    char service[32]; /**< The name of the service, or its port in numbers. */
} rondo_name_info;

/** One address of a list, for who does not know struct addrinfo. */
typedef struct rondo_address {
    uint32_t size;                  /**< sizeof(rondo_address), set by the caller. */
    int32_t family;                 /**< AF_INET or AF_INET6. */
    int32_t type;                   /**< SOCK_STREAM, SOCK_DGRAM, ... */
    int32_t protocol;               /**< IPPROTO_TCP, ... */
    int32_t port;                   /**< In the host's byte order; 0 if no service was asked for. */
    uint32_t length;                /**< Of sockaddr, in bytes. */
    const struct sockaddr *sockaddr; /**< As connect() wants it; part of the list. */
    const char *canonical_name;     /**< Of the first one if AI_CANONNAME was asked for, else NULL. */
    char host[64];                  /**< The address as text, such as "127.0.0.1" or "fe80::1%2". */
} rondo_address;

/**
 * Look up the addresses of a host and a service (loop.getaddrinfo()).
 *
 * The value is a struct addrinfo *, a list as getaddrinfo(3) makes it. It belongs to the future; who
 * takes it from there frees it with rondo_addrinfo_free(). What the resolver refuses is the future's
 * exception: an error whose status is RONDO_E_RESOLVER (socket.gaierror), of RONDO_DOMAIN_RESOLVER and with
 * the EAI_ code as rondo_error_get_code(), or one of RONDO_DOMAIN_POSIX for EAI_SYSTEM and EAI_MEMORY.
 * In debug mode what a worker has looked up is logged, at level INFO if it was slow, else DEBUG.
 *
 * @param host     A name or a numeric address; NULL as in getaddrinfo(3). Copied.
 * @param service  A name or a port number; NULL as in getaddrinfo(3), but not both. Copied.
 * @param family   AF_INET, AF_INET6, or 0 for any.
 * @param type     SOCK_STREAM, SOCK_DGRAM, or 0 for any.
 * @param protocol As in getaddrinfo(3); 0 for any.
 * @param flags    AI_ flags.
 * @return RONDO_OK; -EINVAL (both NULL, an empty host, a port above 65535, no out_future);
 *         -ENAMETOOLONG (more than 1,024 bytes); -ENOMEM; RONDO_E_EXECUTOR_SHUT_DOWN; RONDO_E_LOOP_CLOSED; -EAGAIN (no thread).
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_getaddrinfo(rondo_loop *loop, const char *host, const char *service,
                                    int32_t family, int32_t type, int32_t protocol, int32_t flags,
                                    rondo_future **out_future);
/** Free a list of addresses that was taken from a future. NULL is a no-op.
 * @return RONDO_OK.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_addrinfo_free(struct addrinfo *list);
/**
 * Read the first address of a list.
 *
 * @param list        What rondo_loop_getaddrinfo() found, or what rondo_addrinfo_next() returned.
 * @param out_address Its size is set by the caller.
 * @return RONDO_OK; -EINVAL (NULL, a size that is wrong); -EAFNOSUPPORT (neither AF_INET nor AF_INET6).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:out_address(its pointers, while the list lives)  since:0.1
 */
rondo_status rondo_addrinfo_get_address(const struct addrinfo *list, rondo_address *out_address);
/** Return the list without its first address; NULL at its end, and for NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(while the list lives)  since:0.1 */
const struct addrinfo *rondo_addrinfo_next(const struct addrinfo *list);
/**
 * Look up the names of an address (loop.getnameinfo()).
 *
 * The value is a rondo_name_info *, which belongs to the future; who takes it frees it with free().
 * With NI_NUMERICHOST and NI_NUMERICSERV it is done at once.
 *
 * @param address Of AF_INET or AF_INET6. Copied.
 * @param length  Its size in bytes.
 * @param flags   NI_ flags.
 * @return As rondo_loop_getaddrinfo(); -EINVAL also for a length that is no socket address's;
 *         -EAFNOSUPPORT (another family).
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_getnameinfo(rondo_loop *loop, const struct sockaddr *address, uint32_t length,
                                    int32_t flags, rondo_future **out_future);

RONDO_END_DECLS
#endif
