/*
 * rondo/executor.h - blocking code in other threads: thread pools, jobs, executors of your own.
 *
 * A job is a function that may block. rondo_loop_run_in_executor() gives it to an executor and makes
 * a future of the loop for what it returns; rondo_executor_submit() does the same without a loop. In
 * the job there is a rondo_job, with which it says what it returns or raises:
 *
 *     static rondo_status read_file(rondo_job *job, void *arg)
 *     {
 *         char *text = slurp(arg);
 *         if (text == NULL)
 *             return -errno;                        // raised
 *         return rondo_job_return(job, text, free); // the value
 *     }
 *
 * A loop that is given no executor makes a thread pool of its own when it is first needed: at most
 * min(32, CPUs + 4) workers named "asyncio_0", "asyncio_1", ..., as asyncio does.
 *
 * Workers can be isolated: with options.make each makes a state of its own when it starts, such as an
 * interpreter, which no other thread ever sees. A job reads its worker's with rondo_job_get_state().
 *
 * Cancelling the future of a job that waits in the queue takes it out. A job that runs goes on, and
 * what it returns is dropped, unless it said with rondo_job_set_unblock() how it is interrupted.
 */
#ifndef RONDO_EXECUTOR_H
#define RONDO_EXECUTOR_H

#include <rondo/base.h>

RONDO_BEGIN_DECLS

/** Jobs of this lane are taken in turn with those of RONDO_LANE_FILES and RONDO_LANE_RESOLVER. */
#define RONDO_LANE_NORMAL 0
/** Before all others. */
#define RONDO_LANE_HIGH 1
/** For reading and writing files. */
#define RONDO_LANE_FILES 2
/** For name resolution, whose jobs may take long. */
#define RONDO_LANE_RESOLVER 3
/** When no other lane has a job. */
#define RONDO_LANE_LOW 4

/** The job runs in a copy of the context of the caller (asyncio.to_thread). */
#define RONDO_JOB_COPY_CONTEXT 0x1

/** Take the jobs that wait in the queue out of it and cancel their futures (cancel_futures=True). */
#define RONDO_SHUTDOWN_CANCEL 0x1
/** Ask the jobs that run to end: they count as cancelled, and their unblock hooks are called. */
#define RONDO_SHUTDOWN_UNBLOCK 0x2

/**
 * What a job does, on a thread of the executor.
 *
 * It returns RONDO_OK: the value given with rondo_job_return(), else NULL, is the result. Any other
 * status is raised as an error of that status, unless rondo_job_raise() gave one that says more.
 */
typedef rondo_status (*rondo_job_fn)(rondo_job *job, void *arg);
/** Runs in each worker when it starts; any status but RONDO_OK makes the pool unusable. */
typedef rondo_status (*rondo_worker_start_fn)(void *arg);
/** Runs in each worker before it ends. */
typedef void (*rondo_worker_stop_fn)(void *arg);
/** Makes the state of one worker, in its thread; any status but RONDO_OK makes the pool unusable. */
typedef rondo_status (*rondo_worker_make_fn)(void *arg, void **out_state);
/** Ends what rondo_worker_make_fn made, in the same thread. */
typedef void (*rondo_worker_end_fn)(void *arg, void *state);
/** Takes a job over: to be run once with rondo_job_run(), or let go of with rondo_job_abandon(). */
typedef rondo_status (*rondo_executor_submit_fn)(void *self, rondo_job *job, int32_t lane);
/** Does what rondo_executor_shutdown() asks for. */
typedef rondo_status (*rondo_executor_shutdown_fn)(void *self, uint32_t flags, int64_t timeout_ns);

