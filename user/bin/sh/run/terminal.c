/* Terminal modes through termios. What was typed ahead stays. */
#include "terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios cooked;
static bool is_raw;

void terminal_raw(void)
{
    if (is_raw || tcgetattr(STDIN_FILENO, &cooked) < 0)
        return;
    struct termios raw = cooked;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_cooked(void)
{
    if (is_raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
    is_raw = false;
}

void terminal_echo(bool on)
{
    struct termios mode;
    if (tcgetattr(STDIN_FILENO, &mode) < 0)
        return;
    mode.c_lflag = on ? mode.c_lflag | ECHO : mode.c_lflag & ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

int terminal_columns(void)
{
    struct winsize size;
    return ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
