/*
 * rondo.h - asyncio's model for C: event loop, futures, tasks, coroutines, thread-safe scheduling.
 *
 * A program includes rondo.h and no other header of the library. What follows are the conventions that
 * every declaration leans on; then it includes one header per concern.
 *
 * NAMES. rondo_<thing>_<verb>. asyncio's own words are used for asyncio's things. The prefix of a
 * function is the type of its first parameter. new, retain/release (NULL is a no-op), close
 * (idempotent), get_x/set_x/is_x, cancel (asks; the outcome tells), _threadsafe (any thread).
 *
 * STATUS. Everything that can fail returns rondo_status: 0, a negative errno, or a RONDO_E_ code.
 * Outputs are written on success only. The status of a call and the outcome of an awaited thing
 * are two answers: a future that failed is read with RONDO_E_RAISED and a rondo_error, never by
 * mixing the two. Misuse (NULL, stale, foreign, double-released handles, wrong thread, closed
 * loop, after fork) is a status in every build; it is never undefined and never an abort.
 * Every function that takes a handle may return RONDO_E_BAD_HANDLE (no handle of this type) or
 * RONDO_E_STALE_HANDLE (its object is gone), -EINVAL for NULL, and those marked thread:loop may
 * return RONDO_E_WRONG_THREAD or RONDO_E_WRONG_PROCESS; the comments do not repeat these five.
 *
 * A negative errno that a comment names without a reason means:
 *
 *   -EINVAL   an argument is NULL that must not be, or has a value that is not allowed
 *   -E2BIG    the options have something that this version of the library does not know
 *   -ENOMEM   there is no memory, and nothing has changed
 *   -ERANGE   the buffer is too small, and nothing is written
 *   -ENOENT   there is no such thing
 *   -EBUSY    somebody else uses it now
 *   -EBADF    this is no open file descriptor
 *   -EACCES   the system does not permit it
 *   -ENOSPC   the system allows no more of them
 *   -EDEADLK  it would wait for itself
 *   -ENOSYS   the system cannot do it
 *
 * HANDLES. A handle is an opaque typed pointer that is never dereferenced: it names an object and
 * its generation. Objects are reference counted; "owns:x" means the caller got one reference and
 * gives it back with the release function named there, at any time, from any thread. A handle
 * that a callback receives is borrowed until the callback returns, retain it to keep it.
 * An out_ handle that is NULL means "not needed".
 *
 * CALLBACKS. fn, arg, drop: arg moves into the library on every return, failure included, and
 * drop(arg), where given, runs exactly once, after the last possible fn. If registering fails fn
 * never runs. Callbacks run on the loop's thread from the loop's own stack, never from inside the
 * call that caused them (a priority queue's comparison and a task factory have to), and no lock is
 * held while they run.
 *
 * THREADS. A loop belongs to the thread that made it; the thread that runs it takes it over.
 * thread:loop functions answer RONDO_E_WRONG_THREAD elsewhere, always. thread:any may be called
 * from anywhere. After fork() everything of an inherited loop answers RONDO_E_WRONG_PROCESS until
 * rondo_loop_reset_after_fork().
 *
 * TIME. int64_t nanoseconds of CLOCK_MONOTONIC, or of the loop's own clock (rondo/replay.h); the unit
 * ends the name. Never early; equal deadlines run first-in first-out. RONDO_NEVER is "no deadline".
 *
 * STRINGS. NUL-terminated UTF-8 or pointer and length; inputs are copied or used before return
 * unless "borrows" says otherwise.
 *
 * OPTIONS. Structs whose first field is size (use sizeof); zero is always the default; an
 * unknown non-zero tail is -E2BIG, a size smaller than the first version -EINVAL.
 *
 * CONTRACT LINE. The comment of each function ends with a line of these:
 *
 *   thread    who may call it: any thread; the loop's only; a job's only, which is the one that runs it
 *   blocks    no; until-done; ms: and the parameter that says for how long at most
 *   reenters  what may run inside of the call: nothing of the program's, drop functions, callbacks
 *   moves     what becomes the library's, on every return
 *   owns      what becomes the caller's, and the function that gives it back
 *   borrows   what one of them uses without a reference, and until when
 *   cancel    lossless: cancelled at any point it loses no data and leaves its objects usable; poisons: it may
 *             be half done then
 *   since     the version of rondo that first had it
 */
#ifndef RONDO_H
#define RONDO_H

#include <rondo/base.h>
#include <rondo/error.h>
#include <rondo/context.h>
#include <rondo/loop.h>
#include <rondo/replay.h>
#include <rondo/future.h>
#include <rondo/coroutine.h>
#include <rondo/task.h>
#include <rondo/wait.h>
#include <rondo/sync.h>
#include <rondo/queue.h>
#include <rondo/executor.h>
#include <rondo/process_pool.h>
#include <rondo/group.h>
#include <rondo/generator.h>
#include <rondo/threads.h>
#include <rondo/thread_queue.h>
#include <rondo/run.h>
#include <rondo/typed.h>
#include <rondo/completer.h>
#include <rondo/scope.h>
#include <rondo/race.h>
#include <rondo/socket.h>
#include <rondo/resolve.h>
#include <rondo/log.h>
#include <rondo/debug.h>
#include <rondo/origin.h>
#include <rondo/callgraph.h>
#include <rondo/async.h>

#endif