/** How a pool is to be; zero is the default everywhere. */
typedef struct rondo_thread_pool_options {
    uint32_t size;               /**< sizeof(rondo_thread_pool_options). */
    uint32_t max_workers;        /**< 0 for min(32, CPUs + 4). */
    uint32_t min_workers;        /**< So many stay, however long they have nothing to do. */
    int32_t nice;                /**< Niceness of the workers; ignored where the system refuses. */
    int64_t idle_ns;             /**< A worker ends after so long without a job; 0 for never. */
    uint64_t queue_limit;        /**< How many jobs may wait; 0 for any number. */
    uint64_t stack_size;         /**< Of a worker, in bytes; 0 for the system's default. */
    const char *name;            /**< Copied; workers are called name_0, name_1, ...; at most 9 bytes. */
    uint32_t lane_limits[5];     /**< How many workers at once may work for a lane; 0 for all. */
    uint32_t reserved;           /**< 0. */
    rondo_worker_start_fn start; /**< NULL, or called with arg in each worker when it starts. */
    rondo_worker_stop_fn stop;   /**< NULL, or called with arg in each worker before it ends. */
    void *arg;                   /**< Moves on every return. */
    rondo_drop_fn drop;          /**< NULL, or called once with arg when the pool is gone. */
    rondo_worker_make_fn make;   /**< NULL, or makes each worker a state of its own, after start. */
    rondo_worker_end_fn end;     /**< NULL, or ends that state, before stop; only with make. */
} rondo_thread_pool_options;

/** How an executor of the program's own does its work. */
typedef struct rondo_executor_vtable {
    uint32_t size;                       /**< sizeof(rondo_executor_vtable). */
    uint32_t reserved;                   /**< 0. */
    rondo_executor_submit_fn submit;     /**< Called by whoever submits, in its thread. */
    rondo_executor_shutdown_fn shutdown; /**< NULL if there is nothing to do. */
} rondo_executor_vtable;

/** How a job is to be run; zero is the default everywhere. */
typedef struct rondo_job_options {
    uint32_t size;    /**< sizeof(rondo_job_options). */
    int32_t lane;     /**< A RONDO_LANE_. */
    uint32_t flags;   /**< RONDO_JOB_ flags. */
    uint32_t reserved; /**< 0. */
    const char *name; /**< Copied; for reports. NULL for the name of its function. */
} rondo_job_options;

/** What an executor has to do at a moment. */
typedef struct rondo_executor_report {
    uint32_t size;      /**< sizeof(rondo_executor_report), set by the caller. */
    uint32_t workers;   /**< Threads that have started and not ended. */
    uint32_t idle;      /**< Of these, without a job. */
    uint32_t running;   /**< Jobs that run. */
    uint64_t queued;    /**< Jobs that wait. */
    uint64_t cancelled; /**< Jobs that rondo_executor_shutdown() took out of the queue. */
} rondo_executor_report;

/* -- executors ---------------------------------------------------------------------------------- */

/**
 * Make a pool of threads (ThreadPoolExecutor). No thread starts before there is a job for it.
 *
 * A worker is added when a job finds none without work, up to max_workers. If the system refuses
 * one, those that there are do the work. Workers have all signals blocked.
 *
 * @param options      NULL for the defaults.
 * @param out_executor The pool.
 * @return RONDO_OK, -EINVAL, -E2BIG (options), -ENAMETOOLONG (name) or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:options->arg  owns:out_executor(rondo_executor_release)  since:0.1
 */
rondo_status rondo_executor_new_thread_pool(const rondo_thread_pool_options *options,
                                            rondo_executor **out_executor);

/**
 * Make an executor that runs its jobs as the program likes.
 *
 * submit gets each job together with its lane. If it returns anything but RONDO_OK it has not taken
 * the job, and whoever submitted it gets that status. One it has taken it runs once with
 * rondo_job_run(), on any thread, or lets go of with rondo_job_abandon().
 *
 * @param vtable       Copied.
 * @param self         The first argument of both functions; moves on every return.
 * @param drop         NULL, or called once with self when the executor is gone.
 * @param out_executor The executor.
 * @return RONDO_OK, -EINVAL, -E2BIG (vtable) or -ENOMEM.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure)  moves:self  owns:out_executor(rondo_executor_release)  since:0.1
 */
rondo_status rondo_executor_new_custom(const rondo_executor_vtable *vtable, void *self,
                                       rondo_drop_fn drop, rondo_executor **out_executor);
