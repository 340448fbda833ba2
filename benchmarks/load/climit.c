/* climit - the physical limit: a C epoll server that sends one prebuilt WebSocket frame to every client.
 * ./climit PORT SIZE(1k|8k|64k) COUNT MAX_S VARIANT(send|uring|zc)
 * SIGUSR1: COUNT broadcasts, one per second.  SIGUSR2: back-to-back broadcasts for MAX_S seconds.
 * build: gcc -O2 -o climit climit.c; for VARIANT uring: gcc -O2 -DURING -o climit climit.c -luring */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#ifdef URING
#include <liburing.h>
#endif
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
static uint64_t mono(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec; }
static void sha1(const uint8_t *d, size_t n, uint8_t out[20]) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    size_t total = ((n + 8) / 64 + 1) * 64; uint8_t m[256] = {0};
    memcpy(m, d, n); m[n] = 0x80; uint64_t bits = (uint64_t)n * 8;
    for (int i = 0; i < 8; i++) m[total - 1 - i] = (uint8_t)(bits >> (8 * i));
    for (size_t o = 0; o < total; o += 64) {
        uint32_t w[80], a = h[0], b = h[1], c = h[2], dd = h[3], e = h[4];
        for (int i = 0; i < 16; i++) w[i] = (uint32_t)m[o+4*i] << 24 | (uint32_t)m[o+4*i+1] << 16 | (uint32_t)m[o+4*i+2] << 8 | m[o+4*i+3];
        for (int i = 16; i < 80; i++) { uint32_t x = w[i-3]^w[i-8]^w[i-14]^w[i-16]; w[i] = x << 1 | x >> 31; }
        for (int i = 0; i < 80; i++) {
            uint32_t f, k;
            if (i < 20) { f = (b&c)|(~b&dd); k = 0x5A827999; } else if (i < 40) { f = b^c^dd; k = 0x6ED9EBA1; }
            else if (i < 60) { f = (b&c)|(b&dd)|(c&dd); k = 0x8F1BBCDC; } else { f = b^c^dd; k = 0xCA62C1D6; }
            uint32_t t = (a<<5|a>>27)+f+e+k+w[i]; e = dd; dd = c; c = b<<30|b>>2; b = a; a = t;
        }
        h[0]+=a; h[1]+=b; h[2]+=c; h[3]+=dd; h[4]+=e;
    }
    for (int i = 0; i < 20; i++) out[i] = (uint8_t)(h[i/4] >> (24 - 8*(i%4)));
}
static void b64(const uint8_t *d, int n, char *o) {
    static const char T[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)d[i]<<16 | (i+1<n?(uint32_t)d[i+1]<<8:0) | (i+2<n?d[i+2]:0);
        *o++ = T[v>>18]; *o++ = T[v>>12&63]; *o++ = i+1<n?T[v>>6&63]:'='; *o++ = i+2<n?T[v&63]:'=';
    }
    *o = 0;
}
#define MAXC 20000
typedef struct { char *p; size_t len; int ref; } frame;
typedef struct { int fd, open, idx; frame *f; size_t off; int nx; frame *next[16]; int req; char hs[4096]; int hl; } cl;
static cl *C[MAXC]; static cl *ACT[MAXC]; static int nact;
static char *tails[16]; static size_t tlen[16];
static int ep, uring; static int zc;
#ifdef URING
static struct io_uring ring;
#endif

