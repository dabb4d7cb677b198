/*
 * rondo/process_pool.h - process pools: jobs in processes of their own (ProcessPoolExecutor).
 *
 * A job is an exported function of a shared object, bytes in, bytes out:
 *
 *     rondo_status count_words(const void *input, size_t size,
 *                              rondo_reply *reply)
 *     {
 *         size_t count = words(input, size);
 *         return reply->write(reply, &count, sizeof count);
 *     }
 *
 * It runs in a process that shares nothing with the program. If it crashes, its future raises
 * RONDO_E_BROKEN_POOL with what happened, and the next job gets a new process; jobs that wait or run
 * elsewhere do not notice. asyncio gives up the whole pool then.
 *
 * A process pool is a rondo_executor: what rondo/executor.h says of queues, reports, cancelling and
 * shutting down is true of it. Each process has a thread in the program that looks after it and ends
 * it. A process that ends between two jobs is reaped at once and replaced, unless it has done no job.
 *
 * The processes run rondo-worker, a small program that is installed with the library, in a directory
 * beside it that is named after the number in the library's name: "rondo0" beside librondo.so.0. A
 * program that contains librondo.a has to have that directory beside itself, or name the program
 * (`pkg-config --variable=worker rondo` says where it is installed). No code of the program runs in
 * them but the jobs. They have no descriptors but 0 (/dev/null), 1 and 2, default signal handlers,
 * ignore SIGINT, and end when the program does, however that ends.
 */
#ifndef RONDO_PROCESS_POOL_H
#define RONDO_PROCESS_POOL_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Cancelling the job while it runs kills its process; otherwise it goes on, its result dropped. */
#define RONDO_PROCESS_KILL 0x1
/** Longer texts are cut in rondo_reply's raise. */
#define RONDO_PROCESS_MESSAGE_MAX 65535

/** What a job in a process says. A job's library needs this header, and no library of rondo's. */
typedef struct rondo_reply rondo_reply;
/** Add bytes to the result. RONDO_OK, -EINVAL or -ENOMEM. */
typedef rondo_status (*rondo_reply_write_fn)(rondo_reply *reply, const void *data, size_t size);
/** Say what the job raises, whatever it returns: a negative status and a text or NULL. RONDO_OK,
 * -EINVAL or -ENOMEM. */
typedef rondo_status (*rondo_reply_raise_fn)(rondo_reply *reply, rondo_status status, const char *message);

struct rondo_reply {
    uint32_t size;              /**< sizeof(rondo_reply) of the worker program. */
    uint32_t reserved;          /**< 0. */
    rondo_reply_write_fn write; /**< Copies the bytes. */
    rondo_reply_raise_fn raise; /**< Copies the text. */
};

/** A job: RONDO_OK, and what it wrote is the result; any other status is raised. */
typedef rondo_status (*rondo_process_fn)(const void *input, size_t size, rondo_reply *reply);

/** The value of a job's future; free() for who takes it with rondo_future_take_result(). */
typedef struct rondo_bytes {
    size_t size;      /**< How many. */
    const void *data; /**< Part of the same block; never NULL. */
} rondo_bytes;

/** How a pool is to be; zero is the default everywhere. */
typedef struct rondo_process_pool_options {
    uint32_t size;             /**< sizeof(rondo_process_pool_options). */
    uint32_t max_workers;      /**< 0 for the number of CPUs. */
    int64_t idle_ns;           /**< A process ends after so long without a job; 0 for never. */
    uint64_t queue_limit;      /**< How many jobs may wait; 0 for any number. */
    uint64_t jobs_per_process; /**< A process is replaced after so many (max_tasks_per_child); 0 for never. */
    const char *name;          /**< Of the threads that look after them, as in a thread pool. */
    const char *worker;        /**< Copied; the path of rondo-worker. NULL for the one beside the library. */
    const char *library;       /**< Copied; where the next two are; NULL if there are none. */
    const char *initializer;   /**< Copied; NULL, or a rondo_process_fn that each new process calls before its first job. */
    const char *finalizer;     /**< Copied; NULL, or one that each process calls when it ends in order. */
    const void *input;         /**< Copied; what both are called with. */
    size_t input_size;         /**< How many bytes. */
} rondo_process_pool_options;

