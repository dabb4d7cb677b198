/* resolve.c - getaddrinfo and getnameinfo on the loop. No network: numbers, localhost, and what must fail. */
#include "coro.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

static rondo_future *ask(rondo_loop *loop, const char *host, const char *service, int32_t flags)
{
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_getaddrinfo(loop, host, service, 0, SOCK_STREAM, 0, flags, &future));
    return future;
}

static rondo_status finish(rondo_loop *loop, rondo_future *future, void *out_value)
{
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    return rondo_future_result(future, out_value);
}

static void expect_address(const struct addrinfo *list, const char *address, int port)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (list->ai_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)list->ai_addr;
        CHECK(inet_ntop(AF_INET, &in->sin_addr, text, sizeof text) != NULL);
        CHECK_EQ_INT(ntohs(in->sin_port), port);
    } else {
        const struct sockaddr_in6 *in = (const void *)list->ai_addr;
        CHECK_EQ_INT(list->ai_family, AF_INET6);
        CHECK(inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text) != NULL);
        CHECK_EQ_INT(ntohs(in->sin6_port), port);
    }
    CHECK_EQ_STR(text, address);
    CHECK_EQ_INT(list->ai_socktype, SOCK_STREAM);
}

/* Numbers need no thread: the future is done when it is given out. */
KIT_TEST(numbers_at_once)
{
    rondo_loop *loop = kit_loop();
    struct { const char *host, *service, *address; int port; int32_t flags; } cases[] = {
        { "127.0.0.1", "80", "127.0.0.1", 80, 0 },
        { "::1", "65535", "::1", 65535, 0 },
        { "192.0.2.7", NULL, "192.0.2.7", 0, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct addrinfo *list = NULL;
        rondo_future *future = ask(loop, cases[i].host, cases[i].service, cases[i].flags);
        CHECK(rondo_future_is_done(future));
        CHECK_OK(rondo_future_result(future, (void **)&list));
        expect_address(list, cases[i].address, cases[i].port);
        CHECK_OK(rondo_future_release(future));
    }
    kit_loop_end(loop); /* no thread was started: the kit looks */
}

KIT_TEST(the_value_can_be_taken)
{
    rondo_loop *loop = kit_loop();
    struct addrinfo *list = NULL;
    rondo_future *future = ask(loop, "127.0.0.1", "7", 0);
    CHECK_OK(rondo_future_take_result(future, (void **)&list));
    CHECK_OK(rondo_future_release(future));
    expect_address(list, "127.0.0.1", 7);
    CHECK_OK(rondo_addrinfo_free(list));
    CHECK_OK(rondo_addrinfo_free(NULL));
    kit_loop_end(loop);
}

KIT_TEST(localhost_by_a_worker)
{
    rondo_loop *loop = kit_loop();
    struct addrinfo *list = NULL;
    rondo_future *future = ask(loop, "localhost", "80", AI_CANONNAME);
    CHECK(!rondo_future_is_done(future));
    CHECK_OK(finish(loop, future, &list));
    CHECK(list != NULL && list->ai_canonname != NULL);
    expect_address(list, list->ai_family == AF_INET ? "127.0.0.1" : "::1", 80);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

KIT_TEST(what_the_resolver_refuses)
{
    rondo_loop *loop = kit_loop();
    rondo_error *error = NULL;
    rondo_future *future = NULL;
    CHECK_OK(rondo_loop_getaddrinfo(loop, "127.0.0.1", "80", 12345, 0, 0, 0, &future));
    CHECK_STATUS(finish(loop, future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_domain(error), RONDO_DOMAIN_RESOLVER);
    CHECK_EQ_INT(rondo_error_get_code(error), EAI_FAMILY);
    CHECK_EQ_INT(rondo_error_get_status(error), RONDO_E_RESOLVER);
    CHECK_EQ_STR(rondo_error_get_operation(error), "getaddrinfo");
    CHECK_EQ_STR(rondo_error_get_message(error), gai_strerror(EAI_FAMILY));
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_loop_getaddrinfo(loop, "not a number", NULL, 0, 0, 0, AI_NUMERICHOST, &future));
    CHECK_STATUS(finish(loop, future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_exception(future, &error));
    CHECK_EQ_INT(rondo_error_get_code(error), EAI_NONAME);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
}

/* F80: nothing is truncated, nothing is allocated for nonsense. */
KIT_TEST(bad_names)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    char *long_name = malloc(65537);
    CHECK(long_name != NULL);
    memset(long_name, 'x', 65536);
    long_name[65536] = '\0';
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, NULL, NULL, 0, 0, 0, 0, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, "", "80", 0, 0, 0, 0, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, "127.0.0.1", "65536", 0, 0, 0, 0, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, "127.0.0.1", "4294967376", 0, 0, 0, 0, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, "localhost", "99999999999999999999999", 0, 0, 0, 0, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, "127.0.0.1", "80", 0, 0, 0, 0, NULL), -EINVAL);
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, long_name, NULL, 0, 0, 0, 0, &future), -ENAMETOOLONG);
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, "127.0.0.1", long_name, 0, 0, 0, 0, &future), -ENAMETOOLONG);
    long_name[300] = '\0'; /* longer than a name may be: the resolver's own affair */
    CHECK_OK(rondo_loop_getaddrinfo(loop, long_name, NULL, 0, 0, 0, AI_NUMERICHOST, &future));
    CHECK_STATUS(finish(loop, future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_release(future));
    free(long_name);
    kit_loop_end_with_pool(loop);
}

