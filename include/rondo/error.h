/*
 * rondo/error.h - a rich failure: domain, code, message, operation, cause chain, groups.
 *
 * An error is an object with a domain, a code of that domain, and a message. It may have an operation (what
 * was being done), a cause (the error that it was raised from), a context (the one that was being handled
 * when it was raised) and, if it is a group, members. rondo_error_get_status() gives the status that a
 * function would return for it.
 *
 * A coroutine raises an error with rondo_coroutine_raise(). Of a future or a task that ended with one the
 * result is RONDO_E_RAISED, and rondo_future_exception() gives the error; of a thread future it is
 * rondo_thread_future_exception(), of rondo_run() an output. Any thread may hold and read an error.
 */
#ifndef RONDO_ERROR_H
#define RONDO_ERROR_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** rondo's own codes: RONDO_E_. */
#define RONDO_DOMAIN_RONDO 1
/** errno values, positive. */
#define RONDO_DOMAIN_POSIX 2
/** The resolver's EAI_ codes. The status of such an error is RONDO_E_RESOLVER. */
#define RONDO_DOMAIN_RESOLVER 3
/** The TLS library's codes. */
#define RONDO_DOMAIN_TLS 4
/** The program's own codes. */
#define RONDO_DOMAIN_USER 5

/**
 * Make an error.
 *
 * An error of RONDO_DOMAIN_RONDO with code RONDO_E_CANCELLED is a cancellation and treated as
 * asyncio's CancelledError wherever it is raised; RONDO_E_INTERRUPTED and RONDO_E_EXIT leave the
 * loop at once (KeyboardInterrupt, SystemExit).
 *
 * @param domain    One of RONDO_DOMAIN_.
 * @param code      A code of that domain: RONDO_E_ (negative), errno (positive), or any.
 * @param message   Copied; NULL for the code's own sentence.
 * @param out_error The error.
 * @return RONDO_OK, -EINVAL (unknown domain, a code that is none of the domain's) or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_error(rondo_error_release)  since:0.1
 */
rondo_status rondo_error_new(int32_t domain, int32_t code, const char *message,
                             rondo_error **out_error);

/**
 * Make a group of errors (ExceptionGroup).
 *
 * @param message   Copied; may be NULL.
 * @param errors    The members; each is retained.
 * @param count     How many; at least 1.
 * @param out_error The group, its code RONDO_E_GROUP.
 * @return RONDO_OK, -EINVAL (count 0) or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_error(rondo_error_release)  since:0.1
 */
rondo_status rondo_error_group_new(const char *message, rondo_error *const *errors, size_t count,
                                   rondo_error **out_error);

/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_error_retain(rondo_error *error);
/** Give a reference back. NULL is a no-op; one release too many is RONDO_E_STALE_HANDLE.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_error_release(rondo_error *error);

/** Set what was being done, such as "connect"; copied. NULL clears it.
 * @return RONDO_OK, -ENOMEM, or RONDO_E_INVALID_STATE for the two errors that belong to the whole
 *         process (the plain cancellation, out of memory), which cannot be changed.
 * @par Contract
 * thread:any (not while another thread uses the error)  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_error_set_operation(rondo_error *error, const char *operation);
/** Set the error that this one was raised from; retained. NULL clears it.
 * @return RONDO_OK; -ELOOP if error can be reached from cause through causes, contexts and members;
 *         RONDO_E_INVALID_STATE as rondo_error_set_operation().
 * @par Contract
 * thread:any (not while another thread uses the error)  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_error_set_cause(rondo_error *error, rondo_error *cause);

/** Return the domain, or 0 if error is not an error.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_error_get_domain(const rondo_error *error);
/** Return the code, or 0 if error is not an error.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
int32_t rondo_error_get_code(const rondo_error *error);
/** Return the status that stands for this error: its RONDO_E_ code, -errno, RONDO_E_RESOLVER, or RONDO_E_USER.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_error_get_status(const rondo_error *error);
/** Return the message; "" if error is not an error. Never NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until error is released)  since:0.1 */
const char *rondo_error_get_message(const rondo_error *error);
/** Return the operation or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until error is released or set)  since:0.1 */
const char *rondo_error_get_operation(const rondo_error *error);
/** Return the cause or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until error is released or set)  since:0.1 */
rondo_error *rondo_error_get_cause(const rondo_error *error);
/** Return the error that was being handled when this one was raised (asyncio: __context__) or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until error is released)  since:0.1 */
rondo_error *rondo_error_get_context(const rondo_error *error);
/** Return how many members a group has; 0 for an error that is no group.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
size_t rondo_error_get_count(const rondo_error *error);
/** Return member index of a group or NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until error is released)  since:0.1 */
rondo_error *rondo_error_get_member(const rondo_error *error, size_t index);

/**
 * Write a description such as "TimeoutError('too slow')" with its causes, a line each.
 *
 * @param buffer   Where to write, NUL-terminated; may be NULL with size 0 to ask for the length.
 * @param size     The buffer's size.
 * @param out_size The length without the NUL, whether it fitted or not.
 * @return RONDO_OK, or -ERANGE if it did not fit (nothing is written then).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_error_describe(const rondo_error *error, char *buffer, size_t size,
                                  size_t *out_size);

RONDO_END_DECLS
#endif
