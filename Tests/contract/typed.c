/* typed.c - typed calls: the grammar, copies, what moves, results, errors. For types see typed_matrix.c. */
#define _GNU_SOURCE
#include "kit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- the grammar ----------------------------------------------------------------------------- */

static void check_text(const char *text, size_t position, const char *expected)
{
    char buffer[128] = "";
    size_t at = 999, size = 999;
    rondo_signature *signature = NULL;
    CHECK_OK(rondo_signature_check(text, &at, buffer, sizeof buffer, &size));
    CHECK_EQ_STR(buffer, expected);
    CHECK_EQ_INT(at, position);
    CHECK_EQ_INT(size, strlen(expected));
    rondo_status status = rondo_signature_new(text, &signature);
    CHECK_STATUS(status, expected[0] == '\0' ? RONDO_OK : RONDO_E_BAD_SIGNATURE);
    CHECK_EQ_INT(signature != NULL, status == RONDO_OK);
    CHECK_OK(rondo_signature_release(signature));
}

KIT_TEST(positions_of_mistakes)
{
    check_text("void()", 6, "");
    check_text(" i32 ( ptr , { u8 [ 4 ] , f64 } , ... , int ) ", 46, "");
    check_text("", 0, "at 0: a type expected");
    check_text("void", 4, "at 4: '(' expected");
    check_text("i32(ptr,u63)", 8, "at 8: unknown type");
    check_text("i32(ptr", 7, "at 7: ',' or ')' expected");
    check_text("i32(ptr,)", 8, "at 8: a type expected");
    check_text("i32(ptr)x", 8, "at 8: the end expected");
    check_text("void(void)", 5, "at 5: the type of a result only");
    check_text("void(coro)", 5, "at 5: the type of a result only");
    check_text("own()", 0, "at 0: not the type of a result");
    check_text("void({})", 6, "at 6: a type expected");
    check_text("void({i8)", 8, "at 8: ',' or '}' expected");
    check_text("void({str})", 6, "at 6: not the type of a member");
    check_text("void({i8[0]})", 10, "at 10: a number expected");
    check_text("void({i8[x]})", 9, "at 9: a number expected");
    check_text("void({i8[4})", 10, "at 10: ']' expected");
    check_text("void({i8[99999999999999999999]})", 13, "at 13: too many elements");
    check_text("void(...)", 5, "at 5: a parameter expected before '...'");
    check_text("void(int,...)", 12, "at 12: types expected behind '...'");
    check_text("void(int,..,int)", 9, "at 9: '...' expected");
    check_text("void(int,...,f32)", 13, "at 13: C passes no narrower type than int and double here");
    check_text("void(int,...,int,...)", 17, "at 17: a second '...'");
    check_text("void(user,user)", 10, "at 10: a second user");
    check_text("void({{{{{{{{{{{{{{{{{i8}}}}}}}}}}}}}}}}})", 22, "at 22: too deep");
    CHECK_STATUS(rondo_signature_check(NULL, NULL, NULL, 0, NULL), -EINVAL);
    CHECK_STATUS(rondo_signature_new(NULL, NULL), -EINVAL);
}

/* As many parameters as there may be, and one more; a text that is too long; a struct too large. */
KIT_TEST(limits)
{
    char text[8192], *at = text + sprintf(text, "void(i8");
    for (int i = 1; i < 100; i++)
        at += sprintf(at, ",i8");
    strcpy(at, ")");
    check_text(text, strlen(text), "");
    strcpy(at, ",i8)");
    check_text(text, strlen(text) - 1, "at 307: too many parameters");
    memset(text, ' ', sizeof text);
    strcpy(text + 5000, "void()");
    check_text(text, 4096, "at 4096: too long");
    check_text("void({f64[1000]})", 17, "");
    check_text("void({f64[2000]})", 14, "at 14: too many elements");
    check_text("void({c128[1000]},{c128[20]})", 28, "at 28: too many types");
}

/* ---- what arrives ---------------------------------------------------------------------------- */

static char arrived[256];

static void text_and_bytes(const char *text, const void *bytes, size_t size, int32_t number)
{
    snprintf(arrived, sizeof arrived, "%s|%.*s|%d", text != NULL ? text : "NULL", (int)size,
             bytes != NULL ? (const char *)bytes : "", number);
}