/** Add a reference. NULL is a no-op.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_executor_retain(rondo_executor *executor);
/** Give a reference back. NULL is a no-op. A pool that nobody holds does what is in its queue and ends.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  since:0.1 */
rondo_status rondo_executor_release(rondo_executor *executor);

/**
 * Run fn(job, arg) in the executor; its result goes to a thread future.
 *
 * Cancelling the thread future of a job that runs succeeds: the job goes on, its result is dropped.
 * A job that waits for another one of its own pool, for ever, while all workers do the same, is told
 * RONDO_E_DEADLOCK by rondo_thread_future_result() instead of waiting.
 *
 * @param options    NULL for the defaults.
 * @param fn         What to run.
 * @param arg        Moves on every return.
 * @param drop       NULL, or called once with arg after fn, in the worker, or without it.
 * @param out_future NULL, or the thread future.
 * @return RONDO_OK; -EINVAL, -E2BIG (options); RONDO_E_EXECUTOR_SHUT_DOWN ("cannot schedule new
 *         futures after shutdown"); RONDO_E_QUEUE_FULL (queue_limit); RONDO_E_WRONG_PROCESS (the
 *         pool is the parent's); -EAGAIN (the system refuses the first thread); -ENOMEM; or what a
 *         custom executor answers.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:drop (on failure),callbacks (a custom executor's submit)  moves:arg  owns:out_future(rondo_thread_future_release)  since:0.1
 */
rondo_status rondo_executor_submit(rondo_executor *executor, const rondo_job_options *options,
                                   rondo_job_fn fn, void *arg, rondo_drop_fn drop,
                                   rondo_thread_future **out_future);

/**
 * Accept no more jobs, and wait for the end of the workers.
 *
 * Without flags the jobs in the queue still run. With a timeout of 0 it does not wait and is
 * RONDO_OK. If the time is over first, what still runs can be read with
 * rondo_executor_describe_jobs(), and this may be called again.
 *
 * @param flags      RONDO_SHUTDOWN_ flags.
 * @param timeout_ns How long to wait: 0 not at all, RONDO_NEVER for ever.
 * @param out_report NULL, or what is left.
 * @return RONDO_OK; RONDO_E_TIMEOUT (workers are left); -EDEADLK (it would wait for the thread that
 *         calls); -EINVAL; RONDO_E_WRONG_PROCESS; or what a custom executor answers.
 *
 * @par Contract
 * thread:any  blocks:ms:timeout_ns  reenters:drop,callbacks (unblock hooks)  since:0.1
 */
rondo_status rondo_executor_shutdown(rondo_executor *executor, uint32_t flags, int64_t timeout_ns,
                                     rondo_executor_report *out_report);

/** Read what an executor has to do. Of a custom one all is 0.
 * @return RONDO_OK, -EINVAL (also a size that is wrong), RONDO_E_WRONG_PROCESS.
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1 */
rondo_status rondo_executor_get_report(rondo_executor *executor, rondo_executor_report *out_report);

/**
 * Write a line for each job that runs: its name, its worker, its age, and in debug mode where it was
 * submitted.
 *
 * @param buffer   Where to write, NUL-terminated; may be NULL with size 0 to ask for the length.
 * @param size     The buffer's size.
 * @param out_size The length without the NUL, whether it fitted or not.
 * @return RONDO_OK, -ERANGE (it did not fit; nothing is written then), -ENOMEM or
 *         RONDO_E_WRONG_PROCESS.
 *
 * @par Contract
 * thread:any  blocks:no  reenters:no  since:0.1
 */
rondo_status rondo_executor_describe_jobs(rondo_executor *executor, char *buffer, size_t size,
                                          size_t *out_size);

/* -- jobs of a loop ------------------------------------------------------------------------------ */

