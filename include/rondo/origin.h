/*
 * rondo/origin.h - who made an object, and where a task waits.
 *
 * In debug mode loops, futures, tasks, handles, coroutines and generators record the calls that made them: up to
 * ten return addresses, of which those inside of the library are left out but for what the program
 * called. What an object has recorded stays, also when debug mode is switched off again. Coroutines
 * and generators, which belong to no loop, record if the loop that runs in its thread is in debug mode or, where
 * none runs, if RONDO_DEBUG was set when the last loop was made.
 *
 * Addresses become function, file and line when somebody reads them. For that libdw (elfutils) is
 * loaded if it is there, and the program needs debug information (-g). Without, in a
 * thread with less than 256 KiB of stack left, or with RONDO_SYMBOLIZER=none in the environment, there are the object and what it exports, or the offset
 * that addr2line understands.
 */
#ifndef RONDO_ORIGIN_H
#define RONDO_ORIGIN_H

#include <rondo/base.h>
#include <rondo/coroutine.h>

RONDO_BEGIN_DECLS

/** How many calls are recorded at most. */
#define RONDO_ORIGIN_DEPTH 10

/**
 * Write the calls that made an object, outermost first, a line each:
 * `  File "prog.c", line 12, in work`. Below it stands that line of the source, if the file is where
 * the compiler saw it.
 *
 * @param object   A loop, future, task, handle, coroutine or asynchronous generator.
 * @param buffer   See rondo_error_describe(), also for size and out_size.
 * @return RONDO_OK, -ERANGE, -ENOMEM, -ENOENT (nothing was recorded) or RONDO_E_TYPE (an object of another type).
 *
 * @par Contract
 * thread:any  blocks:no (reads the program's debug information)  reenters:no  since:0.1
 */
rondo_status rondo_origin_describe(const rondo_object *object, char *buffer, size_t size,
                                   size_t *out_size);
/** Give the same as return addresses, innermost first.
 * @param frames    Filled with up to capacity of them; may be NULL with capacity 0.
 * @param capacity  RONDO_ORIGIN_DEPTH is enough.
 * @param out_count How many there are, whether they fitted or not.
 * @return RONDO_OK, -EINVAL, -ENOENT or RONDO_E_TYPE.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_origin_get_frames(const rondo_object *object, uintptr_t *frames, size_t capacity,
                                     size_t *out_count);
/** Write the line for one return address.
 * @return As rondo_error_describe(); -EINVAL for 0.
 * @par Contract
 * thread:any  blocks:no (reads the program's debug information)  reenters:no  since:0.1 */
rondo_status rondo_debug_describe_frame(uintptr_t frame, char *buffer, size_t size,
                                        size_t *out_size);

/** Write who made what a report is about (asyncio's source_traceback), as rondo_origin_describe().
 * @return As rondo_origin_describe().
 * @par Contract
 * thread:any  blocks:no (reads the program's debug information)  reenters:no  since:0.1 */
rondo_status rondo_exception_context_get_source_traceback(const rondo_exception_context *context,
                                                          char *buffer, size_t size,
                                                          size_t *out_size);
/** Give the same as return addresses, innermost first; see rondo_origin_get_frames().
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_exception_context_get_source_frames(const rondo_exception_context *context,
                                                       uintptr_t *frames, size_t capacity,
                                                       size_t *out_count);

/** Where a coroutine waits. */
typedef struct rondo_stack_frame {
    rondo_step_fn function; /**< Its body. */
    const char *name;       /**< Its name; borrowed while the coroutine or its task lives. */
    int32_t line;           /**< Of the await it waits at, told by the macros of rondo/async.h; 0 if not known. */
    int32_t reserved;       /**< 0. */
} rondo_stack_frame;

/**
 * Give a task's stack: its own coroutine, then the one that this awaits, and so on (get_stack()).
 *
 * A task that is done has none. A coroutine that has not begun, or runs right now, has no line.
 *
 * @param frames    Filled with up to capacity of them; may be NULL with capacity 0.
 * @param out_count How many there are, whether they fitted or not.
 * @return RONDO_OK, -EINVAL or -ENOMEM.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_task_get_stack(const rondo_task *task, rondo_stack_frame *frames,
                                  size_t capacity, size_t *out_count);
/** Write a task's stack as print_stack() does: "Stack for <Task ...> (most recent call last):", and a line each.
 * @param limit 0, or only so many, the innermost.
 * @return As rondo_error_describe().
 * @par Contract
 * thread:loop  blocks:no (reads the program's debug information)  reenters:no  since:0.1 */
rondo_status rondo_task_print_stack(const rondo_task *task, size_t limit, char *buffer, size_t size,
                                    size_t *out_size);

/** Write a description such as "<TimerHandle cancelled work()>"; in debug mode it tells who made it.
 * @return As rondo_error_describe().
 * @par Contract
 * thread:loop  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_handle_describe(const rondo_handle *handle, char *buffer, size_t size,
                                   size_t *out_size);

RONDO_END_DECLS
#endif
