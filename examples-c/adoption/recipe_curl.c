/*
 * recipe_curl.c - libcurl on the loop: transfers side by side, failures, a timeout, a cancelled task.
 *
 * await_curl.c is the recipe. Here a small HTTP server, a task of the same loop on a port of loopback,
 * answers; and it tells when a client leaves, so that one sees that cancelling a task ends its transfer.
 */
#include "await_curl.h"
#include "recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the server ------------------------------------------------------------------------------ */

struct server {
    RONDO_FRAME;
    int listener;
    rondo_future *accepting;
    int asked, left;       /* requests for /never; clients that left without an answer */
    rondo_event *happened; /* set when one of the two has changed */
};

struct connection {
    RONDO_FRAME;
    struct server *server;
    int fd;
    rondo_future *io;
    size_t used;
    char request[1024];
    char answer[1024];
};

static void connection_drop(void *frame)
{
    close(((struct connection *)frame)->fd);
}

static void write_answer(struct connection *self)
{
    char body[512] = "";
    int found = sscanf(self->request, "GET /hello/%500s", body) == 1;
    snprintf(self->answer, sizeof self->answer,
             "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s%s%s",
             found ? "200 OK" : "404 Not Found", found ? strlen(body) + 7 : 0,
             found ? "hello, " : "", body, "");
}

RONDO_STEP(serve_connection)
{
    struct connection *self = frame;
    RONDO_BEGIN(self);
    while (strstr(self->request, "\r\n\r\n") == NULL) {
        RONDO_CHECK(rondo_loop_sock_recv(rondo_running_loop(), self->fd, self->request + self->used,
                                         sizeof self->request - 1 - self->used, &self->io), "recv");
        RONDO_AWAIT_MOVED(self, self->io);
        if (sent == NULL)
            RONDO_RETURN(NULL);
        self->used += (size_t)(intptr_t)sent;
    }
    if (strncmp(self->request, "GET /never", 10) == 0) {
        self->server->asked++;
        RONDO_CHECK(rondo_event_set(self->server->happened), "event");
        RONDO_CHECK(rondo_loop_sock_recv(rondo_running_loop(), self->fd, self->answer, 1, &self->io),
                    "recv");
        RONDO_TRY_AWAIT_MOVED(self, self->io); /* 0 bytes, or ECONNRESET: the client is gone */
        self->server->left++;
        RONDO_CHECK(rondo_event_set(self->server->happened), "event");
        RONDO_RETURN(NULL);
    }
    write_answer(self);
    RONDO_CHECK(rondo_loop_sock_sendall(rondo_running_loop(), self->fd, self->answer,
                                        strlen(self->answer), &self->io), "send");
    RONDO_AWAIT_MOVED(self, self->io);
    RONDO_END(self);
}

RONDO_STEP(serve)
{
    struct server *self = frame;
    struct connection *connection;
    void *fd;
    RONDO_BEGIN(self);
    for (;;) {
        RONDO_CHECK(rondo_loop_sock_accept(rondo_running_loop(), self->listener, NULL, NULL,
                                           &self->accepting), "accept");
        RONDO_AWAIT_MOVED(self, self->accepting);
        RONDO_CHECK(rondo_coroutine_take_sent(co, &fd), "accept");
        rondo_coroutine *coroutine = NULL;
        RONDO_CHECK(rondo_coroutine_new_with_frame("connection", serve_connection, sizeof *connection,
                                                   connection_drop, (void **)&connection, &coroutine),
                    "connection");
        connection->server = self;
        connection->fd = (int)(intptr_t)fd;
        RONDO_CHECK(rondo_loop_create_task(rondo_running_loop(), coroutine, NULL, NULL), "connection");
    }
    RONDO_END(self);
}

/* ---- a client -------------------------------------------------------------------------------- */

struct client {
    RONDO_FRAME;
    struct await_curl *curl;
    rondo_future *transfer;
    char url[80];
};

/* What the program is for: await a transfer as anything else. */
RONDO_STEP(fetch)
{
    struct client *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_curl_get(self->curl, self->url, &self->transfer), "get");
    RONDO_AWAIT_MOVED(self, self->transfer);
    const struct curl_response *response = sent;
    printf("%s answered %ld, %zu bytes: \"%s\"\n", strchr(self->url + 7, '/'), response->status,
           response->size, response->body);
    RONDO_END(self);
}

struct main_frame {
    RONDO_FRAME;
    struct server server;
    struct await_curl *curl;
    uint16_t port, closed_port;
    struct client clients[3];
    rondo_future *future;
    rondo_task *task;
    rondo_coroutine *coroutine;
};

static void drop_main(void *frame)
{
    struct main_frame *self = frame;
    await_curl_close(self->curl);
    rondo_task_release(self->task);
    rondo_event_release(self->server.happened);
    if (self->server.listener >= 0)
        close(self->server.listener);
}

