#!/usr/bin/env python3
"""typed_calls.py - C functions with a loop, from ctypes: typed calls and completers, no Python callback.

memset and labs are called by the loop with arguments that are an array of addresses, which ctypes has
anyway. A completer's function is what a new thread runs, and Python reads the future.
The library is $RONDO_LIBRARY or librondo.so.0.
"""
import ctypes
import os

rondo = ctypes.CDLL(os.environ.get("RONDO_LIBRARY", "librondo.so.0"))
libc = ctypes.CDLL(None)
POINTER = ctypes.c_void_p
rondo.rondo_status_message.restype = ctypes.c_char_p
rondo.rondo_loop_call_soon_typed_array.argtypes = [POINTER, POINTER, POINTER, POINTER, ctypes.c_size_t, POINTER]
rondo.rondo_loop_run_coroutine_threadsafe_typed_array.argtypes = [
    POINTER, POINTER, POINTER, POINTER, ctypes.c_size_t, POINTER]
rondo.rondo_future_completer.argtypes = [POINTER, ctypes.c_char_p, POINTER, POINTER, POINTER, POINTER]
rondo.rondo_thread_future_result_typed.argtypes = [POINTER, ctypes.c_int64, POINTER, ctypes.c_size_t]
for name in ("loop_stop", "loop_run_forever", "loop_release", "future_release", "completer_release",
             "signature_release", "thread_future_release"):
    getattr(rondo, "rondo_" + name).argtypes = [POINTER]


def check(status):
    if status != 0:
        raise SystemExit(rondo.rondo_status_message(status).decode())


def made(function, *args):
    """Call a function whose last parameter is where to put what it makes."""
    out = ctypes.c_void_p()
    check(function(*args, ctypes.byref(out)))
    return out


def addresses(*values):
    return (ctypes.c_void_p * len(values))(*(ctypes.addressof(v) for v in values))


def one_pass(loop):
    check(rondo.rondo_loop_stop(loop))
    check(rondo.rondo_loop_run_forever(loop))


loop = made(rondo.rondo_loop_new, None)

# A call of memset, in the loop's next pass.
buffer = ctypes.create_string_buffer(b"........")
fill = made(rondo.rondo_signature_new, b"ptr(ptr,int,size)")
args = (ctypes.c_void_p(ctypes.addressof(buffer)), ctypes.c_int(ord("x")), ctypes.c_size_t(5))
check(rondo.rondo_loop_call_soon_typed_array(loop, ctypes.cast(libc.memset, POINTER), fill, addresses(*args), 3, None))
one_pass(loop)
print(buffer.value.decode())
check(rondo.rondo_signature_release(fill))

# A call of labs, as a task, whose result is read as a long.
labs = made(rondo.rondo_signature_new, b"long(long)")
number = ctypes.c_long(-42)  # by a name, so that it is there when its address is read
future = made(rondo.rondo_loop_run_coroutine_threadsafe_typed_array, loop, ctypes.cast(libc.labs, POINTER), labs,
              addresses(number), 1)
while not rondo.rondo_thread_future_is_done(future):
    one_pass(loop)
result = ctypes.c_long()
check(rondo.rondo_thread_future_result_typed(future, 0, ctypes.byref(result), ctypes.sizeof(result)))
print(result.value)
check(rondo.rondo_thread_future_release(future))
check(rondo.rondo_signature_release(labs))

# A function for C to call: here as what a thread of pthread_create() runs.
future = made(rondo.rondo_future_new, loop)
completer = made(rondo.rondo_future_completer, future, b"ptr(str)", None, None, None)
function = made(rondo.rondo_completer_get_function, completer)
thread = ctypes.c_ulong()
check(libc.pthread_create(ctypes.byref(thread), None, function, ctypes.c_char_p(b"from another thread")))
while not rondo.rondo_future_is_done(future):
    one_pass(loop)
values = made(rondo.rondo_future_result, future)
first = ctypes.cast(values, ctypes.POINTER(ctypes.POINTER(ctypes.c_char_p)))[0]
print(first[0].decode())
libc.pthread_join(thread, None)
check(rondo.rondo_completer_release(completer))
check(rondo.rondo_future_release(future))
check(rondo.rondo_loop_close(loop, None))
check(rondo.rondo_loop_release(loop))
