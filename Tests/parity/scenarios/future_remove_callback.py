# oldest: 3.11
# remove_done_callback removes every copy that is not scheduled yet (F-07).
from parity import new_loop, outcome, say

loop = new_loop()
future = loop.create_future()


def twice(future):
    outcome("never", future)


def other(future):
    outcome("other", future)


def unknown(future):
    outcome("unknown", future)


for _ in range(6):
    future.add_done_callback(twice)
future.add_done_callback(other)
say(f"removed: {future.remove_done_callback(twice)}")
say(f"removed: {future.remove_done_callback(twice)}")
say(f"removed: {future.remove_done_callback(unknown)}")
future.set_result("x")
say(f"removed when scheduled: {future.remove_done_callback(other)}")
loop.run_until_complete(future)
loop.close()