/* A port that nobody listens on: one that was ours a moment ago. */
static rondo_status prepare(struct main_frame *self)
{
    int fd = recipe_bind(SOCK_STREAM, &self->closed_port);
    self->server.listener = recipe_bind(SOCK_STREAM, &self->port);
    if (fd < 0 || self->server.listener < 0)
        return RONDO_E_RUNTIME;
    close(fd);
    rondo_status status = rondo_event_new(rondo_running_loop(), &self->server.happened);
    if (status == RONDO_OK)
        status = rondo_loop_spawn(rondo_running_loop(), serve, &self->server, NULL, NULL, NULL);
    if (status == RONDO_OK)
        status = await_curl_open(rondo_running_loop(), &self->curl);
    return status;
}

static struct client *prepare_client(struct main_frame *self, int index, uint16_t port,
                                     const char *path)
{
    struct client *client = &self->clients[index];
    *client = (struct client){ .curl = self->curl };
    snprintf(client->url, sizeof client->url, "http://127.0.0.1:%u%s", port, path);
    return client;
}

/* Three at once; await_curl_get() makes futures, so no task is needed for that. */
static rondo_status get_three(struct main_frame *self)
{
    rondo_awaitable *transfers[3] = { NULL };
    rondo_status status = RONDO_OK;
    for (int i = 0; i < 3 && status == RONDO_OK; i++) {
        static const char *const paths[] = { "/hello/anne", "/hello/bert", "/nothing" };
        rondo_future *transfer = NULL;
        status = await_curl_get(self->curl, prepare_client(self, i, self->port, paths[i])->url, &transfer);
        transfers[i] = transfer;
    }
    if (status == RONDO_OK)
        status = rondo_gather(rondo_running_loop(), transfers, 3, 0, &self->future);
    for (int i = 0; i < 3; i++)
        rondo_future_release(transfers[i]);
    return status;
}

static void print_three(rondo_future *gather)
{
    for (size_t i = 0; i < 3; i++) {
        void *value = NULL;
        if (rondo_gather_get_result(gather, i, &value) == RONDO_OK) {
            const struct curl_response *response = value;
            printf("gather %zu: %ld \"%s\"\n", i, response->status, response->body);
        }
    }
}

static rondo_status start_fetch(struct main_frame *self, const char *path)
{
    rondo_task_release(self->task);
    self->task = NULL;
    return rondo_loop_spawn(rondo_running_loop(), fetch, prepare_client(self, 0, self->port, path), NULL,
                            NULL, &self->task);
}

static rondo_status next_happening(struct main_frame *self)
{
    rondo_status status = rondo_event_clear(self->server.happened);
    return status != RONDO_OK ? status : rondo_event_wait(self->server.happened, &self->coroutine);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(prepare(self), "prepare");

    RONDO_CHECK(start_fetch(self, "/hello/world"), "fetch");
    RONDO_AWAIT(self, self->task);

    RONDO_CHECK(get_three(self), "get");
    RONDO_AWAIT(self, self->future);
    print_three(self->future);
    rondo_future_release(self->future);

    RONDO_CHECK(await_curl_get(self->curl, prepare_client(self, 0, self->closed_port, "/")->url,
                              &self->future), "get");
    RONDO_TRY_AWAIT_MOVED(self, self->future);
    printf("nobody listens: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
    RONDO_CHECK(await_curl_get(self->curl, "no-such-protocol://127.0.0.1/", &self->future), "get");
    RONDO_TRY_AWAIT_MOVED(self, self->future);
    recipe_print_error("no such protocol", thrown);

    /* A timeout around the await cancels the transfer; so does cancelling the task. */
    RONDO_CHECK(await_curl_get(self->curl, prepare_client(self, 0, self->port, "/never")->url,
                              &self->future), "get");
    RONDO_CHECK(rondo_wait_for(self->future, 50000000, &self->coroutine), "wait_for");
    rondo_future_release(self->future);
    RONDO_TRY_AWAIT_MOVED(self, self->coroutine);
    printf("wait_for: %s\n", rondo_status_name(rondo_error_get_status(thrown)));
    while (self->server.left < self->server.asked) {
        RONDO_CHECK(next_happening(self), "event");
        RONDO_AWAIT(self, self->coroutine);
    }
    self->server.asked = self->server.left = 0; /* on a slow machine it was never asked */

    RONDO_CHECK(start_fetch(self, "/never"), "fetch");
    while (self->server.asked < 1) {
        RONDO_CHECK(next_happening(self), "event");
        RONDO_AWAIT(self, self->coroutine);
    }
    RONDO_CHECK(rondo_task_cancel(self->task, "not needed any more", NULL), "cancel");
    RONDO_TRY_AWAIT(self, self->task);
    recipe_print_error("cancelled task", thrown);
    while (self->server.left < 1) {
        RONDO_CHECK(next_happening(self), "event");
        RONDO_AWAIT(self, self->coroutine);
    }
    puts("the server saw the client leave");

    /* Closing ends what still runs. */
    RONDO_CHECK(await_curl_get(self->curl, prepare_client(self, 0, self->port, "/never")->url,
                              &self->future), "get");
    await_curl_close(self->curl);
    self->curl = NULL;
    RONDO_TRY_AWAIT_MOVED(self, self->future);
    recipe_print_error("after close", thrown);
    RONDO_END(self);
}

int main(void)
{
    static struct main_frame frame = { .server.listener = -1 };
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return 1;
    int status = recipe_run(main_step, &frame, drop_main);
    curl_global_cleanup();
    return status;
}
