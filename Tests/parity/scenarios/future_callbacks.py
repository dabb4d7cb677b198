# oldest: 3.11
# Done callbacks: in order, through call_soon, never inline (F-06).
import functools
from parity import new_loop, outcome, say

loop = new_loop()
future = loop.create_future()
for name in ("first", "second"):
    future.add_done_callback(functools.partial(outcome, name))


def third(future):
    say("third")
    future.add_done_callback(functools.partial(outcome, "added by third"))


future.add_done_callback(third)
loop.call_soon(say, "soon before")
future.set_result("x")
say("set")
loop.call_soon(say, "soon after")
future.add_done_callback(functools.partial(outcome, "added when done"))
loop.call_soon(loop.call_soon, loop.stop)
loop.run_forever()
loop.close()