KIT_TEST(texts_and_bytes_are_copied)
{
    rondo_loop *loop = kit_loop();
    char text[] = "text", bytes[] = "bytes";
    CHECK_OK(rondo_loop_call_soon_typed(loop, RONDO_ANY(text_and_bytes), "void(str,bytes,i32)", text, bytes,
                                        (size_t)4, -7));
    memset(text, 'x', 4);
    memset(bytes, 'x', 5);
    kit_pass(loop);
    CHECK_EQ_STR(arrived, "text|byte|-7");
    CHECK_OK(rondo_loop_call_soon_typed(loop, RONDO_ANY(text_and_bytes), "void(str,bytes,i32)", NULL, NULL,
                                        (size_t)0, 1));
    kit_pass(loop);
    CHECK_EQ_STR(arrived, "NULL||1");
    CHECK_STATUS(rondo_loop_call_soon_typed(loop, RONDO_ANY(text_and_bytes), "void(str,bytes,i32)", "",
                                            "", SIZE_MAX, 1), -ENOMEM);
    kit_loop_end(loop);
}

/* snprintf itself, with its "...". */
KIT_TEST(variadic_functions)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_future *future = NULL;
    char buffer[64] = "";
    int32_t written = 0;
    CHECK_OK(rondo_loop_run_coroutine_threadsafe_typed(
        loop, &future, RONDO_ANY(snprintf), "int(ptr,size,str,...,int,f64,str,i64)", buffer, sizeof buffer,
        "%d %.2f %s %lld", 42, 2.5, "words", INT64_C(-5)));
    while (!rondo_thread_future_is_done(future))
        kit_pass(loop);
    CHECK_EQ_STR(buffer, "42 2.50 words -5");
    CHECK_OK(rondo_thread_future_result_typed(future, 0, &written, sizeof written));
    CHECK_EQ_INT(written, 16);
    CHECK_OK(rondo_thread_future_release(future));
    kit_loop_end(loop);
}

/* ---- what moves ------------------------------------------------------------------------------ */

static void use_own(void *own, int32_t number)
{
    kit_log("use%s%d", (const char *)own, number);
}

static void drop_own(void *own)
{
    kit_log("drop%s", (const char *)own);
}

KIT_TEST(own_is_dropped_once_after_the_call)
{
    rondo_loop *loop = kit_loop();
    rondo_handle *handle = NULL;
    rondo_signature *signature = NULL;
    void *own = "C";
    rondo_drop_fn drop = drop_own;
    int32_t number = 3;
    const void *args[] = { &own, &drop, &number };
    CHECK_OK(rondo_loop_call_soon_typed(loop, RONDO_ANY(use_own), "void(own,i32)", "A", drop_own, 1));
    CHECK_OK(rondo_loop_call_soon_threadsafe_typed(loop, RONDO_ANY(use_own), "void(own,i32)", "B", drop_own, 2));
    kit_pass(loop);
    kit_expect_log("useA1 dropA useB2 dropB");
    CHECK_OK(rondo_signature_new("void(own,i32)", &signature));
    CHECK_OK(rondo_loop_call_soon_typed_array(loop, RONDO_ANY(use_own), signature, args, 3, &handle));
    CHECK_OK(rondo_handle_cancel(handle));
    kit_expect_log("dropC");
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_later_typed_array(loop, 1000, RONDO_ANY(use_own), signature, args, 3, &handle));
    CHECK_OK(rondo_handle_release(handle));
    CHECK_OK(rondo_loop_call_at_typed(loop, RONDO_NEVER, RONDO_ANY(use_own), "void(own,i32)", "D", drop_own, 4));
    CHECK_OK(rondo_signature_release(signature));
    kit_loop_drop(loop); /* what never ran is dropped, too */
    kit_expect_log("dropC dropD");
}

static void own_elsewhere(void *arg)
{
    CHECK_STATUS(rondo_loop_call_soon_typed(arg, RONDO_ANY(use_own), "void(own,i32)", "W", drop_own, 1),
                 RONDO_E_WRONG_THREAD);
}

