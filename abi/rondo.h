/*
 * The ABI of librondo.so.0 as of version 0.1.0, unreleased. Written by "tools/check-abi --accept"; not to be edited.
 *
 * It is a header: tools/check-abi compiles it to compare its types with those of include/, and compiles the
 * examples with it to run them with the library of today. Behind each function is its symbol's version.
 */
#ifndef RONDO_H
#define RONDO_H
#include <stddef.h>
#include <stdint.h>

/* types */
typedef int32_t rondo_status;
typedef struct rondo_loop rondo_loop;
typedef struct rondo_handle rondo_handle;
typedef struct rondo_future rondo_future;
typedef struct rondo_task rondo_task;
typedef struct rondo_coroutine rondo_coroutine;
typedef struct rondo_async_generator rondo_async_generator;
typedef struct rondo_thread_future rondo_thread_future;
typedef struct rondo_error rondo_error;
typedef struct rondo_context rondo_context;
typedef struct rondo_contextvar rondo_contextvar;
typedef struct rondo_context_token rondo_context_token;
typedef struct rondo_exception_context rondo_exception_context;
typedef struct rondo_lock rondo_lock;
typedef struct rondo_event rondo_event;
typedef struct rondo_condition rondo_condition;
typedef struct rondo_semaphore rondo_semaphore;
typedef struct rondo_barrier rondo_barrier;
typedef struct rondo_queue rondo_queue;
typedef struct rondo_executor rondo_executor;
typedef struct rondo_job rondo_job;
typedef struct rondo_timeout rondo_timeout;
typedef struct rondo_task_group rondo_task_group;
typedef struct rondo_cancel_scope rondo_cancel_scope;
typedef struct rondo_as_completed rondo_as_completed;
typedef struct rondo_runner rondo_runner;
typedef struct rondo_thread_queue rondo_thread_queue;
typedef struct rondo_thread_event rondo_thread_event;
typedef struct rondo_call_graph rondo_call_graph;
typedef struct rondo_signature rondo_signature;
typedef struct rondo_completer rondo_completer;
typedef void rondo_awaitable;
typedef void rondo_object;
typedef void (*rondo_call_fn)(void *arg);
typedef void (*rondo_drop_fn)(void *arg);
typedef void (*rondo_any_fn)(void);
typedef void (*rondo_fd_fn)(int32_t fd, void *arg);
typedef void (*rondo_loop_fn)(rondo_loop *loop, void *arg);
typedef void (*rondo_future_fn)(rondo_future *future, void *arg);
typedef struct rondo_loop_options { uint32_t size; uint32_t flags; uint32_t ready_capacity; uint32_t reserved; uint64_t seed; } rondo_loop_options;
typedef struct rondo_close_report { uint32_t size; uint32_t readers; uint32_t writers; uint32_t reserved; uint64_t ready_calls; uint64_t timers; uint64_t threadsafe_calls; uint64_t pending_tasks; uint64_t pending_futures; } rondo_close_report;
typedef void (*rondo_exception_handler_fn)(rondo_loop *loop, rondo_exception_context *context, void *arg);
typedef uint32_t (*rondo_choice_fn)(rondo_loop *loop, int32_t kind, uint32_t count, void *arg);
typedef int32_t rondo_step;
typedef rondo_step (*rondo_step_fn)(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown);
typedef struct rondo_task_options { uint32_t size; int32_t eager_start; const char *name; rondo_context *context; const char *coroutine_name; } rondo_task_options;
typedef rondo_status (*rondo_task_factory_fn)(rondo_loop *loop, rondo_coroutine *coroutine, const rondo_task_options *options, void *arg, rondo_task **out_task);
typedef int32_t (*rondo_predicate_fn)(void *arg);
typedef int32_t (*rondo_compare_fn)(const void *a, const void *b, void *arg);
typedef rondo_status (*rondo_job_fn)(rondo_job *job, void *arg);
typedef rondo_status (*rondo_worker_start_fn)(void *arg);
typedef void (*rondo_worker_stop_fn)(void *arg);
typedef rondo_status (*rondo_worker_make_fn)(void *arg, void **out_state);
typedef void (*rondo_worker_end_fn)(void *arg, void *state);
typedef rondo_status (*rondo_executor_submit_fn)(void *self, rondo_job *job, int32_t lane);
typedef rondo_status (*rondo_executor_shutdown_fn)(void *self, uint32_t flags, int64_t timeout_ns);
typedef struct rondo_thread_pool_options { uint32_t size; uint32_t max_workers; uint32_t min_workers; int32_t nice; int64_t idle_ns; uint64_t queue_limit; uint64_t stack_size; const char *name; uint32_t lane_limits[5]; uint32_t reserved; rondo_worker_start_fn start; rondo_worker_stop_fn stop; void *arg; rondo_drop_fn drop; rondo_worker_make_fn make; rondo_worker_end_fn end; } rondo_thread_pool_options;
typedef struct rondo_executor_vtable { uint32_t size; uint32_t reserved; rondo_executor_submit_fn submit; rondo_executor_shutdown_fn shutdown; } rondo_executor_vtable;
typedef struct rondo_job_options { uint32_t size; int32_t lane; uint32_t flags; uint32_t reserved; const char *name; } rondo_job_options;
typedef struct rondo_executor_report { uint32_t size; uint32_t workers; uint32_t idle; uint32_t running; uint64_t queued; uint64_t cancelled; } rondo_executor_report;
typedef struct rondo_reply rondo_reply;
typedef rondo_status (*rondo_reply_write_fn)(rondo_reply *reply, const void *data, size_t size);
typedef rondo_status (*rondo_reply_raise_fn)(rondo_reply *reply, rondo_status status, const char *message);
struct rondo_reply { uint32_t size; uint32_t reserved; rondo_reply_write_fn write; rondo_reply_raise_fn raise; };
typedef rondo_status (*rondo_process_fn)(const void *input, size_t size, rondo_reply *reply);
typedef struct rondo_bytes { size_t size; const void *data; } rondo_bytes;
typedef struct rondo_process_pool_options { uint32_t size; uint32_t max_workers; int64_t idle_ns; uint64_t queue_limit; uint64_t jobs_per_process; const char *name; const char *worker; const char *library; const char *initializer; const char *finalizer; const void *input; size_t input_size; } rondo_process_pool_options;
typedef struct rondo_process_call { uint32_t size; uint32_t flags; const char *library; const char *symbol; int64_t timeout_ns; } rondo_process_call;
typedef void (*rondo_async_generator_fn)(rondo_loop *loop, rondo_async_generator *generator, void *arg);
typedef rondo_status (*rondo_loop_factory_fn)(void *arg, rondo_loop **out_loop);
typedef struct rondo_run_options { uint32_t size; uint32_t flags; int32_t debug; uint32_t reserved; rondo_loop_factory_fn loop_factory; void *loop_factory_arg; } rondo_run_options;
typedef struct rondo_completer_options { uint32_t size; uint32_t flags; const void *result; } rondo_completer_options;
typedef struct rondo_cancel_scope_options { uint32_t size; uint32_t flags; int64_t deadline_ns; int64_t grace_ns; } rondo_cancel_scope_options;
typedef rondo_status (*rondo_race_fn)(size_t index, void *arg, rondo_coroutine **out_coroutine);
typedef struct rondo_race_result { void *value; int64_t winner; size_t started; rondo_error *const *errors; } rondo_race_result;
struct sockaddr;
struct addrinfo;
struct sockaddr;
typedef struct rondo_name_info { char host[1025]; char service[32]; } rondo_name_info;
typedef struct rondo_address { uint32_t size; int32_t family; int32_t type; int32_t protocol; int32_t port; uint32_t length; const struct sockaddr *sockaddr; const char *canonical_name; char host[64]; } rondo_address;
typedef struct rondo_log_field { const char *key; const char *text; int64_t number; } rondo_log_field;
typedef void (*rondo_log_fn)(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count, void *arg);
typedef struct rondo_log_queue_options { uint32_t size; uint32_t flags; uint32_t capacity; uint32_t reserved; int64_t exit_wait_ns; const char *thread_name; } rondo_log_queue_options;
typedef struct rondo_stack_frame { rondo_step_fn function; const char *name; int32_t line; int32_t reserved; } rondo_stack_frame;
struct rondo_worker_request { uint32_t magic; uint32_t library_size; uint32_t symbol_size; uint32_t kind; uint64_t input_size; };
struct rondo_worker_answer { uint32_t magic; int32_t status; uint32_t text_size; uint32_t reserved; uint64_t output_size; };

