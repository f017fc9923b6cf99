/*
 * The native seam of Node: a system call, the address of a buffer. Everything else is TypeScript.
 * A call that may block belongs on a worker or in the executor, never here.
 */
#include <errno.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#define NAPI_VERSION 9
#include <node_api.h>

/* An argument is a number, a bigint, or a buffer, which stands for its address. */
static int argument(napi_env env, napi_value value, long *out)
{
	napi_valuetype type;
	int64_t number;
	bool is, lossless;
	void *data;
	size_t length, offset;
	napi_typedarray_type kind;
	napi_value buffer;
	/* The most frequent first: every question to Node costs. */
	if (napi_get_value_int64(env, value, &number) == napi_ok)
		return *out = number, 0;
	napi_typeof(env, value, &type);
	if (type == napi_bigint) {
		napi_get_value_bigint_int64(env, value, &number, &lossless);
		return *out = number, 0;
	}
	if (napi_is_typedarray(env, value, &is) == napi_ok && is) {
		napi_get_typedarray_info(env, value, &kind, &length, &data, &buffer, &offset);
		return *out = (long)data, 0;
	}
	napi_throw_type_error(env, "DELOS_SYSCALL", "a system call takes numbers, bigints and typed arrays");
	return -1;
}

/* syscall(number, ...up to six arguments): the result, or minus the errno. */
static napi_value system_call(napi_env env, napi_callback_info info)
{
	size_t count = 7;
	napi_value values[7], result;
	long a[7] = { 0 };
	napi_get_cb_info(env, info, &count, values, NULL, NULL);
	for (size_t i = 0; i < count && i < 7; i++)
		if (argument(env, values[i], &a[i]))
			return NULL;
	long got = syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
	napi_create_int64(env, got < 0 ? -errno : got, &result);
	return result;
}

/* The function of boundIoctl: minus the errno, or undefined for 0. */
static napi_value bound(napi_env env, napi_callback_info info)
{
	void *data;
	napi_value result;
	napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
	int got = ioctl((int)((uintptr_t)data >> 32), (uint32_t)(uintptr_t)data, 0);
	if (!got)
		return NULL;
	napi_create_int32(env, got < 0 ? -errno : got, &result);
	return result;
}

/*
 * boundIoctl(descriptor, request): a function that makes this ioctl without an argument. Nothing is handed over but what went wrong, as each
 * question to Node costs as much again as the way to here.
 */
static napi_value bound_ioctl(napi_env env, napi_callback_info info)
{
	size_t count = 2;
	int32_t fd = -1;
	uint32_t request = 0;
	napi_value values[2], result;
	napi_get_cb_info(env, info, &count, values, NULL, NULL);
	napi_get_value_int32(env, values[0], &fd);
	napi_get_value_uint32(env, values[1], &request);
	napi_create_function(env, "bound", NAPI_AUTO_LENGTH, bound, (void *)((uintptr_t)(uint32_t)fd << 32 | request), &result);
	return result;
}

/* address(buffer): where its bytes are, as a bigint; good as long as the buffer is alive. */
static napi_value address(napi_env env, napi_callback_info info)
{
	size_t count = 1;
	napi_value value, result;
	long where;
	napi_get_cb_info(env, info, &count, &value, NULL, NULL);
	if (count < 1 || argument(env, value, &where))
		return NULL;
	napi_create_bigint_int64(env, where, &result);
	return result;
}

NAPI_MODULE_INIT()
{
	napi_value function;
	napi_create_function(env, "syscall", NAPI_AUTO_LENGTH, system_call, NULL, &function);
	napi_set_named_property(env, exports, "syscall", function);
	napi_create_function(env, "boundIoctl", NAPI_AUTO_LENGTH, bound_ioctl, NULL, &function);
	napi_set_named_property(env, exports, "boundIoctl", function);
	napi_create_function(env, "address", NAPI_AUTO_LENGTH, address, NULL, &function);
	napi_set_named_property(env, exports, "address", function);
	return exports;
}