/* Refusals drop what they were given, once, unless nobody can know what it was. */
KIT_TEST(own_is_dropped_on_failure)
{
    rondo_loop *loop = kit_loop();
    rondo_signature *signature = NULL;
    void *own = "F";
    rondo_drop_fn drop = drop_own;
    const void *args[] = { &own, &drop, NULL };
    kit_in_thread(own_elsewhere, loop);
    kit_expect_log("dropW");
    CHECK_STATUS(rondo_loop_call_soon_typed(loop, NULL, "void(own,i32)", "N", drop_own, 1), -EINVAL);
    kit_expect_log("dropN");
    CHECK_STATUS(rondo_loop_call_soon_typed(NULL, RONDO_ANY(use_own), "void(own,i32)", "L", drop_own, 1), -EINVAL);
    kit_expect_log("dropL");
    CHECK_STATUS(rondo_loop_call_soon_typed(loop, RONDO_ANY(use_own), "void(own,{i32})", "S", drop_own, NULL),
                 -EINVAL);
    kit_expect_log("dropS");
    CHECK_STATUS(rondo_loop_call_soon_typed(loop, RONDO_ANY(use_own), "coro(own)", "C", drop_own), -EINVAL);
    kit_expect_log("dropC");
    CHECK_STATUS(rondo_loop_call_soon_typed(loop, RONDO_ANY(use_own), "void(own,i33)", "B", drop_own, 1),
                 RONDO_E_BAD_SIGNATURE);
    CHECK_OK(rondo_signature_new("void(own,i32)", &signature));
    CHECK_STATUS(rondo_loop_call_soon_typed_array(loop, RONDO_ANY(use_own), signature, args, 2, NULL), -EINVAL);
    CHECK_STATUS(rondo_loop_call_soon_typed_array(loop, RONDO_ANY(use_own), signature, NULL, 3, NULL), -EINVAL);
    kit_expect_log("");
    CHECK_STATUS(rondo_loop_call_soon_typed_array(loop, RONDO_ANY(use_own), signature, args, 3, NULL), -EINVAL);
    kit_expect_log("dropF");
    CHECK_OK(rondo_loop_close(loop, NULL));
    CHECK_STATUS(rondo_loop_call_soon_threadsafe_typed(loop, RONDO_ANY(use_own), "void(own,i32)", "X", drop_own, 1),
                 RONDO_E_LOOP_CLOSED);
    kit_expect_log("dropX");
    CHECK_OK(rondo_signature_release(signature));
    kit_loop_end(loop);
}

/* ---- results and coroutines ------------------------------------------------------------------ */

static char *some_text(void) { return arrived; }

/* A text is copied when it is returned; read typed, it is a char *. */
KIT_TEST(a_text_as_a_result_is_a_copy)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_future *future = NULL;
    rondo_future *wrapped = NULL;
    const char *text = NULL;
    strcpy(arrived, "returned");
    CHECK_OK(rondo_loop_run_coroutine_threadsafe_typed(loop, &future, RONDO_ANY(some_text), "str()"));
    while (!rondo_thread_future_is_done(future))
        kit_pass(loop);
    strcpy(arrived, "changed since");
    CHECK_OK(rondo_thread_future_result_typed(future, 0, &text, sizeof text));
    CHECK_EQ_STR(text, "returned");
    CHECK_STATUS(rondo_thread_future_result_typed(future, 0, NULL, sizeof text), -EINVAL);
    CHECK_OK(rondo_wrap_future(loop, future, &wrapped));
    kit_pass(loop);
    CHECK_STATUS(rondo_future_result_typed(wrapped, &text, sizeof text), RONDO_E_TYPE); /* it is borrowed there */
    CHECK_OK(rondo_future_release(wrapped));
    CHECK_OK(rondo_thread_future_release(future));
    kit_loop_end(loop);
}

KIT_TEST(results_that_are_not_typed)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_future *plain = NULL;
    rondo_future *future = NULL;
    int32_t result = 0;
    CHECK_OK(rondo_future_new(loop, &future));
    CHECK_STATUS(rondo_future_result_typed(future, &result, sizeof result), RONDO_E_INVALID_STATE);
    CHECK_OK(rondo_future_set_result(future, &result, NULL));
    CHECK_STATUS(rondo_future_result_typed(future, &result, sizeof result), RONDO_E_TYPE);
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_thread_future_new(&plain));
    CHECK_STATUS(rondo_thread_future_result_typed(plain, 0, &result, sizeof result), RONDO_E_TIMEOUT);
    CHECK_OK(rondo_thread_future_set_result(plain, NULL, NULL));
    CHECK_STATUS(rondo_thread_future_result_typed(plain, 0, &result, sizeof result), RONDO_E_TYPE);
    CHECK_OK(rondo_thread_future_release(plain));
    kit_loop_end(loop);
}

