/* The few ioctls that programs rely on. */
#pragma once

struct winsize {
    unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel;
};

#define TIOCGWINSZ 0x5413 /* struct winsize *: the terminal's size */
#define FIONREAD 0x541b   /* int *: bytes that a read of this socket would find */
#define FIONBIO 0x5421    /* int *: O_NONBLOCK on or off */
#define FIOCLEX 0x5451    /* close on exec */
#define FIONCLEX 0x5450

int ioctl(int fd, unsigned long request, ...);
