/* Loaded into the service by a test: writes to the database's files fail with the error whose number
   stands in the file that COUNTERSIGN_TEST_FAULT names, as they do on a full or broken disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int fault_for(int fd) {
  const char *path = getenv("COUNTERSIGN_TEST_FAULT");
  char link[64], target[4096];
  ssize_t length;
  int number = 0;
  FILE *file;
  if (path == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  length = readlink(link, target, sizeof target - 1);
  if (length <= 0) return 0;
  target[length] = 0;
  if (strstr(target, "test.db") == NULL) return 0;
  file = fopen(path, "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%d", &number) != 1) number = 0;
  fclose(file);
  return number;
}

#define FAIL_IF_TOLD(fd)            \
  do {                              \
    int number = fault_for(fd);     \
    if (number != 0) {              \
      errno = number;               \
      return -1;                    \
    }                               \
  } while (0)

ssize_t pwrite64(int fd, const void *buffer, size_t count, off64_t offset) {
  static ssize_t (*next)(int, const void *, size_t, off64_t);
  FAIL_IF_TOLD(fd);
  if (next == NULL) next = dlsym(RTLD_NEXT, "pwrite64");
  return next(fd, buffer, count, offset);
}

ssize_t pwrite(int fd, const void *buffer, size_t count, off_t offset) {
  static ssize_t (*next)(int, const void *, size_t, off_t);
  FAIL_IF_TOLD(fd);
  if (next == NULL) next = dlsym(RTLD_NEXT, "pwrite");
  return next(fd, buffer, count, offset);
}

ssize_t write(int fd, const void *buffer, size_t count) {
  static ssize_t (*next)(int, const void *, size_t);
  FAIL_IF_TOLD(fd);
  if (next == NULL) next = dlsym(RTLD_NEXT, "write");
  return next(fd, buffer, count);
}

int fsync(int fd) {
  static int (*next)(int);
  FAIL_IF_TOLD(fd);
  if (next == NULL) next = dlsym(RTLD_NEXT, "fsync");
  return next(fd);
}

int fdatasync(int fd) {
  static int (*next)(int);
  FAIL_IF_TOLD(fd);
  if (next == NULL) next = dlsym(RTLD_NEXT, "fdatasync");
  return next(fd);
}