/**
 * Run fn(job, arg) in an executor; its result goes to a future of this loop (loop.run_in_executor).
 *
 * Context variables are not seen by the job unless options say so. Letting go of the future lets
 * the job go on. Once the loop is closed, what a job returns is dropped. On a virtual clock no time
 * passes until the job is done, or its future is cancelled.
 *
 * @param executor   NULL for the loop's default executor.
 * @param options    NULL for the defaults.
 * @param fn         What to run.
 * @param arg        Moves on every return.
 * @param drop       NULL, or called once with arg after fn, in the worker, or without it.
 * @param out_future NULL, or the future.
 * @return As rondo_executor_submit(), or RONDO_E_LOOP_CLOSED. With NULL for executor,
 *         RONDO_E_EXECUTOR_SHUT_DOWN after rondo_loop_shutdown_default_executor().
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (a custom executor's submit)  moves:arg  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_run_in_executor(rondo_loop *loop, rondo_executor *executor,
                                        const rondo_job_options *options, rondo_job_fn fn, void *arg,
                                        rondo_drop_fn drop, rondo_future **out_future);
/** As rondo_loop_run_in_executor(), in the default executor and in a copy of the current context
 * (asyncio.to_thread). It starts at once, not when it is first awaited.
 * @par Contract
 * thread:loop  blocks:no  reenters:drop (on failure),callbacks (a custom executor's submit)  moves:arg  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1 */
rondo_status rondo_loop_to_thread(rondo_loop *loop, rondo_job_fn fn, void *arg, rondo_drop_fn drop,
                                  rondo_future **out_future);

/**
 * Set the executor that stands for NULL (loop.set_default_executor); retained.
 *
 * @return RONDO_OK; RONDO_E_TYPE ("executor must be ThreadPoolExecutor instance", one that is
 *         custom); -EINVAL (NULL); RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop  since:0.1
 */
rondo_status rondo_loop_set_default_executor(rondo_loop *loop, rondo_executor *executor);
/** Get the default executor: one more reference of it, or NULL if there is none yet.
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_executor(rondo_executor_release)  since:0.1 */
rondo_status rondo_loop_get_default_executor(rondo_loop *loop, rondo_executor **out_executor);

/**
 * Shut the default executor down and wait for its workers (loop.shutdown_default_executor).
 *
 * From now on NULL for an executor is refused. If the time is over first, a warning with the jobs
 * that still run goes to the log, and the future is done all the same.
 *
 * @param timeout_ns How long to wait: 0 not at all, RONDO_NEVER for ever.
 * @param out_future The future, done when no worker is left.
 * @return RONDO_OK, -EINVAL, -ENOMEM or RONDO_E_LOOP_CLOSED.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:no  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_shutdown_default_executor(rondo_loop *loop, int64_t timeout_ns,
                                                  rondo_future **out_future);

/**
 * Shut any executor down without blocking the loop: rondo_executor_shutdown() as a future.
 *
 * What flags ask for is done before this returns. If the time is over first, a warning with the jobs
 * that still run goes to the log, and the future is done all the same. Cancelling the future ends the
 * waiting and the warning only: the executor stays shut. Several may wait for one executor, also on
 * several loops. An executor of the program's own gets a timeout of 0, and the future is done at once.
 *
 * @param executor   Retained until its workers have ended. NULL is refused: the default one has
 *                   rondo_loop_shutdown_default_executor().
 * @param flags      RONDO_SHUTDOWN_ flags.
 * @param timeout_ns How long to wait: 0 not at all, RONDO_NEVER for ever.
 * @param out_future NULL, or the future, done when no worker is left.
 * @return RONDO_OK; -EINVAL; -ENOMEM (nothing was shut down); -EDEADLK (the loop runs in a worker of
 *         this very pool); RONDO_E_LOOP_CLOSED; RONDO_E_WRONG_PROCESS; or what a custom executor answers.
 *
 * @par Contract
 * thread:loop  blocks:no  reenters:drop,callbacks (unblock hooks, a custom executor's shutdown)  owns:out_future(rondo_future_release)  cancel:lossless  since:0.1
 */
rondo_status rondo_loop_shutdown_executor(rondo_loop *loop, rondo_executor *executor, uint32_t flags,
                                          int64_t timeout_ns, rondo_future **out_future);

