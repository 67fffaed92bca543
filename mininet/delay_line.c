/* A delay line between pairs of interfaces: what comes in at one leaves at the other a fixed time later, in order, VLAN tags
 * intact, nothing lost. For kernels without netem. Knows frames, not what is in them.
 *
 *   delay_line DELAY_US IFACE IFACE [DELAY_US IFACE IFACE]...
 *
 * Says "ready" on standard output when it forwards. Each line on standard input is answered by a line of counters; end of
 * input ends the program, so it cannot outlive the testbed. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define FRAME_ROOM 2048 /* an Ethernet frame of MTU 1500 with two tags; larger ones are counted and dropped */
#define TAG_ROOM 4      /* the kernel takes the VLAN tag out of what it gives us: room to put it back */
#define MAX_ENDS 64
#define RETRY_NS 100000

struct frame {
    uint64_t due_ns;
    uint32_t offset, length;
    unsigned char bytes[FRAME_ROOM + TAG_ROOM];
};

struct queue { /* a ring that grows: frames on their way out of one interface */
    struct frame **slots;
    size_t capacity, head, count;
    uint64_t blocked_until_ns;
};

struct end {
    int fd;
    struct end *peer;
    uint64_t delay_ns;
    struct queue out;
};

static struct end ends[MAX_ENDS];
static int end_count;
static struct frame **spare;
static size_t spare_count, spare_capacity;
static uint64_t forwarded, dropped_down, dropped_oversize, dropped_kernel;

