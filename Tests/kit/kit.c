/* kit.c - runs the tests of a program: order, time limits, crashes, balance, and the checks. */
#define _GNU_SOURCE
#include "kit.h"

#include <dirent.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- state ----------------------------------------------------------------------------------- */

static struct kit_test *tests; /* by line */
static struct kit_test *current;
static int number, passed, failed, skipped;
static bool only_one;
static pid_t main_process;
static pthread_t main_thread;
static const char *skip_reason, *no_balance;
static char program[4096];

/* The environment of the next process image: made beforehand, a crash handler may not allocate. */
static char resume[64] = "KIT_RESUME=0:0:0:0";
static char **next_environ;
static char *const next_argv[] = { program, NULL };

atomic_long kit_drops;

void kit_register(struct kit_test *test)
{
    struct kit_test **place = &tests;
    while (*place != NULL && (*place)->line < test->line)
        place = &(*place)->next;
    test->next = *place;
    *place = test;
}

static int scale(void)
{
    const char *text = getenv("KIT_SCALE");
    int factor = text != NULL ? atoi(text) : 1;
    return (factor < 1 ? 1 : factor) * (KIT_SANITIZED ? 5 : 1);
}

int kit_rounds(int n)
{
    int fewer = n / (scale() > 1 ? 10 : 1);
    return fewer < 1 ? 1 : fewer;
}

void kit_skip(const char *why)
{
    skip_reason = why;
}

void kit_no_balance(const char *why)
{
    no_balance = why;
}

void kit_note(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dprintf(1, "# %s\n", text);
}

/* ---- going on after a failure ---------------------------------------------------------------- */

static char *append_number(char *to, int value)
{
    char digits[16];
    int count = 0;
    do
        digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0)
        *to++ = digits[--count];
    return to;
}

/* Replace this process image by one that goes on with the next test. Signal-safe. */
_Noreturn static void next_image(void)
{
    if (getpid() != main_process)
        _exit(97);
    static atomic_flag taken = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(&taken))
        pause(); /* another thread failed first and is about to end us all */
    failed++;
    if (only_one)
        _exit(1);
    char *end = resume + sizeof "KIT_RESUME=" - 1;
    int counts[4] = { number, passed, failed, skipped };
    for (int i = 0; i < 4; i++) {
        end = append_number(end, counts[i]);
        *end++ = i < 3 ? ':' : '\0';
    }
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    alarm(0);
    execve("/proc/self/exe", next_argv, next_environ);
    _exit(98);
}

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        return;
}

static void say_not_ok(const char *why)
{
    if (getpid() != main_process) {
        say("# in a child process: ");
        say(why);
        say("\n");
        return;
    }
    char digits[16];
    *append_number(digits, number) = '\0';
    say("not ok ");
    say(digits);
    say(" - ");
    say(current != NULL ? current->name : "?");
    say(" # ");
    say(why);
    say("\n");
}

static void on_crash(int signal_number)
{
    signal(signal_number, SIG_DFL);
    if (signal_number == SIGALRM && !pthread_equal(pthread_self(), main_thread)) {
        struct sigaction again = { 0 };
        again.sa_handler = on_crash;
        sigaction(SIGALRM, &again, NULL);
        pthread_kill(main_thread, SIGALRM); /* its stack is the one to show */
        return;
    }
    void *frames[64];
    int count = backtrace(frames, 64);
    say_not_ok(signal_number == SIGALRM ? "TIMEOUT" : strsignal(signal_number));
    backtrace_symbols_fd(frames, count, 1);
    next_image();
}

static void set_handlers(void (*handler)(int))
{
    static const int crashes[] = { SIGALRM, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
    static char stack[65536];
    stack_t other = { .ss_sp = stack, .ss_size = sizeof stack };
    sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        struct sigaction action = { 0 };
        if (KIT_SANITIZED && crashes[i] != SIGALRM)
            continue; /* the sanitizer tells more */
        action.sa_handler = handler;
        action.sa_flags = SA_ONSTACK | SA_NODEFER;
        sigaction(crashes[i], &action, NULL);
    }
}

/* ---- checks ---------------------------------------------------------------------------------- */

_Noreturn void kit_fail(const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *slash = strrchr(file, '/');
    dprintf(1, "# %s:%d: %s\n", slash != NULL ? slash + 1 : file, line, text);
    say_not_ok("FAILED");
    next_image();
}

void kit_check_status(const char *file, int line, const char *call, rondo_status got,
                      rondo_status expected)
{
    if (got != expected)
        kit_fail(file, line, "%s is %s (%d), not %s", call, rondo_status_name(got), got,
                 rondo_status_name(expected));
}

void kit_check_int(const char *file, int line, const char *what, long long got, long long expected)
{
    if (got != expected)
        kit_fail(file, line, "%s is %lld, not %lld", what, got, expected);
}

void kit_check_str(const char *file, int line, const char *what, const char *got,
                   const char *expected)
{
    if (got == NULL || expected == NULL ? got != expected : strcmp(got, expected) != 0)
        kit_fail(file, line, "%s is\n#   \"%s\", not\n#   \"%s\"", what, got ? got : "(NULL)",
                 expected ? expected : "(NULL)");
}

void kit_check_ptr(const char *file, int line, const char *what, const void *got,
                   const void *expected)
{
    if (got != expected)
        kit_fail(file, line, "%s is %p, not %p", what, got, expected);
}

/* ---- transcript ------------------------------------------------------------------------------ */

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[65536];
static size_t log_size;

