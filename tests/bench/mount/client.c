/* What a program does with a file system, timed: the client side of the mount's benchmark.
 *
 *     client stat|missing|open|read DIRECTORY FORMAT COUNT      FORMAT names the files, as in IMG_%06d.jpg
 *     client list DIRECTORY                                     readdir, lstat of each: what ls -l and find do
 *     client names DIRECTORY                                    readdir alone
 *     client sequential|random FILE
 *     client probe DIRECTORY SECONDS                            one lookup of a new, missing name each millisecond
 *
 * Prints one JSON object. Most commands do the same work twice: "cold" is the first time on this mount, "again" the
 * second, with whatever the kernel has kept. Times are microseconds, rates MB/s or thousands a second.
 *
 * In C because an interpreter's own 1-2 us a call would be a fifth of what is measured.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST 1000000
#define BLOCK (128 * 1024)
#define LONGEST 3.0 /* seconds: a slow peer answers fewer random reads, it does not hold the others up */
#define SYS_CACHESTAT 451

static double taken[MOST];
static char buffer[BLOCK] __attribute__((aligned(4096)));

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int directory(const char *path) {
    int found = open(path, O_RDONLY | O_DIRECTORY);
    if (found < 0) fail(path);
    return found;
}

/* Neither in order nor at random: a stride that visits each of them once. */
static int shuffled(int i, int count) { return (int)((long)i * 7919 % count); }

static void report(const char *pass, int count, int last) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += taken[i];
    qsort(taken, count, sizeof *taken, ascending);
    printf("\"%s_us\": %.3f, \"%s_p99_us\": %.3f, \"%s_k\": %.3f%s", pass, taken[count / 2] * 1e6, pass,
           taken[(int)(count * .99)] * 1e6, pass, count / sum / 1e3, last ? "" : ", ");
}

static void each(const char *what, const char *path, const char *format, int count) {
    int at = directory(path);
    char name[256];
    struct stat status;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < count; i++) {
            snprintf(name, sizeof name, format, shuffled(i, count));
            if (*what == 'o' && fstatat(at, name, &status, 0)) fail(name); /* the lookup is not what is timed */
            double start = now();
            if (*what == 'o') {
                int file = openat(at, name, O_RDONLY);
                if (file < 0) fail(name);
                close(file);
            } else if (!fstatat(at, name, &status, 0) != (*what == 's'))
                fail(name);
            taken[i] = now() - start;
        }
        report(pass ? "again" : "cold", count, pass);
    }
}

static void list(const char *path, int look) {
    for (int pass = 0; pass < 2; pass++) {
        long count = 0;
        struct stat status;
        double start = now();
        DIR *open = opendir(path);
        if (!open) fail(path);
        for (struct dirent *entry; (entry = readdir(open)); count++)
            if (look && fstatat(dirfd(open), entry->d_name, &status, AT_SYMLINK_NOFOLLOW)) fail(entry->d_name);
        closedir(open);
        printf("\"%s_k\": %.3f, \"entries\": %ld%s", pass ? "again" : "cold", count / (now() - start) / 1e3, count,
               pass ? "" : ", ");
    }
}

static long drain(int file) {
    long all = 0;
    ssize_t got;
    while ((got = read(file, buffer, BLOCK)) > 0) all += got;
    if (got < 0) fail("read");
    return all;
}

static void whole(const char *path, const char *format, int count) {
    int at = directory(path);
    char name[256];
    for (int pass = 0; pass < 2; pass++) {
        long all = 0;
        double start = now();
        for (int i = 0; i < count; i++) {
            snprintf(name, sizeof name, format, i);
            int file = openat(at, name, O_RDONLY);
            if (file < 0) fail(name);
            all += drain(file);
            close(file);
        }
        printf("\"%s_mb\": %.1f%s", pass ? "again" : "cold", all / (now() - start) / 1e6, pass ? "" : ", ");
    }
}

static void sequential(const char *path) {
    double kept = -1;
    for (int pass = 0; pass < 2; pass++) {
        int file = open(path, O_RDONLY);
        if (file < 0) fail(path);
        double start = now();
        long all = drain(file);
        printf("\"%s_mb\": %.1f, ", pass ? "again" : "cold", all / (now() - start) / 1e6);
        /* The pages that belong to this name: a second copy, where the file system keeps one. */
        struct { uint64_t from, length; } range = {0, 0};
        struct { uint64_t cached, dirty, writeback, evicted, recently; } pages;
        if (!syscall(SYS_CACHESTAT, file, &range, &pages, 0)) kept = pages.cached * 4096.0 / (1 << 20);
        close(file);
    }
    printf("\"kept_mib\": %.1f", kept);
}

static void at_random(const char *path) {
    int file = open(path, O_RDONLY), count = 0;
    struct stat status;
    if (file < 0 || fstat(file, &status)) fail(path);
    posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    srand48(7);
    for (double start = now(); count < 30000 && now() - start < LONGEST; count++) {
        off_t offset = (off_t)(drand48() * (status.st_size / 4096)) * 4096;
        double before = now();
        if (pread(file, buffer, 4096, offset) != 4096) fail("pread");
        taken[count] = now() - before;
    }
    report("cold", count, 1);
}

static void probe(const char *path, double seconds) {
    int at = directory(path), count = 0;
    char name[256];
    struct stat status;
    struct timespec pause = {0, 1000000};
    for (double start = now(); count < MOST && now() - start < seconds; count++) {
        snprintf(name, sizeof name, "missing-%d-%d", (int)getpid(), count);
        double before = now();
        if (!fstatat(at, name, &status, 0) || errno != ENOENT) fail(name);
        taken[count] = now() - before;
        nanosleep(&pause, NULL);
    }
    report("probe", count, 1);
}

int main(int count, char **words) {
    if (count < 3) return 2;
    const char *what = words[1], *path = words[2];
    int files = count > 4 ? atoi(words[4]) : 0;
    if (files > MOST) return 2;
    printf("{");
    if (!strcmp(what, "stat") || !strcmp(what, "missing") || !strcmp(what, "open")) each(what, path, words[3], files);
    else if (!strcmp(what, "read")) whole(path, words[3], files);
    else if (!strcmp(what, "list")) list(path, 1);
    else if (!strcmp(what, "names")) list(path, 0);
    else if (!strcmp(what, "sequential")) sequential(path);
    else if (!strcmp(what, "random")) at_random(path);
    else if (!strcmp(what, "probe") && count > 3) probe(path, atof(words[3]));
    else return 2;
    printf("}\n");
    return 0;
}
