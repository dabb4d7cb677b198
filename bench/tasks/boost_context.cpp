// Coroutines with Boost.Context: fibers with stacks of their own, on a run queue, futures as in
// future.hpp. Stacks are pooled, as Boost recommends for short-lived fibers.
#include "future.hpp"

#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>

namespace ctx = boost::context;

static constexpr std::size_t stack_size = 16 * 1024;

struct Task {
    ctx::fiber fiber; // where to go on, while it waits
    ctx::fiber loop;  // where the loop goes on, while it runs
    Task *next = nullptr;
};

static RunQueue<Task *> queue;
static Task *current;
static long running;

// Go back to the loop until the current task is taken from the queue again.
static void suspend()
{
    current->loop = std::move(current->loop).resume();
}

static void pass()
{
    queue.push(current);
    suspend();
}

template <typename Stack, typename Body> static void spawn(Stack &stack, Body body)
{
    Task *task = new Task;
    task->fiber = ctx::fiber(std::allocator_arg, stack, [task, body](ctx::fiber &&loop) {
        task->loop = std::move(loop);
        body();
        return std::move(task->loop);
    });
    queue.push(task);
}

static void run_all()
{
    while (!queue.empty()) {
        Task *task = current = queue.pop();
        task->fiber = std::move(task->fiber).resume();
        if (!task->fiber)
            delete task;
    }
}

// ---- await ------------------------------------------------------------------------------------

struct Player {
    FutureRef<Task *> awaited;
    long turns;
};

static void await(const FutureRef<Task *> &future)
{
    if (!future->is_done) {
        future->waiter = current;
        suspend();
    }
}

static void play(Player &self, Player &other)
{
    for (; self.turns > 0; self.turns--) {
        FutureRef<Task *> mine = FutureRef<Task *>::make();
        self.awaited = mine;
        if (other.awaited)
            other.awaited->set_result(nullptr, queue);
        await(mine);
    }
    self.awaited = {};
    if (other.awaited)
        other.awaited->set_result(nullptr, queue);
    running--;
}

static void await_in_turns(long count)
{
    ctx::fixedsize_stack stack(stack_size);
    Player a{{}, count / 2}, b{{}, count / 2};

    running = 2;
    spawn(stack, [&] { play(a, b); });
    spawn(stack, [&] { play(b, a); });
    run_all();
    BENCH_CHECK(running == 0);
}

// ---- spawn ------------------------------------------------------------------------------------

static void spawn_all(long count)
{
    static ctx::pooled_fixedsize_stack stack(stack_size);

    for (; count > 0; count -= ALIVE) {
        running = ALIVE;
        for (long i = 0; i < ALIVE; i++)
            spawn(stack, [] {
                pass();
                running--;
            });
        run_all();
        BENCH_CHECK(running == 0);
    }
}

// ---- bytes ------------------------------------------------------------------------------------

static Task *at_gate;

static void sleep_at_gate()
{
    current->next = at_gate;
    at_gate = current;
    suspend();
    running--;
}

static void suspend_all(long count)
{
    static ctx::fixedsize_stack stack(8 * 1024);

    running = count;
    for (long i = 0; i < count; i++) {
        spawn(stack, sleep_at_gate);
        if (i % ALIVE == ALIVE - 1)
            run_all();
    }
    run_all();
}

static void wake_all()
{
    while (at_gate != nullptr)
        queue.push(std::exchange(at_gate, at_gate->next));
    run_all();
    BENCH_CHECK(running == 0);
}

int main(int argc, char **argv)
{
    long count = bench_count(argc, argv);

    if (bench_is(argv, "await"))
        return tasks_measure(await_in_turns, count);
    if (bench_is(argv, "spawn"))
        return tasks_measure(spawn_all, count);
    if (bench_is(argv, "bytes"))
        return tasks_weigh(suspend_all, wake_all, count);
    return bench_unknown(argv);
}
