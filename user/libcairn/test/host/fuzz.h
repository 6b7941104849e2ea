/* Turns a fuzzer's input into clients that send messages, close handles, give up and die. After
 * each input everybody is gone, and the server must hold what it held before. */
#pragma once

#include "host.h"

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/* Once the input is used up, they all give 0. fuzz_number prefers numbers on which code breaks. */
uint8_t fuzz_byte(struct fuzz_input *in);
uint64_t fuzz_word(struct fuzz_input *in);
uint64_t fuzz_number(struct fuzz_input *in);

struct fuzz_server {
    const uint32_t *types; /* those that the server knows */
    size_t type_count;
    const char *const *names; /* segments of paths, and other texts */
    size_t name_count;
    /* Fills in a message of m->type in a way that makes sense; false: it knows none. May be NULL;
     * fuzz_file_message knows the file protocol. A handle that it sets is the number of one of the
     * client's; if it sets no handle or no window, chance decides. */
    bool (*shape)(struct fuzz_input *in, struct message *m);
    /* Fills the window 0 of such a message. May be NULL. */
    void (*lend)(struct fuzz_input *in, const struct message *m, struct host_window *window);
    /* Makes a client; NULL: any process will do. */
    struct host_process *(*birth)(void);
    /* Gives a new client its handles. The first is what most messages go to. */
    void (*welcome)(struct host_process *process);
    /* Something that happens to the server from elsewhere. May be NULL. */
    void (*event)(struct fuzz_input *in);
    /* After the clients are gone: puts back what lasts. May be NULL. */
    void (*settle)(void);
    unsigned slack; /* handles and sessions that the server may keep once it has needed them */
};

void fuzz_messages(const struct fuzz_server *server, const uint8_t *data, size_t size);

/* fuzz_text: one of the names, or any bytes; its length, at most room. */
size_t fuzz_text(struct fuzz_input *in, char *out, size_t room);

/* fuzz_file_message: the shapes of proto/fs.h. */
bool fuzz_file_message(struct fuzz_input *in, struct message *m);
