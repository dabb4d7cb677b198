/*
 * howto_coroutine_object.c - the HOWTO's hello_printer() and loudmouth_penguin().
 *
 * Calling a function runs it. Making a coroutine object runs nothing: the penguin is silent until
 * somebody drives the coroutine, here by hand with send.
 */
#include <rondo.h>
#include <stdio.h>

static void hello_printer(void)
{
    puts("Hi, I am a lowly, simple printer, though I have all I need in life --\n"
         "fresh paper and my dearly beloved octopus partner in crime.");
}

static rondo_step loudmouth_penguin(rondo_coroutine *co, void *frame, void *sent,
                                    rondo_error *thrown)
{
    const int *magic_number = frame;
    (void)co, (void)sent, (void)thrown;
    printf("I am a super special talking penguin. Far cooler than that printer. "
           "By the way, my lucky number is: %d.\n", *magic_number);
    return RONDO_STEP_RETURN;
}

int main(void)
{
    int magic_number = 3;
    rondo_coroutine *coroutine = NULL;
    rondo_step step = RONDO_STEP_RAISE;
    rondo_status status;

    hello_printer();
    status = rondo_coroutine_new("loudmouth_penguin", loudmouth_penguin, &magic_number, NULL,
                                 &coroutine);
    if (status == RONDO_OK) {
        printf("<coroutine object loudmouth_penguin at %p>\n", (void *)coroutine);
        status = rondo_coroutine_send(coroutine, NULL, &step, NULL, NULL);
    }
    if (status != RONDO_OK)
        fprintf(stderr, "%s\n", rondo_status_message(status));
    if (rondo_coroutine_release(coroutine) != RONDO_OK)
        return 1;
    return step == RONDO_STEP_RETURN ? 0 : 1;
}
