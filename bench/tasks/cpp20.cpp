// Coroutines with C++20: detached coroutines on a run queue, futures as in future.hpp.
//
// The language gives frames and switches; the rest is the least that does the work. Nothing can be
// cancelled and no failure is reported.
#include "future.hpp"

#include <coroutine>

using Handle = std::coroutine_handle<>;

static RunQueue<Handle> queue;
static long running;

// Let the loop make a pass: at the start of every coroutine, and where one yields.
struct Pass {
    bool await_ready() const noexcept { return false; }
    void await_suspend(Handle coroutine) const { queue.push(coroutine); }
    void await_resume() const noexcept {}
};

struct Detached {
    struct promise_type {
        Detached get_return_object() { return {}; }
        Pass initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() noexcept {}
        void unhandled_exception() { std::abort(); }
    };
};

struct Await {
    FutureRef<Handle> future;
    explicit Await(FutureRef<Handle> awaited) : future(std::move(awaited)) {} // g++ 12 destroys twice without
    bool await_ready() const noexcept { return future->is_done; }
    void await_suspend(Handle coroutine) const noexcept { future->waiter = coroutine; }
    void *await_resume() const noexcept { return future->value; }
};

static void run_all()
{
    while (!queue.empty())
        queue.pop().resume();
}

// ---- await ------------------------------------------------------------------------------------

struct Player {
    FutureRef<Handle> awaited;
    long turns;
};

static Detached play(Player &self, Player &other)
{
    for (; self.turns > 0; self.turns--) {
        self.awaited = FutureRef<Handle>::make();
        if (other.awaited)
            other.awaited->set_result(nullptr, queue);
        co_await Await(self.awaited);
    }
    self.awaited = {};
    if (other.awaited)
        other.awaited->set_result(nullptr, queue);
    running--;
}

static void await_in_turns(long count)
{
    Player a{{}, count / 2}, b{{}, count / 2};

    running = 2;
    play(a, b);
    play(b, a);
    run_all();
    BENCH_CHECK(running == 0);
}

// ---- spawn ------------------------------------------------------------------------------------

static Detached visit()
{
    co_await Pass{};
    running--;
}

static void spawn_all(long count)
{
    for (; count > 0; count -= ALIVE) {
        running = ALIVE;
        for (long i = 0; i < ALIVE; i++)
            visit();
        run_all();
        BENCH_CHECK(running == 0);
    }
}

// ---- bytes ------------------------------------------------------------------------------------

// A future for many: those who wait stand in a list that runs through their own frames.
struct Gate {
    struct Waiter {
        Gate &gate;
        Waiter *next;
        Handle coroutine;
        bool await_ready() const noexcept { return false; }
        void await_suspend(Handle handle) noexcept
        {
            coroutine = handle;
            next = std::exchange(gate.first, this);
        }
        void await_resume() const noexcept {}
    };
    Waiter *first = nullptr;

    void open()
    {
        for (Waiter *waiter = std::exchange(first, nullptr); waiter != nullptr; waiter = waiter->next)
            queue.push(waiter->coroutine);
    }
};

static Gate gate;

static Detached sleep_at_gate()
{
    co_await Gate::Waiter{gate, nullptr, {}};
    running--;
}

static void suspend_all(long count)
{
    running = count;
    for (long i = 0; i < count; i++) {
        sleep_at_gate();
        if (i % ALIVE == ALIVE - 1)
            run_all();
    }
    run_all();
}

static void wake_all()
{
    gate.open();
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
