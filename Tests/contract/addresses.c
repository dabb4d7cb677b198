/*
 * addresses.c - what name resolution found, read by a host that does not know struct addrinfo; lookups that
 * outlive their loop, flags and families that are wrong, what the log says of a lookup.
 */
#define _GNU_SOURCE
#include "coro.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>

static rondo_future *ask(rondo_loop *loop, const char *host, const char *service, int32_t family, int32_t flags)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_getaddrinfo(loop, host, service, family, SOCK_STREAM, 0, flags, &future));
    return future;
}

static rondo_address read_address(const struct addrinfo *list)
{
    rondo_address address = { .size = sizeof address };
    CHECK_OK(rondo_addrinfo_get_address(list, &address));
    CHECK_EQ_INT(address.size, sizeof address);
    return address;
}

KIT_TEST(an_address_is_read)
{
    rondo_loop *loop = kit_loop();
    struct addrinfo *list = NULL;
    rondo_future *future = ask(loop, "127.0.0.1", "8080", 0, AI_CANONNAME);
    CHECK_OK(rondo_future_result(future, (void **)&list));
    rondo_address address = read_address(list);
    CHECK_EQ_INT(address.family, AF_INET);
    CHECK_EQ_INT(address.type, SOCK_STREAM);
    CHECK_EQ_INT(address.protocol, IPPROTO_TCP);
    CHECK_EQ_INT(address.port, 8080);
    CHECK_EQ_INT(address.length, sizeof(struct sockaddr_in));
    CHECK_EQ_PTR(address.sockaddr, list->ai_addr);
    CHECK_EQ_STR(address.host, "127.0.0.1");
    CHECK_EQ_STR(address.canonical_name, "127.0.0.1");
    CHECK_EQ_PTR(rondo_addrinfo_next(list), NULL);
    CHECK_OK(rondo_future_release(future));

    future = ask(loop, "fe80::1%1", NULL, AF_INET6, 0);
    CHECK_OK(rondo_future_result(future, (void **)&list));
    address = read_address(list);
    CHECK_EQ_INT(address.family, AF_INET6);
    CHECK_EQ_INT(address.port, 0);
    CHECK_EQ_INT(address.length, sizeof(struct sockaddr_in6));
    CHECK(strncmp(address.host, "fe80::1%", 8) == 0);
    CHECK_EQ_PTR(address.canonical_name, NULL);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

/* No host and AI_PASSIVE: what a server binds to; without it, what a client connects to. Each of a list. */
KIT_TEST(passive_and_not)
{
    rondo_loop *loop = kit_loop();
    for (int passive = 0; passive < 2; passive++) {
        struct addrinfo *list = NULL;
        rondo_future *future = ask(loop, NULL, "80", 0, passive ? AI_PASSIVE : 0);
        int count = 0;
        CHECK_EQ_INT(rondo_future_is_done(future), 1);
        CHECK_OK(rondo_future_result(future, (void **)&list));
        for (const struct addrinfo *at = list; at != NULL; at = rondo_addrinfo_next(at), count++) {
            rondo_address address = read_address(at);
            const char *four = passive ? "0.0.0.0" : "127.0.0.1", *six = passive ? "::" : "::1";
            CHECK_EQ_STR(address.host, address.family == AF_INET ? four : six);
            CHECK_EQ_INT(address.port, 80);
        }
        CHECK(count >= 1);
        CHECK_OK(rondo_future_release(future));
    }
    kit_loop_end(loop);
}

KIT_TEST(what_cannot_be_read)
{
    struct sockaddr_storage other = { .ss_family = AF_UNIX };
    struct addrinfo list = { .ai_family = AF_UNIX, .ai_addr = (void *)&other, .ai_addrlen = sizeof other };
    rondo_address address = { .size = sizeof address, .port = 7 };
    CHECK_STATUS(rondo_addrinfo_get_address(NULL, &address), -EINVAL);
    CHECK_STATUS(rondo_addrinfo_get_address(&list, NULL), -EINVAL);
    CHECK_STATUS(rondo_addrinfo_get_address(&list, &address), -EAFNOSUPPORT);
    list.ai_family = AF_INET;
    list.ai_addr = NULL;
    CHECK_STATUS(rondo_addrinfo_get_address(&list, &address), -EAFNOSUPPORT);
    list.ai_addr = (void *)&other;
    address.size = 8;
    CHECK_STATUS(rondo_addrinfo_get_address(&list, &address), -EINVAL);
    address.size = 5000;
    CHECK_STATUS(rondo_addrinfo_get_address(&list, &address), -EINVAL);
    CHECK_EQ_INT(address.port, 7);
    CHECK_EQ_PTR(rondo_addrinfo_next(NULL), NULL);
}

/* The size of a newer program's structure is kept, and what is not known here is zero. */
KIT_TEST(a_larger_address)
{
    struct { rondo_address address; char more[32]; } larger;
    rondo_loop *loop = kit_loop();
    struct addrinfo *list = NULL;
    rondo_future *future = ask(loop, "192.0.2.7", "1", 0, 0);
    CHECK_OK(rondo_future_result(future, (void **)&list));
    memset(&larger, 0xff, sizeof larger);
    larger.address.size = sizeof larger;
    CHECK_OK(rondo_addrinfo_get_address(list, &larger.address));
    CHECK_EQ_INT(larger.address.size, sizeof larger);
    CHECK_EQ_STR(larger.address.host, "192.0.2.7");
    for (size_t i = 0; i < sizeof larger.more; i++)
        CHECK_EQ_INT(larger.more[i], 0);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end(loop);
}

/* ---- what is refused ---------------------------------------------------------------------------- */

static void expect_refused(rondo_loop *loop, rondo_future *future, int32_t code, const char *operation)
{
    rondo_error *error = NULL;
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_domain(error), RONDO_DOMAIN_RESOLVER);
    CHECK_EQ_INT(rondo_error_get_code(error), code);
    CHECK_EQ_STR(rondo_error_get_operation(error), operation);
    CHECK_EQ_STR(rondo_error_get_message(error), gai_strerror(code));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
}

