/*
 * log_queue.c - logging that cannot block the event loop.
 *
 * The log goes to a sink that may be slow: here it writes into a pipe that nobody reads yet. It gets
 * a queue and a thread of its own, so the loop runs on. The queue is small; what finds no room is dropped,
 * and the sink is told how much. The program logs through the same logger, with fields.
 */
#include <rondo.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct logger {
    int pipe[2];
    sem_t busy; /* there is a message in the sink */
};

/* On the queue's thread, one message at a time. */
static void write_line(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    struct logger *logger = arg;
    sem_post(&logger->busy);
    char line[200];
    int size = snprintf(line, sizeof line, "%d %s", (int)level, message);
    for (size_t i = 0; i < count && size < 150; i++)
        size += fields[i].text != NULL
                    ? snprintf(line + size, sizeof line - (size_t)size, " %s=%s", fields[i].key, fields[i].text)
                    : snprintf(line + size, sizeof line - (size_t)size, " %s=%lld", fields[i].key, (long long)fields[i].number);
    strcat(line, "\n");
    if (write(logger->pipe[1], line, strlen(line)) < 0)
        perror("write");
}

struct main_frame { RONDO_FRAME; int request; };

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    for (self->request = 0; self->request < 5; self->request++) {
        rondo_log_field fields[] = { { "path", "/index", 0 }, { "request", NULL, self->request } };
        RONDO_CHECK(rondo_log(RONDO_LOG_INFO, "served", fields, 2), "log");
        RONDO_SLEEP(self, 0);
    }
    RONDO_END(self);
}

/* The pipe is full of this: the sink blocks in its first write. */
static long fill(int fd)
{
    static const char zeros[4096];
    long size = 0;
    while (size < 16 * (long)sizeof zeros)
        size += write(fd, zeros, sizeof zeros);
    return size;
}

int main(void)
{
    struct logger logger;
    struct main_frame frame = { 0 };
    rondo_coroutine *main_coroutine = NULL;
    rondo_log_queue_options options = { .size = sizeof options, .capacity = 2, .flags = RONDO_LOG_QUEUE_DROP_OLDEST };
    rondo_status status;
    char buffer[4096];

    if (pipe(logger.pipe) != 0 || sem_init(&logger.busy, 0, 0) != 0)
        return 1;
    long filled = fill(logger.pipe[1]);
    status = rondo_log_set_queued_sink(&options, write_line, &logger, NULL);
    if (status == RONDO_OK)
        status = rondo_log(RONDO_LOG_WARNING, "the first one, which blocks", NULL, 0);
    sem_wait(&logger.busy);
    if (status == RONDO_OK)
        status = rondo_coroutine_new("main", main_step, &frame, NULL, &main_coroutine);
    if (status == RONDO_OK)
        status = rondo_run(main_coroutine, NULL, NULL, NULL);
    printf("the loop is done, the log is not; dropped: %d\n", (int)rondo_log_get_dropped());
    fflush(stdout);

    /* Now somebody reads. */
    while (filled > 0)
        filled -= read(logger.pipe[0], buffer, filled < 4096 ? (size_t)filled : sizeof buffer);
    if (status == RONDO_OK)
        status = rondo_log_flush(RONDO_NEVER);
    ssize_t size = read(logger.pipe[0], buffer, sizeof buffer);
    fwrite(buffer, 1, size > 0 ? (size_t)size : 0, stdout);
    rondo_log_set_sink(NULL, NULL, NULL);
    rondo_log_flush(RONDO_NEVER);
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    return status == RONDO_OK ? 0 : 1;
}
