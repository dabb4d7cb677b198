/*
 * rondo/socket.h - raw sockets on the loop: each operation is a future.
 *
 * The descriptor and the memory stay the caller's; both must stay until the future is done.
 * An operation tries at once and waits for the loop only if it must. Cancelling it stops it at
 * once and leaves the descriptor usable. A failure is the future's exception: an error of
 * RONDO_DOMAIN_POSIX with the operation's name. At most one operation waits on each direction of
 * a descriptor: a second one is -EBUSY, and so is rondo_loop_add_reader() or rondo_loop_add_writer() for
 * that direction. Closing the loop cancels what waits.
 */
#ifndef RONDO_SOCKET_H
#define RONDO_SOCKET_H

#include <rondo/base.h>

struct sockaddr;

RONDO_BEGIN_DECLS

/**
 * Receive up to size bytes. The value is the count as intptr_t, 0 at the end of the stream.
 *
 * @return RONDO_OK, -EINVAL, -EBADF, -EBUSY, -ENOMEM, -EPERM (not pollable) or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:buffer(until the future is done)  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_sock_recv(rondo_loop *loop, int32_t fd, void *buffer, size_t size,
                                  rondo_future **out_future);
/** Receive a datagram and whom it is from. The value is the count as intptr_t.
 * @param address      NULL, or where the sender's address goes (a sockaddr_storage is enough).
 * @param address_size In: its size. Out: the address's, when the future is done. NULL with NULL.
 * @return As rondo_loop_sock_recv().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:buffer,address,address_size(until the future is done)  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1 */
rondo_status rondo_loop_sock_recvfrom(rondo_loop *loop, int32_t fd, void *buffer, size_t size,
                                      struct sockaddr *address, uint32_t *address_size,
                                      rondo_future **out_future);
/** Send all of it. The value is NULL.
 * @return As rondo_loop_sock_recv().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:data(until the future is done)  owns:out_future(rondo_future_release)  cancel:poisons (part may be sent)  since:0.1 */
rondo_status rondo_loop_sock_sendall(rondo_loop *loop, int32_t fd, const void *data, size_t size,
                                     rondo_future **out_future);
/** Send a datagram. The value is the count as intptr_t.
 * @return As rondo_loop_sock_recv().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:data,address(until the future is done)  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1 */
rondo_status rondo_loop_sock_sendto(rondo_loop *loop, int32_t fd, const void *data, size_t size,
                                    const struct sockaddr *address, uint32_t address_size,
                                    rondo_future **out_future);
/** Connect a non-blocking socket. The value is NULL.
 * @return As rondo_loop_sock_recv(); -EINVAL for a blocking socket.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:address(until this returns)  owns:out_future(rondo_future_release)  cancel:poisons (close the socket)  since:0.1 */
rondo_status rondo_loop_sock_connect(rondo_loop *loop, int32_t fd, const struct sockaddr *address,
                                     uint32_t address_size, rondo_future **out_future);
/**
 * Accept a connection on a non-blocking listener. The value is the new descriptor as intptr_t.
 *
 * The new descriptor is non-blocking and close-on-exec. It is the future's, which closes it when
 * it goes, until rondo_future_take_result() or rondo_coroutine_take_sent() takes it.
 *
 * @param address      As in rondo_loop_sock_recvfrom(), for the peer.
 * @param address_size As in rondo_loop_sock_recvfrom(), for the peer.
 * @return As rondo_loop_sock_recv(); -EINVAL for a blocking socket.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:address,address_size(until the future is done)  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_sock_accept(rondo_loop *loop, int32_t fd, struct sockaddr *address,
                                    uint32_t *address_size, rondo_future **out_future);

/**
 * Wait until a descriptor is readable, at its end, hung up or in error. The value is NULL.
 *
 * For a library that says "not yet". Nothing is read: if poll(2) finds it readable, as it always does with a
 * file, the future is done when it is given out, else when the loop has woken for it. Others may have read
 * what there was before whoever awaits goes on, so ask again rather than block. Any descriptor will do. Cancel
 * the future before the descriptor is closed.
 *
 * The wait is one of the operations of this header. Beside a reader of rondo_loop_add_reader() on the same
 * descriptor it is refused, and leaves that alone; beside a writer it is not.
 *
 * @return RONDO_OK, -EINVAL (no out_future, a descriptor of the loop's own), -EBADF, -EBUSY (there is a
 *         reader, or an operation that waits for reading), -ENOMEM, the errno of epoll_ctl(2) or
 *         RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_wait_readable(rondo_loop *loop, int32_t fd, rondo_future **out_future);
/** Wait until a descriptor is writable, hung up or in error. The value is NULL.
 * @return As rondo_loop_wait_readable(), with what is there for writing.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1 */
rondo_status rondo_loop_wait_writable(rondo_loop *loop, int32_t fd, rondo_future **out_future);

RONDO_END_DECLS
#endif