/* -- in a job ------------------------------------------------------------------------------------ */

/**
 * Say what the job returns; the last one counts. To be called by the job itself.
 *
 * @param value Moves on every return.
 * @param drop  NULL, or called once with value if nobody takes it.
 * @return RONDO_OK, or RONDO_E_WRONG_THREAD (the job does not run in this thread).
 *
 * @par Contract
 * thread:job  blocks:no  reenters:drop (of an earlier value, on failure)  moves:value  since:0.1
 */
rondo_status rondo_job_return(rondo_job *job, void *value, rondo_drop_fn drop);
/** Say what the job raises; retained. Whatever it returns afterwards, this is its outcome.
 * @return RONDO_OK, -ENOMEM or RONDO_E_WRONG_THREAD.
 * @par Contract
 * thread:job  blocks:no  reenters:drop (of an earlier value)  since:0.1 */
rondo_status rondo_job_raise(rondo_job *job, rondo_error *error);

/**
 * Say how the job is interrupted while it blocks: fn(arg) is called once when it is cancelled.
 *
 * It is called by the thread that cancels, while the job runs, so it does what is safe to do from
 * there: shut a socket down, write to a pipe, set a flag. It must not wait for the job, which cannot
 * end before the hook has returned. Once this returns, the hook set before is
 * not running and will not be called. The job ends when its function returns; that with
 * RONDO_E_CANCELLED says that it was interrupted.
 *
 * The hook is called once, and what it interrupts may not have begun yet: an interruption of what does not
 * block is mostly lost. So a hook is for what stays interrupted (a socket that is shut down, a flag); for
 * what does not, ask rondo_job_is_cancelled() as well, wherever the blocking function gives you a turn
 * and before each call of it.
 *
 * @param fn  NULL for no hook any more.
 * @param arg Borrowed until the next call, or the end of the job.
 * @return RONDO_OK; RONDO_E_CANCELLED (it has been cancelled already: fn is not kept, do not begin
 *         to block); RONDO_E_WRONG_THREAD.
 *
 * @par Contract
 * thread:job  blocks:until-done (a hook that is running)  reenters:no  since:0.1
 */
rondo_status rondo_job_set_unblock(rondo_job *job, rondo_call_fn fn, void *arg);
/**
 * Get the state of the worker that runs the job: what rondo_worker_make_fn made (InterpreterPoolExecutor).
 *
 * It is this thread's alone until the job returns. What the job leaves in it, the next job finds.
 *
 * @param out_state The state; NULL if the pool makes none, or the executor is custom.
 * @return RONDO_OK, -EINVAL or RONDO_E_WRONG_THREAD (the job does not run in this thread).
 *
 * @par Contract
 * thread:job  blocks:no  reenters:no  borrows:out_state(until the job returns)  since:0.1
 */
rondo_status rondo_job_get_state(const rondo_job *job, void **out_state);
/** Return 1 if nobody wants the result any more, or a shutdown asks it to end, else 0.
 * @par Contract
 * thread:job  blocks:no  reenters:no  since:0.1 */
int32_t rondo_job_is_cancelled(const rondo_job *job);

/* -- for custom executors ------------------------------------------------------------------------ */

/**
 * Run a job that a custom executor has taken, in this thread. It is gone afterwards.
 *
 * @return RONDO_OK; RONDO_E_CANCELLED (it was cancelled meanwhile and did not run); or
 *         RONDO_E_ALREADY_RUNNING.
 *
 * @par Contract
 * thread:any  blocks:until-done  reenters:callbacks,drop  moves:job  since:0.1
 */
rondo_status rondo_job_run(rondo_job *job);
/** Let go of a job that a custom executor has taken and will not run; its future is cancelled.
 * @return RONDO_OK or RONDO_E_ALREADY_RUNNING.
 * @par Contract
 * thread:any  blocks:no  reenters:drop  moves:job  since:0.1 */
rondo_status rondo_job_abandon(rondo_job *job);

RONDO_END_DECLS
#endif
