# oldest: 3.11
# A due timer joins after what is ready, and what it schedules waits a pass (T-01, T-06).
from parity import new_loop, say

loop = new_loop()


def timer():
    say("timer")
    loop.call_soon(say, "soon of the timer")
    loop.call_later(0, say, "timer of the timer")
    loop.call_soon(loop.call_soon, loop.stop)


loop.call_later(0, timer)
loop.call_soon(say, "soon 1")
loop.call_soon(say, "soon 2")
loop.run_forever()
loop.close()
