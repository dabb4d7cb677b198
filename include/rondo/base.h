/* rondo/base.h - version, statuses, handle types, callback types. */
#ifndef RONDO_BASE_H
#define RONDO_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define RONDO_BEGIN_DECLS extern "C" {
#define RONDO_END_DECLS }
#else
#define RONDO_BEGIN_DECLS
#define RONDO_END_DECLS
#endif

/** The first number of the version of these headers. */
#define RONDO_VERSION_MAJOR 0
/** The second one. */
#define RONDO_VERSION_MINOR 1
/** The third one. */
#define RONDO_VERSION_PATCH 0
/** All three in one number: major << 16 | minor << 8 | patch. */
#define RONDO_VERSION 0x000100

RONDO_BEGIN_DECLS

/** Outcome of a call: 0, a negative errno, or one of the RONDO_E_ codes. */
typedef int32_t rondo_status;

/** It went well. */
#define RONDO_OK 0
/** The awaited thing was cancelled (asyncio: CancelledError). */
#define RONDO_E_CANCELLED (-20001)
/** The time allowed for a wait is over; says nothing about the awaited thing (TimeoutError). */
#define RONDO_E_TIMEOUT (-20002)
/** The object is not in a state that allows this (InvalidStateError). */
#define RONDO_E_INVALID_STATE (-20003)
/** It ended with an exception; read the rondo_error. */
#define RONDO_E_RAISED (-20004)
/** Everyone who could have completed the future let go of it. */
#define RONDO_E_BROKEN_PROMISE (-20005)
/** Not a handle, or a handle of another type. */
#define RONDO_E_BAD_HANDLE (-20006)
/** The handle's object is gone, or there is no reference left to release. */
#define RONDO_E_STALE_HANDLE (-20007)
/** Called on a thread that does not own the loop. */
#define RONDO_E_WRONG_THREAD (-20008)
/** Called in a child process on an inherited loop. */
#define RONDO_E_WRONG_PROCESS (-20009)
/** The object belongs to another loop ("attached to a different loop"). */
#define RONDO_E_WRONG_LOOP (-20010)
/** The loop is closed ("Event loop is closed"). */
#define RONDO_E_LOOP_CLOSED (-20011)
/** The loop is running ("This event loop is already running"). */
#define RONDO_E_LOOP_RUNNING (-20012)
/** This thread runs another loop ("Cannot run the event loop while another loop is running"). */
#define RONDO_E_OTHER_LOOP_RUNNING (-20013)
/** No loop runs in this thread, or none is set ("no running event loop", "no current event loop"). */
#define RONDO_E_NO_LOOP (-20014)
/** The loop was stopped first ("Event loop stopped before Future completed."). */
#define RONDO_E_LOOP_STOPPED (-20015)
/** The thread that owned the loop has ended; nobody will run what is posted. */
#define RONDO_E_OWNER_DEAD (-20016)
/** A rule of the model was broken (RuntimeError); the message says which. */
#define RONDO_E_RUNTIME (-20017)
/** An object of the wrong type was given (TypeError). */
#define RONDO_E_TYPE (-20018)
/** The coroutine is in the middle of a step ("coroutine already executing"). */
#define RONDO_E_ALREADY_RUNNING (-20019)
/** The coroutine has ended, or somebody has it ("cannot reuse already awaited coroutine"). */
#define RONDO_E_ALREADY_AWAITED (-20020)
/** Thrown into a coroutine that is being closed (GeneratorExit). */
#define RONDO_E_GENERATOR_EXIT (-20021)
/** SIGINT ended the run (KeyboardInterrupt). */
#define RONDO_E_INTERRUPTED (-20022)
/** The program asked to end (SystemExit); leaves the loop at once. */
#define RONDO_E_EXIT (-20023)
/** An error of the user's own domain. */
#define RONDO_E_USER (-20024)
/** A group of errors (ExceptionGroup). */
#define RONDO_E_GROUP (-20025)
/** StopIteration, which no future may hold; it is stored as RONDO_E_RUNTIME with this as cause. */
#define RONDO_E_STOP_ITERATION (-20026)
/** Nothing is in the queue (QueueEmpty). */
#define RONDO_E_QUEUE_EMPTY (-20027)
/** As much is in the queue as may be (QueueFull). */
#define RONDO_E_QUEUE_FULL (-20028)
/** The queue has been shut down (QueueShutDown). */
#define RONDO_E_QUEUE_SHUT_DOWN (-20029)
/** The barrier was reset or aborted (BrokenBarrierError). */
#define RONDO_E_BROKEN_BARRIER (-20030)
/** The asynchronous generator has no more values (StopAsyncIteration). */
#define RONDO_E_STOP_ASYNC_ITERATION (-20031)
/** Somebody is asking the generator ("asynchronous generator is already running"). */
#define RONDO_E_GENERATOR_RUNNING (-20032)
/** Nothing that could still happen would ever wake the loop. */
#define RONDO_E_DEADLOCK (-20033)
/** The runner is closed ("Runner is closed"). */
#define RONDO_E_RUNNER_CLOSED (-20034)
/** The executor takes no more jobs ("cannot schedule new futures after shutdown"). */
#define RONDO_E_EXECUTOR_SHUT_DOWN (-20035)
/** A worker process ended abruptly. */
#define RONDO_E_BROKEN_POOL (-20038)
/** A name lookup failed (socket.gaierror); the code of the error is the resolver's EAI_ code. */
#define RONDO_E_RESOLVER (-20039)

/** A text is no signature; rondo_signature_check() says where and why. */
#define RONDO_E_BAD_SIGNATURE (-20036)
/** The system allows no executable memory, and none of the library's own functions would do. */
#define RONDO_E_NO_CLOSURES (-20037)