static uint64_t sent, skipped, eagain, seq;
static frame *mkframe(void) {
    frame *f = malloc(sizeof *f); int j = (int)(seq % 16);
    char head[128]; int hl = sprintf(head, "{\"type\":\"metrics\",\"sent_ns\":%lu,\"seq\":%lu,", (unsigned long)mono(), (unsigned long)seq);
    seq++;
    size_t n = (size_t)hl + tlen[j]; f->p = malloc(n + 10); uint8_t *q = (uint8_t *)f->p; size_t h = 2;
    q[0] = 0x81;
    if (n < 126) q[1] = (uint8_t)n; else if (n < 65536) { q[1] = 126; q[2] = (uint8_t)(n>>8); q[3] = (uint8_t)n; h = 4; }
    else { q[1] = 127; for (int i = 0; i < 8; i++) q[2+i] = (uint8_t)(n >> (56-8*i)); h = 10; }
    memcpy(f->p + h, head, (size_t)hl); memcpy(f->p + h + hl, tails[j], tlen[j]); f->len = n + h; f->ref = 1;
    return f;
}
static void unref(frame *f) { if (--f->ref == 0) { free(f->p); free(f); } }
static void drop(cl *c) {
    if (c->open) { ACT[c->idx] = ACT[--nact]; ACT[c->idx]->idx = c->idx; }
    if (c->f) unref(c->f);
    for (int i = 0; i < c->nx; i++) unref(c->next[i]);
    close(c->fd); C[c->fd] = NULL; free(c);
}
static void flush(cl *c) {
    while (c->f) {
        ssize_t r = send(c->fd, c->f->p + c->off, c->f->len - c->off, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (r < 0) return;
        c->off += (size_t)r;
        if (c->off < c->f->len) return;
        unref(c->f); c->f = NULL; c->off = 0; sent++;
        if (c->nx) { c->f = c->next[0]; memmove(c->next, c->next + 1, sizeof *c->next * (size_t)(--c->nx)); }
    }
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static void partial(cl *c, frame *f, size_t off) {
    c->f = f; f->ref++; c->off = off; eagain++;
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}
static int broadcast(int max) {
    frame *f = mkframe(); int did = 0;
    if (!uring) {
        for (int i = 0; i < nact; i++) {
            cl *c = ACT[i];
            if (c->f) { if (!max && c->nx < 16) { c->next[c->nx++] = f; f->ref++; } else skipped++; continue; }
            ssize_t r = send(c->fd, f->p, f->len, MSG_NOSIGNAL | MSG_DONTWAIT | zc);
            if (r == (ssize_t)f->len) { sent++; did++; continue; }
            if (r < 0 && errno != EAGAIN && errno != ENOBUFS) continue;
            partial(c, f, r < 0 ? 0 : (size_t)r); did += r > 0;
        }
    }
#ifdef URING
    else {
        int i = 0, infl = 0;
        while (i < nact || infl) {
            struct io_uring_sqe *s;
            while (i < nact && infl < 512 && (s = io_uring_get_sqe(&ring))) {
                cl *c = ACT[i++];
                if (c->f) { if (!max && c->nx < 16) { c->next[c->nx++] = f; f->ref++; } else skipped++; 
                    io_uring_prep_nop(s); io_uring_sqe_set_data(s, NULL); infl++; continue; }
                io_uring_prep_send(s, c->fd, f->p, f->len, MSG_NOSIGNAL | MSG_DONTWAIT);
                io_uring_sqe_set_data(s, c); infl++;
            }
            io_uring_submit_and_wait(&ring, (unsigned)infl);
            struct io_uring_cqe *q; unsigned hd, k = 0;
            io_uring_for_each_cqe(&ring, hd, q) {
                k++; infl--;
                cl *c = io_uring_cqe_get_data(q);
                if (!c) continue;
                if (q->res == (int)f->len) { sent++; did++; }
                else if (q->res >= 0 || q->res == -EAGAIN) { partial(c, f, q->res < 0 ? 0 : (size_t)q->res); did += q->res > 0; }
            }
            io_uring_cq_advance(&ring, k);
        }
    }
#endif
    unref(f);
    return did;
}
static void readable(cl *c) {
    char b[8192];
    if (!c->open) {
        ssize_t r = recv(c->fd, c->hs + c->hl, sizeof c->hs - 1 - (size_t)c->hl, 0);
        if (r <= 0) { if (r == 0 || errno != EAGAIN) drop(c); return; }
        c->hl += (int)r; c->hs[c->hl] = 0;
        if (!strstr(c->hs, "\r\n\r\n")) return;
        char *k = strcasestr(c->hs, "sec-websocket-key:"); if (!k) { drop(c); return; }
        k += 18; while (*k == ' ') k++;
        char cat[128], acc[40], out[256]; uint8_t dg[20];
        int n = sprintf(cat, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", k);
        sha1((uint8_t *)cat, (size_t)n, dg); b64(dg, 20, acc);
        n = sprintf(out, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acc);
        if (send(c->fd, out, (size_t)n, MSG_NOSIGNAL) != n) { drop(c); return; }
        c->open = 1; c->idx = nact; ACT[nact++] = c;
        return;
    }
    ssize_t r = recv(c->fd, b, sizeof b, MSG_DONTWAIT);
    if (r == 0 || (r < 0 && errno != EAGAIN) || (r > 0 && (uint8_t)b[0] == 0x88)) drop(c);
}
static void zc_reap(cl *c) {
    char ctl[512]; struct msghdr m = {.msg_control = ctl, .msg_controllen = sizeof ctl};
    while (recvmsg(c->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) m.msg_controllen = sizeof ctl;
}
int main(int argc, char **argv) {
    if (argc < 6) return 2;
    int port = atoi(argv[1]), count = atoi(argv[3]); double max_s = atof(argv[4]);
    uring = !strcmp(argv[5], "uring"); if (!strcmp(argv[5], "zc")) zc = MSG_ZEROCOPY;
    for (int i = 0; i < 16; i++) {
        char p[256]; sprintf(p, "payloads/%s_%02d.json", argv[2], i);
        FILE *f = fopen(p, "r"); if (!f) { perror(p); return 1; }
        tails[i] = malloc(1 << 20); tlen[i] = fread(tails[i], 1, 1 << 20, f); tails[i] = realloc(tails[i], tlen[i]); fclose(f);
    }
    struct rlimit rl; getrlimit(RLIMIT_NOFILE, &rl); rl.rlim_cur = rl.rlim_max; setrlimit(RLIMIT_NOFILE, &rl);
#ifdef URING
    if (uring && io_uring_queue_init(1024, &ring, 0) < 0) { perror("io_uring"); return 1; }
#else
    if (uring) { fprintf(stderr, "built without io_uring\n"); return 2; }
#endif
    int ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(0x7f000001)};
    a.sin_addr.s_addr = INADDR_ANY; a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(ls, (struct sockaddr *)&a, sizeof a) || listen(ls, 4096)) { perror("listen"); return 1; }
    sigset_t ss; sigemptyset(&ss); sigaddset(&ss, SIGUSR1); sigaddset(&ss, SIGUSR2); sigaddset(&ss, SIGTERM); sigprocmask(SIG_BLOCK, &ss, NULL);
    int sf = signalfd(-1, &ss, SFD_NONBLOCK);
    ep = epoll_create1(0); struct epoll_event e = {.events = EPOLLIN, .data.ptr = &ls}, ev[512];
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e); e.data.ptr = &sf; epoll_ctl(ep, EPOLL_CTL_ADD, sf, &e);
    int left = 0; uint64_t next = 0, maxend = 0;
    fprintf(stderr, "ready\n");
    for (;;) {
        int to = -1; uint64_t now = mono();
        if (left) {
            if (now >= next) { broadcast(0); left--; next += 1000000000ull; continue; }
            to = (int)((next - now) / 1000000) ; if (to < 1) to = 1;
        }
        if (maxend) {
            if (now >= maxend) { maxend = 0; fprintf(stderr, "max: sent=%lu skipped=%lu partial=%lu\n", sent, skipped, eagain); }
            else to = broadcast(1) ? 0 : 1;
        }
        int r = epoll_wait(ep, ev, 512, to);
        for (int i = 0; i < r; i++) {
            if (ev[i].data.ptr == &ls) {
                int fd;
                for (int k = 0; k < 256 && (fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK)) >= 0; k++) {
                    if (fd >= MAXC) { close(fd); continue; }
                    cl *c = calloc(1, sizeof *c); c->fd = fd; C[fd] = c;
                    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    if (zc) setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof one);
                    struct epoll_event x = {.events = EPOLLIN, .data.ptr = c}; epoll_ctl(ep, EPOLL_CTL_ADD, fd, &x);
                }
            } else if (ev[i].data.ptr == &sf) {
                struct signalfd_siginfo si; if (read(sf, &si, sizeof si) != sizeof si) continue;
                if (si.ssi_signo == SIGTERM) return 0;
                if (si.ssi_signo == SIGUSR1) { left = count; next = mono(); } else maxend = mono() + (uint64_t)(max_s * 1e9);
            } else {
                cl *c = ev[i].data.ptr;
                if (zc && ev[i].events & EPOLLERR) zc_reap(c);
                if (ev[i].events & EPOLLOUT) flush(c);
                if (ev[i].events & (EPOLLIN | EPOLLHUP)) readable(c);
            }
        }
    }
}
