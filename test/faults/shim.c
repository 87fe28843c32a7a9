/* For LD_PRELOAD: makes calls on some files fail, or transfer less than they were asked to.
   FAULT_CALL   read, write, open, sync, rename, link or close
   FAULT_PATH   part of the path of the file
   FAULT_AFTER  number of calls that succeed first
   FAULT_TIMES  number of calls that fail then; without it, all of them
   FAULT_ERRNO  the error; without it, FAULT_SHORT is the largest number of bytes that a call transfers */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static int number(const char *name) {
  const char *text = getenv(name);
  return text ? atoi(text) : 0;
}

static int concerns(const char *call, const char *path) {
  const char *wanted = getenv("FAULT_CALL");
  const char *part = getenv("FAULT_PATH");
  return wanted && part && strcmp(wanted, call) == 0 && strstr(path, part);
}

/* Whether this call is to fail; errno is set then. */
static int fails_at(const char *call, const char *path) {
  if (!number("FAULT_ERRNO") || !concerns(call, path)) return 0;
  long before = atomic_fetch_add(&calls, 1), after = number("FAULT_AFTER"), times = number("FAULT_TIMES");
  if (before < after || (times && before >= after + times)) return 0;
  errno = number("FAULT_ERRNO");
  return 1;
}

static void path_of(int fd, char *path, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  path[length < 0 ? 0 : length] = 0;
}

static int fails(const char *call, int fd) {
  char path[4096];
  path_of(fd, path, sizeof path);
  return fails_at(call, path);
}

static size_t shortened(const char *call, int fd, size_t count) {
  char path[4096];
  size_t most = number("FAULT_SHORT");
  if (!most || count <= most) return count;
  path_of(fd, path, sizeof path);
  return concerns(call, path) ? most : count;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

#define TRANSFER(name, call, pointer) \
  ssize_t name(int fd, pointer bytes, size_t count) { \
    if (fails(call, fd)) return -1; \
    return REAL(ssize_t, name, int, pointer, size_t)(fd, bytes, shortened(call, fd, count)); \
  }
#define TRANSFER_AT(name, call, pointer, offset) \
  ssize_t name(int fd, pointer bytes, size_t count, offset at) { \
    if (fails(call, fd)) return -1; \
    return REAL(ssize_t, name, int, pointer, size_t, offset)(fd, bytes, shortened(call, fd, count), at); \
  }
TRANSFER(read, "read", void *)
TRANSFER(write, "write", const void *)
TRANSFER_AT(pread, "read", void *, off_t)
TRANSFER_AT(pread64, "read", void *, off64_t)
TRANSFER_AT(pwrite, "write", const void *, off_t)
TRANSFER_AT(pwrite64, "write", const void *, off64_t)

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return fails_at("open", path) ? -1 : REAL(int, name, const char *, int, ...)(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define ON_FILE(name, call) \
  int name(int fd) { return fails(call, fd) ? -1 : REAL(int, name, int)(fd); }
ON_FILE(fsync, "sync")
ON_FILE(fdatasync, "sync")

/* libuv closes by syscall(). The file is closed all the same, as by the system. */
long syscall(long call, ...) {
  va_list rest;
  va_start(rest, call);
  long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long);
  long d = va_arg(rest, long), e = va_arg(rest, long), f = va_arg(rest, long);
  va_end(rest);
  int failed = call == SYS_close && fails("close", (int)a);
  int error = errno;
  long result = REAL(long, syscall, long, ...)(call, a, b, c, d, e, f);
  if (failed) errno = error;
  return failed ? -1 : result;
}

#define ON_PATHS(name) \
  int name(const char *from, const char *to) { \
    return fails_at(#name, from) ? -1 : REAL(int, name, const char *, const char *)(from, to); \
  }
ON_PATHS(rename)
ON_PATHS(link)
