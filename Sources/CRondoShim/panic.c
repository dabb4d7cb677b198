/* panic.c - the last words of a library that caught itself breaking a promise.
 *
 * write(2) and abort(3) only: whatever is broken, the heap and stdio may be broken too. */
#include "rondo_shim.h"

static void say(const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        ssize_t written = write(STDERR_FILENO, text, left);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return; /* nobody listens; abort all the same */
        }
        text += written;
        left -= (size_t)written;
    }
}

_Noreturn void rondo_shim_trap(void)
{
    say("rondo: broken promise inside the library; "
        "this is a bug in rondo, please report it with a backtrace\n");
    abort();
}

_Noreturn void rondo_shim_panic(const char *sentence)
{
    say("rondo: ");
    say(sentence);
    say("; this is a bug in rondo, please report it with a backtrace\n");
    abort();
}

void rondo_shim_log_line(const char *message)
{
    struct iovec parts[2] = { { (void *)(uintptr_t)message, strlen(message) }, { "\n", 1 } };
    if (writev(STDERR_FILENO, parts, 2) < 0) {
        /* Nobody listens; a log is not worth a failure. */
    }
}