static rondo_step twice(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
{
    int32_t *number = frame;
    (void)sent;
    if (thrown != NULL)
        return rondo_coroutine_raise(co, thrown);
    if (*number < 100) {
        *number *= 2;
        return *number < 100 ? rondo_coroutine_sleep(co, 0) : rondo_coroutine_sleep(co, 0);
    }
    return rondo_coroutine_return(co, strdup("over a hundred"), free);
}

static rondo_coroutine *make_twice(int32_t number)
{
    rondo_coroutine *made = NULL;
    void *frame = NULL;
    CHECK_OK(rondo_coroutine_new_with_frame("twice", twice, sizeof number, NULL, &frame, &made));
    memcpy(frame, &number, sizeof number);
    return made;
}

/* what makes a coroutine is no callback, also without debug mode; nothing is called. */
KIT_TEST(X14_a_coroutine_function_is_no_callback)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    CHECK_STATUS(rondo_loop_call_soon_typed(loop, RONDO_ANY(make_twice), "coro(i32)", 3), -EINVAL);
    CHECK_STATUS(rondo_loop_call_later_typed(loop, 1, RONDO_ANY(make_twice), "coro(i32)", 3), -EINVAL);
    CHECK_STATUS(rondo_loop_call_at_typed(loop, 1, RONDO_ANY(make_twice), "coro(i32)", 3), -EINVAL);
    CHECK_STATUS(rondo_loop_call_soon_threadsafe_typed(loop, RONDO_ANY(make_twice), "coro(i32)", 3), -EINVAL);
    CHECK_STATUS(rondo_loop_run_in_executor_typed(loop, NULL, &future, RONDO_ANY(make_twice), "coro(i32)", 3),
                 -EINVAL);
    CHECK_EQ_PTR(future, NULL);
    kit_pass(loop);
    kit_loop_end(loop);
}

static rondo_coroutine *make_none(void) { return NULL; }

/* A function that makes a coroutine, on the loop's thread, and the coroutine's own result. */
KIT_TEST(a_coroutine_made_on_the_loop)
{
    rondo_loop *loop = kit_loop();
    rondo_thread_future *future = NULL;
    rondo_error *error = NULL;
    void *value = NULL;
    CHECK_OK(rondo_loop_run_coroutine_threadsafe_typed(loop, &future, RONDO_ANY(make_twice), "coro(i32)", 3));
    while (!rondo_thread_future_is_done(future))
        kit_pass(loop);
    CHECK_OK(rondo_thread_future_result(future, 0, &value));
    CHECK_EQ_STR(value, "over a hundred");
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_OK(rondo_loop_run_coroutine_threadsafe_typed(loop, &future, RONDO_ANY(make_none), "coro()"));
    while (!rondo_thread_future_is_done(future))
        kit_pass(loop);
    CHECK_OK(rondo_thread_future_exception(future, 0, &error));
    CHECK_STATUS(rondo_error_get_status(error), RONDO_E_TYPE);
    CHECK_OK(rondo_error_release(error));
    CHECK_OK(rondo_thread_future_release(future));
    CHECK_OK(rondo_loop_run_coroutine_threadsafe_typed(loop, &future, RONDO_ANY(make_twice), "coro(i32)", 3));
    CHECK_OK(rondo_loop_close(loop, NULL)); /* it never runs */
    CHECK_STATUS(rondo_thread_future_result(future, 0, NULL), RONDO_E_CANCELLED);
    CHECK_OK(rondo_thread_future_release(future));
    kit_catch_log();
    kit_loop_end(loop);
}

/* ---- in an executor -------------------------------------------------------------------------- */

struct pair {
    int32_t number;
    double half;
};

static struct pair halve(const char *text, int32_t number, void *own)
{
    kit_log("%s%s", text, (const char *)own);
    return (struct pair){ number, number / 2.0 };
}

static double twice_as_much(double number) { return number * 2; }

