/* stall.c - where another thread is just now: a signal to it, and its handler notes the return addresses.
 *
 * The signal is a real-time one that the program has no handler for and that the thread does not
 * block. The handler is there during the capture only. If the thread does not answer in time it
 * stays, because without it the signal, when it comes after all, would end the process; it does
 * nothing then. backtrace() allocates when it is first called, so that happens before. */
#include "rondo_shim.h"

#include <stdio.h>
#include <ucontext.h>

#define ASKED 1
#define TAKING 2
#define TAKEN 3

static uint32_t capture_lock;
static uint32_t phase; /* futex: ASKED, TAKING, TAKEN or 0 */
static int32_t asked_thread, frame_count;
static int stall_signal; /* whose handler is ours, 0 for none */
static struct sigaction stall_before;
static void *stall_frames[RONDO_STALL_FRAMES];
static void (*stall_note)(void *arg);
static void *stall_note_arg;

static void *interrupted_at(void *context)
{
    ucontext_t *where = context;
#if defined(__x86_64__)
    return (void *)where->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (void *)where->uc_mcontext.pc;
#else
    (void)where;
    return NULL;
#endif
}

static void on_stall(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    (void)number;
    if (info->si_code == SI_TKILL && __atomic_load_n(&asked_thread, __ATOMIC_RELAXED) == (int32_t)syscall(SYS_gettid) &&
        rondo_cas32(&phase, ASKED, TAKING)) {
        void *here = interrupted_at(context);
        int count = backtrace(stall_frames, RONDO_STALL_FRAMES), first = 0;
        for (int i = 0; i < count && first == 0; i++)
            if (stall_frames[i] == here)
                first = i;
        /* Without this handler and the signal's frame. The rest are return addresses; so is this one now. */
        memmove(stall_frames, stall_frames + first, (size_t)(count - first) * sizeof *stall_frames);
        frame_count = count - first;
        if (first > 0)
            stall_frames[0] = (char *)stall_frames[0] + 1;
        stall_note(stall_note_arg);
        rondo_store32(&phase, TAKEN);
        rondo_shim_wake_all(&phase);
    }
    errno = saved;
}

/* The signals that a thread blocks, by number from bit 0 for 1; none if nobody says. */
static uint64_t blocked_by(int32_t tid)
{
    char path[64], text[2048];
    unsigned long long mask = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = '\0';
    const char *line = strstr(text, "SigBlk:");
    return line != NULL && sscanf(line + 7, "%llx", &mask) == 1 ? mask : 0;
}

static int is_ours(int number)
{
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_stall;
}

/* Put the handler on a signal that nobody uses; 0 if there is none. */
static int install(int32_t tid)
{
    uint64_t blocked = blocked_by(tid);
    struct sigaction mine;
    if (stall_signal != 0 && is_ours(stall_signal) && (blocked >> (stall_signal - 1) & 1) == 0)
        return stall_signal; /* it stayed after a capture that was not answered */
    memset(&mine, 0, sizeof mine);
    mine.sa_sigaction = on_stall;
    mine.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    sigfillset(&mine.sa_mask);
    for (int number = SIGRTMAX - 1; number >= SIGRTMIN; number--) {
        struct sigaction now;
        if ((blocked >> (number - 1) & 1) != 0 || sigaction(number, NULL, &now) < 0 ||
            (now.sa_flags & SA_SIGINFO) || now.sa_handler != SIG_DFL)
            continue;
        if (sigaction(number, &mine, &stall_before) == 0)
            return stall_signal = number;
    }
    return 0;
}

static void uninstall(void)
{
    if (stall_signal != 0 && is_ours(stall_signal))
        sigaction(stall_signal, &stall_before, NULL);
    stall_signal = 0;
}

static int32_t capture(int32_t tid, uintptr_t *frames)
{
    int number = install(tid);
    if (number == 0)
        return -EBUSY;
    __atomic_store_n(&asked_thread, tid, __ATOMIC_RELAXED);
    rondo_store32(&phase, ASKED);
    if (syscall(SYS_tgkill, getpid(), tid, number) < 0) {
        rondo_store32(&phase, 0);
        uninstall();
        return -ESRCH;
    }
    int64_t deadline = rondo_shim_now() + 500000000;
    uint32_t seen;
    while ((seen = rondo_load32(&phase)) != TAKEN) {
        if (rondo_shim_now() >= deadline && rondo_cas32(&phase, ASKED, 0))
            return -ETIMEDOUT;
        rondo_shim_wait(&phase, seen, seen == TAKING ? INT64_MAX : deadline);
    }
    for (int i = 0; i < frame_count; i++)
        frames[i] = (uintptr_t)stall_frames[i];
    rondo_store32(&phase, 0);
    uninstall();
    return frame_count;
}

void rondo_shim_prepare_stall(void)
{
    void *frame;
    backtrace(&frame, 1);
}

int32_t rondo_shim_capture_stall(int32_t tid, uintptr_t *frames, void (*note)(void *arg), void *arg)
{
    rondo_lock(&capture_lock);
    stall_note = note;
    stall_note_arg = arg;
    int32_t result = capture(tid, frames);
    rondo_unlock(&capture_lock);
    return result;
}

void rondo_shim_stall_in_child(void)
{
    /* The thread that had the lock, and the one that was asked, are not in this process. */
    rondo_store32(&capture_lock, 0);
    rondo_store32(&phase, 0);
    uninstall();
}
