/* net:capture:NAME: what passes an interface, as a pcap file that grows while it is read
 * (draft-ietf-opsawg-pcap). */
#pragma once

#include "cairn/server.h"

#define CAPTURES_MAX      4
#define CAPTURES_A_CLIENT 2

/* capture_open: FS_OPEN of "capture:NAME" or "capture/NAME"; -ENOENT: another path; -EMFILE,
 * -ENFILE as watch_request. */
int64_t capture_open(struct request *request, const char *path);

/* capture_request: on a handle with BADGE_CAPTURE. */
int64_t capture_request(struct request *request);
void capture_closed(uint64_t badge);

/* capture_work: gives readers what has come. */
void capture_work(void);
