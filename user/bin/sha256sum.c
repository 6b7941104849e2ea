/* sha256sum: SHA-256 (FIPS 180-4) of files, printed or checked. */
#include "common/input.h"

static const char usage[] = "usage: sha256sum [-bt] [FILE]...\n"
                            "       sha256sum -c [-q] [FILE]...\n"
                            "  -b, -t  accepted; all files are read as they are\n"
                            "  -c      FILE lists sums and names as printed before: check them\n"
                            "  -q      with -c: print only what fails\n";

#define DIGEST_SIZE 32
#define BLOCK_SIZE  64

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[BLOCK_SIZE];
};

/* FIPS 180-4, 4.2.2: fractional parts of the cube roots of the first 64 primes. */
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void sha256_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] +
               (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) +
                      round_constants[i] + w[i];
        uint32_t t2 =
            (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void sha256_start(struct sha256 *hash)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, initial, sizeof(initial));
    hash->length = 0;
}

static void sha256_add(struct sha256 *hash, const uint8_t *data, size_t length)
{
    size_t used = hash->length % BLOCK_SIZE;
    hash->length += length;
    while (length > 0) {
        if (used == 0 && length >= BLOCK_SIZE) {
            sha256_block(hash->state, data);
            data += BLOCK_SIZE;
            length -= BLOCK_SIZE;
            continue;
        }
        size_t part = BLOCK_SIZE - used < length ? BLOCK_SIZE - used : length;
        memcpy(hash->block + used, data, part);
        data += part;
        length -= part;
        used = (used + part) % BLOCK_SIZE;
        if (used == 0)
            sha256_block(hash->state, hash->block);
    }
}

static void sha256_finish(struct sha256 *hash, char hex[2 * DIGEST_SIZE + 1])
{
    static const uint8_t padding[BLOCK_SIZE] = {0x80};
    uint64_t bits = hash->length * 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    size_t used = hash->length % BLOCK_SIZE;
    sha256_add(hash, padding, (used < 56 ? 56 : 120) - used);
    sha256_add(hash, length, sizeof(length));
    for (int i = 0; i < 8; i++)
        snprintf(hex + 8 * i, 9, "%08x", (unsigned)hash->state[i]);
}

/* hash_file: the sum as text; false if the file cannot be read. */
static bool hash_file(const char *name, char *hex)
{
    static struct input in;
    struct sha256 hash;
    char *data;
    size_t length;

    if (!input_open(&in, name))
        return false;
    sha256_start(&hash);
    while ((length = input_block(&in, &data)) > 0)
        sha256_add(&hash, (uint8_t *)data, length);
    sha256_finish(&hash, hex);
    input_close(&in);
    return !in.failed;
}

/* check_list: each line of a list is a sum, a blank, a blank or *, and a name. */
static int check_list(const char *list, bool quiet)
{
    struct input in = {0};
    char hex[2 * DIGEST_SIZE + 1], *line;
    uint64_t malformed = 0, unread = 0, wrong = 0, right = 0;
    size_t length;

    if (!input_open(&in, list))
        return 1;
    while (input_line(&in, '\n', &line, &length)) {
        if (length < 2 * DIGEST_SIZE + 3 || line[2 * DIGEST_SIZE] != ' ' ||
            memchr(line, '\0', length) != NULL) {
            malformed++;
            continue;
        }
        size_t name_length = length - 2 * DIGEST_SIZE - 2;
        char *name = must_allocate(name_length + 1);
        memcpy(name, line + 2 * DIGEST_SIZE + 2, name_length);
        name[name_length] = '\0';
        const char *verdict = NULL;
        if (!hash_file(name, hex)) {
            unread++;
            verdict = "FAILED open or read";
        } else if (strncasecmp(hex, line, 2 * DIGEST_SIZE) != 0) {
            wrong++;
            verdict = "FAILED";
        } else {
            right++;
        }
        if (verdict != NULL || !quiet)
            output_format("%s: %s\n", name, verdict != NULL ? verdict : "OK");
        free(name);
    }
    input_close(&in);
    free(in.buffer);
    if (right + wrong + unread == 0)
        warnx("%s: no properly formatted sums found", list);
    if (malformed > 0)
        warnx("%s: %llu malformed lines", list, (unsigned long long)malformed);
    if (unread > 0)
        warnx("%s: %llu files could not be read", list, (unsigned long long)unread);
    if (wrong > 0)
        warnx("%s: %llu sums did NOT match", list, (unsigned long long)wrong);
    return in.failed || unread > 0 || wrong > 0 || right == 0;
}

int main(int argc, char **argv)
{
    char hex[2 * DIGEST_SIZE + 1];
    bool check = false, quiet = false;
    int option, status = 0;

    utility_start(usage, 1);
    while ((option = utility_option(argc, argv, "bcqt")) != -1) {
        check |= option == 'c';
        quiet |= option == 'q';
    }
    for (char **name = input_arguments(argc, argv); *name != NULL; name++) {
        if (check)
            status |= check_list(*name, quiet);
        else if (hash_file(*name, hex))
            output_format("%s  %s\n", hex, *name);
        else
            status = 1;
    }
    return status;
}
