# oldest: 3.11
# A pass runs exactly the calls that were ready when it began (L-01, L-02, L-04).
from parity import new_loop, say

loop = new_loop()


def a():
    say("a")
    loop.call_soon(say, "c")


loop.call_soon(a)
loop.call_soon(say, "b")
loop.call_soon(loop.stop)
loop.call_soon(say, "after stop, same batch")
loop.run_forever()
say("stopped")
loop.call_soon(loop.stop)
loop.run_forever()
say("stopped")
for name in ("1", "2", "3", "4"):
    loop.call_soon(say, name)
loop.call_soon(loop.stop)
loop.run_forever()
loop.close()