/* As Python's gaierror: the number first. */
KIT_TEST(a_failed_lookup_describes_itself)
{
    char text[200], expected[200];
    rondo_error *error = NULL;
    CHECK_OK(rondo_error_new(RONDO_DOMAIN_RESOLVER, EAI_NONAME, gai_strerror(EAI_NONAME), &error));
    CHECK_EQ_INT(rondo_error_get_status(error), RONDO_E_RESOLVER);
    CHECK_OK(rondo_error_set_operation(error, "getaddrinfo"));
    CHECK_OK(rondo_error_describe(error, text, sizeof text, NULL));
    snprintf(expected, sizeof expected, "gaierror(%d, '%s') in getaddrinfo", EAI_NONAME, gai_strerror(EAI_NONAME));
    CHECK_EQ_STR(text, expected);
    CHECK_OK(rondo_error_release(error));
}

KIT_TEST(cancelled_and_closed)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = ask(loop, "localhost", "80", 0);
    CHECK_OK(rondo_future_cancel(future, NULL, NULL));
    CHECK_STATUS(rondo_future_result(future, NULL), RONDO_E_CANCELLED);
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);

    loop = kit_loop();
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_getaddrinfo(loop, "127.0.0.1", "80", 0, 0, 0, 0, &future), RONDO_E_LOOP_CLOSED);
    CHECK_OK(rondo_loop_release(loop));
}

KIT_TEST(names_of_addresses)
{
    rondo_loop *loop = kit_loop();
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(8080) };
    rondo_name_info *info = NULL;
    rondo_future *future = NULL;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_OK(rondo_loop_getnameinfo(loop, (void *)&in, sizeof in, NI_NUMERICHOST | NI_NUMERICSERV, &future));
    CHECK(rondo_future_is_done(future));
    CHECK_OK(rondo_future_result(future, (void **)&info));
    CHECK_EQ_STR(info->host, "127.0.0.1");
    CHECK_EQ_STR(info->service, "8080");
    CHECK_OK(rondo_future_release(future));

    CHECK_OK(rondo_loop_getnameinfo(loop, (void *)&in, sizeof in, NI_NUMERICSERV, &future));
    CHECK_OK(finish(loop, future, &info));
    CHECK(info->host[0] != '\0');
    CHECK_EQ_STR(info->service, "8080");
    CHECK_OK(rondo_future_release(future));

    in.sin_family = 12345;
    CHECK_STATUS(rondo_loop_getnameinfo(loop, (void *)&in, sizeof in, 0, &future), -EAFNOSUPPORT);
    in.sin_family = AF_UNIX;
    CHECK_STATUS(rondo_loop_getnameinfo(loop, (void *)&in, sizeof in, 0, &future), -EAFNOSUPPORT);
    in.sin_family = AF_INET6; /* an address that is too short for its family */
    CHECK_OK(rondo_loop_getnameinfo(loop, (void *)&in, sizeof in, NI_NUMERICHOST | NI_NUMERICSERV, &future));
    CHECK_STATUS(finish(loop, future, NULL), RONDO_E_RAISED);
    CHECK_OK(rondo_future_release(future));
    CHECK_STATUS(rondo_loop_getnameinfo(loop, (void *)&in, 0, 0, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_getnameinfo(loop, (void *)&in, 100000, 0, &future), -EINVAL);
    CHECK_STATUS(rondo_loop_getnameinfo(loop, NULL, sizeof in, 0, &future), -EINVAL);
    kit_loop_end_with_pool(loop);
}

static int logged;

static void count_log(int32_t level, const char *message, const rondo_log_field *fields, size_t count, void *arg)
{
    (void)fields, (void)count, (void)arg;
    if (strncmp(message, "Getting address info localhost:80 took ", 39) == 0) {
        CHECK_EQ_INT(level, RONDO_LOG_INFO);
        logged++;
    }
}

KIT_TEST(debug_mode_logs_lookups)
{
    rondo_loop_options options = { .size = sizeof options, .flags = RONDO_LOOP_DEBUG };
    rondo_loop *loop = NULL;
    logged = 0;
    CHECK_OK(rondo_log_set_sink(count_log, NULL, NULL));
    CHECK_OK(rondo_loop_new(&options, &loop));
    CHECK_OK(rondo_loop_set_slow_callback_duration(loop, 0));
    rondo_future *future = ask(loop, "localhost", "80", 0);
    CHECK_OK(finish(loop, future, NULL));
    CHECK_OK(rondo_future_release(future));
    kit_loop_end_with_pool(loop);
    CHECK_OK(rondo_log_set_sink(NULL, NULL, NULL));
    CHECK_EQ_INT(logged, 1);
}