KIT_TEST(flags_and_families_that_are_wrong)
{
    rondo_loop *loop = kit_loop();
    struct sockaddr_in in = { .sin_family = AF_INET };
    rondo_future *future = NULL;
    expect_refused(loop, ask(loop, "127.0.0.1", "80", 0, 1 << 30), EAI_BADFLAGS, "getaddrinfo");
    expect_refused(loop, ask(loop, "127.0.0.1", "80", AF_UNIX, 0), EAI_FAMILY, "getaddrinfo");
    expect_refused(loop, ask(loop, "::1", "80", AF_INET, AI_NUMERICHOST), EAI_ADDRFAMILY, "getaddrinfo");
    expect_refused(loop, ask(loop, "no.number", "80", 0, AI_NUMERICHOST), EAI_NONAME, "getaddrinfo");
    expect_refused(loop, ask(loop, "127.0.0.1", "no.number", 0, AI_NUMERICSERV), EAI_NONAME, "getaddrinfo");
    CHECK_OK(rondo_loop_getnameinfo(loop, (void *)&in, sizeof in, 1 << 30, &future));
    expect_refused(loop, future, EAI_BADFLAGS, "getnameinfo");
    in.sin_family = AF_INET6; /* shorter than its family's */
    CHECK_OK(rondo_loop_getnameinfo(loop, (void *)&in, sizeof in, NI_NUMERICHOST | NI_NUMERICSERV, &future));
    expect_refused(loop, future, EAI_FAMILY, "getnameinfo");
    kit_loop_end_with_pool(loop);
}

/* ---- loops that close, and the log --------------------------------------------------------------- */

/* The loop is closed while lookups wait and run: their lists are freed when they come. */
KIT_TEST(the_loop_closes_while_lookups_run)
{
    enum { COUNT = 20 };
    rondo_loop *loop = kit_loop();
    rondo_executor *pool = NULL;
    rondo_future *futures[COUNT];
    for (int i = 0; i < COUNT; i++)
        futures[i] = ask(loop, "localhost", "80", 0, 0);
    CHECK_OK(rondo_loop_get_default_executor(loop, &pool));
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_OK(rondo_executor_shutdown(pool, 0, RONDO_NEVER, NULL));
    CHECK_OK(rondo_executor_release(pool));
    for (int i = 0; i < COUNT; i++) {
        CHECK_EQ_INT(rondo_future_is_done(futures[i]), 0);
        CHECK_OK(rondo_future_release(futures[i]));
    }
    CHECK_OK(rondo_loop_release(loop));
}

static int told[2];

static void count_lookups(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)fields, (void)count, (void)arg;
    if (strncmp(message, "Getting address info localhost:80 took ", 39) == 0)
        told[level == RONDO_LOG_DEBUG ? 0 : 1]++;
}

/* asyncio's levels: DEBUG for a lookup that was fast, INFO for a slow one, and neither outside of debug mode. */
static void look_up(uint32_t flags, double slow, int debug, int info)
{
    rondo_loop_options options = { .size = sizeof options, .flags = flags };
    rondo_loop *loop = NULL;
    told[0] = told[1] = 0;
    CHECK_OK(rondo_loop_new(&options, &loop));
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, (int64_t)(slow * 1e9)));
    rondo_future *future = ask(loop, "localhost", "80", 0, 0);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
    CHECK_EQ_INT(told[0], debug);
    CHECK_EQ_INT(told[1], info);
}

KIT_TEST(the_level_of_a_lookup)
{
    int32_t before = rondo_log_get_level();
    CHECK_OK(rondo_log_set_sink(count_lookups, NULL, NULL));
    CHECK_OK(rondo_log_set_level(RONDO_LOG_DEBUG));
    look_up(RONDO_LOOP_DEBUG, 3600, 1, 0);
    look_up(RONDO_LOOP_DEBUG, 0, 0, 1);
    look_up(0, 0, 0, 0);
    CHECK_OK(rondo_log_set_level(RONDO_LOG_INFO)); /* then a fast one is not worth a line */
    look_up(RONDO_LOOP_DEBUG, 3600, 0, 0);
    CHECK_OK(rondo_log_set_level(before));
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
}
