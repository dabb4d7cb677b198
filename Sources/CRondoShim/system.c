/* system.c - system calls in the shape that the core wants: nanoseconds, negative errno. */
#include "rondo_shim.h"

int64_t rondo_shim_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* 0 unknown, 1 the kernel has epoll_pwait2, 2 it has not. */
static uint32_t pwait2;

static int32_t epoll_in_milliseconds(int32_t fd, struct epoll_event *events, int32_t capacity,
                                     int64_t wait_ns)
{
    int timeout = -1;
    if (wait_ns >= 0) {
        /* Rounded up: a sleep that ends early would only be a pass that spins. */
        int64_t ms = wait_ns / 1000000 + (wait_ns % 1000000 != 0);
        timeout = ms > INT_MAX ? INT_MAX : (int)ms;
    }
    int count = epoll_wait(fd, events, capacity, timeout);
    return count < 0 ? -errno : count;
}

int32_t rondo_shim_epoll(int32_t fd, struct epoll_event *events, int32_t capacity, int64_t wait_ns)
{
    if (wait_ns <= 0 || rondo_peek32(&pwait2) == 2)
        return epoll_in_milliseconds(fd, events, capacity, wait_ns);
    struct timespec wait = { .tv_sec = wait_ns / 1000000000, .tv_nsec = wait_ns % 1000000000 };
    int count = epoll_pwait2(fd, events, capacity, &wait, NULL);
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) { /* old kernel, or a strict sandbox */
        rondo_poke32(&pwait2, 2);
        return epoll_in_milliseconds(fd, events, capacity, wait_ns);
    }
    return count < 0 ? -errno : count;
}

int32_t rondo_shim_epoll_ctl(int32_t epoll, int32_t op, int32_t fd, uint32_t mask, uint64_t data)
{
    struct epoll_event event = { .events = mask, .data.u64 = data };
    return epoll_ctl(epoll, op, fd, &event) < 0 ? -errno : 0;
}

int32_t rondo_shim_timerfd_arm(int32_t fd, int64_t when_ns)
{
    /* An absolute time of zero would disarm it, so the past is one nanosecond. */
    struct itimerspec at = { { 0, 0 }, { 0, 0 } };
    if (when_ns != INT64_MAX) {
        int64_t when = when_ns < 1 ? 1 : when_ns;
        at.it_value.tv_sec = when / 1000000000;
        at.it_value.tv_nsec = when % 1000000000;
    }
    return timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL) < 0 ? -errno : 0;
}

void rondo_shim_borrowed(void *value)
{
    (void)value;
}

int32_t rondo_shim_file_flags(int32_t fd)
{
    return fcntl(fd, F_GETFL);
}