static void fail(const char *what) {
    fprintf(stderr, "delay_line: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

static void *grow(void *old, size_t size) {
    void *grown = realloc(old, size);
    if (!grown) fail("memory");
    return grown;
}

static struct frame *take_frame(void) {
    return spare_count ? spare[--spare_count] : grow(NULL, sizeof(struct frame));
}

static void give_frame(struct frame *frame) {
    if (spare_count == spare_capacity) {
        spare_capacity = spare_capacity ? spare_capacity * 2 : 256;
        spare = grow(spare, spare_capacity * sizeof *spare);
    }
    spare[spare_count++] = frame;
}

static void push(struct queue *queue, struct frame *frame) {
    if (queue->count == queue->capacity) {
        size_t capacity = queue->capacity ? queue->capacity * 2 : 256;
        struct frame **slots = grow(NULL, capacity * sizeof *slots);
        for (size_t i = 0; i < queue->count; i++) slots[i] = queue->slots[(queue->head + i) % queue->capacity];
        free(queue->slots);
        queue->slots = slots;
        queue->capacity = capacity;
        queue->head = 0;
    }
    queue->slots[(queue->head + queue->count++) % queue->capacity] = frame;
}

static void open_end(struct end *end, const char *name, struct end *peer, uint64_t delay_ns) {
    int one = 1, buffer = 64 << 20;
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    address.sll_ifindex = (int)if_nametoindex(name);
    if (!address.sll_ifindex) fail(name);
    end->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (end->fd < 0) fail("socket");
    if (setsockopt(end->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one) ||
        setsockopt(end->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) ||
        setsockopt(end->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one) ||
        setsockopt(end->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) ||
        setsockopt(end->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer))
        fail("setsockopt");
    if (bind(end->fd, (struct sockaddr *)&address, sizeof address)) fail(name);
    end->peer = peer;
    end->delay_ns = delay_ns;
}

/* Puts the VLAN tag back that the kernel moved to the side data, and gives the time the frame came in (CLOCK_REALTIME). */
static uint64_t restore(struct frame *frame, struct msghdr *message) {
    uint64_t stamp = 0;
    for (struct cmsghdr *side = CMSG_FIRSTHDR(message); side; side = CMSG_NXTHDR(message, side)) {
        if (side->cmsg_level == SOL_PACKET && side->cmsg_type == PACKET_AUXDATA) {
            struct tpacket_auxdata aux;
            memcpy(&aux, CMSG_DATA(side), sizeof aux);
            if (aux.tp_status & TP_STATUS_VLAN_VALID) {
                uint16_t tpid = aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q;
                uint16_t tag[2] = {htons(tpid), htons(aux.tp_vlan_tci)};
                memmove(frame->bytes, frame->bytes + TAG_ROOM, 2 * ETH_ALEN);
                memcpy(frame->bytes + 2 * ETH_ALEN, tag, sizeof tag);
                frame->offset = 0;
                frame->length += TAG_ROOM;
            }
        } else if (side->cmsg_level == SOL_SOCKET && side->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;
            memcpy(&at, CMSG_DATA(side), sizeof at);
            stamp = (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
        }
    }
    return stamp;
}

/* Takes in all that has come. The delay counts from the kernel's stamp, so our own waiting for the CPU is not added to it. */
static void receive(struct end *end) {
    static struct frame *frames[BATCH];
    struct mmsghdr messages[BATCH];
    struct iovec buffers[BATCH];
    _Alignas(struct cmsghdr) char side[BATCH][256];
    for (;;) {
        memset(messages, 0, sizeof messages);
        for (int i = 0; i < BATCH; i++) {
            if (!frames[i]) frames[i] = take_frame();
            buffers[i] = (struct iovec){frames[i]->bytes + TAG_ROOM, FRAME_ROOM};
            messages[i].msg_hdr = (struct msghdr){
                .msg_iov = &buffers[i], .msg_iovlen = 1, .msg_control = side[i], .msg_controllen = sizeof side[i]};
        }
        int got = recvmmsg(end->fd, messages, BATCH, MSG_DONTWAIT, NULL);
        if (got <= 0) return; /* nothing (more), or the interface is down */
        uint64_t now = clock_ns(CLOCK_MONOTONIC), wall = clock_ns(CLOCK_REALTIME);
        for (int i = 0; i < got; i++) {
            struct frame *frame = frames[i];
            if (messages[i].msg_hdr.msg_flags & MSG_TRUNC) {
                dropped_oversize++;
                continue;
            }
            frame->offset = TAG_ROOM;
            frame->length = messages[i].msg_len;
            uint64_t stamp = restore(frame, &messages[i].msg_hdr);
            uint64_t age = stamp && stamp <= wall && wall - stamp < 1000000000u ? wall - stamp : 0;
            frame->due_ns = now - age + end->delay_ns;
            push(&end->peer->out, frame);
            frames[i] = NULL;
        }
        if (got < BATCH) return;
    }
}

/* Sends what is due; gives the time at which there is something to do again, 0 for never. */
static uint64_t transmit(struct end *end, uint64_t now) {
    struct queue *queue = &end->out;
    if (queue->blocked_until_ns > now) return queue->blocked_until_ns;
    queue->blocked_until_ns = 0;
    while (queue->count) {
        struct mmsghdr messages[BATCH];
        struct iovec buffers[BATCH];
        int due = 0;
        memset(messages, 0, sizeof messages);
        while (due < BATCH && (size_t)due < queue->count) {
            struct frame *frame = queue->slots[(queue->head + (size_t)due) % queue->capacity];
            if (frame->due_ns > now) break;
            buffers[due] = (struct iovec){frame->bytes + frame->offset, frame->length};
            messages[due].msg_hdr = (struct msghdr){.msg_iov = &buffers[due], .msg_iovlen = 1};
            due++;
        }
        if (!due) return queue->slots[queue->head]->due_ns;
        int sent = sendmmsg(end->fd, messages, (unsigned)due, MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EAGAIN || errno == ENOBUFS || errno == EINTR) {
                return queue->blocked_until_ns = now + RETRY_NS;
            }
            dropped_down++; /* the link is down: what was on it is lost */
            sent = 1;
        } else {
            forwarded += (uint64_t)sent;
        }
        for (int i = 0; i < sent; i++) {
            give_frame(queue->slots[queue->head]);
            queue->head = (queue->head + 1) % queue->capacity;
            queue->count--;
        }
    }
    return 0;
}

static void answer(void) {
    for (int i = 0; i < end_count; i++) {
        struct tpacket_stats stats; /* reading them sets them back */
        socklen_t length = sizeof stats;
        if (!getsockopt(ends[i].fd, SOL_PACKET, PACKET_STATISTICS, &stats, &length)) dropped_kernel += stats.tp_drops;
    }
    printf("{\"forwarded\":%llu,\"linkDown\":%llu,\"oversize\":%llu,\"overrun\":%llu}\n", (unsigned long long)forwarded,
           (unsigned long long)dropped_down, (unsigned long long)dropped_oversize, (unsigned long long)dropped_kernel);
    fflush(stdout);
}

int main(int argc, char **argv) {
    struct pollfd polls[MAX_ENDS + 1];
    if (argc < 4 || (argc - 1) % 3 || (argc - 1) / 3 * 2 > MAX_ENDS) {
        fprintf(stderr, "usage: delay_line DELAY_US IFACE IFACE [DELAY_US IFACE IFACE]...\n");
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1000UL);
    setpriority(PRIO_PROCESS, 0, -15);
    for (int i = 1; i < argc; i += 3) {
        uint64_t delay_ns = strtoull(argv[i], NULL, 10) * 1000u;
        struct end *left = &ends[end_count++], *right = &ends[end_count++];
        open_end(left, argv[i + 1], right, delay_ns);
        open_end(right, argv[i + 2], left, delay_ns);
    }
    polls[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    for (int i = 0; i < end_count; i++) polls[i + 1] = (struct pollfd){.fd = ends[i].fd, .events = POLLIN};
    puts("ready");
    fflush(stdout);
    for (;;) {
        uint64_t now = clock_ns(CLOCK_MONOTONIC), next = 0;
        for (int i = 0; i < end_count; i++) {
            uint64_t at = transmit(&ends[i], now);
            if (at && (!next || at < next)) next = at;
        }
        struct timespec wait = {0, 0};
        now = clock_ns(CLOCK_MONOTONIC);
        if (next > now) {
            wait.tv_sec = (time_t)((next - now) / 1000000000u);
            wait.tv_nsec = (long)((next - now) % 1000000000u);
        }
        if (ppoll(polls, (nfds_t)end_count + 1, next ? &wait : NULL, NULL) < 0 && errno != EINTR) fail("ppoll");
        if (polls[0].revents) {
            char line[256];
            if (read(STDIN_FILENO, line, sizeof line) <= 0) return 0;
            answer();
        }
        for (int i = 0; i < end_count; i++) {
            int error;
            socklen_t length = sizeof error;
            if (polls[i + 1].revents & POLLERR) getsockopt(ends[i].fd, SOL_SOCKET, SO_ERROR, &error, &length); /* link down */
            if (polls[i + 1].revents) receive(&ends[i]);
        }
    }
}
