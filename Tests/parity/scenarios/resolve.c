/* getaddrinfo and getnameinfo of numbers and of localhost: addresses, order of completion, what is refused. */
#include "told.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const struct question {
    const char *host, *service;
    int32_t family, flags;
} questions[] = {
    { "127.0.0.1", "80", 0, 0 },
    { "::1", "65535", 0, 0 },
    { "192.0.2.7", NULL, 0, 0 },
    { NULL, "80", AF_INET, 0 },
    { NULL, "80", AF_INET, AI_PASSIVE },
    { "127.0.0.1", "80", 0, AI_CANONNAME },
    { "no number", "80", 0, AI_NUMERICHOST },
    { "::1", "80", AF_INET, AI_NUMERICHOST },
    { "127.0.0.1", "no number", 0, AI_NUMERICSERV },
    { "localhost", "80", AF_INET, 0 },
};
enum { QUESTIONS = sizeof questions / sizeof *questions };

static rondo_future *ask(const struct question *question)
{
    rondo_future *future = NULL;

    MUST(rondo_loop_getaddrinfo(loop, question->host, question->service, question->family, SOCK_STREAM, 0,
                                question->flags, &future));
    return future;
}

static rondo_address read_address(const struct addrinfo *list)
{
    rondo_address address = { .size = sizeof address };

    MUST(rondo_addrinfo_get_address(list, &address));
    return address;
}

static void say_addresses(const struct question *question, const struct addrinfo *list, rondo_error *thrown)
{
    char label[100];

    snprintf(label, sizeof label, "%s %s", text((void *)question->host), text((void *)question->service));
    if (thrown != NULL)
        say("%s: gaierror %d", label, rondo_error_get_code(thrown));
    for (; list != NULL; list = rondo_addrinfo_next(list)) {
        rondo_address found = read_address(list);
        say("%s: %d %d %d %s %d %s", label, found.family, found.type, found.protocol, found.host, found.port,
            text((void *)found.canonical_name));
    }
}

static rondo_future *ask_names(const void *address, uint32_t length)
{
    rondo_future *future = NULL;

    MUST(rondo_loop_getnameinfo(loop, address, length, NI_NUMERICHOST | NI_NUMERICSERV, &future));
    return future;
}

static rondo_future *ask_four(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(8080) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ask_names(&address, sizeof address);
}

static rondo_future *ask_six(void)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(443), .sin6_addr = in6addr_loopback };

    return ask_names(&address, sizeof address);
}

static void say_names(const rondo_name_info *names) { say("%s %s", names->host, names->service); }

static rondo_future *lookups[4];

static rondo_future *gather_lookups(void)
{
    static const char *const hosts[] = { "localhost", "127.0.0.2", "localhost", "127.0.0.3" };
    rondo_future *all = NULL;

    for (int i = 0; i < 4; i++)
        lookups[i] = ask(&(struct question){ hosts[i], "7", AF_INET, 0 });
    MUST(rondo_gather(loop, (rondo_awaitable **)lookups, 4, 0, &all));
    return all;
}

static void say_gathered(rondo_future *all)
{
    for (size_t i = 0; i < 4; i++) {
        void *list = NULL;
        MUST(rondo_gather_get_result(all, i, &list));
        rondo_address found = read_address(list);
        say("gathered: %s %d", found.host, found.port);
        MUST(rondo_future_release(lookups[i]));
    }
}

RONDO_STEP(main_step)
{
    SELF;
    for (self->i = 0; self->i < QUESTIONS; self->i++) {
        self->f = ask(&questions[self->i]);
        RONDO_TRY_AWAIT(self, self->f);
        say_addresses(&questions[self->i], sent, thrown);
        MUST(rondo_future_release(self->f));
    }
    for (self->i = 0; self->i < 2; self->i++) {
        self->f = self->i == 0 ? ask_four() : ask_six();
        RONDO_AWAIT(self, self->f);
        say_names(sent);
        MUST(rondo_future_release(self->f));
    }
    self->g = gather_lookups();
    RONDO_AWAIT(self, self->g);
    say_gathered(self->g);
    MUST(rondo_future_release(self->g));
    MUST(rondo_loop_shutdown_default_executor(loop, RONDO_NEVER, &self->f));
    RONDO_AWAIT_MOVED(self, self->f);
    RONDO_END(self);
}

int main(void)
{
    static struct frame frame;

    loop = new_loop();
    run(main_step, &frame);
    return finish();
}
