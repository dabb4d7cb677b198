#!/usr/bin/env python3
"""hello.py - rondo from ctypes, with no C compiler: one task that says hello, sleeps, and ends.

The library is $RONDO_LIBRARY or librondo.so.0. A coroutine is a step callback: it is called again
and again and answers each time with an action, here "sleep" and then "return".
"""
import ctypes
import os

STEP = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)

rondo = ctypes.CDLL(os.environ.get("RONDO_LIBRARY", "librondo.so.0"))
rondo.rondo_coroutine_sleep.argtypes = [ctypes.c_void_p, ctypes.c_int64]
rondo.rondo_coroutine_new.argtypes = [ctypes.c_char_p, STEP, ctypes.c_void_p, ctypes.c_void_p,
                                      ctypes.POINTER(ctypes.c_void_p)]
rondo.rondo_run.argtypes = [ctypes.c_void_p] * 4
rondo.rondo_status_message.restype = ctypes.c_char_p

RETURN = 0  # RONDO_STEP_RETURN


def check(status):
    if status != 0:
        raise SystemExit(rondo.rondo_status_message(status).decode())


words = ["hello ...", "... from Python"]


@STEP  # the name "hello" keeps the callback alive for as long as the library may call it
def hello(co, frame, sent, thrown):
    print(words.pop(0), flush=True)
    return rondo.rondo_coroutine_sleep(co, 100_000_000) if words else RETURN


coroutine = ctypes.c_void_p()
check(rondo.rondo_coroutine_new(b"hello", hello, None, None, ctypes.byref(coroutine)))
check(rondo.rondo_run(coroutine, None, None, None))