KIT_TEST(results_of_an_executor)
{
    rondo_loop *loop = kit_loop();
    rondo_future *future = NULL;
    rondo_signature *signature = NULL;
    struct pair pair = { 0, 0 };
    char text[] = "text";
    double result = 0;
    const void *args[] = { &(double){ 2.5 } };
    CHECK_OK(rondo_loop_run_in_executor_typed(loop, NULL, &future, RONDO_ANY(halve), "{i32,f64}(str,i32,own)",
                                              text, 7, "own", drop_own));
    memset(text, 'x', 4);
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_OK(rondo_future_result_typed(future, &pair, sizeof pair));
    CHECK_EQ_INT(pair.number, 7);
    CHECK(pair.half == 3.5);
    kit_expect_log("textown dropown");
    CHECK_OK(rondo_future_release(future));
    CHECK_OK(rondo_signature_new("f64(f64)", &signature));
    CHECK_OK(rondo_loop_run_in_executor_typed_array(loop, NULL, RONDO_ANY(twice_as_much), signature, args, 1, &future));
    CHECK_OK(rondo_loop_run_until_complete(loop, future, NULL));
    CHECK_OK(rondo_future_result_typed(future, &result, sizeof result));
    CHECK(result == 5.0);
    CHECK_OK(rondo_future_release(future));
    CHECK_STATUS(rondo_loop_run_in_executor_typed(loop, NULL, &future, RONDO_ANY(halve), "coro(own)", "C", drop_own),
                 -EINVAL);
    CHECK_STATUS(rondo_loop_run_in_executor_typed(loop, (rondo_executor *)loop, &future, RONDO_ANY(halve),
                                                  "void(own)", "E", drop_own), RONDO_E_BAD_HANDLE);
    kit_expect_log("dropC dropE");
    CHECK_OK(rondo_signature_release(signature));
    kit_loop_drop(loop);
}

/* ---- from threads, and very many signatures ---------------------------------------------------- */

static int64_t sum;

static void add(int32_t a, double b, int64_t c) { sum += a + (int64_t)b + c; }

static void *add_often(void *arg)
{
    for (int i = 0; i < kit_rounds(1000); i++)
        CHECK_OK(rondo_loop_call_soon_threadsafe_typed(arg, RONDO_ANY(add), "void(i32,f64,i64)", 1, 2.0,
                                                       INT64_C(3)));
    return NULL;
}

KIT_TEST(calls_from_threads)
{
    rondo_loop *loop = kit_loop();
    pthread_t threads[4];
    sum = 0;
    for (int i = 0; i < 4; i++)
        threads[i] = kit_thread_start(add_often, loop);
    for (int i = 0; i < 4; i++)
        kit_thread_join(threads[i]);
    kit_pass(loop);
    CHECK_EQ_INT(sum, 4LL * 6 * kit_rounds(1000));
    kit_loop_end(loop);
}

static void *prepare_many(void *arg)
{
    static const char *const types[] = { "i8", "i16", "i32", "i64", "f32", "f64", "ptr" };
    for (int i = 0; i < 7 * 7 * 7 * 7; i++) {
        char text[64];
        rondo_signature *signature = NULL;
        size_t count = 0;
        sprintf(text, "void(%s,%s,%s,%s)", types[i % 7], types[i / 7 % 7], types[i / 49 % 7], types[i / 343]);
        CHECK_OK(rondo_signature_new(text, &signature));
        CHECK_OK(rondo_signature_retain(signature));
        CHECK_OK(rondo_signature_release(signature));
        CHECK_OK(rondo_signature_get_sizes(signature, &count, NULL));
        CHECK_EQ_INT(count, 4);
        CHECK_OK(rondo_signature_release(signature));
    }
    return arg;
}

/* More than the table of signatures takes, from several threads at once. */
KIT_TEST(more_signatures_than_are_kept)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = kit_thread_start(prepare_many, NULL);
    for (int i = 0; i < 4; i++)
        kit_thread_join(threads[i]);
    rondo_loop *loop = kit_loop();
    sum = 0; /* one that finds no place any more works as well */
    CHECK_OK(rondo_loop_call_soon_typed(loop, RONDO_ANY(add), "void( i32 , f64 , i64 )", 1, 2.0, INT64_C(3)));
    CHECK_OK(rondo_loop_call_soon_typed(loop, RONDO_ANY(add), "void(i32, f64, i64)", 1, 2.0, INT64_C(3)));
    kit_pass(loop);
    CHECK_EQ_INT(sum, 12);
    kit_loop_end(loop);
}
