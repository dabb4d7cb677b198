# oldest: 3.11
# run_until_complete of something that stays pending: an error, and it can be run again (L-05).
from parity import attempt, new_loop, outcome, say

loop = new_loop()
future = loop.create_future()
loop.call_soon(loop.stop)
attempt("first", loop.run_until_complete, future)
outcome("future", future)
loop.call_soon(future.set_result, "late")
attempt("second", loop.run_until_complete, future)
outcome("future", future)
# Done already: still one pass, which runs what is ready.
loop.call_soon(say, "ready before")
attempt("third", loop.run_until_complete, future)
# The stop comes in the same batch as the end: the end wins.
other = loop.create_future()
loop.call_soon(other.set_result, "x")
loop.call_soon(loop.call_soon, loop.stop)
attempt("fourth", loop.run_until_complete, other)
outcome("other", other)
loop.close()
