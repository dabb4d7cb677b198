# oldest: 3.11
# A handle cancelled by an earlier call of the same batch does not run (L-11).
from parity import new_loop, say

loop = new_loop()
handles = []


def cancel():
    handles[0].cancel()
    handles[0].cancel()
    say(f"cancelled: {int(handles[0].cancelled())} {int(handles[1].cancelled())}")


loop.call_soon(cancel)
handles.append(loop.call_soon(say, "never"))
handles.append(loop.call_soon(say, "runs"))
loop.call_soon(loop.stop)
loop.run_forever()
handles[1].cancel()
say(f"cancelled after it ran: {int(handles[1].cancelled())}")
# A timer that is due already, cancelled by a call of the pass that would have run it.
handles[0] = loop.call_later(0, say, "never")
handles[1] = loop.call_later(0, say, "timer runs")
loop.call_soon(cancel)
loop.call_later(0.01, loop.stop)
loop.run_forever()
loop.close()
