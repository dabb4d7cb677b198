# oldest: 3.11
# A closed loop refuses, and drops what was scheduled (L-09, L-10).
from parity import attempt, new_loop, say

loop = new_loop()
future = loop.create_future()
loop.call_soon(say, "never")
loop.call_later(0, say, "never")
loop.close()
loop.close()
say(f"closed: {int(loop.is_closed())}")
attempt("run_forever", loop.run_forever)
attempt("run_until_complete", loop.run_until_complete, future)
attempt("call_soon", loop.call_soon, say, "never")
attempt("call_soon_threadsafe", loop.call_soon_threadsafe, say, "never")
attempt("call_later", loop.call_later, 1, say, "never")
attempt("call_at", loop.call_at, 1, say, "never")
attempt("create_future", loop.create_future)
say(f"remove_reader: {int(loop.remove_reader(0))}")
say(f"remove_writer: {int(loop.remove_writer(0))}")
attempt("set_result", future.set_result, "x")
attempt("add_done_callback", future.add_done_callback, print)
