/*
 * rondo/completer.h - plain C functions that complete a future or feed a queue with their arguments.
 *
 * Where a library wants a callback, give it the function of a completer, and await the future:
 *
 *     rondo_future_completer(future, "void(str,i32,user)", NULL,
 *                            NULL, NULL, &done);
 *     rondo_completer_get_function(done, &fn);
 *     lookup_async("name", (lookup_fn)fn, done); // done: user data
 *
 * Any thread may call the function, at any time from then on, several at once: the first call completes
 * the future, in its loop's next pass; the others come too late and are counted. The future's value is an
 * array of addresses, one for each parameter of the C function: `*(int32_t *)args[1]`. Texts (str) and
 * memory (bytes) are copied while the caller is in the function; so are structs.
 *
 * A parameter `user` is where the library gives back its user data, which has to be the completer. With
 * one, and with arguments that fit into registers, the function is one that the library has always had, and
 * a call of it is ignored for ever after the completer is gone. Without, there are 64 such functions, each
 * for one completer at a time. What they cannot do (structs, long doubles, more than six integers or eight
 * floating point numbers, results of f32 or f64, more than 64) is done by a closure of libffi, for which the
 * system must allow executable memory; if it does not, that is RONDO_E_NO_CLOSURES.
 *
 * A function without user is to be called until its completer is released, and not after. A call that is
 * still running then, or a late one, does no harm: it is ignored, unless the function has been handed out
 * again meanwhile, and the one that has been free longest is handed out first.
 */
#ifndef RONDO_COMPLETER_H
#define RONDO_COMPLETER_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Use a closure of libffi even where a function of the library's own would do. */
#define RONDO_COMPLETER_CLOSURE 0x1

/** How a completer is to be; zero is the default everywhere. */
typedef struct rondo_completer_options {
    uint32_t size;      /**< sizeof(rondo_completer_options). */
    uint32_t flags;     /**< RONDO_COMPLETER_ flags. */
    const void *result; /**< What the function returns, copied; NULL for zero. */
} rondo_completer_options;

/**
 * Make a function that completes a future with its arguments, once.
 *
 * The completer is one of those that can complete the future: if it is released without having been
 * called, and nobody else can, who awaits the future is told RONDO_E_BROKEN_PROMISE.
 *
 * @param signature     The type of the function; see rondo/typed.h. own and coro are no types of it.
 * @param options       NULL for the defaults.
 * @param arg           Whatever has to live for as long as the function may be called; moves on every return.
 * @param drop          NULL, or called once with arg when the completer is gone.
 * @param out_completer The completer.
 * @return RONDO_OK; RONDO_E_BAD_SIGNATURE; RONDO_E_NO_CLOSURES; -EINVAL, -E2BIG (options); -EMFILE (there
 *         are 8,192 functions); -ENOMEM; RONDO_E_RUNTIME (a task, or a future of the library's);
 *         RONDO_E_LOOP_CLOSED; RONDO_E_WRONG_PROCESS.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_completer(rondo_completer_release)  since:0.1
 */
rondo_status rondo_future_completer(rondo_future *future, const char *signature,
                                    const rondo_completer_options *options, void *arg, rondo_drop_fn drop,
                                    rondo_completer **out_completer);
/**
 * Make a function that puts its arguments into a queue, with every call of it.
 *
 * An item is an array of addresses, as the value of a future is, and is let go of with
 * rondo_completer_free(). A call that finds the queue full or shut down, or memory out, is counted as ignored.
 *
 * A rondo_queue has no completer, because it belongs to its loop's thread: a call from another thread would
 * wait in the loop's inbox, which has no bound, and that the queue is full would be known when it is too
 * late to tell anybody. Tasks get from a rondo_thread_queue just as well, with rondo_thread_queue_get_async().
 *
 * @return As rondo_future_completer(), without what is about futures and loops.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:arg  owns:out_completer(rondo_completer_release)  since:0.1
 */
rondo_status rondo_thread_queue_completer(rondo_thread_queue *queue, const char *signature,
                                          const rondo_completer_options *options, void *arg,
                                          rondo_drop_fn drop, rondo_completer **out_completer);
/** Let go of an item that came through a completer, or of a result that was taken. It is a rondo_drop_fn.
 * @param args The array of addresses; NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
void rondo_completer_free(void *args);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_completer_retain(rondo_completer *completer);
/** Give a reference back; the function is not to be called after the last one. NULL is a no-op.
 *
 * At any time, from any thread, also while the function runs. What it has completed stays.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_completer_release(rondo_completer *completer);
/** Get the function, to be converted to the type that the signature says.
 * @return RONDO_OK or -EINVAL.
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:out_function(until the completer is released)  since:0.1 */
rondo_status rondo_completer_get_function(const rondo_completer *completer, rondo_any_fn *out_function);
/** Tell how many calls did something, and how many were ignored: late ones, or ones without room.
 * @param out_calls   NULL, or how many completed the future or put an item into the queue.
 * @param out_ignored NULL, or how many came to nothing.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_completer_get_counts(const rondo_completer *completer, uint64_t *out_calls,
                                        uint64_t *out_ignored);

RONDO_END_DECLS
#endif
