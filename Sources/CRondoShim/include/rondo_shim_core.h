/* rondo_shim_core.h - what the core keeps per process and per thread, its atomics and its lock.
 *
 * All of it is here and not in Swift because a Swift global may be initialised lazily behind a
 * once-call, because Embedded Swift has no thread-locals of the initial-exec kind, and because
 * `static inline` C disappears into the Swift function that calls it. */
#ifndef RONDO_SHIM_CORE_H
#define RONDO_SHIM_CORE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* -- atomics ---------------------------------------------------------------------------------- */

static inline uint32_t rondo_load32(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline uint32_t rondo_peek32(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
static inline void rondo_poke32(uint32_t *p, uint32_t v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
static inline void rondo_store32(uint32_t *p, uint32_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static inline uint32_t rondo_add32(uint32_t *p, uint32_t v) { return __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL); }
static inline uint32_t rondo_or32(uint32_t *p, uint32_t v) { return __atomic_fetch_or(p, v, __ATOMIC_ACQ_REL); }
static inline uint32_t rondo_and32(uint32_t *p, uint32_t v) { return __atomic_fetch_and(p, v, __ATOMIC_ACQ_REL); }
static inline uint32_t rondo_swap32(uint32_t *p, uint32_t v) { return __atomic_exchange_n(p, v, __ATOMIC_ACQ_REL); }
static inline int32_t rondo_cas32(uint32_t *p, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(p, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}
static inline uint64_t rondo_peek64(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_RELAXED); }
static inline uint64_t rondo_load64(const uint64_t *p) { return __atomic_load_n(p, __ATOMIC_ACQUIRE); }
static inline void rondo_poke64(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELAXED); }
static inline void rondo_store64(uint64_t *p, uint64_t v) { __atomic_store_n(p, v, __ATOMIC_RELEASE); }
static inline uint64_t rondo_add64(uint64_t *p, uint64_t v) { return __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL); }
static inline int32_t rondo_cas64(uint64_t *p, uint64_t from, uint64_t to)
{
    return __atomic_compare_exchange_n(p, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static inline void rondo_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/* -- a lock of one word ------------------------------------------------------------------------ */
/* 0 free, 1 held, 2 held and somebody sleeps. Sections under it are a few instructions and run no
 * user code; it exists because an uncontended pthread_mutex costs twice as much. */

static inline void rondo_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void rondo_shim_lock_slowly(uint32_t *lock);
void rondo_shim_wake_one(uint32_t *word);
void rondo_shim_wake_all(uint32_t *word);
/* Sleep while *word == seen, until the absolute monotonic deadline (INT64_MAX: for ever). */
void rondo_shim_wait(uint32_t *word, uint32_t seen, int64_t deadline_ns);

static inline void rondo_lock(uint32_t *lock)
{
    uint32_t free_ = 0;
    if (!__atomic_compare_exchange_n(lock, &free_, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        rondo_shim_lock_slowly(lock);
}

static inline int32_t rondo_try_lock(uint32_t *lock)
{
    uint32_t free_ = 0;
    return __atomic_compare_exchange_n(lock, &free_, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void rondo_unlock(uint32_t *lock)
{
    if (__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE) == 2)
        rondo_shim_wake_one(lock);
}

/* -- per process ------------------------------------------------------------------------------- */

#define RONDO_KINDS 32
#define RONDO_CHUNKS 65536
#define RONDO_TRACE_BLOCKS 13

/* A slab of slots of one kind. Those of a loop are touched by its thread alone. */
struct rondo_slab {
    uint64_t free_head;  /* address of the first free slot, 0 for none */
    uint64_t fresh;      /* address of the next slot never used in the newest chunk */
    uint64_t fresh_end;
    uint64_t chunks;     /* address of the newest chunk, linked through its header */
    uint64_t live;       /* slots in use */
    uint32_t slot_size;
    uint32_t kind;
};

/* Locks are taken one under another in this order, which fork follows too: `lock`, the slabs of objects
 * with a lock of their own, those locks, the inboxes of loops, links_lock, the other locks of the slabs,
 * pool_lock, those of the queues of messages. */
struct rondo_globals {
    uint32_t lock;            /* guards the list of loops, the hooks and the log's sink */
    uint32_t links_lock;      /* guards the links between errors */
    uint32_t pool_lock;       /* guards the chunks */
    uint64_t pool[RONDO_KINDS]; /* chunks that no slab uses, by kind */
    uint32_t chunk_count;     /* chunk numbers given out */
    uint32_t late;            /* 1 if some loop has what only its own thread can settle */
    uint64_t loops;           /* every loop that has a chunk slot, linked */
    uint32_t fork_hooks;      /* 1 once pthread_atfork and the thread key are set up; see Registry.swift */
    uint32_t log_level;
    uint32_t forks;           /* how often this process was forked off from another one that used rondo */
    uint32_t fail_on;         /* what RONDO_FAIL_ON names; see System/FailOn.swift */
    uint64_t log_sink;        /* address of the sink; see System/Log.swift */
    uint64_t log_queues;      /* every queue of messages, linked; see System/LogQueue.swift */
    uint64_t log_dropped;     /* messages dropped, ever */
    uint64_t log_exit_wait;   /* how long exit() waits for the queue, in ns */
    uint32_t log_ending;      /* queues that end and are not gone */
    uint32_t log_progress;    /* futex: goes up with every message that a queue is done with */
    uint32_t log_flushers;    /* how many wait for that */
    uint32_t log_at_exit;     /* 1 once exit() is told to wait */
    uint32_t slab_lock[RONDO_KINDS];
    struct rondo_slab slab[RONDO_KINDS]; /* kinds that belong to no loop */
    uint64_t error_walk;      /* number of the last walk over errors; under links_lock */
    uint64_t task_number;     /* for "Task-N" */
    uint64_t cancelled_error; /* the two errors that must never fail; see Base/Error.swift */
    uint64_t memory_error;
    uint32_t debug_wanted;    /* 0 nobody has looked, 1 no, 2 RONDO_DEBUG asks for it; see System/Origins.swift */
    uint64_t arena_at, arena_end; /* what is left of the newest block; see System/Traces.swift, as the rest */
    uint64_t trace_blocks[RONDO_TRACE_BLOCKS]; /* under pool_lock, as all of these */
    uint64_t trace_table;
    uint32_t trace_count;
    uint64_t spare_stacks;    /* those of threads that have ended, linked */
    uint64_t symbol_table;
    uint32_t symbol_count;
    uint32_t symbol_bytes;
};
extern struct rondo_globals rondo_globals_;
static inline struct rondo_globals *rondo_globals(void) { return &rondo_globals_; }

static inline uint32_t *rondo_globals_lock(void) { return &rondo_globals_.lock; }
static inline uint32_t *rondo_pool_lock(void) { return &rondo_globals_.pool_lock; }
static inline uint32_t *rondo_links_lock(void) { return &rondo_globals_.links_lock; }
static inline uint32_t *rondo_global_lock(uint32_t kind) { return &rondo_globals_.slab_lock[kind % RONDO_KINDS]; }
static inline struct rondo_slab *rondo_global_slab(uint32_t kind) { return &rondo_globals_.slab[kind % RONDO_KINDS]; }
static inline uint64_t *rondo_chunk_pool(uint32_t kind) { return &rondo_globals_.pool[kind % RONDO_KINDS]; }

static inline uint64_t *rondo_trace_block(uint32_t number)
{
    return &rondo_globals_.trace_blocks[number < RONDO_TRACE_BLOCKS ? number : 0];
}

/* Type-stable memory: a chunk, once made, stays and stays of its kind, so that a stale handle
 * can always be looked at. */
extern void *rondo_chunks_[RONDO_CHUNKS];
static inline void *rondo_chunk(uint32_t number)
{
    return __atomic_load_n(&rondo_chunks_[number & (RONDO_CHUNKS - 1)], __ATOMIC_ACQUIRE);
}
static inline void rondo_set_chunk(uint32_t number, void *chunk)
{
    __atomic_store_n(&rondo_chunks_[number], chunk, __ATOMIC_RELEASE);
}

/* -- per thread -------------------------------------------------------------------------------- */

#define RONDO_NO_HANDLE UINT64_MAX

struct rondo_thread {
    uint64_t running;   /* address of the loop that runs in this thread, 0 for none */
    uint64_t running_handle; /* its handle, or one that is nobody's: who has that needs no other check */
    uint64_t current;   /* handle of the loop set with rondo_set_event_loop() */
    uint64_t context;   /* address of the current context map, 0 for empty */
    uint64_t entered;   /* handle of the context object that is entered, 0 for none */
    /* What the step that is running in this thread says; see Task/Drive.swift. */
    uint64_t step_co;   /* handle of the coroutine whose step runs, 0 for none */
    uint64_t step_a, step_b;
    int32_t step_action;
    uint32_t step_flags;
    uint64_t sent_value; /* address of what can be taken: a value and its drop, 0 for nothing */
    uint64_t kept_coroutine; /* address of a slot that is nobody's; see Base/GlobalObjects.swift */
    uint64_t worker;    /* address of the executor's worker whose thread this is, 0 for none */
    uint64_t sent_future; /* address of the future it belongs to, 0 for none */
    uint64_t stacks;    /* address of the stacks it is known to have had; see stack.c */
    uint64_t put_off;    /* address of what is to be let go of later; see Base/Drops.swift */
    uint32_t dropping;   /* how many drops inside of each other run */
    uint64_t log_worker; /* address of the queue of messages whose thread this is, 0 for none */
};
extern __thread struct rondo_thread rondo_thread_
    __attribute__((visibility("hidden"), tls_model("initial-exec")));
static inline struct rondo_thread *rondo_thread(void) { return &rondo_thread_; }

/* A number that no other living thread has. */
static inline uint64_t rondo_thread_id(void)
{
    return (uint64_t)(uintptr_t)__builtin_thread_pointer();
}

/* Arrange that the hooks run around fork and when this thread ends. 0 or an errno. */
int32_t rondo_shim_watch_process(void (*before_fork)(void), void (*after_in_parent)(void),
                                 void (*after_in_child)(void), void (*thread_ends)(void *));
int32_t rondo_shim_watch_thread(void);

/* Start a thread with all signals blocked. 0 or an errno. */
int32_t rondo_shim_start_worker(void *(*fn)(void *), void *arg, size_t stack_size, uint64_t *out_thread);
void rondo_shim_join_thread(uint64_t thread);
void rondo_shim_detach_thread(uint64_t thread);
/* Name this thread and set its niceness, 0 for as it is. */
void rondo_shim_dress_thread(const char *name, int32_t nice);
/* How many CPUs this thread may use, at least 1. */
int32_t rondo_shim_cpus(void);
/* The time to within some milliseconds, for a few nanoseconds. */
int64_t rondo_shim_coarse_now(void);

/* -- libc that Swift cannot call ---------------------------------------------------------------- */

static inline int32_t rondo_errno(void) { return errno; }
int64_t rondo_shim_now(void);
/* The same clock as the kernel last looked at it: a quarter of the cost, and up to 10 ms late. */
static inline int64_t rondo_shim_tick(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
/* epoll_wait with nanoseconds where the kernel has it; wait_ns < 0 waits for ever. */
int32_t rondo_shim_epoll(int32_t fd, struct epoll_event *events, int32_t capacity, int64_t wait_ns);
static inline uint32_t rondo_event_mask(const struct epoll_event *e) { return e->events; }
static inline uint64_t rondo_event_data(const struct epoll_event *e) { return e->data.u64; }
int32_t rondo_shim_epoll_ctl(int32_t epoll, int32_t op, int32_t fd, uint32_t mask, uint64_t data);
int32_t rondo_shim_timerfd_arm(int32_t fd, int64_t when_ns);
/* fcntl(fd, F_GETFL), or -1. */
int32_t rondo_shim_file_flags(int32_t fd);
/* Socket calls whose address parameters are transparent unions, and two that hide macros. */
static inline ssize_t rondo_shim_recvfrom(int32_t fd, void *buffer, size_t size, struct sockaddr *address,
                                          uint32_t *length)
{
    return recvfrom(fd, buffer, size, MSG_DONTWAIT, address, address != NULL ? length : NULL);
}
static inline ssize_t rondo_shim_sendto(int32_t fd, const void *data, size_t size,
                                        const struct sockaddr *address, uint32_t length)
{
    return sendto(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, address, length);
}
static inline int32_t rondo_shim_connect(int32_t fd, const struct sockaddr *address, uint32_t length)
{
    return connect(fd, address, length);
}
/* Into 1025 and 32 bytes. */
static inline int32_t rondo_shim_getnameinfo(const struct sockaddr_storage *address, uint32_t length, void *host,
                                             void *service, int32_t flags)
{
    return getnameinfo((const struct sockaddr *)address, length, host, 1025, service, 32, flags);
}
static inline int32_t rondo_shim_accept(int32_t fd, struct sockaddr *address, uint32_t *length)
{
    return accept4(fd, address, address != NULL ? length : NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
/* SO_ERROR, or why it cannot be read. */
static inline int32_t rondo_shim_socket_error(int32_t fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}
static inline void *rondo_aligned(size_t alignment, size_t size)
{
    void *p = NULL;
    return posix_memalign(&p, alignment, size) == 0 ? p : NULL;
}

/* The drop of a value that is somebody else's: does nothing, and says so by its address. */
void rondo_shim_borrowed(void *value);
static inline uintptr_t rondo_borrowed(void) { return (uintptr_t)rondo_shim_borrowed; }

/* Run fn(arg) in a thread that blocks all signals, detached if out_thread is NULL. 0 or a negative errno. */
int32_t rondo_shim_start_thread(void (*fn)(void *arg), void *arg, const char *name, pthread_t *out_thread);
static inline int32_t rondo_shim_at_exit(void (*fn)(void)) { return atexit(fn); }
static inline int32_t rondo_shim_gettid(void) { return (int32_t)syscall(SYS_gettid); }

/* The return addresses of another thread of this process, innermost first; see stall.c. How many,
 * -EBUSY (no signal is free), -ESRCH or -ETIMEDOUT (it did not answer). */
#define RONDO_STALL_FRAMES 32
void rondo_shim_prepare_stall(void);
/* note(arg) runs in the other thread, in the signal handler. */
int32_t rondo_shim_capture_stall(int32_t tid, uintptr_t *frames, void (*note)(void *arg), void *arg);
void rondo_shim_stall_in_child(void);
/* -- stack.c, symbols.c: who called, and what that is called ------------------------------------ */

#define RONDO_TRACE_DEPTH 10 /* asyncio's DEBUG_STACK_DEPTH */

/* Where the library's code lies in a program that it is part of; see archive/begin.c. */
void rondo_shim_code_begin(void) __attribute__((weak));
void rondo_shim_code_end(void) __attribute__((weak));

/* Gives a number to a list of return addresses, innermost first; 0 if it cannot. */
typedef uint32_t (*rondo_intern_fn)(const uint64_t *pcs, uint32_t count);
/* How large the memory, zeroed, is that a thread's known stacks need. */
size_t rondo_shim_stacks_size(void);
/* The number of the stack of the caller, the library's innermost calls left out; 0 for none. */
uint32_t rondo_shim_trace(void *stacks, rondo_intern_fn intern);
/* 1 if a return address lies in the library. */
int32_t rondo_shim_is_own_code(uint64_t pc);

/* What is known about an address: any of name and file may be NULL. Borrowed. */
typedef void (*rondo_symbol_fn)(uintptr_t pc, const char *name, const char *file, int32_t line);
/* Look addresses up; 0 if there is nothing to look them up with. */
int32_t rondo_shim_symbolize(const uint64_t *pcs, uint32_t count, rondo_symbol_fn visit);

/* A line of a file, if that can be read; returns its length, 0 for none. */
int32_t rondo_shim_source_line(const char *file, int64_t line, char *buffer, int32_t size);
/* The line that the macros of rondo/async.h keep in a frame; 0 if that is no frame of theirs. */
int32_t rondo_shim_frame_line(const void *frame);

/* SIGINT for one run at a time; see sigint.c. */
int32_t rondo_shim_sigint_install(uint32_t *count, uint32_t *attention, uint32_t mark, int32_t wake_fd);
void rondo_shim_sigint_remove(void);

#endif