/* functions */
rondo_status rondo_addrinfo_free(struct addrinfo *list); /* RONDO_0.1 */
rondo_status rondo_addrinfo_get_address(const struct addrinfo *list, rondo_address *out_address); /* RONDO_0.1 */
const struct addrinfo *rondo_addrinfo_next(const struct addrinfo *list); /* RONDO_0.1 */
rondo_status rondo_all_tasks(rondo_loop *loop, rondo_task **tasks, size_t capacity, size_t *out_count); /* RONDO_0.1 */
rondo_status rondo_as_completed_new(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count, int64_t timeout_ns, rondo_as_completed **out_iterator); /* RONDO_0.1 */
rondo_status rondo_as_completed_next(rondo_as_completed *iterator, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_as_completed_next_future(rondo_as_completed *iterator, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_as_completed_release(rondo_as_completed *iterator); /* RONDO_0.1 */
rondo_status rondo_as_completed_retain(rondo_as_completed *iterator); /* RONDO_0.1 */
rondo_status rondo_async_generator_aclose(rondo_async_generator *generator, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_async_generator_anext(rondo_async_generator *generator, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_async_generator_anext_default(rondo_async_generator *generator, void *value, rondo_drop_fn drop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_async_generator_asend(rondo_async_generator *generator, void *value, rondo_drop_fn drop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_async_generator_athrow(rondo_async_generator *generator, rondo_error *error, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_async_generator_exit(rondo_async_generator *generator, rondo_error *thrown, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
const char *rondo_async_generator_get_name(rondo_async_generator *generator); /* RONDO_0.1 */
rondo_status rondo_async_generator_get_state(rondo_async_generator *generator, int32_t *out_state); /* RONDO_0.1 */
rondo_status rondo_async_generator_new(const char *name, rondo_step_fn step, void *frame, rondo_drop_fn drop, rondo_async_generator **out_generator); /* RONDO_0.1 */
rondo_status rondo_async_generator_new_with_frame(const char *name, rondo_step_fn step, size_t frame_size, rondo_drop_fn drop, void **out_frame, rondo_async_generator **out_generator); /* RONDO_0.1 */
rondo_status rondo_async_generator_release(rondo_async_generator *generator); /* RONDO_0.1 */
rondo_status rondo_async_generator_retain(rondo_async_generator *generator); /* RONDO_0.1 */
int32_t rondo_awaitable_is_coroutine(const rondo_awaitable *awaitable); /* RONDO_0.1 */
int32_t rondo_awaitable_is_future(const rondo_awaitable *awaitable); /* RONDO_0.1 */
rondo_status rondo_barrier_abort(rondo_barrier *barrier, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_barrier_get_n_waiting(const rondo_barrier *barrier, size_t *out_count); /* RONDO_0.1 */
rondo_status rondo_barrier_get_parties(const rondo_barrier *barrier, size_t *out_parties); /* RONDO_0.1 */
int32_t rondo_barrier_is_broken(const rondo_barrier *barrier); /* RONDO_0.1 */
rondo_status rondo_barrier_new(rondo_loop *loop, size_t parties, rondo_barrier **out_barrier); /* RONDO_0.1 */
rondo_status rondo_barrier_release(rondo_barrier *barrier); /* RONDO_0.1 */
rondo_status rondo_barrier_reset(rondo_barrier *barrier, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_barrier_retain(rondo_barrier *barrier); /* RONDO_0.1 */
rondo_status rondo_barrier_wait(rondo_barrier *barrier, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
size_t rondo_call_graph_count(const rondo_call_graph *graph); /* RONDO_0.1 */
rondo_status rondo_call_graph_format(const rondo_call_graph *graph, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
const char *rondo_call_graph_get_call(const rondo_call_graph *graph, size_t index, size_t call); /* RONDO_0.1 */
size_t rondo_call_graph_get_call_count(const rondo_call_graph *graph, size_t index); /* RONDO_0.1 */
size_t rondo_call_graph_get_depth(const rondo_call_graph *graph, size_t index); /* RONDO_0.1 */
int32_t rondo_call_graph_get_flags(const rondo_call_graph *graph, size_t index); /* RONDO_0.1 */
rondo_status rondo_call_graph_get_future(const rondo_call_graph *graph, size_t index, rondo_future **out_future); /* RONDO_0.1 */
int32_t rondo_call_graph_get_kind(const rondo_call_graph *graph, size_t index); /* RONDO_0.1 */
const char *rondo_call_graph_get_name(const rondo_call_graph *graph, size_t index); /* RONDO_0.1 */
rondo_status rondo_call_graph_get_parent(const rondo_call_graph *graph, size_t index, size_t *out_parent); /* RONDO_0.1 */
rondo_status rondo_call_graph_release(rondo_call_graph *graph); /* RONDO_0.1 */
rondo_status rondo_call_graph_retain(rondo_call_graph *graph); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_cancel(rondo_cancel_scope *scope, const char *reason, const char *place); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_cancel_at(rondo_cancel_scope *scope, const char *reason, const char *function, const char *file, int32_t line); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_enter(rondo_cancel_scope *scope); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_exit(rondo_cancel_scope *scope, rondo_error *thrown, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_get_deadline(const rondo_cancel_scope *scope, int64_t *out_when_ns); /* RONDO_0.1 */
rondo_error *rondo_cancel_scope_get_error(const rondo_cancel_scope *scope); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_get_request(rondo_cancel_scope *scope, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_insist(rondo_cancel_scope *scope); /* RONDO_0.1 */
int32_t rondo_cancel_scope_is_cancelled(const rondo_cancel_scope *scope); /* RONDO_0.1 */
int32_t rondo_cancel_scope_is_caught(const rondo_cancel_scope *scope); /* RONDO_0.1 */
int32_t rondo_cancel_scope_is_expired(const rondo_cancel_scope *scope); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_new(rondo_loop *loop, const rondo_cancel_scope_options *options, rondo_cancel_scope **out_scope); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_new_after(rondo_loop *loop, int64_t delay_ns, const rondo_cancel_scope_options *options, rondo_cancel_scope **out_scope); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_release(rondo_cancel_scope *scope); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_retain(rondo_cancel_scope *scope); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_set_deadline(rondo_cancel_scope *scope, int64_t when_ns); /* RONDO_0.1 */
rondo_status rondo_cancel_scope_set_shield(rondo_cancel_scope *scope, int32_t enabled); /* RONDO_0.1 */
rondo_status rondo_capture_call_graph(rondo_awaitable *future, int32_t depth, int32_t limit, rondo_call_graph **out_graph); /* RONDO_0.1 */
void rondo_completer_free(void *args); /* RONDO_0.1 */
rondo_status rondo_completer_get_counts(const rondo_completer *completer, uint64_t *out_calls, uint64_t *out_ignored); /* RONDO_0.1 */
rondo_status rondo_completer_get_function(const rondo_completer *completer, rondo_any_fn *out_function); /* RONDO_0.1 */
rondo_status rondo_completer_release(rondo_completer *completer); /* RONDO_0.1 */
rondo_status rondo_completer_retain(rondo_completer *completer); /* RONDO_0.1 */
rondo_status rondo_condition_acquire(rondo_condition *condition, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
int32_t rondo_condition_is_locked(const rondo_condition *condition); /* RONDO_0.1 */
rondo_status rondo_condition_new(rondo_loop *loop, rondo_lock *lock, rondo_condition **out_condition); /* RONDO_0.1 */
rondo_status rondo_condition_notify(rondo_condition *condition, size_t count); /* RONDO_0.1 */
rondo_status rondo_condition_notify_all(rondo_condition *condition); /* RONDO_0.1 */
rondo_status rondo_condition_release(rondo_condition *condition); /* RONDO_0.1 */
rondo_status rondo_condition_retain(rondo_condition *condition); /* RONDO_0.1 */
rondo_status rondo_condition_unlock(rondo_condition *condition); /* RONDO_0.1 */
rondo_status rondo_condition_wait(rondo_condition *condition, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_condition_wait_for(rondo_condition *condition, rondo_predicate_fn fn, void *arg, rondo_drop_fn drop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_constant_get(const char *name, int64_t *out_value); /* RONDO_0.1 */
rondo_status rondo_context_copy_current(rondo_context **out_context); /* RONDO_0.1 */
rondo_status rondo_context_new(rondo_context **out_context); /* RONDO_0.1 */
rondo_status rondo_context_release(rondo_context *context); /* RONDO_0.1 */
rondo_status rondo_context_retain(rondo_context *context); /* RONDO_0.1 */
rondo_status rondo_context_run(rondo_context *context, rondo_call_fn fn, void *arg); /* RONDO_0.1 */
rondo_status rondo_context_token_get_old_value(const rondo_context_token *token, void **out_value); /* RONDO_0.1 */
rondo_status rondo_context_token_release(rondo_context_token *token); /* RONDO_0.1 */
rondo_status rondo_context_token_retain(rondo_context_token *token); /* RONDO_0.1 */
rondo_status rondo_contextvar_get(rondo_contextvar *variable, void **out_value); /* RONDO_0.1 */
rondo_status rondo_contextvar_new(const char *name, void *default_value, rondo_contextvar **out_variable); /* RONDO_0.1 */
rondo_status rondo_contextvar_release(rondo_contextvar *variable); /* RONDO_0.1 */
rondo_status rondo_contextvar_reset(rondo_contextvar *variable, rondo_context_token *token); /* RONDO_0.1 */
rondo_status rondo_contextvar_retain(rondo_contextvar *variable); /* RONDO_0.1 */
rondo_status rondo_contextvar_set(rondo_contextvar *variable, void *value, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_contextvar_set_with_token(rondo_contextvar *variable, void *value, rondo_drop_fn drop, rondo_context_token **out_token); /* RONDO_0.1 */
rondo_step rondo_coroutine_anext(rondo_coroutine *co, rondo_async_generator *generator); /* RONDO_0.1 */
rondo_step rondo_coroutine_await(rondo_coroutine *co, rondo_awaitable *awaitable); /* RONDO_0.1 */
rondo_step rondo_coroutine_await_moved(rondo_coroutine *co, rondo_awaitable *awaitable); /* RONDO_0.1 */
rondo_status rondo_coroutine_close(rondo_coroutine *coroutine, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_coroutine_new(const char *name, rondo_step_fn step, void *frame, rondo_drop_fn drop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_coroutine_new_with_frame(const char *name, rondo_step_fn step, size_t frame_size, rondo_drop_fn drop, void **out_frame, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_step rondo_coroutine_raise(rondo_coroutine *co, rondo_error *error); /* RONDO_0.1 */
rondo_step rondo_coroutine_raise_new(rondo_coroutine *co, int32_t domain, int32_t code, const char *message); /* RONDO_0.1 */
rondo_step rondo_coroutine_raise_status(rondo_coroutine *co, rondo_status status, const char *operation); /* RONDO_0.1 */
rondo_status rondo_coroutine_release(rondo_coroutine *coroutine); /* RONDO_0.1 */
rondo_status rondo_coroutine_retain(rondo_coroutine *coroutine); /* RONDO_0.1 */
rondo_step rondo_coroutine_return(rondo_coroutine *co, void *value, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_coroutine_send(rondo_coroutine *coroutine, void *value, rondo_step *out_step, void **out_value, rondo_error **out_error); /* RONDO_0.1 */
rondo_step rondo_coroutine_sleep(rondo_coroutine *co, int64_t delay_ns); /* RONDO_0.1 */
rondo_status rondo_coroutine_take_sent(rondo_coroutine *co, void **out_value); /* RONDO_0.1 */
rondo_status rondo_coroutine_throw(rondo_coroutine *coroutine, rondo_error *error, rondo_step *out_step, void **out_value, rondo_error **out_error); /* RONDO_0.1 */
rondo_step rondo_coroutine_yield(rondo_coroutine *co, void *value); /* RONDO_0.1 */
rondo_step rondo_coroutine_yield_value(rondo_coroutine *co, void *value, rondo_drop_fn drop); /* RONDO_0.1 */
int32_t rondo_current_cancel_requested(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_current_deadline(rondo_loop *loop, int64_t *out_when_ns); /* RONDO_0.1 */
rondo_status rondo_current_task(rondo_loop *loop, rondo_task **out_task); /* RONDO_0.1 */
rondo_status rondo_current_time_left(rondo_loop *loop, int64_t *out_left_ns); /* RONDO_0.1 */
rondo_status rondo_debug_check_ffi(void); /* RONDO_0.1 */
rondo_status rondo_debug_describe_frame(uintptr_t frame, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
uint64_t rondo_debug_live(void); /* RONDO_0.1 */
void rondo_debug_trap(void); /* RONDO_0.1 */
rondo_status rondo_eager_task_factory(rondo_loop *loop, rondo_coroutine *coroutine, const rondo_task_options *options, void *arg, rondo_task **out_task); /* RONDO_0.1 */
rondo_status rondo_ensure_future(rondo_loop *loop, rondo_awaitable *awaitable, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_error_describe(const rondo_error *error, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_error *rondo_error_get_cause(const rondo_error *error); /* RONDO_0.1 */
int32_t rondo_error_get_code(const rondo_error *error); /* RONDO_0.1 */
rondo_error *rondo_error_get_context(const rondo_error *error); /* RONDO_0.1 */
size_t rondo_error_get_count(const rondo_error *error); /* RONDO_0.1 */
int32_t rondo_error_get_domain(const rondo_error *error); /* RONDO_0.1 */
rondo_error *rondo_error_get_member(const rondo_error *error, size_t index); /* RONDO_0.1 */
const char *rondo_error_get_message(const rondo_error *error); /* RONDO_0.1 */
const char *rondo_error_get_operation(const rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_error_get_status(const rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_error_group_new(const char *message, rondo_error *const *errors, size_t count, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_error_new(int32_t domain, int32_t code, const char *message, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_error_release(rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_error_retain(rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_error_set_cause(rondo_error *error, rondo_error *cause); /* RONDO_0.1 */
rondo_status rondo_error_set_operation(rondo_error *error, const char *operation); /* RONDO_0.1 */
rondo_status rondo_event_clear(rondo_event *event); /* RONDO_0.1 */
int32_t rondo_event_is_set(const rondo_event *event); /* RONDO_0.1 */
rondo_status rondo_event_new(rondo_loop *loop, rondo_event **out_event); /* RONDO_0.1 */
rondo_status rondo_event_release(rondo_event *event); /* RONDO_0.1 */
rondo_status rondo_event_retain(rondo_event *event); /* RONDO_0.1 */
rondo_status rondo_event_set(rondo_event *event); /* RONDO_0.1 */
rondo_status rondo_event_set_threadsafe(rondo_event *event); /* RONDO_0.1 */
rondo_status rondo_event_wait(rondo_event *event, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_async_generator *rondo_exception_context_get_asyncgen(const rondo_exception_context *context); /* RONDO_0.1 */
rondo_error *rondo_exception_context_get_error(const rondo_exception_context *context); /* RONDO_0.1 */
rondo_future *rondo_exception_context_get_future(const rondo_exception_context *context); /* RONDO_0.1 */
rondo_handle *rondo_exception_context_get_handle(const rondo_exception_context *context); /* RONDO_0.1 */
const char *rondo_exception_context_get_message(const rondo_exception_context *context); /* RONDO_0.1 */
rondo_status rondo_exception_context_get_source_frames(const rondo_exception_context *context, uintptr_t *frames, size_t capacity, size_t *out_count); /* RONDO_0.1 */
rondo_status rondo_exception_context_get_source_traceback(const rondo_exception_context *context, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_task *rondo_exception_context_get_task(const rondo_exception_context *context); /* RONDO_0.1 */
rondo_status rondo_exception_context_new(const char *message, rondo_exception_context **out_context); /* RONDO_0.1 */
rondo_status rondo_exception_context_release(rondo_exception_context *context); /* RONDO_0.1 */
rondo_status rondo_exception_context_retain(rondo_exception_context *context); /* RONDO_0.1 */
rondo_status rondo_exception_context_set_error(rondo_exception_context *context, rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_executor_describe_jobs(rondo_executor *executor, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_executor_get_report(rondo_executor *executor, rondo_executor_report *out_report); /* RONDO_0.1 */
rondo_status rondo_executor_new_custom(const rondo_executor_vtable *vtable, void *self, rondo_drop_fn drop, rondo_executor **out_executor); /* RONDO_0.1 */
rondo_status rondo_executor_new_process_pool(const rondo_process_pool_options *options, rondo_executor **out_executor); /* RONDO_0.1 */
rondo_status rondo_executor_new_thread_pool(const rondo_thread_pool_options *options, rondo_executor **out_executor); /* RONDO_0.1 */
rondo_status rondo_executor_release(rondo_executor *executor); /* RONDO_0.1 */
rondo_status rondo_executor_retain(rondo_executor *executor); /* RONDO_0.1 */
rondo_status rondo_executor_shutdown(rondo_executor *executor, uint32_t flags, int64_t timeout_ns, rondo_executor_report *out_report); /* RONDO_0.1 */
rondo_status rondo_executor_submit(rondo_executor *executor, const rondo_job_options *options, rondo_job_fn fn, void *arg, rondo_drop_fn drop, rondo_thread_future **out_future); /* RONDO_0.1 */
rondo_status rondo_executor_submit_process(rondo_executor *executor, const rondo_process_call *call, void *input, size_t input_size, rondo_drop_fn drop, rondo_thread_future **out_future); /* RONDO_0.1 */
rondo_status rondo_format_call_graph(rondo_awaitable *future, int32_t depth, int32_t limit, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_future_add_done_callback(rondo_future *future, rondo_future_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_future_add_done_callback_in_context(rondo_future *future, rondo_context *context, rondo_future_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_future_cancel(rondo_future *future, const char *message, rondo_error *reason); /* RONDO_0.1 */
rondo_status rondo_future_cancel_threadsafe(rondo_future *future, const char *message, rondo_error *reason); /* RONDO_0.1 */
rondo_status rondo_future_completer(rondo_future *future, const char *signature, const rondo_completer_options *options, void *arg, rondo_drop_fn drop, rondo_completer **out_completer); /* RONDO_0.1 */
rondo_status rondo_future_describe(const rondo_future *future, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_future_exception(rondo_future *future, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_future_get_cancelled_error(rondo_future *future, rondo_error **out_error); /* RONDO_0.1 */
rondo_loop *rondo_future_get_loop(const rondo_future *future); /* RONDO_0.1 */
rondo_status rondo_future_get_state(const rondo_future *future, int32_t *out_state); /* RONDO_0.1 */
int32_t rondo_future_is_cancelled(const rondo_future *future); /* RONDO_0.1 */
int32_t rondo_future_is_done(const rondo_future *future); /* RONDO_0.1 */
rondo_status rondo_future_new(rondo_loop *loop, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_future_release(rondo_future *future); /* RONDO_0.1 */
rondo_status rondo_future_remove_done_callback(rondo_future *future, rondo_future_fn fn, void *arg, size_t *out_removed); /* RONDO_0.1 */
rondo_status rondo_future_result(rondo_future *future, void **out_value); /* RONDO_0.1 */
rondo_status rondo_future_result_typed(rondo_future *future, void *buffer, size_t size); /* RONDO_0.1 */
rondo_status rondo_future_retain(rondo_future *future); /* RONDO_0.1 */
rondo_status rondo_future_set_exception(rondo_future *future, rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_future_set_exception_status(rondo_future *future, rondo_status status, const char *operation); /* RONDO_0.1 */
rondo_status rondo_future_set_exception_status_threadsafe(rondo_future *future, rondo_status status, const char *operation); /* RONDO_0.1 */
rondo_status rondo_future_set_exception_threadsafe(rondo_future *future, rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_future_set_result(rondo_future *future, void *value, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_future_set_result_threadsafe(rondo_future *future, void *value, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_future_take_result(rondo_future *future, void **out_value); /* RONDO_0.1 */
rondo_status rondo_gather(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count, uint32_t flags, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_gather_get_count(rondo_future *gather, size_t *out_count); /* RONDO_0.1 */
rondo_status rondo_gather_get_exception(rondo_future *gather, size_t index, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_gather_get_result(rondo_future *gather, size_t index, void **out_value); /* RONDO_0.1 */
rondo_status rondo_get_event_loop(rondo_loop **out_loop); /* RONDO_0.1 */
rondo_status rondo_handle_cancel(rondo_handle *handle); /* RONDO_0.1 */
rondo_status rondo_handle_describe(const rondo_handle *handle, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_handle_get_context(const rondo_handle *handle, rondo_context **out_context); /* RONDO_0.1 */
rondo_status rondo_handle_get_when(const rondo_handle *handle, int64_t *out_when_ns); /* RONDO_0.1 */
int32_t rondo_handle_is_cancelled(const rondo_handle *handle); /* RONDO_0.1 */
rondo_status rondo_handle_rearm(rondo_handle *handle, int64_t delay_ns); /* RONDO_0.1 */
rondo_status rondo_handle_rearm_at(rondo_handle *handle, int64_t when_ns); /* RONDO_0.1 */
rondo_status rondo_handle_release(rondo_handle *handle); /* RONDO_0.1 */
rondo_status rondo_handle_retain(rondo_handle *handle); /* RONDO_0.1 */
rondo_status rondo_job_abandon(rondo_job *job); /* RONDO_0.1 */
rondo_status rondo_job_get_state(const rondo_job *job, void **out_state); /* RONDO_0.1 */
int32_t rondo_job_is_cancelled(const rondo_job *job); /* RONDO_0.1 */
rondo_status rondo_job_raise(rondo_job *job, rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_job_return(rondo_job *job, void *value, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_job_run(rondo_job *job); /* RONDO_0.1 */
rondo_status rondo_job_set_unblock(rondo_job *job, rondo_call_fn fn, void *arg); /* RONDO_0.1 */
rondo_status rondo_lock_acquire(rondo_lock *lock, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
int32_t rondo_lock_is_locked(const rondo_lock *lock); /* RONDO_0.1 */
rondo_status rondo_lock_new(rondo_loop *loop, rondo_lock **out_lock); /* RONDO_0.1 */
rondo_status rondo_lock_release(rondo_lock *lock); /* RONDO_0.1 */
rondo_status rondo_lock_retain(rondo_lock *lock); /* RONDO_0.1 */
rondo_status rondo_lock_unlock(rondo_lock *lock); /* RONDO_0.1 */
rondo_status rondo_log(int32_t level, const char *message, const rondo_log_field *fields, size_t field_count); /* RONDO_0.1 */
rondo_status rondo_log_flush(int64_t timeout_ns); /* RONDO_0.1 */
uint64_t rondo_log_get_dropped(void); /* RONDO_0.1 */
int32_t rondo_log_get_level(void); /* RONDO_0.1 */
rondo_status rondo_log_set_level(int32_t level); /* RONDO_0.1 */
rondo_status rondo_log_set_queued_sink(const rondo_log_queue_options *options, rondo_log_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_log_set_sink(rondo_log_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_loop_add_reader(rondo_loop *loop, int32_t fd, rondo_fd_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_loop_add_writer(rondo_loop *loop, int32_t fd, rondo_fd_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_loop_advance(rondo_loop *loop, int64_t delta_ns); /* RONDO_0.1 */
rondo_status rondo_loop_begin(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_call_at(rondo_loop *loop, int64_t when_ns, rondo_call_fn fn, void *arg, rondo_drop_fn drop, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_at_in_context(rondo_loop *loop, rondo_context *context, int64_t when_ns, rondo_call_fn fn, void *arg, rondo_drop_fn drop, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_at_typed(rondo_loop *loop, int64_t when_ns, rondo_any_fn fn, const char *signature, ...); /* RONDO_0.1 */
rondo_status rondo_loop_call_at_typed_array(rondo_loop *loop, int64_t when_ns, rondo_any_fn fn, rondo_signature *signature, const void *const *args, size_t count, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_exception_handler(rondo_loop *loop, rondo_exception_context *context); /* RONDO_0.1 */
rondo_status rondo_loop_call_later(rondo_loop *loop, int64_t delay_ns, rondo_call_fn fn, void *arg, rondo_drop_fn drop, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_later_in_context(rondo_loop *loop, rondo_context *context, int64_t delay_ns, rondo_call_fn fn, void *arg, rondo_drop_fn drop, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_later_typed(rondo_loop *loop, int64_t delay_ns, rondo_any_fn fn, const char *signature, ...); /* RONDO_0.1 */
rondo_status rondo_loop_call_later_typed_array(rondo_loop *loop, int64_t delay_ns, rondo_any_fn fn, rondo_signature *signature, const void *const *args, size_t count, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_soon(rondo_loop *loop, rondo_call_fn fn, void *arg, rondo_drop_fn drop, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_soon_in_context(rondo_loop *loop, rondo_context *context, rondo_call_fn fn, void *arg, rondo_drop_fn drop, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_soon_threadsafe(rondo_loop *loop, rondo_call_fn fn, void *arg, rondo_drop_fn drop, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_soon_threadsafe_in_context(rondo_loop *loop, rondo_context *context, rondo_call_fn fn, void *arg, rondo_drop_fn drop, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_soon_threadsafe_typed(rondo_loop *loop, rondo_any_fn fn, const char *signature, ...); /* RONDO_0.1 */
rondo_status rondo_loop_call_soon_threadsafe_typed_array(rondo_loop *loop, rondo_any_fn fn, rondo_signature *signature, const void *const *args, size_t count, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_call_soon_typed(rondo_loop *loop, rondo_any_fn fn, const char *signature, ...); /* RONDO_0.1 */
rondo_status rondo_loop_call_soon_typed_array(rondo_loop *loop, rondo_any_fn fn, rondo_signature *signature, const void *const *args, size_t count, rondo_handle **out_handle); /* RONDO_0.1 */
rondo_status rondo_loop_close(rondo_loop *loop, rondo_close_report *out_report); /* RONDO_0.1 */
rondo_status rondo_loop_create_task(rondo_loop *loop, rondo_coroutine *coroutine, const rondo_task_options *options, rondo_task **out_task); /* RONDO_0.1 */
rondo_status rondo_loop_default_exception_handler(rondo_loop *loop, rondo_exception_context *context); /* RONDO_0.1 */
rondo_status rondo_loop_drive(rondo_loop *loop, uint64_t max_calls, int64_t max_ns, uint64_t *out_calls); /* RONDO_0.1 */
rondo_status rondo_loop_end(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_format_task_tree(rondo_loop *loop, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_loop_format_tasks(rondo_loop *loop, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_loop_get_asyncgen_hooks(rondo_loop *loop, rondo_async_generator_fn *out_firstiter, rondo_async_generator_fn *out_finalizer, void **out_arg); /* RONDO_0.1 */
int32_t rondo_loop_get_debug(const rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_get_default_executor(rondo_loop *loop, rondo_executor **out_executor); /* RONDO_0.1 */
rondo_status rondo_loop_get_exception_handler(rondo_loop *loop, rondo_exception_handler_fn *out_fn, void **out_arg); /* RONDO_0.1 */
rondo_status rondo_loop_get_fd(rondo_loop *loop, int32_t *out_fd); /* RONDO_0.1 */
rondo_status rondo_loop_get_schedule_hash(const rondo_loop *loop, uint64_t *out_hash); /* RONDO_0.1 */
rondo_status rondo_loop_get_seed(const rondo_loop *loop, uint64_t *out_seed); /* RONDO_0.1 */
rondo_status rondo_loop_get_slow_callback_duration(rondo_loop *loop, int64_t *out_duration_ns); /* RONDO_0.1 */
rondo_status rondo_loop_get_task_factory(rondo_loop *loop, rondo_task_factory_fn *out_fn, void **out_arg); /* RONDO_0.1 */
rondo_status rondo_loop_getaddrinfo(rondo_loop *loop, const char *host, const char *service, int32_t family, int32_t type, int32_t protocol, int32_t flags, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_getnameinfo(rondo_loop *loop, const struct sockaddr *address, uint32_t length, int32_t flags, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_hold(rondo_loop *loop); /* RONDO_0.1 */
int32_t rondo_loop_is_closed(const rondo_loop *loop); /* RONDO_0.1 */
int32_t rondo_loop_is_running(const rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_iterate(rondo_loop *loop, int64_t max_wait_ns); /* RONDO_0.1 */
rondo_status rondo_loop_new(const rondo_loop_options *options, rondo_loop **out_loop); /* RONDO_0.1 */
rondo_status rondo_loop_print_task_tree(rondo_loop *loop, int32_t fd); /* RONDO_0.1 */
rondo_status rondo_loop_print_tasks(rondo_loop *loop, int32_t fd); /* RONDO_0.1 */
rondo_status rondo_loop_raise(rondo_loop *loop, rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_loop_release(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_remove_reader(rondo_loop *loop, int32_t fd, int32_t *out_removed); /* RONDO_0.1 */
rondo_status rondo_loop_remove_writer(rondo_loop *loop, int32_t fd, int32_t *out_removed); /* RONDO_0.1 */
rondo_status rondo_loop_reset_after_fork(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_retain(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_run_coroutine_threadsafe(rondo_loop *loop, rondo_coroutine *coroutine, rondo_thread_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_run_coroutine_threadsafe_typed(rondo_loop *loop, rondo_thread_future **out_future, rondo_any_fn fn, const char *signature, ...); /* RONDO_0.1 */
rondo_status rondo_loop_run_coroutine_threadsafe_typed_array(rondo_loop *loop, rondo_any_fn fn, rondo_signature *signature, const void *const *args, size_t count, rondo_thread_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_run_forever(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_run_in_executor(rondo_loop *loop, rondo_executor *executor, const rondo_job_options *options, rondo_job_fn fn, void *arg, rondo_drop_fn drop, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_run_in_executor_typed(rondo_loop *loop, rondo_executor *executor, rondo_future **out_future, rondo_any_fn fn, const char *signature, ...); /* RONDO_0.1 */
rondo_status rondo_loop_run_in_executor_typed_array(rondo_loop *loop, rondo_executor *executor, rondo_any_fn fn, rondo_signature *signature, const void *const *args, size_t count, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_run_in_process(rondo_loop *loop, rondo_executor *executor, const rondo_process_call *call, void *input, size_t input_size, rondo_drop_fn drop, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_run_until_complete(rondo_loop *loop, rondo_awaitable *awaitable, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_set_asyncgen_hooks(rondo_loop *loop, rondo_async_generator_fn firstiter, rondo_async_generator_fn finalizer, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_loop_set_choice(rondo_loop *loop, rondo_choice_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_loop_set_debug(rondo_loop *loop, int32_t enabled); /* RONDO_0.1 */
rondo_status rondo_loop_set_default_executor(rondo_loop *loop, rondo_executor *executor); /* RONDO_0.1 */
rondo_status rondo_loop_set_eager_tasks(rondo_loop *loop, int32_t enabled); /* RONDO_0.1 */
rondo_status rondo_loop_set_exception_handler(rondo_loop *loop, rondo_exception_handler_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_loop_set_poll_hooks(rondo_loop *loop, rondo_loop_fn before, rondo_loop_fn after, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_loop_set_slow_callback_duration(rondo_loop *loop, int64_t duration_ns); /* RONDO_0.1 */
rondo_status rondo_loop_set_task_factory(rondo_loop *loop, rondo_task_factory_fn fn, void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_loop_set_watchdog(rondo_loop *loop, int64_t threshold_ns); /* RONDO_0.1 */
rondo_status rondo_loop_shutdown_asyncgens(rondo_loop *loop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_loop_shutdown_default_executor(rondo_loop *loop, int64_t timeout_ns, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_shutdown_executor(rondo_loop *loop, rondo_executor *executor, uint32_t flags, int64_t timeout_ns, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_sock_accept(rondo_loop *loop, int32_t fd, struct sockaddr *address, uint32_t *address_size, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_sock_connect(rondo_loop *loop, int32_t fd, const struct sockaddr *address, uint32_t address_size, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_sock_recv(rondo_loop *loop, int32_t fd, void *buffer, size_t size, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_sock_recvfrom(rondo_loop *loop, int32_t fd, void *buffer, size_t size, struct sockaddr *address, uint32_t *address_size, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_sock_sendall(rondo_loop *loop, int32_t fd, const void *data, size_t size, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_sock_sendto(rondo_loop *loop, int32_t fd, const void *data, size_t size, const struct sockaddr *address, uint32_t address_size, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_spawn(rondo_loop *loop, rondo_step_fn step, void *frame, rondo_drop_fn drop, const rondo_task_options *options, rondo_task **out_task); /* RONDO_0.1 */
rondo_status rondo_loop_stop(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_take_escaped(rondo_loop *loop, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_loop_time(const rondo_loop *loop, int64_t *out_ns); /* RONDO_0.1 */
rondo_status rondo_loop_to_thread(rondo_loop *loop, rondo_job_fn fn, void *arg, rondo_drop_fn drop, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_unhold(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_loop_wait_readable(rondo_loop *loop, int32_t fd, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_loop_wait_writable(rondo_loop *loop, int32_t fd, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_origin_describe(const rondo_object *object, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_origin_get_frames(const rondo_object *object, uintptr_t *frames, size_t capacity, size_t *out_count); /* RONDO_0.1 */
rondo_status rondo_print_call_graph(rondo_awaitable *future, int32_t depth, int32_t limit, int32_t fd); /* RONDO_0.1 */
rondo_status rondo_queue_get(rondo_queue *queue, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_queue_get_maxsize(const rondo_queue *queue, int64_t *out_maxsize); /* RONDO_0.1 */
rondo_status rondo_queue_get_nowait(rondo_queue *queue, void **out_item); /* RONDO_0.1 */
int32_t rondo_queue_is_empty(const rondo_queue *queue); /* RONDO_0.1 */
int32_t rondo_queue_is_full(const rondo_queue *queue); /* RONDO_0.1 */
rondo_status rondo_queue_join(rondo_queue *queue, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_queue_new(rondo_loop *loop, int64_t maxsize, rondo_queue **out_queue); /* RONDO_0.1 */
rondo_status rondo_queue_new_lifo(rondo_loop *loop, int64_t maxsize, rondo_queue **out_queue); /* RONDO_0.1 */
rondo_status rondo_queue_new_priority(rondo_loop *loop, int64_t maxsize, rondo_compare_fn fn, void *arg, rondo_drop_fn drop, rondo_queue **out_queue); /* RONDO_0.1 */
rondo_status rondo_queue_put(rondo_queue *queue, void *item, rondo_drop_fn drop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_queue_put_nowait(rondo_queue *queue, void *item, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_queue_qsize(const rondo_queue *queue, size_t *out_count); /* RONDO_0.1 */
rondo_status rondo_queue_release(rondo_queue *queue); /* RONDO_0.1 */
rondo_status rondo_queue_retain(rondo_queue *queue); /* RONDO_0.1 */
rondo_status rondo_queue_shutdown(rondo_queue *queue, int32_t immediate); /* RONDO_0.1 */
rondo_status rondo_queue_task_done(rondo_queue *queue); /* RONDO_0.1 */
rondo_status rondo_run(rondo_awaitable *main, const rondo_run_options *options, void **out_value, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_runner_close(rondo_runner *runner); /* RONDO_0.1 */
rondo_status rondo_runner_get_loop(rondo_runner *runner, rondo_loop **out_loop); /* RONDO_0.1 */
rondo_status rondo_runner_new(const rondo_run_options *options, rondo_runner **out_runner); /* RONDO_0.1 */
rondo_status rondo_runner_release(rondo_runner *runner); /* RONDO_0.1 */
rondo_status rondo_runner_retain(rondo_runner *runner); /* RONDO_0.1 */
rondo_status rondo_runner_run(rondo_runner *runner, rondo_awaitable *main, void **out_value, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_runner_run_in_context(rondo_runner *runner, rondo_context *context, rondo_awaitable *main, void **out_value, rondo_error **out_error); /* RONDO_0.1 */
rondo_loop *rondo_running_loop(void); /* RONDO_0.1 */
rondo_status rondo_semaphore_acquire(rondo_semaphore *semaphore, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_semaphore_get_value(const rondo_semaphore *semaphore, int64_t *out_value); /* RONDO_0.1 */
int32_t rondo_semaphore_is_locked(const rondo_semaphore *semaphore); /* RONDO_0.1 */
rondo_status rondo_semaphore_new(rondo_loop *loop, int64_t value, uint32_t flags, rondo_semaphore **out_semaphore); /* RONDO_0.1 */
rondo_status rondo_semaphore_post(rondo_semaphore *semaphore); /* RONDO_0.1 */
rondo_status rondo_semaphore_release(rondo_semaphore *semaphore); /* RONDO_0.1 */
rondo_status rondo_semaphore_retain(rondo_semaphore *semaphore); /* RONDO_0.1 */
rondo_status rondo_set_event_loop(rondo_loop *loop); /* RONDO_0.1 */
rondo_status rondo_shield(rondo_loop *loop, rondo_awaitable *awaitable, rondo_future **out_future); /* RONDO_0.1 */
rondo_status rondo_signature_check(const char *text, size_t *out_position, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_signature_get_sizes(const rondo_signature *signature, size_t *out_count, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_signature_new(const char *text, rondo_signature **out_signature); /* RONDO_0.1 */
rondo_status rondo_signature_release(rondo_signature *signature); /* RONDO_0.1 */
rondo_status rondo_signature_retain(rondo_signature *signature); /* RONDO_0.1 */
rondo_status rondo_sleep(int64_t delay_ns, void *value, rondo_drop_fn drop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_staggered_race(size_t count, int64_t delay_ns, rondo_race_fn fn, void *arg, rondo_drop_fn drop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
const char *rondo_status_message(rondo_status status); /* RONDO_0.1 */
const char *rondo_status_name(rondo_status status); /* RONDO_0.1 */
rondo_future *rondo_task_as_future(rondo_task *task); /* RONDO_0.1 */
rondo_status rondo_task_cancel(rondo_task *task, const char *message, rondo_error *reason); /* RONDO_0.1 */
rondo_status rondo_task_cancelling(const rondo_task *task, uint32_t *out_count); /* RONDO_0.1 */
rondo_status rondo_task_get_context(rondo_task *task, rondo_context **out_context); /* RONDO_0.1 */
rondo_status rondo_task_get_name(const rondo_task *task, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_task_get_stack(const rondo_task *task, rondo_stack_frame *frames, size_t capacity, size_t *out_count); /* RONDO_0.1 */
rondo_status rondo_task_group_cancel(rondo_task_group *group); /* RONDO_0.1 */
rondo_status rondo_task_group_create_task(rondo_task_group *group, rondo_coroutine *coroutine, const rondo_task_options *options, rondo_task **out_task); /* RONDO_0.1 */
rondo_status rondo_task_group_enter(rondo_task_group *group); /* RONDO_0.1 */
rondo_status rondo_task_group_exit(rondo_task_group *group, rondo_error *thrown, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_task_group_new(rondo_loop *loop, rondo_task_group **out_group); /* RONDO_0.1 */
rondo_status rondo_task_group_release(rondo_task_group *group); /* RONDO_0.1 */
rondo_status rondo_task_group_retain(rondo_task_group *group); /* RONDO_0.1 */
rondo_status rondo_task_group_spawn(rondo_task_group *group, rondo_step_fn step, void *frame, rondo_drop_fn drop, const rondo_task_options *options, rondo_task **out_task); /* RONDO_0.1 */
rondo_status rondo_task_new(rondo_loop *loop, rondo_coroutine *coroutine, const rondo_task_options *options, rondo_task **out_task); /* RONDO_0.1 */
rondo_status rondo_task_print_stack(const rondo_task *task, size_t limit, char *buffer, size_t size, size_t *out_size); /* RONDO_0.1 */
rondo_status rondo_task_release(rondo_task *task); /* RONDO_0.1 */
rondo_status rondo_task_retain(rondo_task *task); /* RONDO_0.1 */
rondo_status rondo_task_set_name(rondo_task *task, const char *name); /* RONDO_0.1 */
rondo_status rondo_task_uncancel(rondo_task *task, uint32_t *out_remaining); /* RONDO_0.1 */
rondo_status rondo_thread_event_clear(rondo_thread_event *event); /* RONDO_0.1 */
int32_t rondo_thread_event_is_set(const rondo_thread_event *event); /* RONDO_0.1 */
rondo_status rondo_thread_event_new(rondo_thread_event **out_event); /* RONDO_0.1 */
rondo_status rondo_thread_event_release(rondo_thread_event *event); /* RONDO_0.1 */
rondo_status rondo_thread_event_retain(rondo_thread_event *event); /* RONDO_0.1 */
rondo_status rondo_thread_event_set(rondo_thread_event *event); /* RONDO_0.1 */
rondo_status rondo_thread_event_wait(rondo_thread_event *event, int64_t timeout_ns); /* RONDO_0.1 */
rondo_status rondo_thread_event_wait_async(rondo_thread_event *event, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_thread_future_add_done_callback(rondo_thread_future *future, void (*fn)(rondo_thread_future *future, void *arg), void *arg, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_thread_future_cancel(rondo_thread_future *future); /* RONDO_0.1 */
rondo_status rondo_thread_future_exception(rondo_thread_future *future, int64_t timeout_ns, rondo_error **out_error); /* RONDO_0.1 */
int32_t rondo_thread_future_is_cancelled(const rondo_thread_future *future); /* RONDO_0.1 */
int32_t rondo_thread_future_is_done(const rondo_thread_future *future); /* RONDO_0.1 */
rondo_status rondo_thread_future_new(rondo_thread_future **out_future); /* RONDO_0.1 */
rondo_status rondo_thread_future_release(rondo_thread_future *future); /* RONDO_0.1 */
rondo_status rondo_thread_future_result(rondo_thread_future *future, int64_t timeout_ns, void **out_value); /* RONDO_0.1 */
rondo_status rondo_thread_future_result_typed(rondo_thread_future *future, int64_t timeout_ns, void *buffer, size_t size); /* RONDO_0.1 */
rondo_status rondo_thread_future_retain(rondo_thread_future *future); /* RONDO_0.1 */
rondo_status rondo_thread_future_set_exception(rondo_thread_future *future, rondo_error *error); /* RONDO_0.1 */
rondo_status rondo_thread_future_set_result(rondo_thread_future *future, void *value, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_thread_queue_completer(rondo_thread_queue *queue, const char *signature, const rondo_completer_options *options, void *arg, rondo_drop_fn drop, rondo_completer **out_completer); /* RONDO_0.1 */
rondo_status rondo_thread_queue_get(rondo_thread_queue *queue, int64_t timeout_ns, void **out_item); /* RONDO_0.1 */
rondo_status rondo_thread_queue_get_async(rondo_thread_queue *queue, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_thread_queue_get_maxsize(const rondo_thread_queue *queue, int64_t *out_maxsize); /* RONDO_0.1 */
rondo_status rondo_thread_queue_get_nowait(rondo_thread_queue *queue, void **out_item); /* RONDO_0.1 */
rondo_status rondo_thread_queue_join(rondo_thread_queue *queue, int64_t timeout_ns); /* RONDO_0.1 */
rondo_status rondo_thread_queue_join_async(rondo_thread_queue *queue, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_thread_queue_new(int64_t maxsize, rondo_thread_queue **out_queue); /* RONDO_0.1 */
rondo_status rondo_thread_queue_put(rondo_thread_queue *queue, void *item, rondo_drop_fn drop, int64_t timeout_ns); /* RONDO_0.1 */
rondo_status rondo_thread_queue_put_async(rondo_thread_queue *queue, void *item, rondo_drop_fn drop, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_thread_queue_put_nowait(rondo_thread_queue *queue, void *item, rondo_drop_fn drop); /* RONDO_0.1 */
rondo_status rondo_thread_queue_qsize(const rondo_thread_queue *queue, size_t *out_count); /* RONDO_0.1 */
rondo_status rondo_thread_queue_release(rondo_thread_queue *queue); /* RONDO_0.1 */
rondo_status rondo_thread_queue_retain(rondo_thread_queue *queue); /* RONDO_0.1 */
rondo_status rondo_thread_queue_shutdown(rondo_thread_queue *queue, int32_t immediate); /* RONDO_0.1 */
rondo_status rondo_thread_queue_task_done(rondo_thread_queue *queue); /* RONDO_0.1 */
rondo_status rondo_timeout_enter(rondo_timeout *timeout); /* RONDO_0.1 */
rondo_status rondo_timeout_exit(rondo_timeout *timeout, rondo_error *thrown, rondo_error **out_error); /* RONDO_0.1 */
rondo_status rondo_timeout_get_when(const rondo_timeout *timeout, int64_t *out_when_ns); /* RONDO_0.1 */
int32_t rondo_timeout_is_expired(const rondo_timeout *timeout); /* RONDO_0.1 */
rondo_status rondo_timeout_new(rondo_loop *loop, int64_t delay_ns, rondo_timeout **out_timeout); /* RONDO_0.1 */
rondo_status rondo_timeout_new_at(rondo_loop *loop, int64_t when_ns, rondo_timeout **out_timeout); /* RONDO_0.1 */
rondo_status rondo_timeout_release(rondo_timeout *timeout); /* RONDO_0.1 */
rondo_status rondo_timeout_reschedule(rondo_timeout *timeout, int64_t when_ns); /* RONDO_0.1 */
rondo_status rondo_timeout_retain(rondo_timeout *timeout); /* RONDO_0.1 */
uint32_t rondo_version(void); /* RONDO_0.1 */
const char *rondo_version_string(void); /* RONDO_0.1 */
rondo_status rondo_wait(rondo_loop *loop, rondo_awaitable *const *awaitables, size_t count, int64_t timeout_ns, int32_t return_when, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_wait_for(rondo_awaitable *awaitable, int64_t timeout_ns, rondo_coroutine **out_coroutine); /* RONDO_0.1 */
rondo_status rondo_wrap_future(rondo_loop *loop, rondo_thread_future *thread_future, rondo_future **out_future); /* RONDO_0.1 */

/* constants */
#define RONDO_CALL_GRAPH_CYCLE 2
#define RONDO_CALL_GRAPH_FUTURE 2
#define RONDO_CALL_GRAPH_NO_LIMIT 2147483647
#define RONDO_CALL_GRAPH_REPEATED 1
#define RONDO_CALL_GRAPH_TASK 1
#define RONDO_CANCEL_SCOPE_FAIL 2
#define RONDO_CANCEL_SCOPE_SHIELD 1
#define RONDO_CHOICE_DESCRIPTOR 3
#define RONDO_CHOICE_READY 1
#define RONDO_CHOICE_THREAD 4
#define RONDO_CHOICE_TIMER 2
#define RONDO_COMPLETER_CLOSURE 1
#define RONDO_DOMAIN_POSIX 2
#define RONDO_DOMAIN_RESOLVER 3
#define RONDO_DOMAIN_RONDO 1
#define RONDO_DOMAIN_TLS 4
#define RONDO_DOMAIN_USER 5
#define RONDO_EAGER_DEFAULT 0
#define RONDO_EAGER_NO 2
#define RONDO_EAGER_YES 1
#define RONDO_E_ALREADY_AWAITED (-20020)
#define RONDO_E_ALREADY_RUNNING (-20019)
#define RONDO_E_BAD_HANDLE (-20006)
#define RONDO_E_BAD_SIGNATURE (-20036)
#define RONDO_E_BROKEN_BARRIER (-20030)
#define RONDO_E_BROKEN_POOL (-20038)
#define RONDO_E_BROKEN_PROMISE (-20005)
#define RONDO_E_CANCELLED (-20001)
#define RONDO_E_DEADLOCK (-20033)
#define RONDO_E_EXECUTOR_SHUT_DOWN (-20035)
#define RONDO_E_EXIT (-20023)
#define RONDO_E_GENERATOR_EXIT (-20021)
#define RONDO_E_GENERATOR_RUNNING (-20032)
#define RONDO_E_GROUP (-20025)
#define RONDO_E_INTERRUPTED (-20022)
#define RONDO_E_INVALID_STATE (-20003)
#define RONDO_E_LOOP_CLOSED (-20011)
#define RONDO_E_LOOP_RUNNING (-20012)
#define RONDO_E_LOOP_STOPPED (-20015)
#define RONDO_E_NO_CLOSURES (-20037)
#define RONDO_E_NO_LOOP (-20014)
#define RONDO_E_OTHER_LOOP_RUNNING (-20013)
#define RONDO_E_OWNER_DEAD (-20016)
#define RONDO_E_QUEUE_EMPTY (-20027)
#define RONDO_E_QUEUE_FULL (-20028)
#define RONDO_E_QUEUE_SHUT_DOWN (-20029)
#define RONDO_E_RAISED (-20004)
#define RONDO_E_RESOLVER (-20039)
#define RONDO_E_RUNNER_CLOSED (-20034)
#define RONDO_E_RUNTIME (-20017)
#define RONDO_E_STALE_HANDLE (-20007)
#define RONDO_E_STOP_ASYNC_ITERATION (-20031)
#define RONDO_E_STOP_ITERATION (-20026)
#define RONDO_E_TIMEOUT (-20002)
#define RONDO_E_TYPE (-20018)
#define RONDO_E_USER (-20024)
#define RONDO_E_WRONG_LOOP (-20010)
#define RONDO_E_WRONG_PROCESS (-20009)
#define RONDO_E_WRONG_THREAD (-20008)
#define RONDO_FUTURE_CANCELLED 3
#define RONDO_FUTURE_EXCEPTION 2
#define RONDO_FUTURE_PENDING 0
#define RONDO_FUTURE_RESULT 1
#define RONDO_GATHER_RETURN_EXCEPTIONS 1
#define RONDO_GENERATOR_CLOSED 3
#define RONDO_GENERATOR_CREATED 0
#define RONDO_GENERATOR_RUNNING 1
#define RONDO_GENERATOR_SUSPENDED 2
#define RONDO_JOB_COPY_CONTEXT 1
#define RONDO_LANE_FILES 2
#define RONDO_LANE_HIGH 1
#define RONDO_LANE_LOW 4
#define RONDO_LANE_NORMAL 0
#define RONDO_LANE_RESOLVER 3
#define RONDO_LOG_CRITICAL 50
#define RONDO_LOG_DEBUG 10
#define RONDO_LOG_ERROR 40
#define RONDO_LOG_INFO 20
#define RONDO_LOG_QUEUE_DROP_OLDEST 1
#define RONDO_LOG_WARNING 30
#define RONDO_LOOP_ANY_ORDER 64
#define RONDO_LOOP_DEBUG 1
#define RONDO_LOOP_MANUAL_CLOCK 32
#define RONDO_LOOP_PRINT_SCHEDULE 128
#define RONDO_LOOP_VIRTUAL_CLOCK 16
#define RONDO_NEVER 9223372036854775807LL
#define RONDO_OK 0
#define RONDO_ORIGIN_DEPTH 10
#define RONDO_PROCESS_KILL 1
#define RONDO_PROCESS_MESSAGE_MAX 65535
#define RONDO_RUN_NO_SIGINT 1
#define RONDO_SEMAPHORE_BOUNDED 1
#define RONDO_SHUTDOWN_CANCEL 1
#define RONDO_SHUTDOWN_UNBLOCK 2
#define RONDO_STEP_AWAIT 2
#define RONDO_STEP_RAISE 3
#define RONDO_STEP_RETURN 0
#define RONDO_STEP_YIELD 1
#define RONDO_WAIT_ALL_COMPLETED 0
#define RONDO_WAIT_FIRST_COMPLETED 1
#define RONDO_WAIT_FIRST_EXCEPTION 2
#define RONDO_WORKER_AT_END 1
#define RONDO_WORKER_CALL 0
#define RONDO_WORKER_MAGIC 1915748353
#define RONDO_WORKER_SOCKET 3

/* macros */
#define RONDO_ACLOSING_EXIT(self,part,generator) RONDO_TRY_ACLOSING_EXIT(self, part, generator); if (thrown != NULL) return rondo_coroutine_raise(co, thrown)
#define RONDO_ACLOSING_EXIT_IN(self,part,generator,outer) RONDO_TRY_ACLOSING_EXIT(self, part, generator); if (thrown != NULL) goto rondo_exit_ ##outer
#define RONDO_ANY(function) ((rondo_any_fn)(function))
#define RONDO_ASYNC_FOR(self,generator,item) RONDO_ASYNC_FOR_(self, generator, item, return rondo_coroutine_raise(co, thrown))
#define RONDO_ASYNC_FOR_(self,generator,item,leave) for (;;) if (((self)->rondo_line = __LINE__) != 0) { return rondo_coroutine_anext(co, (generator)); case __LINE__: if (thrown != NULL) { if (rondo_error_get_status(thrown) != RONDO_E_STOP_ASYNC_ITERATION) leave; thrown = NULL; break; } (item) = sent; goto RONDO_PASTE_(rondo_body_, __LINE__); } else RONDO_PASTE_(rondo_body_, __LINE__) :
#define RONDO_ASYNC_FOR_IN(self,part,generator,item) RONDO_ASYNC_FOR_(self, generator, item, goto rondo_exit_ ##part)
#define RONDO_AWAIT(self,awaitable) RONDO_DO(self, rondo_coroutine_await(co, (awaitable)))
#define RONDO_AWAIT_IN(self,part,awaitable) RONDO_DO_IN(self, part, rondo_coroutine_await(co, (awaitable)))
#define RONDO_AWAIT_MOVED(self,awaitable) RONDO_DO(self, rondo_coroutine_await_moved(co, (awaitable)))
#define RONDO_AWAIT_MOVED_IN(self,part,awaitable) RONDO_DO_IN(self, part, rondo_coroutine_await_moved(co, (awaitable)))
#define RONDO_BEGIN(self) (void)sent; (void)thrown; switch ((self)->rondo_line) { case 0: (self)->rondo_mark = 0x6F646E72;
#define RONDO_CANCEL_SCOPE_ENTER(self,scope,loop,options) do { thrown = NULL; RONDO_CHECK(rondo_cancel_scope_new((loop), (options), &(scope)), "cancel scope"); RONDO_CHECK(rondo_cancel_scope_enter(scope), "cancel scope"); } while (0)
#define RONDO_CANCEL_SCOPE_EXIT(self,part,scope) rondo_exit_ ##part: do { rondo_error *rondo_left_; rondo_step rondo_step_; if (0) goto rondo_exit_ ##part; rondo_left_ = NULL; RONDO_CHECK(rondo_cancel_scope_exit((scope), thrown, &rondo_left_), "cancel scope"); thrown = NULL; rondo_cancel_scope_release(scope); (scope) = NULL; if (rondo_left_ == NULL) break; rondo_step_ = rondo_coroutine_raise(co, rondo_left_); rondo_error_release(rondo_left_); return rondo_step_; } while (0)
#define RONDO_CHECK(call,operation) do { rondo_status rondo_status_ = (call); if (rondo_status_ != RONDO_OK) return rondo_coroutine_raise_status(co, rondo_status_, (operation)); } while (0)
#define RONDO_DO(self,action) do { RONDO_SUSPEND_(self, action) if (thrown != NULL) return rondo_coroutine_raise(co, thrown); } while (0)
#define RONDO_DO_IN(self,part,action) do { RONDO_SUSPEND_(self, action) if (thrown != NULL) goto rondo_exit_ ##part; } while (0)
#define RONDO_END(self) } return rondo_coroutine_return(co, NULL, NULL)
#define RONDO_END_FINALLY(self,error) do { rondo_step rondo_step_; if ((error) == NULL) break; rondo_step_ = rondo_coroutine_raise(co, (error)); rondo_error_release(error); (error) = NULL; return rondo_step_; } while (0)
#define RONDO_FAIL_AFTER(self,scope,loop,delay_ns) do { rondo_cancel_scope_options rondo_options_ = { sizeof rondo_options_, 0, 0, 0 }; rondo_options_.flags = RONDO_CANCEL_SCOPE_FAIL; thrown = NULL; RONDO_CHECK(rondo_cancel_scope_new_after((loop), (delay_ns), &rondo_options_, &(scope)), "cancel scope"); RONDO_CHECK(rondo_cancel_scope_enter(scope), "cancel scope"); } while (0)
#define RONDO_FINALLY(self,part,error) rondo_exit_ ##part: do { if (0) goto rondo_exit_ ##part; (error) = thrown; rondo_error_retain(error); } while (0)
#define RONDO_FRAME int32_t rondo_line, rondo_mark
#define RONDO_LEAVE(part) do { thrown = NULL; goto rondo_exit_ ##part; } while (0)
#define RONDO_MOVE_ON_AFTER(self,scope,loop,delay_ns) do { thrown = NULL; RONDO_CHECK(rondo_cancel_scope_new_after((loop), (delay_ns), NULL, &(scope)), "cancel scope"); RONDO_CHECK(rondo_cancel_scope_enter(scope), "cancel scope"); } while (0)
#define RONDO_PASTED_(a,b) a ##b
#define RONDO_PASTE_(a,b) RONDO_PASTED_(a, b)
#define RONDO_RAISE(code,message) return rondo_coroutine_raise_new(co, RONDO_DOMAIN_USER, (code), (message))
#define RONDO_RETURN(value) return rondo_coroutine_return(co, (value), NULL)
#define RONDO_SLEEP(self,delay_ns) RONDO_DO(self, rondo_coroutine_sleep(co, (delay_ns)))
#define RONDO_SLEEP_IN(self,part,delay_ns) RONDO_DO_IN(self, part, rondo_coroutine_sleep(co, (delay_ns)))
#define RONDO_SOVERSION "0"
#define RONDO_STEP(name) static rondo_step name(rondo_coroutine *co, void *frame, void *sent, rondo_error *thrown)
#define RONDO_SUSPEND_(self,action) (self)->rondo_line = __LINE__; return (action); case __LINE__:
#define RONDO_TASK_GROUP_ENTER(self,group,loop) do { thrown = NULL; RONDO_CHECK(rondo_task_group_new((loop), &(group)), "task group"); RONDO_CHECK(rondo_task_group_enter(group), "task group"); } while (0)
#define RONDO_TASK_GROUP_EXIT(self,part,group) RONDO_TRY_TASK_GROUP_EXIT(self, part, group); if (thrown != NULL) return rondo_coroutine_raise(co, thrown)
#define RONDO_TIMEOUT_ENTER(self,timeout,loop,delay_ns) do { thrown = NULL; RONDO_CHECK(rondo_timeout_new((loop), (delay_ns), &(timeout)), "timeout"); RONDO_CHECK(rondo_timeout_enter(timeout), "timeout"); } while (0)
#define RONDO_TIMEOUT_EXIT(self,part,timeout) rondo_exit_ ##part: do { rondo_error *rondo_left_; rondo_step rondo_step_; if (0) goto rondo_exit_ ##part; rondo_left_ = NULL; RONDO_CHECK(rondo_timeout_exit((timeout), thrown, &rondo_left_), "timeout"); rondo_timeout_release(timeout); (timeout) = NULL; if (rondo_left_ == NULL) break; rondo_step_ = rondo_coroutine_raise(co, rondo_left_); rondo_error_release(rondo_left_); return rondo_step_; } while (0)
#define RONDO_TRY(self,action) do { RONDO_SUSPEND_(self, action); } while (0)
#define RONDO_TRY_ACLOSING_EXIT(self,part,generator) rondo_exit_ ##part: do { rondo_coroutine *rondo_exit_; if (0) goto rondo_exit_ ##part; rondo_exit_ = NULL; RONDO_CHECK(rondo_async_generator_exit((generator), thrown, &rondo_exit_), "aclose"); rondo_async_generator_release(generator); (generator) = NULL; RONDO_SUSPEND_(self, rondo_coroutine_await(co, rondo_exit_)); } while (0)
#define RONDO_TRY_AWAIT(self,awaitable) RONDO_TRY(self, rondo_coroutine_await(co, (awaitable)))
#define RONDO_TRY_AWAIT_MOVED(self,awaitable) RONDO_TRY(self, rondo_coroutine_await_moved(co, (awaitable)))
#define RONDO_TRY_CANCEL_SCOPE_EXIT(self,part,scope,error) rondo_exit_ ##part: do { if (0) goto rondo_exit_ ##part; (error) = NULL; RONDO_CHECK(rondo_cancel_scope_exit((scope), thrown, &(error)), "cancel scope"); thrown = NULL; rondo_cancel_scope_release(scope); (scope) = NULL; } while (0)
#define RONDO_TRY_TASK_GROUP_EXIT(self,part,group) rondo_exit_ ##part: do { rondo_coroutine *rondo_exit_; if (0) goto rondo_exit_ ##part; rondo_exit_ = NULL; RONDO_CHECK(rondo_task_group_exit((group), thrown, &rondo_exit_), "task group"); rondo_task_group_release(group); (group) = NULL; RONDO_SUSPEND_(self, rondo_coroutine_await(co, rondo_exit_)); } while (0)
#define RONDO_TRY_TIMEOUT_EXIT(self,part,timeout,error) rondo_exit_ ##part: do { if (0) goto rondo_exit_ ##part; (error) = NULL; RONDO_CHECK(rondo_timeout_exit((timeout), thrown, &(error)), "timeout"); rondo_timeout_release(timeout); (timeout) = NULL; } while (0)
#define RONDO_TRY_YIELD_VALUE(self,value,drop) RONDO_TRY(self, rondo_coroutine_yield_value(co, (value), (drop)))
#define RONDO_WORKER_PATH "rondo" RONDO_SOVERSION "/rondo-worker"
#define RONDO_YIELD(self) RONDO_DO(self, rondo_coroutine_yield(co, NULL))
#define RONDO_YIELD_VALUE(self,value,drop) RONDO_DO(self, rondo_coroutine_yield_value(co, (value), (drop)))
#define RONDO_YIELD_VALUE_IN(self,part,value,drop) RONDO_DO_IN(self, part, rondo_coroutine_yield_value(co, (value), (drop)))
#define rondo_cancel_scope_cancel_here(scope,reason) rondo_cancel_scope_cancel_at((scope), (reason), __func__, __FILE__, __LINE__)
#endif
