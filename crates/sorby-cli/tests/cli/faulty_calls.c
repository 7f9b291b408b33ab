/* Loaded before a program (LD_PRELOAD): the call number SORBY_FAULT_AT that writes below SORBY_FAULT_ROOT fails with the
   error number SORBY_FAULT_ERRNO, or writes half of its bytes if that is 0. At the end the number of such calls is written
   to the file SORBY_FAULT_COUNT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static long fail_at;
static int fail_with;
static const char *root;

__attribute__((constructor)) static void begin(void) {
  const char *at = getenv("SORBY_FAULT_AT"), *with = getenv("SORBY_FAULT_ERRNO");
  root = getenv("SORBY_FAULT_ROOT");
  fail_at = at ? atol(at) : 0;
  fail_with = with ? atoi(with) : 0;
}

__attribute__((destructor)) static void end(void) {
  const char *count = getenv("SORBY_FAULT_COUNT");
  FILE *file = count ? fopen(count, "w") : NULL;
  if (file) {
    fprintf(file, "%ld", atomic_load(&calls));
    fclose(file);
  }
}

static int ours(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0 || !root) return 0;
  path[n] = 0;
  return strncmp(path, root, strlen(root)) == 0;
}

/* 1: this call is the one to fail. */
static int now(void) { return atomic_fetch_add(&calls, 1) + 1 == fail_at; }

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t n) {
  REAL(ssize_t, write, int, const void *, size_t);
  if (fd > 2 && ours(fd) && now()) {
    if (fail_with) { errno = fail_with; return -1; }
    return real(fd, data, n > 1 ? n / 2 : n);
  }
  return real(fd, data, n);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  if (fd > 2 && ours(fd) && now() && fail_with) { errno = fail_with; return -1; }
  return real(fd, parts, count);
}

ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t n, unsigned flags) {
  REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
  if (ours(out) && now()) {
    if (fail_with) { errno = fail_with; return -1; }
    return real(in, from, out, to, n > 1 ? n / 2 : n, flags);
  }
  return real(in, from, out, to, n, flags);
}

int fsync(int fd) {
  REAL(int, fsync, int);
  if (ours(fd) && now() && fail_with) { errno = fail_with; return -1; }
  return real(fd);
}

int open64(const char *path, int flags, ...) {
  REAL(int, open64, const char *, int, ...);
  va_list more;
  va_start(more, flags);
  mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
  va_end(more);
  /* Relative names count too: the tests run in the root. */
  int writes = (flags & O_CREAT) && (path[0] != '/' || (root && strncmp(path, root, strlen(root)) == 0));
  if (writes && now() && fail_with) { errno = fail_with; return -1; }
  return real(path, flags, mode);
}