void kit_log(const char *format, ...)
{
    char word[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(word, sizeof word, format, args);
    va_end(args);
    pthread_mutex_lock(&log_lock);
    if (log_size + (size_t)size + 2 < sizeof log_text) {
        if (log_size > 0)
            log_text[log_size++] = ' ';
        strcpy(log_text + log_size, word);
        log_size += strlen(word);
    }
    pthread_mutex_unlock(&log_lock);
}

void kit_check_log(const char *file, int line, const char *expected)
{
    pthread_mutex_lock(&log_lock);
    if (strcmp(log_text, expected) != 0)
        kit_fail(file, line, "the transcript is\n#   \"%s\", not\n#   \"%s\"", log_text, expected);
    log_text[log_size = 0] = '\0';
    pthread_mutex_unlock(&log_lock);
}

/* ---- balance --------------------------------------------------------------------------------- */

struct balance {
    int fds, threads;
    uint64_t live;
};

static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL)
        return 0;
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

static void print_fds(void)
{
    for (int fd = 3; fd < 256; fd++) {
        char path[64], target[256];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, target, sizeof target - 1);
        if (size > 0)
            dprintf(1, "#   fd %d: %.*s\n", fd, (int)size, target);
    }
}

static struct balance measure(void)
{
    return (struct balance){ count_entries("/proc/self/fd"), count_entries("/proc/self/task"),
                             rondo_debug_live() };
}

/* What the library and libc make once and keep: made before the first test is measured. */
static void *warm_thread(void *loop)
{
    rondo_loop_call_soon_threadsafe(loop, kit_arg_call, &(struct kit_arg){ 0 }, NULL, NULL);
    return NULL;
}

static void warm_up(void)
{
    static struct kit_arg counter;
    void *frames[4];
    rondo_loop *loop = NULL;
    backtrace(frames, 4);
    if (rondo_loop_new(NULL, &loop) != RONDO_OK)
        return;
    kit_thread_join(kit_thread_start(warm_thread, NULL));
    rondo_loop_call_soon(loop, kit_arg_call, &counter, NULL, NULL);
    rondo_loop_stop(loop);
    rondo_loop_run_forever(loop);
    rondo_loop_close(loop, NULL);
    rondo_loop_release(loop);
}

static void check_balance(struct balance before)
{
    struct balance after = measure();
    /* A joined thread leaves /proc a moment after pthread_join(). */
    for (int i = 0; i < 1000 && after.threads != before.threads; i++) {
        usleep(1000);
        after = measure();
    }
    int leaks = kit_alloc_leaks(true);
    if (after.fds != before.fds)
        print_fds();
    if (after.fds == before.fds && after.threads == before.threads && after.live == before.live &&
        leaks == 0)
        return;
    if (no_balance != NULL) {
        kit_note("leaves something behind: %s", no_balance);
        return;
    }
    kit_fail(current->name, current->line,
             "out of balance: fds %+d, threads %+d, live objects %+lld, allocations %+d",
             after.fds - before.fds, after.threads - before.threads,
             (long long)(after.live - before.live), leaks);
}

/* ---- running --------------------------------------------------------------------------------- */

void kit_reset(void); /* helpers.c */

static void run_test(struct kit_test *test)
{
    current = test;
    skip_reason = no_balance = NULL;
    log_text[log_size = 0] = '\0';
    atomic_store(&kit_drops, 0);
    kit_reset();
    struct balance before = measure();
    kit_alloc_mark();
    alarm((unsigned)(test->seconds * scale()));
    test->body();
    kit_alloc_end();
    kit_reset();
    if (skip_reason == NULL)
        check_balance(before);
    alarm(0);
    if (skip_reason != NULL) {
        skipped++;
        dprintf(1, "ok %d - %s # SKIP %s\n", number, test->name, skip_reason);
    } else {
        passed++;
        dprintf(1, "ok %d - %s\n", number, test->name);
    }
}

static void prepare(void)
{
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    main_process = getpid();
    main_thread = pthread_self();
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size > 0 ? size : 0] = '\0';
    size_t count = 0, kept = 0;
    while (environ[count] != NULL)
        count++;
    next_environ = calloc(count + 2, sizeof *next_environ);
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "KIT_RESUME=", 11) != 0)
            next_environ[kept++] = environ[i];
    next_environ[kept] = resume;
    set_handlers(on_crash);
    kit_alloc_setup();
    alarm((unsigned)(10 * scale()));
    warm_up();
}

static int run_all(const char *name)
{
    int start = 0;
    const char *text = getenv("KIT_RESUME");
    if (text != NULL)
        sscanf(text, "%d:%d:%d:%d", &start, &passed, &failed, &skipped);
    for (struct kit_test *test = tests; test != NULL; test = test->next) {
        if (name != NULL && strcmp(name, test->name) != 0)
            continue;
        if (++number > start)
            run_test(test);
    }
    if (number == 0) {
        dprintf(1, "# no test of that name\n");
        return 2;
    }
    dprintf(1, "1..%d\n# %d passed, %d failed", number, passed, failed);
    dprintf(1, skipped > 0 ? ", %d skipped\n" : "\n", skipped);
    return failed > 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        for (struct kit_test *test = tests; test != NULL; test = test->next)
            puts(test->name);
        return 0;
    }
    only_one = argc == 2;
    prepare();
    return run_all(only_one ? argv[1] : NULL);
}

/* ---- children -------------------------------------------------------------------------------- */

int kit_fork(void)
{
    int pid = fork();
    if (pid < 0)
        kit_fail(__FILE__, __LINE__, "fork: %s", strerror(errno));
    if (pid == 0) {
        set_handlers(SIG_DFL);
        alarm((unsigned)(10 * scale()));
    }
    return pid;
}

int kit_wait_child(int pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            kit_fail(__FILE__, __LINE__, "waitpid: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
