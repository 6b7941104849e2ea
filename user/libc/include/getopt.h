/* Options of a command line: getopt of POSIX, and the long options of GNU. */
#pragma once

#define no_argument       0
#define required_argument 1
#define optional_argument 2

struct option {
    const char *name;
    int has_arg; /* one of the above */
    int *flag;   /* NULL: val is returned; otherwise it is put here and 0 is returned */
    int val;
};

extern char *optarg;
extern int optind; /* starts as 1; set it to 0 or 1 to begin with another command line */
extern int opterr; /* 0: no messages */
extern int optopt; /* what was wrong with the option for which '?' or ':' was returned */

/* getopt: the next option's letter, or -1 when there are no more. Options are found behind
 * operands, too, and moved before them, unless letters begins with '+' or POSIXLY_CORRECT is set;
 * with '-', an operand is returned as the argument of an option 1. Behind a letter, ":" stands for
 * an argument, "::" for one that can only be in the same word. A ':' at the start of letters asks
 * for silence, and for ':' when an argument is missing. */
int getopt(int argc, char *const argv[], const char *letters);

/* getopt_long: "--name", "--name=argument", "--name argument" too; names may be cut as long as they
 * stay unique. *index = which it was. getopt_long_only: a single '-' will do. */
int getopt_long(int argc, char *const argv[], const char *letters, const struct option *names,
                int *index);
int getopt_long_only(int argc, char *const argv[], const char *letters, const struct option *names,
                     int *index);
