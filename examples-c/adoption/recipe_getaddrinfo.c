/*
 * recipe_getaddrinfo.c - getaddrinfo_a() awaited: addresses side by side, a name that is none, a cancelled
 * task, and an answer that comes when its loop is closed already.
 *
 * await_getaddrinfo.c is the recipe. Nothing here needs a network.
 */
#include "await_getaddrinfo.h"
#include "recipe.h"

#include <arpa/inet.h>
#include <stdio.h>

struct lookup {
    RONDO_FRAME;
    const char *name;
    rondo_future *answer;
};

static void print_first(const struct addrinfo *addresses)
{
    const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)addresses->ai_addr;
    char text[INET_ADDRSTRLEN];
    printf("%s port %u\n", inet_ntop(AF_INET, &address->sin_addr, text, sizeof text), ntohs(address->sin_port));
}

/* What the program is for: await a name as anything else. */
RONDO_STEP(look_up)
{
    static const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
                                           .ai_flags = AI_NUMERICHOST };
    struct lookup *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(await_getaddrinfo(rondo_running_loop(), self->name, "80", &hints, &self->answer), "resolve");
    RONDO_AWAIT_MOVED(self, self->answer);
    print_first(sent);
    RONDO_END(self);
}

struct main_frame {
    RONDO_FRAME;
    struct lookup lookup;
    rondo_task *task;
    rondo_future *three;
};

static rondo_status start(struct main_frame *self, const char *name)
{
    rondo_task_release(self->task);
    self->task = NULL;
    self->lookup = (struct lookup){ .name = name };
    return rondo_loop_spawn(rondo_running_loop(), look_up, &self->lookup, NULL, NULL, &self->task);
}

static rondo_status ask_three(struct main_frame *self)
{
    static const char *const names[] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };
    static const struct addrinfo hints = { .ai_family = AF_INET, .ai_flags = AI_NUMERICHOST };
    rondo_future *futures[3] = { NULL };
    rondo_status status = RONDO_OK;
    for (int i = 0; i < 3 && status == RONDO_OK; i++)
        status = await_getaddrinfo(rondo_running_loop(), names[i], NULL, &hints, &futures[i]);
    if (status == RONDO_OK)
        status = rondo_gather(rondo_running_loop(),
                              (rondo_awaitable *const[]){ futures[0], futures[1], futures[2] }, 3, 0,
                              &self->three);
    for (int i = 0; i < 3; i++)
        rondo_future_release(futures[i]);
    return status;
}

static void drop_main(void *frame)
{
    struct main_frame *self = frame;
    rondo_task_release(self->task);
}

RONDO_STEP(main_step)
{
    struct main_frame *self = frame;
    RONDO_BEGIN(self);
    RONDO_CHECK(start(self, "127.0.0.1"), "look up");
    RONDO_AWAIT(self, self->task);

    RONDO_CHECK(ask_three(self), "ask");
    RONDO_AWAIT(self, self->three);
    for (size_t i = 0; i < 3; i++) {
        void *addresses = NULL;
        if (rondo_gather_get_result(self->three, i, &addresses) == RONDO_OK)
            print_first(addresses);
    }
    rondo_future_release(self->three);

    RONDO_CHECK(start(self, "no number"), "look up");
    RONDO_TRY_AWAIT(self, self->task);
    printf("no number: %s, EAI_NONAME: %d\n", rondo_status_name(rondo_error_get_status(thrown)),
           rondo_error_get_code(thrown) == EAI_NONAME);

    /* It is cancelled in the pass in which it has asked; the answer comes to nothing. */
    RONDO_CHECK(start(self, "127.0.0.1"), "look up");
    RONDO_YIELD(self);
    RONDO_CHECK(rondo_task_cancel(self->task, "not needed any more", NULL), "cancel");
    RONDO_TRY_AWAIT(self, self->task);
    recipe_print_error("cancelled task", thrown);

    /* Nobody waits for this one, and the loop is closed first, or not: either is well. */
    RONDO_CHECK(await_getaddrinfo(rondo_running_loop(), "127.0.0.1", NULL, NULL, NULL), "resolve");
    RONDO_END(self);
}

int main(void)
{
    static struct main_frame frame;
    int status = recipe_run(main_step, &frame, drop_main);
    await_getaddrinfo_finish();
    puts("every answer has come");
    return status;
}
