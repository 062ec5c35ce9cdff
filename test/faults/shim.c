/*
 * What a process is told of the disk and the clock, spoilt from outside: loaded before libc, it reads one control file
 * that is mapped into memory. Bytes 0 to 7: seconds by which the clock is off, signed; byte 8: whether fsync fails.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
  volatile int64_t seconds;
  volatile uint8_t failing;
};

static const struct control nothing = {0, 0};
static const struct control *control = &nothing;

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("MUNIMENT_FAULTS_CONTROL");
  int file = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *mapped = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) control = mapped;
  close(file);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fsync(int file) {
  if (control->failing) return errno = EIO, -1;
  return NEXT(fsync)(file);
}

int fdatasync(int file) {
  if (control->failing) return errno = EIO, -1;
  return NEXT(fdatasync)(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = NEXT(clock_gettime)(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += control->seconds;
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int result = NEXT(gettimeofday)(now, zone);
  if (result == 0) now->tv_sec += control->seconds;
  return result;
}

time_t time(time_t *now) {
  time_t result = NEXT(time)(NULL) + control->seconds;
  if (now != NULL) *now = result;
  return result;
}