/** What is to be called. */
typedef struct rondo_process_call {
    uint32_t size;       /**< sizeof(rondo_process_call). */
    uint32_t flags;      /**< RONDO_PROCESS_ flags. */
    const char *library; /**< Copied; the shared object, as dlopen() has it. */
    const char *symbol;  /**< Copied; an exported rondo_process_fn of it. */
    int64_t timeout_ns;  /**< Its process is killed after so long; from its start; 0 for never. */
} rondo_process_call;

/**
 * Make a pool of processes (ProcessPoolExecutor). None starts before there is a job for it.
 *
 * An initializer that returns anything but RONDO_OK, raises or crashes ends the pool (BrokenProcessPool):
 * the job that it was called for and all that wait raise RONDO_E_BROKEN_POOL ("A process initializer
 * failed, the process pool is not usable anymore"), whose cause says what happened; later ones are
 * refused with that status. Jobs that run in other processes end as they would. A job's timeout, a cancel
 * that kills and a shutdown by force count for the initializer too, and do not end the pool.
 * The finalizer is called after the last job, unless the process was killed or has crashed, and has
 * two seconds; what it says nobody hears.
 *
 * @param options      NULL for the defaults.
 * @param out_executor The pool.
 * @return RONDO_OK; -EINVAL; -E2BIG (options); -ENAMETOOLONG (a name); -ENOENT, -EACCES or another
 *         errno (there is no worker program); -ENOMEM. -EINVAL also for a library without a function in
 *         it, or a function without a library.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  owns:out_executor(rondo_executor_release)  since:0.1
 */
rondo_status rondo_executor_new_process_pool(const rondo_process_pool_options *options,
                                             rondo_executor **out_executor);

/**
 * Run a function of a shared object in a process of the pool; its result, rondo_bytes, goes to a
 * thread future.
 *
 * What it raises: the status that the function returned, with its text; -ELIBACC (no such library)
 * or -ENOSYS (no such symbol), with the dynamic linker's words; RONDO_E_BROKEN_POOL (the process
 * ended abruptly); RONDO_E_TIMEOUT; -ENOMEM; an errno if no process could be started.
 *
 * @param call       What to call.
 * @param input      The input's bytes; not copied. Moves on every return.
 * @param input_size How many.
 * @param drop       NULL, or called once with input after the job, in another thread, or without it.
 * @param out_future NULL, or the thread future.
 * @return As rondo_executor_submit(); RONDO_E_TYPE (executor is no process pool); RONDO_E_BROKEN_POOL
 *         (its initializer failed); -ENAMETOOLONG (library or symbol is longer than 4095 bytes).
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:input  owns:out_future(rondo_thread_future_release)  since:0.1
 */
rondo_status rondo_executor_submit_process(rondo_executor *executor, const rondo_process_call *call,
                                           void *input, size_t input_size, rondo_drop_fn drop,
                                           rondo_thread_future **out_future);

/**
 * As rondo_executor_submit_process(), to a future of this loop (loop.run_in_executor with a
 * ProcessPoolExecutor).
 *
 * @param executor   A process pool; NULL, the default executor, is none.
 * @param call       What to call.
 * @param input      The input's bytes; not copied. Moves on every return.
 * @param input_size How many.
 * @param drop       NULL, or called once with input after the job, in another thread, or without it.
 * @param out_future NULL, or the future.
 * @return As rondo_executor_submit_process(), or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure)  moves:input  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_run_in_process(rondo_loop *loop, rondo_executor *executor,
                                       const rondo_process_call *call, void *input, size_t input_size,
                                       rondo_drop_fn drop, rondo_future **out_future);

RONDO_END_DECLS
#endif
