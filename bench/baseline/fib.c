/*
 * The least that it costs to put routes into the kernel: the messages that linnet writes, in batches
 * of the same size, by a program that does nothing else. Beside it lies a socket that is subscribed
 * as linnet's is, with the same filter against the program's own changes: for each route the kernel
 * then makes a notification, as it does in the scenario.
 *
 *   fib 4|6 NEXTHOP-ID FILE
 *
 * FILE has a record for each route: one byte of length, then the address, 4 or 16 bytes. The program
 * says "ready" once all is read, and begins with the first byte on its standard input; it says
 * "done" with the number of refused routes, and ends with its standard input.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

enum { BATCH_ROUTES = 400, PROTOCOL = 179, METRIC = 20 };
enum { WRITER_RECEIVE_BYTES = 4 << 20, WATCHER_RECEIVE_BYTES = 8 << 20 };

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void option(int fd, int level, int name, int value, const char *what)
{
    if (setsockopt(fd, level, name, &value, sizeof value) < 0)
        fail(what);
}

static int open_netlink(int receive_bytes)
{
    struct sockaddr_nl any = { .nl_family = AF_NETLINK };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) < 0)
        fail("netlink socket");
    option(fd, SOL_SOCKET, SO_RCVBUFFORCE, receive_bytes, "SO_RCVBUFFORCE");
    return fd;
}

static uint32_t port_of(int fd)
{
    struct sockaddr_nl own;
    socklen_t length = sizeof own;

    if (getsockname(fd, (struct sockaddr *)&own, &length) < 0)
        fail("getsockname");
    return own.nl_pid;
}

/* Hears of links, addresses, routes and nexthop objects, but not of what `port` has changed. */
static void watch(uint32_t port)
{
    static const int groups[] = {
        RTNLGRP_LINK,        RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE,
        RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE,  RTNLGRP_NEXTHOP,
    };
    struct sock_filter not_own[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
        /* The load takes the word for one in network order. */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __builtin_bswap32(port), 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = { .len = sizeof not_own / sizeof *not_own, .filter = not_own };
    int fd = open_netlink(WATCHER_RECEIVE_BYTES);

    option(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, 1, "NETLINK_NO_ENOBUFS");
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        option(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups[i], "NETLINK_ADD_MEMBERSHIP");
    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) < 0)
        fail("SO_ATTACH_FILTER");
}

static uint8_t *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes;

    if (file == NULL || fseek(file, 0, SEEK_END) < 0)
        fail(path);
    *size = (size_t)ftell(file);
    rewind(file);
    bytes = malloc(*size);
    if (bytes == NULL || fread(bytes, 1, *size, file) != *size)
        fail(path);
    fclose(file);
    return bytes;
}

static uint8_t *attribute(uint8_t *at, uint16_t type, const void *value, size_t size)
{
    struct rtattr head = { .rta_len = (uint16_t)RTA_LENGTH(size), .rta_type = type };

    memcpy(at, &head, sizeof head);
    memcpy(at + sizeof head, value, size);
    return at + RTA_SPACE(size);
}

/* Puts the message for one record at `at`; returns where the next one goes. */
static uint8_t *put_route(uint8_t *at, const uint8_t *record, size_t address_size, uint32_t nexthop,
                          uint32_t sequence)
{
    static const uint32_t metric = METRIC;
    struct nlmsghdr head = {
        .nlmsg_type = RTM_NEWROUTE,
        .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE,
        .nlmsg_seq = sequence,
    };
    struct rtmsg route = {
        .rtm_family = address_size == 4 ? AF_INET : AF_INET6,
        .rtm_dst_len = record[0],
        .rtm_table = RT_TABLE_MAIN,
        .rtm_protocol = PROTOCOL,
        .rtm_type = RTN_UNICAST,
    };
    uint8_t *end = at + NLMSG_SPACE(sizeof route);

    end = attribute(end, RTA_DST, record + 1, address_size);
    end = attribute(end, RTA_PRIORITY, &metric, sizeof metric);
    end = attribute(end, RTA_NH_ID, &nexthop, sizeof nexthop);
    head.nlmsg_len = (uint32_t)(end - at);
    memcpy(at, &head, sizeof head);
    memcpy(NLMSG_DATA(at), &route, sizeof route);
    return end;
}

/* The kernel has worked inside send(): refusals lie in the queue by now, and nothing else does. */
static unsigned refusals(int fd)
{
    static uint8_t reply[65536];
    unsigned count = 0;

    for (;;) {
        ssize_t length = recv(fd, reply, sizeof reply, MSG_DONTWAIT);

        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == EAGAIN)
            return count;
        if (length < 0)
            fail("recv");
        for (struct nlmsghdr *it = (struct nlmsghdr *)reply; NLMSG_OK(it, length);
             it = NLMSG_NEXT(it, length))
            count += it->nlmsg_type == NLMSG_ERROR;
    }
}

int main(int argc, char **argv)
{
    static uint8_t batch[128 * 1024];
    size_t size, address_size;
    uint8_t *records;
    uint32_t nexthop, sequence = 0;
    unsigned refused = 0;
    int fd;

    if (argc != 4) {
        fprintf(stderr, "usage: fib 4|6 NEXTHOP-ID FILE\n");
        return 2;
    }
    address_size = strcmp(argv[1], "6") == 0 ? 16 : 4;
    nexthop = (uint32_t)strtoul(argv[2], NULL, 0);
    records = read_all(argv[3], &size);
    fd = open_netlink(WRITER_RECEIVE_BYTES);
    option(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1, "NETLINK_EXT_ACK");
    option(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1, "NETLINK_CAP_ACK");
    watch(port_of(fd));
    puts("ready");
    fflush(stdout);
    if (getchar() == EOF)
        return 0;
    for (size_t at = 0; at < size;) {
        uint8_t *end = batch;

        for (int i = 0; i < BATCH_ROUTES && at < size; i++, at += 1 + address_size)
            end = put_route(end, records + at, address_size, nexthop, ++sequence);
        if (send(fd, batch, (size_t)(end - batch), 0) < 0)
            fail("send");
        refused += refusals(fd);
    }
    printf("done %u\n", refused);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
