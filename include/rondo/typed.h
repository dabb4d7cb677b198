/*
 * rondo/typed.h - calls of any C function, with arguments of any type.
 *
 *     rondo_loop_call_soon_typed(loop, RONDO_ANY(resize),
 *                                "void(ptr,u32,u32)", window, 640, 480);
 *
 * A signature is a result and parameters: "i32(ptr,u64,f64)". The types are
 *
 *     bool i8 u8 i16 u16 i32 u32 i64 u64
 *     char schar uchar short ushort int uint long ulong llong ullong
 *     size ssize
 *     f32 f64 (or float double) ldouble
 *     c64 c128 (float _Complex, double _Complex)
 *
 * and
 *
 *   void       as a result only
 *   ptr        a pointer, passed as it is; what it points to has to stay
 *   str        a C string or NULL, copied; as a result, copied too
 *   bytes      two parameters, a pointer and a size_t; what they stand for is copied
 *   own        a pointer that moves: given together with its rondo_drop_fn, which runs once,
 *              after the call or when it is clear that there will be none
 *   {i32,f64}  a struct by value; {u8[16],{f32,f32}} has an array and another struct in it
 *   coro       a rondo_coroutine *, as the result of what a coroutine is made with
 *   user       in completers only: see rondo/completer.h
 *
 * "..." stands in front of what a variadic function takes: "int(str,...,int,f64)".
 *
 * Arguments are given behind the signature, as to printf(), or as an array of pointers to them,
 * as a foreign function interface has them. In both forms they are copied before the call returns.
 * A struct is given by its address behind a signature, too. bytes and own are two entries of an array.
 * What own names moves on every return, unless the signature or the number of arguments is wrong.
 */
#ifndef RONDO_TYPED_H
#define RONDO_TYPED_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** A function of any type as a rondo_any_fn. */
#define RONDO_ANY(function) ((rondo_any_fn)(function))

/* ---- signatures ----------------------------------------------------------------------------- */

/**
 * Prepare a signature. The same text is prepared once, and then found again.
 *
 * Calls that are given a text do this themselves; a signature is for arrays of arguments.
 *
 * @param text          Copied.
 * @param out_signature The signature.
 * @return RONDO_OK; RONDO_E_BAD_SIGNATURE (rondo_signature_check() says where and why); -EINVAL; -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_signature(rondo_signature_release)  since:0.1
 */
rondo_status rondo_signature_new(const char *text, rondo_signature **out_signature);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_signature_retain(rondo_signature *signature);
/** Give a reference back. NULL is a no-op. Calls that have been made keep what they need.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_signature_release(rondo_signature *signature);
/**
 * Say where and why a text is no signature: "at 7: unknown type". Of a good one nothing is said.
 *
 * @param text         The text.
 * @param out_position NULL, or how many bytes of it are all right.
 * @param buffer       Where to write, NUL-terminated; may be NULL with size 0 to ask for the length.
 * @param size         The buffer's size.
 * @param out_size     NULL, or the length without the NUL, whether it fitted or not; 0 if the text is good.
 * @return RONDO_OK (whatever it found out); -ERANGE (it did not fit); -EINVAL; -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_signature_check(const char *text, size_t *out_position, char *buffer, size_t size,
                                   size_t *out_size);
/** Tell how many entries an array of arguments has, and how many bytes the result has.
 * @param out_count NULL, or the entries: bytes and own count twice.
 * @param out_size  NULL, or the size; 0 for void.
 * @return RONDO_OK.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_signature_get_sizes(const rondo_signature *signature, size_t *out_count, size_t *out_size);

/* ---- on the loop's thread ------------------------------------------------------------------- */

/**
 * Call fn with the arguments behind the signature, soon: see rondo_loop_call_soon(). Its result is ignored.
 *
 * @param fn        The function; RONDO_ANY() converts it.
 * @param signature Its type.
 * @param ...       Its arguments.
 * @return As rondo_loop_call_soon(), or RONDO_E_BAD_SIGNATURE. A struct that is NULL, and a result
 *         of type coro, are -EINVAL.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:own arguments  since:0.1
 */
rondo_status rondo_loop_call_soon_typed(rondo_loop *loop, rondo_any_fn fn, const char *signature, ...);
/** As rondo_loop_call_soon_typed(), delay_ns from now: see rondo_loop_call_later().
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:own arguments  since:0.1 */
rondo_status rondo_loop_call_later_typed(rondo_loop *loop, int64_t delay_ns, rondo_any_fn fn,
                                         const char *signature, ...);
/** As rondo_loop_call_soon_typed(), at a time of the loop's clock: see rondo_loop_call_at().
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:own arguments  since:0.1 */
rondo_status rondo_loop_call_at_typed(rondo_loop *loop, int64_t when_ns, rondo_any_fn fn,
                                      const char *signature, ...);
/**
 * Call fn with the arguments of an array, soon.
 *
 * @param fn         The function.
 * @param signature  Its type.
 * @param args       For each argument the address of it; NULL if count is 0.
 * @param count      How many there are; it has to be what the signature needs.
 * @param out_handle NULL, or a handle to cancel the call with.
 * @return As rondo_loop_call_soon(); -EINVAL if the count is wrong or an entry is NULL.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:own arguments  owns:out_handle(rondo_handle_release)  since:0.1
 */
rondo_status rondo_loop_call_soon_typed_array(rondo_loop *loop, rondo_any_fn fn, rondo_signature *signature,
                                              const void *const *args, size_t count,
                                              rondo_handle **out_handle);
