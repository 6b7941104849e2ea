/* Internet addresses as text, against those of the host's C library: each text of a table, and
 * what becomes of it by random changes, is read by both; each address is written by both. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* tests.mk gives ours other names (tested_...); the host's are found under their own. */
static int (*libc_pton)(int family, const char *text, void *address);
static const char *(*libc_ntop)(int family, const void *address, char *text, socklen_t size);
static int (*libc_aton)(const char *text, struct in_addr *address);

static int passed, failed;

static void check(int good, const char *what, const char *text)
{
    if (good) {
        passed++;
        return;
    }
    failed++;
    printf("%s differs for \"%s\"\n", what, text);
}

static const char *const texts[] = {
    "0.0.0.0", "127.0.0.1", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4",
    "1.2.3.04", "1..2.3", "1.2.3.", ".1.2.3", "1.2.3.4 ", " 1.2.3.4", "127.1", "0x7f.1", "0177.1",
    "1.2.3.0x10", "4294967295", "4294967296", "1.16777215", "1.16777216", "1.2.65535", "1.2.65536",
    "::", "::1", "1::", "1::2", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7", "1::2::3", ":::", ":1::", "1:", ":1", ":", "",
    "fe80::1", "fe80::1%1", "2001:db8::0:1", "2001:DB8:0:0:1:0:0:1", "::ffff:1.2.3.4", "::1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5::1.2.3.4", "::1.2.3", "::1.2.3.256",
    "1.2.3.4::", "12345::", "g::", "::12345", "0:0:0:0:0:0:0:0", "0:0:1:0:0:0:1:0", "1:0:0:2:0:0:0:3",
    "0000:0000:0000:0000:0000:0000:0000:0001", "ff02::2", "::ffff:0:0", "::1:0:0", "64:ff9b::1.1.1.1",
};

static void compare_reading(const char *text)
{
    uint8_t own[16], libc[16];
    for (int i = 0; i < 2; i++) {
        int family = i ? AF_INET6 : AF_INET;
        memset(own, 0, sizeof own);
        memset(libc, 0, sizeof libc);
        int result = inet_pton(family, text, own);
        check(result == libc_pton(family, text, libc) && memcmp(own, libc, sizeof own) == 0,
              i ? "inet_pton(6)" : "inet_pton(4)", text);
    }
    struct in_addr a = {0}, b = {0};
    int result = inet_aton(text, &a) != 0;
    check(result == (libc_aton(text, &b) != 0) && (!result || a.s_addr == b.s_addr), "inet_aton",
          text);
}

static void compare_writing(const uint8_t *bytes)
{
    char own[INET6_ADDRSTRLEN], libc[INET6_ADDRSTRLEN];
    for (int i = 0; i < 2; i++) {
        int family = i ? AF_INET6 : AF_INET;
        libc_ntop(family, bytes, libc, sizeof libc);
        socklen_t length = (socklen_t)strlen(libc);
        check(inet_ntop(family, bytes, own, length + 1) == own && strcmp(own, libc) == 0,
              "inet_ntop", libc);
        check(inet_ntop(family, bytes, own, length) == NULL, "inet_ntop's room", libc);
    }
}

static void mutate(char *text)
{
    static const char characters[] = "0123456789abcdefABCDEFx:.% g";
    size_t length = strlen(text), at = length ? (size_t)rand() % length : 0;
    char c = characters[(size_t)rand() % (sizeof characters - 1)];
    switch (rand() % 3) {
    case 0:
        if (length)
            text[at] = c;
        break;
    case 1:
        memmove(text + at + 1, text + at, length - at + 1);
        text[at] = c;
        break;
    default:
        if (length)
            memmove(text + at, text + at + 1, length - at);
    }
}

int main(void)
{
    *(void **)&libc_pton = dlsym(RTLD_DEFAULT, "inet_pton");
    *(void **)&libc_ntop = dlsym(RTLD_DEFAULT, "inet_ntop");
    *(void **)&libc_aton = dlsym(RTLD_DEFAULT, "inet_aton");
    srand(1);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        compare_reading(texts[i]);
        for (int n = 0; n < 2000; n++) {
            char text[80];
            strcpy(text, texts[i]);
            for (int changes = rand() % 3; changes >= 0; changes--)
                mutate(text);
            compare_reading(text);
        }
    }
    for (int n = 0; n < 20000; n++) {
        uint8_t bytes[16];
        for (int i = 0; i < 16; i++) /* many zeros, so that runs of them meet */
            bytes[i] = rand() % 3 ? 0 : (uint8_t)rand();
        if (n % 4 == 0)
            bytes[10] = bytes[11] = 0xff;
        compare_writing(bytes);
    }
    uint8_t zeros[16] = {0}, one[16] = {[15] = 1};
    check(memcmp(&in6addr_any, zeros, 16) == 0, "in6addr_any", "");
    check(memcmp(&in6addr_loopback, one, 16) == 0, "in6addr_loopback", "");
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
