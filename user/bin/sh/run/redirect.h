/* Redirections inside the shell: descriptors are replaced, and put back afterwards. Programs
 * that are started meanwhile inherit them. */
#pragma once

#include "shell.h"

#define REDIRECT_FDS 10 /* descriptors that a script can name */
#define FD_PRIVATE   10 /* the shell's own begin here */

struct redirect_frame {
    /* per descriptor: -1 = untouched, -2 = was closed, else where the old one is kept */
    int saved[REDIRECT_FDS];
};

void redirect_begin(struct redirect_frame *frame);

/* redirect_apply: carries out a list. False after an error message; the frame still needs its
 * redirect_undo. */
bool redirect_apply(struct shell *shell, struct redirect_frame *frame,
                    const struct redirect *redirects);

/* redirect_fd: makes fd a copy of source, which stays open; source -1 closes it. */
int redirect_fd(struct redirect_frame *frame, int fd, int source);

void redirect_undo(struct redirect_frame *frame);
/* redirect_keep: the new descriptors stay (exec). */
void redirect_keep(struct redirect_frame *frame);

/* private_pipe: a pipe whose ends scripts and children do not see. 0 or -errno. */
int private_pipe(int ends[2]);