/** As rondo_loop_call_soon_typed_array(), delay_ns from now: see rondo_loop_call_later().
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:own arguments  owns:out_handle(rondo_handle_release)  since:0.1 */
rondo_status rondo_loop_call_later_typed_array(rondo_loop *loop, int64_t delay_ns, rondo_any_fn fn,
                                               rondo_signature *signature, const void *const *args,
                                               size_t count, rondo_handle **out_handle);
/** As rondo_loop_call_soon_typed_array(), at a time of the loop's clock: see rondo_loop_call_at().
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:own arguments  owns:out_handle(rondo_handle_release)  since:0.1 */
rondo_status rondo_loop_call_at_typed_array(rondo_loop *loop, int64_t when_ns, rondo_any_fn fn,
                                            rondo_signature *signature, const void *const *args,
                                            size_t count, rondo_handle **out_handle);

/* ---- from any thread ------------------------------------------------------------------------ */

/** As rondo_loop_call_soon_typed(), from any thread: see rondo_loop_call_soon_threadsafe().
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:own arguments  since:0.1 */
rondo_status rondo_loop_call_soon_threadsafe_typed(rondo_loop *loop, rondo_any_fn fn, const char *signature, ...);
/** As rondo_loop_call_soon_typed_array(), from any thread: see rondo_loop_call_soon_threadsafe().
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:own arguments  owns:out_handle(rondo_handle_release)  since:0.1 */
rondo_status rondo_loop_call_soon_threadsafe_typed_array(rondo_loop *loop, rondo_any_fn fn,
                                                         rondo_signature *signature,
                                                         const void *const *args, size_t count,
                                                         rondo_handle **out_handle);
/**
 * Call fn on the loop's thread as a task and get its result in a thread future.
 *
 * If its result is coro, fn makes a coroutine, which is then awaited: the result is that of the
 * coroutine, as rondo_loop_run_coroutine_threadsafe() has it, and NULL is raised as RONDO_E_TYPE.
 * Any other result is read with rondo_thread_future_result_typed().
 *
 * @param out_future NULL, or a future that any thread may wait on.
 * @param fn         The function.
 * @param signature  Its type.
 * @param ...        Its arguments.
 * @return As rondo_loop_run_coroutine_threadsafe(), RONDO_E_BAD_SIGNATURE or -EINVAL (a struct is NULL).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:own arguments  owns:out_future(rondo_thread_future_release)  since:0.1
 */
rondo_status rondo_loop_run_coroutine_threadsafe_typed(rondo_loop *loop, rondo_thread_future **out_future,
                                                       rondo_any_fn fn, const char *signature, ...);
/** As rondo_loop_run_coroutine_threadsafe_typed(), with the arguments of an array.
 * @return As rondo_loop_run_coroutine_threadsafe(); -EINVAL if the count is wrong or an entry is NULL.
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:own arguments  owns:out_future(rondo_thread_future_release)  since:0.1 */
rondo_status rondo_loop_run_coroutine_threadsafe_typed_array(rondo_loop *loop, rondo_any_fn fn,
                                                             rondo_signature *signature,
                                                             const void *const *args, size_t count,
                                                             rondo_thread_future **out_future);

/* ---- in an executor ------------------------------------------------------------------------- */

/**
 * Call fn in an executor: see rondo_loop_run_in_executor(). Its result lands in the future.
 *
 * @param executor   NULL for the loop's default executor.
 * @param out_future NULL, or the future; read it with rondo_future_result_typed().
 * @param fn         The function.
 * @param signature  Its type.
 * @param ...        Its arguments.
 * @return As rondo_loop_run_in_executor(), RONDO_E_BAD_SIGNATURE or -EINVAL (a struct is NULL, or the
 *         result is coro).
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (a custom executor's submit)  moves:own arguments  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_run_in_executor_typed(rondo_loop *loop, rondo_executor *executor,
                                              rondo_future **out_future, rondo_any_fn fn,
                                              const char *signature, ...);
/** As rondo_loop_run_in_executor_typed(), with the arguments of an array.
 * @return As rondo_loop_run_in_executor(); -EINVAL if the count is wrong or an entry is NULL.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (a custom executor's submit)  moves:own arguments  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1 */
rondo_status rondo_loop_run_in_executor_typed_array(rondo_loop *loop, rondo_executor *executor,
                                                    rondo_any_fn fn, rondo_signature *signature,
                                                    const void *const *args, size_t count,
                                                    rondo_future **out_future);

/* ---- results -------------------------------------------------------------------------------- */

/**
 * Read the result of a typed call out of its future.
 *
 * The future's value is the address of the result, whatever its type is: of an int32_t, of a double,
 * of a struct, of a pointer; of str the address of a char * to a copy. For void it is NULL. This
 * copies what is there, if the size is that of the result's type.
 *
 * @param buffer Where to.
 * @param size   Its size: 4 for i32, sizeof(void *) for ptr and str.
 * @return As rondo_future_result(); -EINVAL (NULL); -ERANGE (it has another size); RONDO_E_TYPE (not the
 *         result of a typed call, or it was taken).
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  borrows:text of str(until the future is released)  since:0.1
 */
rondo_status rondo_future_result_typed(rondo_future *future, void *buffer, size_t size);
/** As rondo_future_result_typed(), for a thread future, waiting for it as rondo_thread_future_result() does.
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:no  borrows:text of str(until the future is released)  since:0.1 */
rondo_status rondo_thread_future_result_typed(rondo_thread_future *future, int64_t timeout_ns,
                                              void *buffer, size_t size);

RONDO_END_DECLS
#endif