/** A deadline or delay that never comes. */
#define RONDO_NEVER INT64_MAX

/** An event loop: see rondo/loop.h. */
typedef struct rondo_loop rondo_loop;
/** A scheduled call, to be cancelled or moved: see rondo_loop_call_soon(). */
typedef struct rondo_handle rondo_handle;
/** A result that comes later: see rondo/future.h. */
typedef struct rondo_future rondo_future;
/** A coroutine that a loop runs; it is a future, too: see rondo/task.h. */
typedef struct rondo_task rondo_task;
/** A function that goes on step by step: see rondo/coroutine.h. */
typedef struct rondo_coroutine rondo_coroutine;
/** A coroutine that hands out values on its way: see rondo/generator.h. */
typedef struct rondo_async_generator rondo_async_generator;
/** A result that any thread may wait for: see rondo/threads.h. */
typedef struct rondo_thread_future rondo_thread_future;
/** A failure with all that is known of it: see rondo/error.h. */
typedef struct rondo_error rondo_error;
/** The values of context variables: see rondo/context.h. */
typedef struct rondo_context rondo_context;
/** A context variable: see rondo/context.h. */
typedef struct rondo_contextvar rondo_contextvar;
/** What a context variable was before it was set: see rondo_contextvar_reset(). */
typedef struct rondo_context_token rondo_context_token;
/** A report for the exception handler: see rondo_loop_call_exception_handler(). */
typedef struct rondo_exception_context rondo_exception_context;
/** A lock between tasks: see rondo/sync.h. */
typedef struct rondo_lock rondo_lock;
/** An event between tasks: see rondo/sync.h. */
typedef struct rondo_event rondo_event;
/** A condition between tasks: see rondo/sync.h. */
typedef struct rondo_condition rondo_condition;
/** A semaphore between tasks: see rondo/sync.h. */
typedef struct rondo_semaphore rondo_semaphore;
/** A barrier between tasks: see rondo/sync.h. */
typedef struct rondo_barrier rondo_barrier;
/** A queue between tasks: see rondo/queue.h. */
typedef struct rondo_queue rondo_queue;
/** What runs blocking code: see rondo/executor.h. */
typedef struct rondo_executor rondo_executor;
/** A function that an executor runs: see rondo/executor.h. */
typedef struct rondo_job rondo_job;
/** A deadline for a part of a task: see rondo_timeout_new(). */
typedef struct rondo_timeout rondo_timeout;
/** Tasks that end together: see rondo/group.h. */
typedef struct rondo_task_group rondo_task_group;
/** A part of a task that can be cancelled as a whole: see rondo/scope.h. */
typedef struct rondo_cancel_scope rondo_cancel_scope;
/** An iterator over outcomes: see rondo_as_completed_new(). */
typedef struct rondo_as_completed rondo_as_completed;
/** Several runs on one loop: see rondo/run.h. */
typedef struct rondo_runner rondo_runner;
/** A queue between threads and tasks: see rondo/thread_queue.h. */
typedef struct rondo_thread_queue rondo_thread_queue;
/** An event between threads and tasks: see rondo/thread_queue.h. */
typedef struct rondo_thread_event rondo_thread_event;
/** Who waits for whom: see rondo/callgraph.h. */
typedef struct rondo_call_graph rondo_call_graph;
/** The type of a function, prepared: see rondo/typed.h. */
typedef struct rondo_signature rondo_signature;
/** A C function that completes a future: see rondo/completer.h. */
typedef struct rondo_completer rondo_completer;

/**
 * Anything that can be awaited: a rondo_future *, rondo_task * or rondo_coroutine *, each of
 * which converts to it by itself. Which one it is, the library finds out and checks.
 */
typedef void rondo_awaitable;
/** Any object that a handle names; the library finds out which. */
typedef void rondo_object;

/** A callback; runs once per registration on the loop's thread. */
typedef void (*rondo_call_fn)(void *arg);
/** Lets go of what a callback's arg points to; runs exactly once. */
typedef void (*rondo_drop_fn)(void *arg);
/** A function of any type, to be called or handed out with the type that a signature says. */
typedef void (*rondo_any_fn)(void);
/** A callback for a descriptor that became readable or writable. */
typedef void (*rondo_fd_fn)(int32_t fd, void *arg);
/** A callback for a loop. */
typedef void (*rondo_loop_fn)(rondo_loop *loop, void *arg);
/** A callback for a future that is done. */
typedef void (*rondo_future_fn)(rondo_future *future, void *arg);

/**
 * Return the version of the library that is loaded: major << 16 | minor << 8 | patch.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1
 */
uint32_t rondo_version(void);

/**
 * Return the version of the library that is loaded as text, such as "0.1.0".
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the process ends)  since:0.1
 */
const char *rondo_version_string(void);

/**
 * Return the name of a status, such as "RONDO_E_TIMEOUT" or "ENOMEM"; never NULL.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the process ends)  since:0.1
 */
const char *rondo_status_name(rondo_status status);

/**
 * Return a sentence for a status, such as "Event loop is closed"; never NULL.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  borrows:result(until the process ends)  since:0.1
 */
const char *rondo_status_message(rondo_status status);

/**
 * Look a constant of these headers up by name, for hosts that cannot read C headers.
 *
 * @param name      Such as "RONDO_E_TIMEOUT".
 * @param out_value Its value.
 * @return RONDO_OK, -EINVAL (NULL) or -ENOENT (no such constant).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_constant_get(const char *name, int64_t *out_value);

RONDO_END_DECLS
#endif
