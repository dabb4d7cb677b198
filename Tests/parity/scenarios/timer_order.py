# oldest: 3.11
# Timers fire by deadline; cancelled ones do not (T-07, T-10).
from parity import new_loop, say

loop = new_loop()
base = loop.time() + 0.005
for n in (5, 1, 4, 2, 3):
    loop.call_at(base + n / 1000, say, f"timer {n}")
head = loop.call_at(base, say, "never")
middle = loop.call_at(base + 0.0025, say, "never")
say(f"when: {int(head.when() == base)}")
head.cancel()
middle.cancel()
middle.cancel()
say(f"cancelled: {int(head.cancelled())} {int(middle.cancelled())}")
loop.call_at(base + 0.01, loop.stop)
loop.run_forever()
# All due at once: still by deadline.
loop.call_at(base - 1, say, "late 1")
loop.call_at(base - 3, say, "late 3")
loop.call_at(base - 2, say, "late 2")
loop.call_at(base, loop.stop)
loop.run_forever()
loop.close()
