# oldest: 3.11
# A running loop runs no second time, and no second loop runs in its thread (L-06, L-07).
import asyncio
from parity import attempt, new_loop, say

loop = new_loop()
second = new_loop()


def inside():
    # Not run_forever: in CPython 3.13.0 its refusal forgets that the loop is running.
    attempt("same loop", loop.run_until_complete, loop.create_future())
    attempt("other loop", second.run_until_complete, second.create_future())
    say(f"running loop unchanged: {int(asyncio.get_running_loop() is loop)}")
    say(f"running: {int(loop.is_running())} {int(second.is_running())}")
    attempt("close", loop.close)
    loop.stop()


attempt("outside", asyncio.get_running_loop)
loop.call_soon(inside)
loop.run_forever()
say(f"running: {int(loop.is_running())}")
second.close()
loop.close()
