# oldest: 3.11
# stop() before a run: exactly one pass, even though it leaves work.
from parity import new_loop, say

loop = new_loop()


def again(n):
    say(f"pass {n}")
    if n < 5:
        loop.call_soon(again, n + 1)


loop.stop()
loop.call_soon(again, 1)
loop.call_later(3600, say, "never")
loop.run_forever()
say("back")
loop.stop()
loop.stop()
loop.run_forever()
say("back")
loop.call_soon(loop.stop)
loop.run_forever()
say("back")
loop.close()
